/* SPDX-License-Identifier: LGPL-3.0-or-later */
/*
 * The page of the report: its tables, strips and curves, and their order.
 */
#ifndef TOOL_PAGE_H
#define TOOL_PAGE_H

#include <stdio.h>

#include "day.h"

/**
 * @brief Print the page.
 *
 * @param[in] num_samples  of which day was made.
 * @param[in] now          the end of the day, seconds since 1970.
 */
void page_print(FILE *out,
		const struct day *day,
		size_t num_samples,
		int64_t now);

#endif /* TOOL_PAGE_H */
