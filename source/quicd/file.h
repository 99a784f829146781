/* SPDX-License-Identifier: LGPL-3.0-or-later */
/*
 * Files that smb.conf names, into a bundle.
 */
#ifndef QUICD_FILE_H
#define QUICD_FILE_H

#include <stdbool.h>

#include "bundle.h"
#include "log.h"

/**
 * @brief Add what a file is, and its content, to a bundle.
 *
 * @param[in] item_source  name of the first item: "parameter = path"
 * @param[in] item         name of the second one
 * @param[in] parameter    where smb.conf names it, for log lines
 * @param[in] secret       others must not have access to the file
 *
 * @return false after an error in the report.
 */
bool quicd_file_add(struct quicd_bundle *bundle,
		    struct quicd_report *report,
		    const char *item_source,
		    const char *item,
		    const char *parameter,
		    const char *path,
		    bool secret);

#endif /* QUICD_FILE_H */
