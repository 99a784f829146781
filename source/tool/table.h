/* SPDX-License-Identifier: LGPL-3.0-or-later */
/*
 * The columns of status, and what stands in them.
 *
 * Text, JSON and OpenMetrics go through this table.
 */
#ifndef TOOL_TABLE_H
#define TOOL_TABLE_H

#include "rows.h"
#include "transport/figures.h"

enum column_kind {
	/** a word of the published row */
	COLUMN_STRING,
	/** names of the published row */
	COLUMN_NAMES,
	/** known without a sample; 0: not */
	COLUMN_PROCESS,
	/** one of figures[] */
	COLUMN_FIGURE,
	/** seconds since the sample */
	COLUMN_AGE,
	/** how many of the queries the ring answered, and how many not */
	COLUMN_ANSWERED,
	COLUMN_STATE,
};

struct column {
	/** in JSON */
	const char *name;
	const char *heading;
	enum column_kind kind;
	/** in struct status_row, for all but COLUMN_FIGURE */
	size_t offset;
	enum figure_index figure;
	/**
	 * In the short table: the smaller, the longer it stays when the
	 * terminal is narrow; 0: it is in the wide one only.
	 */
	unsigned rank;
	const char *help;
};

/** All columns, in the order of the wide table. */
const struct column *table_columns(size_t *num_columns);

/**
 * The column of this heading or this name in JSON, whatever its case; NULL:
 * there is none.
 */
const struct column *table_find_column(const char *name);

/** The word of a COLUMN_STRING or COLUMN_STATE. */
const char *row_string(const struct status_row *row,
		       const struct column *column);

/**
 * The names of a COLUMN_NAMES with separator between them; "" if there are
 * none.
 */
void row_names(const struct status_row *row,
	       const struct column *column,
	       char separator,
	       char *text,
	       size_t size);

/** A number of the other kinds; FIGURE_UNKNOWN if it is not known. */
uint64_t row_number(const struct status_row *row, const struct column *column);

/** Seconds since the sample. */
double row_age(const struct status_rows *rows, const struct status_row *row);

/** What stands in a cell for a reader: "-" if nothing is known. */
void table_cell(const struct status_rows *rows,
		const struct status_row *row,
		const struct column *column,
		char *text,
		size_t size);

/**
 * The largest first; of words, processes and ages the smallest.  By state (and
 * NULL is by state): the worst first.
 */
void table_sort(struct status_rows *rows, const struct column *column);

#endif /* TOOL_TABLE_H */
