/* SPDX-License-Identifier: LGPL-3.0-or-later */
/*
 * The connections in each format of status.
 */
#ifndef TOOL_OUTPUT_H
#define TOOL_OUTPUT_H

#include <stdbool.h>
#include <stddef.h>
#include <jansson.h>
#include <talloc.h>

#include "rows.h"
#include "table.h"

/**
 * @brief Print a table.
 *
 * The short table leaves out connections that relay a row of smbd-quicd.
 *
 * @param[in] wide    all columns.
 * @param[in] width   the columns of the terminal.  The function cuts long
 *                    words and leaves out columns that do not fit; 0: no
 *                    limit.
 * @param[in] height  the lines of the terminal, at least 2; 0: no limit.  With
 *                    a limit the last line has no newline, which would scroll.
 *
 * @return the exit status.
 */
int output_text(const struct status_rows *rows,
		bool wide,
		size_t width,
		size_t height);

/** The version of the JSON: it grows if a member changes or goes. */
#define OUTPUT_JSON_VERSION 1

/** @brief Print JSON; the exit status. */
int output_json(const struct status_rows *rows);

/** @brief Add what smbd-quicd counts, where it runs, for output_json(). */
void quicd_add_json(const struct status_rows *rows, json_t *json);

/**
 * @brief Print it below the table.
 *
 * @param[in] width  Longer lines go on in the next one; 0: no limit.
 */
void quicd_text(const struct status_rows *rows, size_t width);

/**
 * @brief Print it in a line for each smbd-quicd.
 *
 * @param[in] width   The function cuts longer ones.
 * @param[in] height  How many lines at most.
 *
 * @return how many there were.
 */
size_t quicd_lines(const struct status_rows *rows, size_t width, size_t height);

/** @brief Print the text format of OpenMetrics; the exit status. */
int output_openmetrics(const struct status_rows *rows);

/** Reads the rows; returns 0 or an errno. */
typedef int (*rows_source_fn_t)(struct status_rows *rows, void *private_data);

/**
 * @brief Print a table on a terminal each second, until a key or a signal.
 *
 * @param[in]     column  to sort by.
 * @param[in,out] rows    if the function returns an errno, it sets failed.
 *
 * @return 0, or the errno of source, or ENOTTY.
 */
int top_run(rows_source_fn_t source,
	    void *private_data,
	    bool wide,
	    const struct column *column,
	    struct status_rows *rows);

#endif /* TOOL_OUTPUT_H */
