/* SPDX-License-Identifier: LGPL-3.0-or-later */
/*
 * What a check found, see verdict.h.
 */

#include "config.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "tool.h"
#include "util/macros.h"
#include "util/printable.h"
#include "verdict.h"

struct verdict {
	/** the texts of a level; NULL: none */
	char *texts[VERDICT_UNKNOWN + 1];
};

struct verdict *verdict_create(TALLOC_CTX *mem_ctx)
{
	return talloc_zero(mem_ctx, struct verdict);
}

void verdict_add(struct verdict *verdict,
		 enum verdict_level level,
		 const char *format,
		 ...)
{
	char **text = &verdict->texts[level];
	va_list ap;

	if (*text == NULL) {
		*text = talloc_strdup(verdict, "");
	} else {
		*text = talloc_strdup_append(*text, "; ");
	}
	va_start(ap, format);
	*text = talloc_vasprintf_append(*text, format, ap);
	va_end(ap);
}

/* The worst level comes first; what is fine is not said besides a fault. */
int verdict_print(const struct verdict *verdict)
{
	static const struct {
		enum verdict_level level;
		const char *name;
	} order[] = {
		{VERDICT_CRITICAL, "CRITICAL"},
		{VERDICT_UNKNOWN, "UNKNOWN"},
		{VERDICT_WARNING, "WARNING"},
		{VERDICT_OK, "OK"},
	};
	char line[4096];
	size_t i;
	size_t j;

	for (i = 0; i + 1 < ARRAY_SIZE(order); i++) {
		if (verdict->texts[order[i].level] != NULL) {
			break;
		}
	}
	printf("%s", order[i].name);
	for (j = i; j < ARRAY_SIZE(order); j++) {
		const char *text = verdict->texts[order[j].level];

		if (text != NULL && (j == i || order[j].level != VERDICT_OK)) {
			/* names of smb.conf and paths are in it */
			(void)printable_copy(line, sizeof(line), text);
			printf("%s %s", j == i ? ":" : ";", line);
		}
	}
	printf("\n");
	if (tool_flush() != EXIT_SUCCESS) {
		return VERDICT_UNKNOWN;
	}
	return (int)order[i].level;
}
