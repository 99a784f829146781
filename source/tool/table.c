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
	{.name = "node",
	 .heading = "NODE",
	 .kind = COLUMN_STRING,
	 .offset = ROW(node),
	 .rank = 2,
	 .help = "With --cluster: the number of the node in CTDB."},
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

bool table_has_column(const struct status_rows *rows,
		      const struct column *column)
{
	return rows->cluster || column->offset != offsetof(struct status_row,
							   node);
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
