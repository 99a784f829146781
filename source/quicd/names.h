/* SPDX-License-Identifier: LGPL-3.0-or-later */
/**
 * @file names.h Names of smb.conf, however they are spelt: which are ours, and
 * which decide who may come in.
 */

#ifndef QUICD_NAMES_H
#define QUICD_NAMES_H

#include <stdbool.h>

#include "log.h"

enum quicd_name {
	QUICD_NAME_FOREIGN, /* not ours */
	QUICD_NAME_IGNORED, /* known, and not for smbd-quicd */
	QUICD_NAME_OURS,    /* canonical is set */
	QUICD_NAME_BAD,	    /* an error is in the report */
};

/**
 * @brief Judge a name of smb.conf.  One that begins with our prefix, in
 * whatever spelling, is known or an error.
 *
 * @param[in]  section    NULL is [global]
 * @param[in]  taken      whether Samba takes this name; it drops unknown names
 *                        without a colon
 * @param[out] canonical  the name as it is in a bundle
 */
enum quicd_name quicd_name_of(struct quicd_report *report,
			      const char *section,
			      const char *name,
			      bool taken,
			      const char **canonical);

/** @brief Whether two names are one to Samba, which ignores blanks and case. */
bool quicd_name_same(const char *a, const char *b);

/** @brief The list of hosts that Samba means by a name, or NULL. */
const char *quicd_name_hosts_list(const char *name);

/**
 * @brief The parameter that Samba means by a name, if it keeps clients out: a
 * list of hosts, CAs or revocation lists.  Else NULL.
 */
const char *quicd_name_closing(const char *name);

/** @brief Whether a name decides who may come in, or how smbd is reached. */
bool quicd_name_is_needed(const char *name);

#endif /* QUICD_NAMES_H */
