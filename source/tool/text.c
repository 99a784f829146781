/* SPDX-License-Identifier: LGPL-3.0-or-later */
/*
 * The table of status, drawn by libsmartcols.
 */

#include "config.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <libsmartcols/libsmartcols.h>

#include "layout.h"
#include "output.h"
#include "tool.h"
#include "util/address.h"
#include "util/printable.h"

/* The end of a cell that was cut. */
#define TEXT_CUT "+"

/* The short table shows clients without their ports. */
static void text_cell(const struct status_rows *rows,
		      const struct status_row *row,
		      const struct layout_column *text,
		      char *cell,
		      size_t size)
{
	struct address address;

	table_cell(rows, row, text->column, cell, size);
	if (text->hosts && address_parse(cell, 0, &address) &&
	    size >= ADDRESS_TEXT_SIZE)
	{
		(void)address_print_host(&address.u.sa, cell);
	}
}

static void text_cut(char *cell, size_t width)
{
	size_t length = strlen(cell);

	if (printable_width(cell) <= width) {
		return;
	}
	while (length > 0 &&
	       printable_width(cell) + sizeof(TEXT_CUT) - 1 > width) {
		/* all bytes of a UTF-8 character */
		do {
			length -= 1;
		} while (length > 0 && (cell[length] & 0xc0) == 0x80);
		cell[length] = '\0';
	}
	memcpy(cell + length, TEXT_CUT, sizeof(TEXT_CUT));
}

static int text_add_row(struct libscols_table *table,
			const struct layout *layout,
			const struct status_rows *rows,
			const struct status_row *row)
{
	struct libscols_line *line = scols_table_new_line(table, NULL);
	char cell[sizeof(row->published.shares)];
	size_t i;
	int ret = line != NULL ? 0 : -ENOMEM;

	for (i = 0; ret == 0 && i < layout->num_columns; i++) {
		const struct layout_column *text = &layout->columns[i];

		text_cell(rows, row, text, cell, sizeof(cell));
		text_cut(cell, text->width);
		ret = scols_line_set_data(line, i, cell);
	}
	return ret;
}

static int text_add_columns(struct libscols_table *table,
			    const struct layout *layout)
{
	size_t i;

	for (i = 0; i < layout->num_columns; i++) {
		const struct column *column = layout->columns[i].column;
		bool left = layout_is_words(column) ||
			    column->kind == COLUMN_STATE;

		if (scols_table_new_column(table,
					   column->heading,
					   0,
					   left ? 0 : SCOLS_FL_RIGHT) == NULL)
		{
			return -ENOMEM;
		}
	}
	return 0;
}

/* Does not end the last line.  Returns 0 or an errno. */
static int text_draw(const struct status_rows *rows,
		     const struct layout_rows *shown,
		     const struct layout *layout)
{
	struct libscols_table *table = scols_new_table();
	char *text = NULL;
	size_t i;
	int ret = -ENOMEM;

	if (table != NULL) {
		ret = text_add_columns(table, layout);
	}
	for (i = 0; ret == 0 && i < shown->num_rows; i++) {
		ret = text_add_row(table, layout, rows, shown->rows[i]);
	}
	if (ret == 0) {
		/* everything fits: libsmartcols need not ask the terminal */
		scols_table_set_termforce(table, SCOLS_TERMFORCE_NEVER);
		ret = scols_print_table_to_string(table, &text);
	}
	if (ret == 0) {
		size_t length = strlen(text);

		/* some versions end the last line */
		if (length > 0 && text[length - 1] == '\n') {
			text[length - 1] = '\0';
		}
		printf("%s", text);
	}
	free(text);
	scols_unref_table(table);
	return -ret;
}

/*
 * Keep the rows that fit.  Returns the number of the others, if a line is left
 * for it.
 */
static size_t text_choose_rows(const struct status_rows *rows,
			       bool wide,
			       size_t height,
			       struct layout_rows *shown)
{
	size_t i;

	for (i = 0; i < rows->num_rows; i++) {
		if (wide || !rows->rows[i].relayed) {
			shown->rows[shown->num_rows] = &rows->rows[i];
			shown->num_rows += 1;
		}
	}
	/* a line for the headings, one for the number of the other rows */
	if (height != 0 && shown->num_rows > height - 1) {
		size_t room = height > 2 ? height - 2 : height - 1;
		size_t more = shown->num_rows - room;

		shown->num_rows = room;
		return height > 2 ? more : 0;
	}
	return 0;
}

/* For printf(); a terminal without a width has no limit. */
static int text_columns(size_t width)
{
	return width != 0 && width < INT_MAX ? (int)width : INT_MAX;
}

int output_text(const struct status_rows *rows,
		bool wide,
		size_t width,
		size_t height)
{
	struct layout layout = {};
	struct layout_rows shown = {};
	size_t more;
	int ret;

	shown.rows = calloc(rows->num_rows + 1, sizeof(shown.rows[0]));
	if (shown.rows == NULL) {
		return tool_failure("status", strerror(ENOMEM));
	}
	more = text_choose_rows(rows, wide, height, &shown);
	if (shown.num_rows == 0) {
		free(shown.rows);
		printf("no connections%s", height == 0 ? "\n" : "");
		return tool_flush();
	}
	layout_choose(&layout, rows, &shown, wide);
	layout_fit(&layout, width != 0 ? width : SIZE_MAX);
	ret = text_draw(rows, &shown, &layout);
	free(shown.rows);
	if (ret != 0) {
		return tool_failure("status", strerror(ret));
	}
	if (more > 0) {
		char line[64];

		snprintf(line, sizeof(line), "and %zu more", more);
		printf("\n%.*s", text_columns(width), line);
	}
	if (height == 0) {
		printf("\n");
	}
	return tool_flush();
}
