/* SPDX-License-Identifier: LGPL-3.0-or-later */
/*
 * The one reading of smb.conf and of the files that it names.
 */
#ifndef QUICD_READING_H
#define QUICD_READING_H

#include <talloc.h>

#include "bundle.h"
#include "log.h"

/**
 * @brief Read all with the rights of this process, and check it: smb.conf, the
 * certificates, and what smbd would refuse.
 *
 * @param[in] path  NULL: the smb.conf that Samba was built with.
 * @param[in] make  make the file of the secret if there is none
 *
 * @return NULL after errors in the report.
 */
struct quicd_bundle *quicd_reading(TALLOC_CTX *mem_ctx,
				   struct quicd_report *report,
				   const char *path,
				   bool make);

#endif /* QUICD_READING_H */
