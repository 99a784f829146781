/* SPDX-License-Identifier: LGPL-3.0-or-later */
/*
 * A directory of certificates, into a bundle.
 */
#ifndef QUICD_DIRECTORY_H
#define QUICD_DIRECTORY_H

#include <stdbool.h>

#include "bundle.h"
#include "log.h"

/**
 * @brief Add the pairs of a directory.
 *
 * NAME.pem has a certificate and its chain, and NAME.key has the key.  Without
 * NAME.key, NAME.pem has the key as well.
 *
 * The names are in the order of strcmp().
 *
 * @param[in] parameter  where smb.conf names it, for log lines
 *
 * @return false after an error in the report.
 */
bool quicd_directory_add(struct quicd_bundle *bundle,
			 struct quicd_report *report,
			 const char *parameter,
			 const char *path);

#endif /* QUICD_DIRECTORY_H */
