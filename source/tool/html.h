/* SPDX-License-Identifier: LGPL-3.0-or-later */
/*
 * Parts of the report as HTML and SVG.
 */
#ifndef TOOL_HTML_H
#define TOOL_HTML_H

#include <stdio.h>

#include "day.h"

/** The value of a slot that a curve shows. */
typedef double (*html_value_fn_t)(const struct day_slot *slot);

/** @brief Print a name that a stranger chose, so that it is only text. */
void html_text(FILE *out, const char *text);

/** @brief Print the beginning of a page; it may load and execute nothing. */
void html_begin(FILE *out, const char *title);

void html_end(FILE *out);

/** @brief Print "10:05", local time, of the begin of a slot. */
void html_time(FILE *out, const struct day *day, size_t slot);

/** @brief Print a coloured strip of the day. */
void html_strip(FILE *out, const struct day *day, const struct day_line *line);

/** @brief Print the hours below strips and curves. */
void html_hours(FILE *out, const struct day *day);

/**
 * @brief Print a curve of the day.
 *
 * @param[in] unit  of the values that the function value returns.
 */
void html_curve(FILE *out,
		const struct day *day,
		const struct day_line *line,
		const char *title,
		html_value_fn_t value,
		enum figure_unit unit);

#endif /* TOOL_HTML_H */
