/* SPDX-License-Identifier: LGPL-3.0-or-later */
/*
 * The columns of status, and their contents.
 *
 * Text, JSON and OpenMetrics use this table.
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
	/** a number known without a sample; 0: unknown */
	COLUMN_PROCESS,
	/** one of figures[] */
	COLUMN_FIGURE,
	/** seconds since the sample */
	COLUMN_AGE,
	/** how many queries the ring and the system call answered */
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
	 * In the short table: a column with a smaller rank stays longer when
	 * the terminal is narrow; 0: the column is in the wide table only.
	 */
	unsigned rank;
	const char *help;
};

/** All columns, in the order of the wide table. */
const struct column *table_columns(size_t *num_columns);

/**
 * The column with this heading or this name in JSON, in any case; NULL if there
 * is none.
 */
const struct column *table_find_column(const char *name);

/** Whether these rows have the column: only a cluster has nodes. */
bool table_has_column(const struct status_rows *rows,
		      const struct column *column);

/** The word of a COLUMN_STRING or COLUMN_STATE. */
const char *row_string(const struct status_row *row,
		       const struct column *column);

/**
 * The names of a COLUMN_NAMES with separator between them; "" without names.
 */
void row_names(const struct status_row *row,
	       const struct column *column,
	       char separator,
	       char *text,
	       size_t size);

/** The number of the other kinds; FIGURE_UNKNOWN if unknown. */
uint64_t row_number(const struct status_row *row, const struct column *column);

/**
 * The same for people: a LOSS that is unknown lately is that of the whole
 * connection.
 */
uint64_t row_shown_number(const struct status_row *row,
			  const struct column *column);

/** Seconds since the sample. */
double row_age(const struct status_rows *rows, const struct status_row *row);

/** A known number of this unit for people: "1.23ms", "4.50%", "12.3M/s". */
void table_figure(enum figure_unit unit,
		  uint64_t number,
		  char *text,
		  size_t size);

/** The text of a cell of the table; "-" if the value is unknown. */
void table_cell(const struct status_rows *rows,
		const struct status_row *row,
		const struct column *column,
		char *text,
		size_t size);

/**
 * Sorts the largest value first, but for words, processes and ages the
 * smallest.  By state, or with NULL, sorts the worst first.
 */
void table_sort(struct status_rows *rows, const struct column *column);

#endif /* TOOL_TABLE_H */
