/* SPDX-License-Identifier: LGPL-3.0-or-later */
/*
 * How values of smb.conf are written, see values.h.
 */

#include <ctype.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "util/macros.h"
#include "values.h"

#define QUICD_LIST_SEPARATORS " \t,;\r\n"

bool quicd_value_bad(struct quicd_report *report,
		     const char *name,
		     const char *value,
		     const char *allowed)
{
	return quicd_report_error(report,
				  "%s = %s: not understood; it may be %s",
				  name,
				  value,
				  allowed);
}

bool quicd_value_bool(const char *value, bool *flag)
{
	static const char *const words[][2] = {{"no", "yes"},
					       {"false", "true"},
					       {"0", "1"},
					       {"off", "on"}};
	size_t i;

	for (i = 0; i < 2 * ARRAY_SIZE(words); i++) {
		if (strcasecmp(value, words[i / 2][i % 2]) == 0) {
			*flag = i % 2 == 1;
			return true;
		}
	}
	return false;
}

bool quicd_value_number(const char *value,
			uint32_t min,
			uint32_t max,
			uint32_t *number)
{
	char *end = NULL;
	unsigned long parsed;

	if (!isdigit((unsigned char)value[0])) {
		return false;
	}
	errno = 0;
	parsed = strtoul(value, &end, 10);
	if (errno != 0 || *end != '\0' || parsed < min || parsed > max) {
		return false;
	}
	*number = (uint32_t)parsed;
	return true;
}

bool quicd_value_addresses(TALLOC_CTX *mem_ctx,
			   const char *value,
			   uint16_t port,
			   struct address **addresses)
{
	char *words = talloc_strdup(mem_ctx, value);
	char *save = NULL;
	char *word = NULL;
	size_t n = 0;

	TALLOC_FREE(*addresses);
	if (words == NULL) {
		return false;
	}
	for (word = strtok_r(words, QUICD_LIST_SEPARATORS, &save); word != NULL;
	     word = strtok_r(NULL, QUICD_LIST_SEPARATORS, &save))
	{
		*addresses = talloc_realloc(mem_ctx,
					    *addresses,
					    struct address,
					    n + 1);
		if (*addresses == NULL ||
		    !address_parse(word, port, &(*addresses)[n])) {
			n = 0;
			break;
		}
		n++;
	}
	talloc_free(words);
	return n > 0;
}

const char *const *quicd_value_words(TALLOC_CTX *mem_ctx,
				     const char *value,
				     size_t *num)
{
	/* testparm prints one blank between words, and quotes if need be */
	const char **words = talloc_array(mem_ctx,
					  const char *,
					  strlen(value) + 1);
	const char *pos = value;

	*num = 0;
	if (words == NULL || value[0] == '\0') {
		return words;
	}
	while (true) {
		const bool quoted = pos[0] == '"';
		const char *end = NULL;

		pos += quoted;
		end = strchr(pos, quoted ? '"' : ' ');
		if (end == NULL) {
			end = pos + strlen(pos);
		}
		words[*num] = talloc_strndup(words, pos, (size_t)(end - pos));
		if (words[*num] == NULL) {
			talloc_free(words);
			*num = 0;
			return NULL;
		}
		(*num)++;
		end += quoted && *end == '"';
		if (*end == '\0') {
			return words;
		}
		pos = end + (*end == ' ');
	}
}
