/* SPDX-License-Identifier: LGPL-3.0-or-later */
/*
 * What a check found, in the line and exit status of a monitoring plug-in.
 */
#ifndef TOOL_VERDICT_H
#define TOOL_VERDICT_H

#include <talloc.h>

/** The exit status of monitoring plug-ins. */
enum verdict_level {
	VERDICT_OK = 0,
	VERDICT_WARNING = 1,
	VERDICT_CRITICAL = 2,
	VERDICT_UNKNOWN = 3,
};

/** The texts of each level. */
struct verdict;

/** @brief A verdict without texts; NULL without memory. */
struct verdict *verdict_create(TALLOC_CTX *mem_ctx);

/** @brief Add a text, as of printf(). */
void verdict_add(struct verdict *verdict,
		 enum verdict_level level,
		 const char *format,
		 ...) __attribute__((format(printf, 3, 4)));

/**
 * @brief Print one line.
 *
 * @return the worst level, the exit status; VERDICT_UNKNOWN if the function
 *         could not print.
 */
int verdict_print(const struct verdict *verdict);

#endif /* TOOL_VERDICT_H */
