/* SPDX-License-Identifier: LGPL-3.0-or-later */
/*
 * The columns of status, and their contents.
 */

#include "config.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "table.h"
#include "util/clock.h"
#include "util/macros.h"

#define ROW(_field) offsetof(struct status_row, _field)
static const struct column before_figures[] = {
	{.name = "pid",
	 .heading = "PID",
	 .kind = COLUMN_PROCESS,
	 .offset = ROW(published.pid),
	 .help = "Process that serves the connection."},
	{.name = "users",
	 .heading = "USER",
	 .kind = COLUMN_NAMES,
	 .offset = ROW(published.users),
	 .rank = 1,
	 .help = "Users of the shares."},
	{.name = "client",
	 .heading = "CLIENT",
	 .kind = COLUMN_STRING,
	 .offset = ROW(published.client),
	 .rank = 5,
	 .help = "Address and port of the client."},
	{.name = "shares",
	 .heading = "SHARE",
	 .kind = COLUMN_NAMES,
	 .offset = ROW(published.shares),
	 .rank = 6,
	 .help = "Shares that the client is connected to."},
	{.name = "transport",
	 .heading = "VIA",
	 .kind = COLUMN_STRING,
	 .offset = ROW(published.transport),
	 .rank = 10,
	 .help = "tcp or quic."},
};

static const struct column after_figures[] = {
	{.name = "age_s",
	 .heading = "AGE",
	 .kind = COLUMN_AGE,
	 .offset = ROW(published.sampled),
	 .rank = 9,
	 .help = "Time since the kernel was asked for all of these."},
	{.name = "state",
	 .heading = "STATE",
	 .kind = COLUMN_STATE,
	 .offset = ROW(state),
	 .rank = 2,
	 .help = "By the limits of the shares: ok, SLOW, LOSS or STALL."},
	{.name = "ring",
	 .heading = "RING",
	 .kind = COLUMN_ANSWERED,
	 .offset = ROW(published.ring),
	 .help = "Queries of the sample that the ring answered."},
	{.name = "syscall",
	 .heading = "SYSCALL",
	 .kind = COLUMN_ANSWERED,
	 .offset = ROW(published.syscall),
	 .help = "Queries of the sample that were answered by system call."},
	{.name = "relay",
	 .heading = "RELAY",
	 .kind = COLUMN_STRING,
	 .offset = ROW(published.relay),
	 .help = "Of a client over QUIC: its address as smbd sees it."},
	{.name = "smbd_pid",
	 .heading = "SMBD",
	 .kind = COLUMN_PROCESS,
	 .offset = ROW(smbd_pid),
	 .help = "Of a client over QUIC: its smbd."},
};
#undef ROW

/* Figures of the short table. */
static const struct {
	enum figure_index figure;
	unsigned rank;
} short_figures[] = {
	{FIGURE_rtt_us, 3},
	{FIGURE_loss_ppm, 4},
	{FIGURE_stall_ms, 7},
	{FIGURE_delivery_rate, 8},
};

static struct column columns[ARRAY_SIZE(before_figures) +
			     ARRAY_SIZE(after_figures) + FIGURES_COUNT];
static size_t num_columns;

static void add_figure(enum figure_index figure)
{
	struct column *column = &columns[num_columns];
	size_t i;

	*column = (struct column){
		.name = figures[figure].name,
		.heading = figures[figure].heading,
		.kind = COLUMN_FIGURE,
		.figure = figure,
		.help = figures[figure].help,
	};
	for (i = 0; i < ARRAY_SIZE(short_figures); i++) {
		if (short_figures[i].figure == figure) {
			column->rank = short_figures[i].rank;
		}
	}
	num_columns += 1;
}

const struct column *table_columns(size_t *_num_columns)
{
	enum figure_index figure;

	if (num_columns == 0) {
		memcpy(columns, before_figures, sizeof(before_figures));
		num_columns = ARRAY_SIZE(before_figures);
		for (figure = 0; figure < FIGURES_COUNT; figure++) {
			if (figures[figure].heading != NULL) {
				add_figure(figure);
			}
		}
		memcpy(&columns[num_columns],
		       after_figures,
		       sizeof(after_figures));
		num_columns += ARRAY_SIZE(after_figures);
	}
	*_num_columns = num_columns;
	return columns;
}

const struct column *table_find_column(const char *name)
{
	const struct column *all = NULL;
	size_t count;
	size_t i;

	all = table_columns(&count);
	for (i = 0; i < count; i++) {
		if (strcasecmp(all[i].name, name) == 0 ||
		    strcasecmp(all[i].heading, name) == 0) {
			return &all[i];
		}
	}
	return NULL;
}

