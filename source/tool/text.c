/* SPDX-License-Identifier: LGPL-3.0-or-later */
/*
 * The table of status, drawn by libsmartcols.
 */

#include "config.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <libsmartcols/libsmartcols.h>

#include "output.h"
#include "tool.h"
#include "util/macros.h"
#include "util/printable.h"

#define TEXT_MAX_COLUMNS 64

/* The part of the width that a column of words has where all do not fit. */
#define TEXT_WORDS_WIDTH 0.12

struct text_columns {
	const struct column *columns[TEXT_MAX_COLUMNS];
	size_t num_columns;
};

struct text_rows {
	const struct status_row **rows;
	size_t num_rows;
};

static void text_choose(struct text_columns *chosen, bool wide)
{
	const struct column *const *columns = table_short_columns();
	const struct column *all = NULL;
	size_t i;

	if (wide) {
		all = table_columns(&chosen->num_columns);
		for (i = 0; i < chosen->num_columns; i++) {
			chosen->columns[i] = &all[i];
		}
		return;
	}
	for (i = 0; columns[i] != NULL; i++) {
		chosen->columns[i] = columns[i];
	}
	chosen->num_columns = i;
}

/* Leave out the column that matters least, of these the last. */
static void text_narrow(struct text_columns *chosen)
{
	size_t least = 0;
	size_t i;

	for (i = 0; i < chosen->num_columns; i++) {
		/* rank 0 becomes the largest number */
		if (chosen->columns[i]->rank - 1 >=
		    chosen->columns[least]->rank - 1) {
			least = i;
		}
	}
	chosen->num_columns -= 1;
	memmove(&chosen->columns[least],
		&chosen->columns[least + 1],
		(chosen->num_columns - least) * sizeof(chosen->columns[0]));
}

static bool text_is_words(const struct column *column)
{
	return column->kind == COLUMN_STRING || column->kind == COLUMN_NAMES;
}

static int text_add_row(struct libscols_table *table,
			const struct text_columns *chosen,
			const struct status_rows *rows,
			const struct status_row *row)
{
	struct libscols_line *line = scols_table_new_line(table, NULL);
	char cell[sizeof(row->published.shares)];
	size_t i;
	int ret = line != NULL ? 0 : -ENOMEM;

	for (i = 0; ret == 0 && i < chosen->num_columns; i++) {
		table_cell(rows, row, chosen->columns[i], cell, sizeof(cell));
		ret = scols_line_set_data(line, i, cell);
	}
	return ret;
}

static struct libscols_table *text_new_table(const struct text_columns *chosen,
					     size_t width)
{
	struct libscols_table *table = scols_new_table();
	size_t i;

	if (table == NULL) {
		return NULL;
	}
	for (i = 0; i < chosen->num_columns; i++) {
		const struct column *column = chosen->columns[i];
		bool words = text_is_words(column);
		int flags = words ? SCOLS_FL_TRUNC : SCOLS_FL_RIGHT;

		if (column->kind == COLUMN_STATE) {
			flags = 0;
		}
		if (scols_table_new_column(table,
					   column->heading,
					   words ? TEXT_WORDS_WIDTH : 1,
					   flags) == NULL)
		{
			scols_unref_table(table);
			return NULL;
		}
	}
	scols_table_set_termforce(table,
				  width != 0 ? SCOLS_TERMFORCE_ALWAYS
					     : SCOLS_TERMFORCE_NEVER);
	scols_table_set_termwidth(table, width);
	return table;
}

/* The table as text, to be freed; NULL without memory. */
static char *text_draw(const struct status_rows *rows,
		       const struct text_rows *shown,
		       const struct text_columns *chosen,
		       size_t width)
{
	struct libscols_table *table = text_new_table(chosen, width);
	char *text = NULL;
	size_t i;
	int ret = table != NULL ? 0 : -ENOMEM;

	for (i = 0; ret == 0 && i < shown->num_rows; i++) {
		ret = text_add_row(table, chosen, rows, shown->rows[i]);
	}
	if (ret == 0) {
		ret = scols_print_table_to_string(table, &text);
	}
	scols_unref_table(table);
	if (ret != 0) {
		free(text);
		return NULL;
	}
	return text;
}

/* Whether all lines do; they are terminated. */
static bool text_fits(char *text, size_t width)
{
	char *line = NULL;
	char *next = NULL;

	for (line = text; width != 0 && *line != '\0'; line = next + 1) {
		size_t columns;

		next = strchrnul(line, '\n');
		if (*next == '\0') {
			return printable_width(line) <= width;
		}
		*next = '\0';
		columns = printable_width(line);
		*next = '\n';
		if (columns > width) {
			return false;
		}
	}
	return true;
}

/* The rows that there is room for; how many there are more. */
static size_t text_choose_rows(const struct status_rows *rows,
			       bool wide,
			       size_t height,
			       struct text_rows *shown)
{
	size_t i;

	for (i = 0; i < rows->num_rows; i++) {
		if (wide || !rows->rows[i].relayed) {
			shown->rows[shown->num_rows] = &rows->rows[i];
			shown->num_rows += 1;
		}
	}
	/* a line for the headings, one for what is left out */
	if (height != 0 && shown->num_rows + 1 > height) {
		size_t room = height > 2 ? height - 2 : 0;
		size_t more = shown->num_rows - room;

		shown->num_rows = room;
		return more;
	}
	return 0;
}

int output_text(const struct status_rows *rows,
		bool wide,
		size_t width,
		size_t height)
{
	struct text_columns chosen = {};
	struct text_rows shown = {};
	size_t more;
	char *text = NULL;

	shown.rows = calloc(rows->num_rows + 1, sizeof(shown.rows[0]));
	if (shown.rows == NULL) {
		return tool_failure("status", strerror(ENOMEM));
	}
	more = text_choose_rows(rows, wide, height, &shown);
	if (shown.num_rows == 0) {
		free(shown.rows);
		printf("no connections\n");
		return tool_flush();
	}
	text_choose(&chosen, wide);
	text = text_draw(rows, &shown, &chosen, width);
	while (text != NULL && chosen.num_columns > 1 &&
	       !text_fits(text, width)) {
		free(text);
		text_narrow(&chosen);
		text = text_draw(rows, &shown, &chosen, width);
	}
	free(shown.rows);
	if (text == NULL) {
		return tool_failure("status", strerror(ENOMEM));
	}
	printf("%s", text);
	free(text);
	if (more > 0) {
		printf("and %zu more", more);
		if (height == 0) {
			printf("\n");
		}
	}
	return tool_flush();
}
