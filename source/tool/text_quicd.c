/* SPDX-License-Identifier: LGPL-3.0-or-later */
/*
 * The counters of smbd-quicd as text, in lines that fit the terminal.
 */

#include "config.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "output.h"
#include "quicd.h"
#include "transport/quicd_counters_text.h"

static void print_bytes(FILE *out, uint64_t bytes)
{
	char text[64];

	table_figure(FIGURE_UNIT_BYTES, bytes, text, sizeof(text));
	fprintf(out, "%s", text);
}

/* All counters that are not zero, without a newline. */
static void print_line(FILE *out, const struct quicd_shown *shown)
{
	const struct quicd_counters_read *read = shown->read;
	enum quicd_counter counter;

	fprintf(out, "smbd-quicd");
	if (shown->node != NULL) {
		fprintf(out, " on node %s", shown->node);
	}
	fprintf(out,
		": %ju accepted",
		(uintmax_t)read->values[QUICD_COUNT_ACCEPTED]);
	for (counter = 0; counter < QUICD_COUNTERS; counter++) {
		if (counter != QUICD_COUNT_ACCEPTED &&
		    read->values[counter] != 0)
		{
			fprintf(out, ", ");
			print_bytes(out, read->values[counter]);
			fprintf(out, " %s", quicd_counter_name(counter));
		}
	}
	fprintf(out, ", ");
	print_bytes(out, read->memory_used);
	fprintf(out, " of ");
	print_bytes(out, read->memory_max);
	fprintf(out, " bytes of memory in use");
}

/* In several lines if it is too long, broken after commas; width 0: in one. */
static void print_wrapped(const char *line, size_t width)
{
	size_t column = 0;

	while (*line != '\0') {
		size_t len = strcspn(line, ",");

		len += line[len] == ',' ? 1 : 0;
		if (width > 0 && column > 0 && column + len > width) {
			printf("\n  ");
			column = 2;
			if (*line == ' ') { /* after the comma */
				line++;
				len--;
			}
		}
		printf("%.*s", (int)len, line);
		column += len;
		line += len;
	}
	printf("\n");
}

/* The line of print_line(); NULL without memory.  The caller frees it. */
static char *quicd_line(const struct quicd_shown *shown)
{
	char *line = NULL;
	size_t len;
	FILE *out = open_memstream(&line, &len);

	if (out == NULL) {
		return NULL;
	}
	print_line(out, shown);
	if (fclose(out) != 0) {
		free(line);
		return NULL;
	}
	return line;
}

static void print_certificate(const struct quicd_shown *shown,
			      const struct quicd_counters_certificate *one)
{
	const int64_t now = time(NULL);

	if (shown->node != NULL) {
		printf("node %s: ", shown->node);
	}
	/* an untrusted writer may publish any number */
	if (one->ends > now) {
		printf("%s ends in %jd days\n",
		       one->name,
		       (intmax_t)(one->ends - now) / 86400);
	} else {
		printf("%s has ended\n", one->name);
	}
}

void quicd_text(const struct status_rows *rows, size_t width)
{
	struct quicd_shown shown;
	size_t i;
	size_t j;

	if (quicd_any(rows)) {
		printf("\n");
	}
	for (i = 0; quicd_get(rows, i, &shown); i++) {
		char *line = NULL;

		if (shown.read == NULL) {
			continue;
		}
		line = quicd_line(&shown);
		print_wrapped(line != NULL ? line : "no memory", width);
		free(line);
		for (j = 0; j < shown.read->num_certificates; j++) {
			print_certificate(&shown, &shown.read->certificates[j]);
		}
	}
}

size_t quicd_lines(const struct status_rows *rows, size_t width, size_t height)
{
	struct quicd_shown shown;
	size_t lines = 0;
	size_t i;

	for (i = 0; lines < height && quicd_get(rows, i, &shown); i++) {
		char *line = NULL;

		if (shown.read == NULL) {
			continue;
		}
		line = quicd_line(&shown);
		if (line == NULL) {
			break;
		}
		printf("%.*s\n", (int)width, line);
		free(line);
		lines++;
	}
	return lines;
}
