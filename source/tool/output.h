/* SPDX-License-Identifier: LGPL-3.0-or-later */
/*
 * The connections in each format of status.
 */
#ifndef TOOL_OUTPUT_H
#define TOOL_OUTPUT_H

#include <stdbool.h>
#include <stddef.h>

#include "rows.h"
#include "table.h"

/**
 * @brief Print a table.
 *
 * The short table leaves out connections that relay a row of smbd-quicd.
 *
 * @param[in] wide    all columns.
 * @param[in] width   the columns of the terminal: what is too long is cut, and
 *                    columns that do not fit are left out; 0: no limit.
 * @param[in] height  the lines that there are; 0: no limit.
 *
 * @return the exit status.
 */
int output_text(const struct status_rows *rows,
		bool wide,
		size_t width,
		size_t height);

/** @brief Print JSON; the exit status. */
int output_json(const struct status_rows *rows);

/** @brief Print the text format of OpenMetrics; the exit status. */
int output_openmetrics(const struct status_rows *rows);

/** Where rows come from: 0 or an errno. */
typedef int (*rows_source_fn_t)(struct status_rows *rows, void *private_data);

/**
 * @brief Print a table each second, on a terminal, until a key or a signal
 * ends it.
 *
 * @param[in]     column  to sort by.
 * @param[in,out] rows    failed is set where an errno is returned.
 *
 * @return 0, or the errno of source, or ENOTTY.
 */
int top_run(rows_source_fn_t source,
	    void *private_data,
	    bool wide,
	    const struct column *column,
	    struct status_rows *rows);

#endif /* TOOL_OUTPUT_H */
