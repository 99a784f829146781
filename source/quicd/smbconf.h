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
 * @brief Called for each parameter of [global], defaults included, and for each
 * of a share that is not as in [global].
 *
 * @param[in] section  NULL is [global].
 * @param[in] name     as smb.conf has it, for parameters with a colon: blanks
 *                     and case are the writer's
 * @param[in] value    NULL: Samba ignores it, as it does not know the name or
 *                     there is no "="; then name is the line
 *
 * @return whether it has said something about the name.
 */
typedef bool (*quicd_smbconf_fn)(void *private_data,
				 const char *section,
				 const char *name,
				 const char *value);

/**
 * @brief Read an smb.conf with its includes and the registry, with the rights
 * of this process.
 *
 * @param[in] path  NULL: the one that Samba was built with.
 *
 * @return false after an error in the report, which names the file.
 */
bool quicd_smbconf_read(TALLOC_CTX *mem_ctx,
			struct quicd_report *report,
			const char *path,
			quicd_smbconf_fn fn,
			void *private_data);

/**
 * @brief Split the value of a list as quicd_smbconf_fn gets it; a word may have
 * blanks, and be empty.
 *
 * @param[out] num  their number
 * @return NULL if there is no memory.
 */
const char *const *quicd_smbconf_words(TALLOC_CTX *mem_ctx,
				       const char *value,
				       size_t *num);

/** @brief Whether Samba takes two names for one: it ignores blanks and case. */
bool quicd_smbconf_same_name(const char *a, const char *b);

#endif /* QUICD_SMBCONF_H */
