/* SPDX-License-Identifier: LGPL-3.0-or-later */
/*
 * smbd-uring: what its commands share.
 */
#ifndef TOOL_TOOL_H
#define TOOL_TOOL_H

#include <stdbool.h>
#include <jansson.h>
#include <popt.h>

/** Exit statuses beside EXIT_SUCCESS and EXIT_FAILURE. */
#define EXIT_USAGE 2

/** The last rows of each table of options. */
#define TOOL_OPTIONS_END                                             \
	{"help", 'h', POPT_ARG_NONE, NULL, 'h', "print this", NULL}, \
		POPT_TABLEEND

/** A command: argv[0] is "smbd-uring COMMAND"; the exit status. */
int tool_connect(int argc, const char **argv);
int tool_probe(int argc, const char **argv);
int tool_status(int argc, const char **argv);

/**
 * @brief Parse the options of a command.
 *
 * @param[in]  options   end with TOOL_OPTIONS_END.
 * @param[in]  operand   what it is called in the help; NULL: there is none.
 * @param[in]  more      text that follows the help; may be "".
 * @param[out] value     the operand, to be freed; may be NULL without one.
 * @param[out] status    if this returns false: the exit status.
 *
 * @return false if there is nothing more to be done: help was printed, or an
 *         error.
 */
bool tool_parse(int argc,
		const char **argv,
		const struct poptOption *options,
		const char *operand,
		const char *more,
		char **value,
		int *status);

/** @brief Print the message "smbd-uring: DETAIL: WHAT"; EXIT_USAGE. */
int tool_usage_error(const char *detail, const char *what);

/** @brief Print the message "smbd-uring: DETAIL: WHAT"; EXIT_FAILURE. */
int tool_failure(const char *detail, const char *what);

/** @brief Print it and give it back; EXIT_SUCCESS or EXIT_FAILURE. */
int tool_print_json(json_t *json);

/** @brief Whether all of standard output was written; the exit status. */
int tool_flush(void);

#endif /* TOOL_TOOL_H */