const char *row_string(const struct status_row *row,
		       const struct column *column)
{
	if (column->kind == COLUMN_STATE) {
		return state_name(row->state);
	}
	return (const char *)row + column->offset;
}

void row_names(const struct status_row *row,
	       const struct column *column,
	       char separator,
	       char *text,
	       size_t size)
{
	size_t i;

	snprintf(text, size, "%s", (const char *)row + column->offset);
	for (i = 0; text[i] != '\0'; i++) {
		if (text[i] == URING_STATUS_SEPARATOR) {
			text[i] = separator;
		}
	}
}

uint64_t row_number(const struct status_row *row, const struct column *column)
{
	uint64_t number;

	if (column->kind == COLUMN_STATE) {
		return row->state != STATE_UNKNOWN ? row->state
						   : FIGURE_UNKNOWN;
	}
	if (column->kind == COLUMN_FIGURE) {
		number = row->published.figures[column->figure];
	} else {
		memcpy(&number,
		       (const char *)row + column->offset,
		       sizeof(number));
	}
	if (column->kind == COLUMN_PROCESS) {
		return number != 0 ? number : FIGURE_UNKNOWN;
	}
	return row->published.sampled != 0 ? number : FIGURE_UNKNOWN;
}

uint64_t row_shown_number(const struct status_row *row,
			  const struct column *column)
{
	uint64_t number = row_number(row, column);

	if (number == FIGURE_UNKNOWN && column->kind == COLUMN_FIGURE &&
	    column->figure == FIGURE_loss_ppm && row->published.sampled != 0)
	{
		return row->whole_loss_ppm;
	}
	return number;
}

double row_age(const struct status_rows *rows, const struct status_row *row)
{
	const uint64_t sampled = row->published.sampled;

	if (sampled == 0 || rows->now < sampled) {
		return 0;
	}
	return (double)(rows->now - sampled) / CLOCK_NS_PER_S;
}

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

static void format_figure(enum figure_unit unit,
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
			format_figure(figures[column->figure].unit,
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

/*
 * Order
 */

/* Unknown values come last. */
static int compare_numbers(uint64_t a, uint64_t b, bool largest_first)
{
	if (a == b) {
		return 0;
	}
	if (a == FIGURE_UNKNOWN || b == FIGURE_UNKNOWN) {
		return a == FIGURE_UNKNOWN ? 1 : -1;
	}
	return (a < b) == largest_first ? 1 : -1;
}

/* An unknown value, as QUIC has them, counts as 0. */
static uint64_t known_number(const struct status_row *row,
			     enum figure_index figure)
{
	uint64_t number = row->published.figures[figure];

	return number != FIGURE_UNKNOWN ? number : 0;
}

static int compare_states(const struct status_row *a,
			  const struct status_row *b)
{
	static const enum figure_index order[] = {
		FIGURE_stall_ms,
		FIGURE_loss_ppm,
		FIGURE_rtt_us,
	};
	size_t i;
	int ret;

	ret = (int)b->state - (int)a->state;
	for (i = 0; ret == 0 && i < ARRAY_SIZE(order); i++) {
		ret = compare_numbers(known_number(a, order[i]),
				      known_number(b, order[i]),
				      true);
	}
	return ret;
}

static int compare_rows(const void *a, const void *b, void *private_data)
{
	const struct column *column = private_data;
	const struct status_row *one = a;
	const struct status_row *other = b;
	int ret = 0;

	if (column == NULL || column->kind == COLUMN_STATE) {
		ret = compare_states(one, other);
	} else if (column->kind == COLUMN_STRING ||
		   column->kind == COLUMN_NAMES) {
		ret = strcmp((const char *)one + column->offset,
			     (const char *)other + column->offset);
	} else {
		/* the youngest sample has the largest time */
		ret = compare_numbers(row_shown_number(one, column),
				      row_shown_number(other, column),
				      column->kind != COLUMN_PROCESS);
	}
	if (ret == 0) {
		ret = strcmp(one->published.client, other->published.client);
	}
	return ret;
}

void table_sort(struct status_rows *rows, const struct column *column)
{
	union {
		const struct column *c;
		void *p;
	} by = {.c = column};

	if (rows->num_rows == 0) {
		return;
	}
	qsort_r(rows->rows,
		rows->num_rows,
		sizeof(rows->rows[0]),
		compare_rows,
		by.p);
}
