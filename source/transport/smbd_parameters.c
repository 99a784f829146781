// SPDX-License-Identifier: LGPL-3.0-or-later
/*
 * The "smbd_uring:" parameters of smb.conf, see smbd_parameters.h.
 *
 * Samba takes every name with a colon in it, so a misspelt one of ours is
 * silently ignored.  Samba compares names without case and without blanks, and
 * so do we.  smbd-quicd judges the names that begin with "quic" itself: it does
 * not start with one that it does not know.
 */

#include <ctype.h>
#include <stdint.h>
#include <string.h>
#include <strings.h>

#include "smbd_parameters.h"
#include "util/macros.h"
#include "watch_settings.h"

/* No name that is compared is longer. */
#define PARAMETER_LONGEST 64

/* All but the parameters of the watch. */
static const struct uring_parameter parameters[] = {
#define PARAMETER(name, allowed, global_only) {name, allowed, global_only},
#define WATCH_PARAMETER(id, name, allowed)
#include "smbd_parameters.def"
};

bool uring_parameter_get(size_t number, struct uring_parameter *parameter)
{
	if (number < ARRAY_SIZE(parameters)) {
		*parameter = parameters[number];
		return true;
	}
	number -= ARRAY_SIZE(parameters);
	if (number >= URING_WATCH_PARAMETERS) {
		return false;
	}
	*parameter = (struct uring_parameter){
		.name = uring_watch_parameters[number].name,
		.allowed = uring_watch_parameters[number].allowed,
	};
	return true;
}

bool uring_parameter_find(const char *name, struct uring_parameter *parameter)
{
	struct uring_parameter known;
	size_t i;

	for (i = 0; uring_parameter_get(i, &known); i++) {
		if (strcmp(known.name, name) == 0) {
			*parameter = known;
			return true;
		}
	}
	return false;
}

/* Copy without blanks and in lower case; cut if it is too long. */
static void parameter_normalise(char to[PARAMETER_LONGEST], const char *from)
{
	size_t used = 0;

	for (; *from != '\0' && used + 1 < PARAMETER_LONGEST; from++) {
		if (!isspace((unsigned char)*from)) {
			to[used] = (char)tolower((unsigned char)*from);
			used++;
		}
	}
	to[used] = '\0';
}

/* How many letters differ: Levenshtein's distance. */
static size_t parameter_distance(const char *a, const char *b)
{
	size_t row[PARAMETER_LONGEST] = {};
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

/* Sets nearest; the distance of its name. */
static size_t parameter_find_nearest(const char *option,
				     struct uring_parameter *nearest)
{
	char known_normal[PARAMETER_LONGEST] = "";
	struct uring_parameter known;
	size_t shortest = SIZE_MAX;
	size_t i;

	for (i = 0; uring_parameter_get(i, &known); i++) {
		size_t distance;

		parameter_normalise(known_normal, known.name);
		distance = parameter_distance(option, known_normal);
		if (distance < shortest) {
			shortest = distance;
			*nearest = known;
		}
	}
	return shortest;
}

enum uring_parameter_verdict uring_parameter_judge(
	const char *section,
	const char *name,
	struct uring_parameter *nearest)
{
	/* the right one first */
	static const char *const prefixes[] = {
		"smbd_uring:", "smbd-uring:", "smbduring:"};
	char normal[PARAMETER_LONGEST] = "";
	const char *option = NULL;
	bool right_prefix;
	size_t i;

	parameter_normalise(normal, name);
	for (i = 0; i < ARRAY_SIZE(prefixes) && option == NULL; i++) {
		if (strncmp(normal, prefixes[i], strlen(prefixes[i])) == 0) {
			option = normal + strlen(prefixes[i]);
		}
	}
	right_prefix = i == 1;
	if (option == NULL ||
	    (right_prefix && strncmp(option, "quic", strlen("quic")) == 0))
	{
		return URING_PARAMETER_FOREIGN;
	}
	if (parameter_find_nearest(option, nearest) != 0 || !right_prefix) {
		return URING_PARAMETER_UNKNOWN;
	}
	if (strcasecmp(section, "global") != 0 && nearest->global_only) {
		return URING_PARAMETER_MISPLACED;
	}
	return URING_PARAMETER_KNOWN;
}

int uring_parameter_word(const char *allowed, const char *value)
{
	const char *word = allowed;
	int i;

	for (i = 0; *word != '\0'; i++) {
		size_t length = strcspn(word, ",");

		if (strlen(value) == length &&
		    strncasecmp(value, word, length) == 0)
		{
			return i;
		}
		word += length;
		word += strspn(word, ", ");
	}
	return -1;
}

bool uring_parameter_allows(const char *name, const char *value)
{
	struct uring_watch_settings settings = {};
	struct uring_parameter parameter;
	size_t i;

	for (i = 0; i < URING_WATCH_PARAMETERS; i++) {
		if (strcmp(uring_watch_parameters[i].name, name) == 0) {
			return uring_watch_set(&settings, i, value);
		}
	}
	return uring_parameter_find(name, &parameter) &&
	       uring_parameter_word(parameter.allowed, value) != -1;
}
