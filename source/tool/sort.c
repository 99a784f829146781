/* SPDX-License-Identifier: LGPL-3.0-or-later */
/*
 * The order of the connections in status.
 */

#include "config.h"

#include <stdlib.h>
#include <string.h>

#include "table.h"
#include "util/macros.h"

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
