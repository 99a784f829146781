/* SPDX-License-Identifier: LGPL-3.0-or-later */
/*
 * A cell of the table of status as text.
 */

#include "config.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "table.h"

/* Print a number, with a suffix from ten thousand on. */
static void format_bytes(uint64_t bytes, char *text, size_t size)
{
	const char *suffixes = "kMGTPE";
	double scaled = (double)bytes;
	int digits;

	if (bytes < 10000) {
		snprintf(text, size, "%ju", (uintmax_t)bytes);
		return;
	}
	scaled /= 1000;
	while (scaled >= 999.5 && suffixes[1] != '\0') {
		scaled /= 1000;
		suffixes += 1;
	}
	digits = scaled < 10 ? 2 : scaled < 100 ? 1 : 0;
	snprintf(text, size, "%.*f%c", digits, scaled, *suffixes);
}

/* Print a time with few digits: 12us, 0.12ms, 1.23ms, 12.3ms, 123ms. */
static void format_microseconds(uint64_t us, char *text, size_t size)
{
	double ms = (double)us / 1000;

	if (us < 100) {
		snprintf(text, size, "%juus", (uintmax_t)us);
		return;
	}
	snprintf(text, size, "%.*fms", ms < 10 ? 2 : ms < 100 ? 1 : 0, ms);
}

/* Print an age; a sensible one has at most five characters. */
static void format_seconds(double seconds, char *text, size_t size)
{
	if (seconds < 1000) {
		snprintf(text, size, "%.0fs", seconds);
	} else if (seconds < 100 * 60) {
		snprintf(text, size, "%.0fm", seconds / 60);
	} else if (seconds < 100 * 3600) {
		snprintf(text, size, "%.0fh", seconds / 3600);
	} else {
		snprintf(text, size, "%.0fd", seconds / 86400);
	}
}

void table_figure(enum figure_unit unit,
		  uint64_t number,
		  char *text,
		  size_t size)
{
	switch (unit) {
	case FIGURE_UNIT_MICROSECONDS:
		format_microseconds(number, text, size);
		break;
	case FIGURE_UNIT_MILLISECONDS:
		format_seconds((double)number / 1000, text, size);
		break;
	case FIGURE_UNIT_PARTS_PER_MILLION:
		snprintf(text,
			 size,
			 number < 100000 ? "%.2f%%" : "%.0f%%",
			 (double)number / 10000);
		break;
	case FIGURE_UNIT_BYTES:
		format_bytes(number, text, size);
		break;
	case FIGURE_UNIT_BYTES_PER_SECOND:
		format_bytes(number, text, size);
		strncat(text, "/s", size - strlen(text) - 1);
		break;
	case FIGURE_UNIT_NUMBER:
	case FIGURE_UNIT_TEXT:
		snprintf(text, size, "%ju", (uintmax_t)number);
		break;
	}
}

void table_cell(const struct status_rows *rows,
		const struct status_row *row,
		const struct column *column,
		char *text,
		size_t size)
{
	uint64_t number;

	if (column->kind == COLUMN_STRING || column->kind == COLUMN_STATE) {
		snprintf(text, size, "%s", row_string(row, column));
	} else if (column->kind == COLUMN_NAMES) {
		row_names(row, column, ',', text, size);
	} else {
		number = row_shown_number(row, column);
		text[0] = '\0';
		if (number == FIGURE_UNKNOWN) {
			/* below */
		} else if (column->kind == COLUMN_AGE) {
			format_seconds(row_age(rows, row), text, size);
		} else if (column->kind == COLUMN_FIGURE) {
			table_figure(figures[column->figure].unit,
				     number,
				     text,
				     size);
		} else {
			snprintf(text, size, "%ju", (uintmax_t)number);
		}
	}
	if (text[0] == '\0') {
		snprintf(text, size, "-");
	}
}
