/* SPDX-License-Identifier: LGPL-3.0-or-later */
/*
 * smb.conf, read by Samba's own parser.
 */
#ifndef QUICD_SMBCONF_H
#define QUICD_SMBCONF_H

#include <stdbool.h>
#include <stddef.h>
#include <talloc.h>

#include "log.h"

/**
 * @brief Called for each parameter of [global], also for defaults.  For a share
 * it is called for each parameter whose value differs from that of [global].
 *
 * @param[in] section  The share; NULL is [global].
 * @param[in] name     A name with a colon has the blanks and the case that it
 *                     has in smb.conf.
 * @param[in] value    NULL: Samba ignores the line, because it does not know
 *                     the name or there is no "=".  Then name is the line.
 *
 * @return whether the function has reported something about the name.
 */
typedef bool (*quicd_smbconf_fn)(void *private_data,
				 const char *section,
				 const char *name,
				 const char *value);

/**
 * @brief Read an smb.conf with its includes and the registry, with the rights
 * of this process.
 *
 * @param[in] path  NULL: the smb.conf that Samba was built with.
 *
 * @return false after an error in the report, which names the file.
 */
bool quicd_smbconf_read(TALLOC_CTX *mem_ctx,
			struct quicd_report *report,
			const char *path,
			quicd_smbconf_fn fn,
			void *private_data);

#endif /* QUICD_SMBCONF_H */
