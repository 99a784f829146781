/* SPDX-License-Identifier: LGPL-3.0-or-later */
/*
 * Which columns of the table of status fit into a line, and how wide they are.
 */
#ifndef TOOL_LAYOUT_H
#define TOOL_LAYOUT_H

#include <stdbool.h>
#include <stddef.h>

#include "table.h"

#define LAYOUT_MAX_COLUMNS 64

/** The rows that are shown. */
struct layout_rows {
	const struct status_row **rows;
	size_t num_rows;
};

struct layout_column {
	const struct column *column;
	/** show addresses without their port */
	bool hosts;
	/** the widths: of the contents; the least one; the drawn one */
	size_t natural;
	size_t least;
	size_t width;
};

struct layout {
	struct layout_column columns[LAYOUT_MAX_COLUMNS];
	size_t num_columns;
};

/** @brief Whether a column has words, which can be cut. */
bool layout_is_words(const struct column *column);

/** @brief Choose all columns of the wide or the short table. */
void layout_choose(struct layout *layout,
		   const struct status_rows *rows,
		   const struct layout_rows *shown,
		   bool wide);

/** @brief Choose columns and their widths so that a line fits into width. */
void layout_fit(struct layout *layout, size_t width);

#endif /* TOOL_LAYOUT_H */
