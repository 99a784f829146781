/* SPDX-License-Identifier: LGPL-3.0-or-later */
/*
 * Which columns fit into a line, see layout.h.
 */

#include "config.h"

#include <string.h>

#include "layout.h"
#include "util/macros.h"
#include "util/printable.h"

/* The least widths of columns of words, before another column is left out. */
static const struct {
	const char *heading;
	size_t width;
} layout_least[] = {
	{"USER", 8},
	{"CLIENT", 15},
	{"SHARE", 8},
	{"VIA", 4},
	{"RELAY", 15},
};

bool layout_is_words(const struct column *column)
{
	return column->kind == COLUMN_STRING || column->kind == COLUMN_NAMES;
}

static void layout_measure(struct layout_column *text,
			   const struct status_rows *rows,
			   const struct layout_rows *shown)
{
	char cell[sizeof(shown->rows[0]->published.shares)];
	size_t i;

	text->natural = strlen(text->column->heading);
	for (i = 0; i < shown->num_rows; i++) {
		size_t width;

		table_cell(
			rows, shown->rows[i], text->column, cell, sizeof(cell));
		width = printable_width(cell);
		if (width > text->natural) {
			text->natural = width;
		}
	}
	text->least = text->natural;
	for (i = 0;
	     layout_is_words(text->column) && i < ARRAY_SIZE(layout_least);
	     i++) {
		if (strcmp(layout_least[i].heading, text->column->heading) ==
			    0 &&
		    layout_least[i].width < text->natural)
		{
			text->least = layout_least[i].width;
		}
	}
}

void layout_choose(struct layout *layout,
		   const struct status_rows *rows,
		   const struct layout_rows *shown,
		   bool wide)
{
	const struct column *all = NULL;
	size_t num_columns;
	size_t i;

	all = table_columns(&num_columns);
	for (i = 0; i < num_columns; i++) {
		struct layout_column
			*text = &layout->columns[layout->num_columns];

		if (table_has_column(rows, &all[i]) &&
		    (wide || all[i].rank != 0))
		{
			text->column = &all[i];
			text->hosts = !wide &&
				      strcmp(all[i].heading, "CLIENT") == 0;
			layout_measure(text, rows, shown);
			layout->num_columns += 1;
		}
	}
}

/* Leave out the last of the least important columns. */
static void layout_leave_out(struct layout *layout)
{
	struct layout_column *columns = layout->columns;
	size_t least = 0;
	size_t i;

	for (i = 0; i < layout->num_columns; i++) {
		/* rank 0 becomes the largest number */
		if (columns[i].column->rank - 1 >=
		    columns[least].column->rank - 1) {
			least = i;
		}
	}
	layout->num_columns -= 1;
	memmove(&columns[least],
		&columns[least + 1],
		(layout->num_columns - least) * sizeof(columns[0]));
}

/* Narrow the widest column that can be narrower; false if there is none. */
static bool layout_narrow(struct layout *layout)
{
	struct layout_column *widest = NULL;
	size_t i;

	for (i = 0; i < layout->num_columns; i++) {
		struct layout_column *text = &layout->columns[i];

		if (text->width > text->least &&
		    (widest == NULL || text->width > widest->width))
		{
			widest = text;
		}
	}
	if (widest == NULL) {
		return false;
	}
	widest->width -= 1;
	return true;
}

void layout_fit(struct layout *layout, size_t width)
{
	while (layout->num_columns > 0) {
		size_t total = layout->num_columns - 1;
		size_t i;

		for (i = 0; i < layout->num_columns; i++) {
			layout->columns[i].width = layout->columns[i].natural;
			total += layout->columns[i].natural;
		}
		while (total > width && layout_narrow(layout)) {
			total -= 1;
		}
		if (total <= width) {
			return;
		}
		if (layout->num_columns == 1) {
			layout->columns[0].width = width;
			return;
		}
		layout_leave_out(layout);
	}
}
