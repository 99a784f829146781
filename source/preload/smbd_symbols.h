/* SPDX-License-Identifier: LGPL-3.0-or-later */
/**
 * @file smbd_symbols.h
 * What we call of a stock smbd.
 *
 * No public header declares these functions, and some have private symbol
 * versions in each Samba.  So we look them up by name at run time, and each may
 * be missing.
 */

#ifndef PRELOAD_SMBD_SYMBOLS_H
#define PRELOAD_SMBD_SYMBOLS_H

#include <regex.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>
#include <talloc.h>

/** lib/param/loadparm.h: in place of a share's number, the section [global]. */
#define SMBD_GLOBAL_SECTION_SNUM (-1)

/** lib/util/debug.h: the class of everything that has none of its own. */
#define SMBD_DBGC_ALL 0

/** Each is NULL if this smbd has none. */
struct smbd_symbols {
	/* libsamba-debug */
	bool (*dbghdrclass)(int level,
			    int cls,
			    const char *location,
			    const char *func);
	bool (*dbgtext)(const char *format, ...);
	int (*debuglevel_get_class)(size_t cls);

	/* libsmbconf */
	bool (*lp_loaded)(void);
	const char *(*lp_parm_const_string)(int snum,
					    const char *type,
					    const char *option,
					    const char *def);
	int (*lp_servicenumber)(const char *name);
	int (*lp_numservices)(void);
	const char *(*lp_const_servicename)(int snum);
	void (*lp_dump_one)(FILE *f, bool show_defaults, int snum);
	int (*lp_wi_scan_global_parametrics)(
		const char *regex,
		size_t max_matches,
		bool (*cb)(const char *string,
			   regmatch_t matches[],
			   void *private_data),
		void *private_data);
	char *(*lock_path)(TALLOC_CTX *mem_ctx, const char *name);
};

/** The functions of this process, looked up once. */
const struct smbd_symbols *smbd_symbols(void);

#endif
