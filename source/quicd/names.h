/* SPDX-License-Identifier: LGPL-3.0-or-later */
/** @file names.h Which names of smb.conf are ours, however they are spelt. */

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

#endif /* QUICD_NAMES_H */
