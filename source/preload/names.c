// SPDX-License-Identifier: LGPL-3.0-or-later
/*
 * Warns of parameters with our prefix that nobody knows.
 *
 * A stock smbd has a function that calls us back for each such name of
 * [global].  It has none for a share; there we read what smbd would print of
 * the share.
 */

#include "config.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "log_once.h"
#include "names.h"
#include "smbd_symbols.h"
#include "transport/smbd_parameters.h"
#include "util/printable.h"

#define NAMES_TEXT 256

static void names_unknown(const char *section,
			  const char *name,
			  const char *nearest,
			  bool misplaced)
{
	char text[NAMES_TEXT];
	char where[NAMES_TEXT];

	char *p = NULL;

	(void)printable_copy(where, sizeof(where), section);
	(void)snprintf(text, sizeof(text), "%s", name);
	for (p = text; *p != '\0'; p++) {
		/* among them blanks that are not Samba's */
		if (!isascii((unsigned char)*p) || iscntrl((unsigned char)*p)) {
			*p = '?';
		}
	}
	if (misplaced) {
		preload_warning_once_format("smbd_uring: %s in [%s]: only "
					    "[global] can have it; it is "
					    "ignored",
					    text,
					    where);
		return;
	}
	preload_warning_once_format("smbd_uring: %s in [%s]: unknown "
				    "parameter, the nearest known one is "
				    "smbd_uring:%s; it is ignored",
				    text,
				    where,
				    nearest);
}

static void names_judge(const char *section, const char *name)
{
	struct uring_parameter nearest = {};

	switch (uring_parameter_judge(section, name, &nearest)) {
	case URING_PARAMETER_UNKNOWN:
		names_unknown(section, name, nearest.name, false);
		break;
	case URING_PARAMETER_MISPLACED:
		names_unknown(section, name, nearest.name, true);
		break;
	case URING_PARAMETER_KNOWN:
	case URING_PARAMETER_FOREIGN:
		break;
	}
}

static bool names_found(const char *name,
			regmatch_t matches[],
			void *private_data)
{
	names_judge("global", name);
	return false; /* go on */
}

void preload_names_check_global(void)
{
	const struct smbd_symbols *smbd = smbd_symbols();

	if (smbd->lp_wi_scan_global_parametrics == NULL ||
	    smbd->lp_loaded == NULL || !smbd->lp_loaded())
	{
		return;
	}
	(void)smbd->lp_wi_scan_global_parametrics(
		"^smbd[-_]*uring:", 1, names_found, NULL);
}

void preload_names_check_share(const char *name, int snum)
{
	const struct smbd_symbols *smbd = smbd_symbols();
	char *text = NULL;
	size_t size = 0;
	char *line = NULL;
	char *saved = NULL;
	FILE *f = NULL;

	if (smbd->lp_dump_one == NULL || snum < 0) {
		return;
	}
	f = open_memstream(&text, &size);
	if (f == NULL) {
		return;
	}
	smbd->lp_dump_one(f, false, snum);
	(void)fclose(f);
	for (line = strtok_r(text, "\n", &saved); line != NULL;
	     line = strtok_r(NULL, "\n", &saved))
	{
		/* "\tNAME = VALUE" */
		char *end = strstr(line, " = ");

		if (end != NULL) {
			*end = '\0';
			names_judge(name, line + strspn(line, " \t"));
		}
	}
	free(text);
}
