/* SPDX-License-Identifier: LGPL-3.0-or-later */
/*
 * uring-sockopt: what its commands share.
 */
#ifndef URING_SOCKOPT_TOOL_H
#define URING_SOCKOPT_TOOL_H

#include <jansson.h>

/* Exit statuses, documented in the help text of main(). */
#define EXIT_USAGE 2

/* Print the message "DETAIL: WHAT"; EXIT_USAGE. */
int tool_usage_error(const char *what, const char *detail);

/* Print it and give it back; EXIT_SUCCESS or EXIT_FAILURE. */
int tool_print_json(json_t *json);

enum tool_status_format {
	TOOL_STATUS_TEXT,
	TOOL_STATUS_JSON,
	TOOL_STATUS_OPENMETRICS,
	/* text, again and again */
	TOOL_STATUS_WATCH,
};

/* The command "status"; the exit status.  directories: until NULL. */
int tool_status(const char *const *directories,
		enum tool_status_format format,
		const char *sort);

#endif /* URING_SOCKOPT_TOOL_H */
