// SPDX-License-Identifier: LGPL-3.0-or-later
/*
 * Parameters with our prefix that nobody knows.
 *
 * Samba takes every name with a colon in it, so a misspelt one of ours is
 * silently ignored.  Samba compares names without case and without blanks, and
 * so do we.  smbd-quicd judges the names that begin with "quic" itself: it does
 * not start with one that it does not know.
 *
 * A stock smbd has a function that calls us back for each such name of
 * [global].  It has none for a share; there we read what smbd would print of the
 * share.
 */

#include "config.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "log.h"
#include "settings.h"
#include "smbd_symbols.h"
#include "transport/parameters.h"
#include "util/macros.h"
#include "util/printable.h"

#define NAMES_TEXT 256
/* No name that is compared is longer. */
#define NAMES_LONGEST 64

/* Copy without blanks and in lower case; cut if it is too long. */
static void names_normalise(char to[NAMES_LONGEST], const char *from)
{
	size_t used = 0;

	for (; *from != '\0' && used + 1 < NAMES_LONGEST; from++) {
		if (!isspace((unsigned char)*from)) {
			to[used] = (char)tolower((unsigned char)*from);
			used++;
		}
	}
	to[used] = '\0';
}

/* How many letters differ: Levenshtein's distance. */
static size_t names_distance(const char *a, const char *b)
{
	size_t row[NAMES_LONGEST] = {};
	size_t la = strlen(a);
	size_t lb = strlen(b);
	size_t i;
	size_t j;

	for (j = 0; j <= lb; j++) {
		row[j] = j;
	}
	for (i = 1; i <= la; i++) {
		size_t diagonal = row[0];

		row[0] = i;
		for (j = 1; j <= lb; j++) {
			size_t best = diagonal + (a[i - 1] != b[j - 1]);

			diagonal = row[j];
			if (row[j] + 1 < best) {
				best = row[j] + 1;
			}
			if (row[j - 1] + 1 < best) {
				best = row[j - 1] + 1;
			}
			row[j] = best;
		}
	}
	return row[lb];
}

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

/* Judge one name with a colon; most are none of ours. */
static void names_judge(const char *section, const char *name)
{
	static const char *const prefixes[] = {
		"smbd_uring:", "smbd-uring:", "smbduring:"};
	char normal[NAMES_LONGEST] = "";
	char known_normal[NAMES_LONGEST] = "";
	const char *option = NULL;
	struct uring_parameter known;
	struct uring_parameter nearest = {};
	size_t shortest = SIZE_MAX;
	size_t i;

	names_normalise(normal, name);
	for (i = 0; i < ARRAY_SIZE(prefixes) && option == NULL; i++) {
		if (strncmp(normal, prefixes[i], strlen(prefixes[i])) == 0) {
			option = normal + strlen(prefixes[i]);
		}
	}
	if (option == NULL) {
		return;
	}
	if (i == 1 && strncmp(option, "quic", strlen("quic")) == 0) {
		return;
	}
	for (i = 0; uring_parameter_get(i, &known); i++) {
		size_t distance;

		names_normalise(known_normal, known.name);
		distance = names_distance(option, known_normal);
		if (distance < shortest) {
			shortest = distance;
			nearest = known;
		}
	}
	if (shortest != 0 ||
	    strncmp(normal, prefixes[0], strlen(prefixes[0])) != 0)
	{
		names_unknown(section, name, nearest.name, false);
	} else if (strcasecmp(section, "global") != 0 && nearest.global_only) {
		names_unknown(section, name, nearest.name, true);
	}
}

static bool names_found(const char *name,
			regmatch_t matches[],
			void *private_data)
{
	names_judge("global", name);
	return false; /* go on */
}

void preload_settings_check_global(void)
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

void preload_settings_check_share(const char *name, int snum)
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
