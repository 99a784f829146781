/* SPDX-License-Identifier: LGPL-3.0-or-later */
/*
 * smbd-uring: functions that its commands share.
 */
#ifndef TOOL_TOOL_H
#define TOOL_TOOL_H

#include <stdbool.h>
#include <jansson.h>
#include <popt.h>

/** The exit status in addition to EXIT_SUCCESS and EXIT_FAILURE. */
#define EXIT_USAGE 2

/** A row of a table of options: whether to print JSON, an int. */
#define TOOL_OPTION_JSON(_flag)                                \
	{                                                      \
		"json", 'j', POPT_ARG_NONE, (_flag), 0,        \
			"print JSON in place of a table", NULL \
	}

/** A row of a table of options: where to read, a const char **. */
#define TOOL_OPTION_DIRECTORY(_directories)                                   \
	{                                                                     \
		"directory", 'd', POPT_ARG_ARGV, (_directories), 0,           \
			"where smbd publishes, smbd_uring below its lock "    \
			"directory, or smbd-quicd; can be given more than "   \
			"once (default: " ROWS_SMBD " and " ROWS_QUICD ")",   \
			"DIR"                                                 \
	}

/** The last rows of each table of options. */
#define TOOL_OPTIONS_END                                             \
	{"help", 'h', POPT_ARG_NONE, NULL, 'h', "print this", NULL}, \
		POPT_TABLEEND

/** A command: argv[0] is "smbd-uring COMMAND"; the exit status. */
int tool_check(int argc, const char **argv);
int tool_connect(int argc, const char **argv);
int tool_disable(int argc, const char **argv);
int tool_enable(int argc, const char **argv);
int tool_metrics(int argc, const char **argv);
int tool_probe(int argc, const char **argv);
int tool_report(int argc, const char **argv);
int tool_status(int argc, const char **argv);

/**
 * @brief Parse the options of a command.
 *
 * @param[in]  options   end with TOOL_OPTIONS_END.
 * @param[in]  operand   its name in the help; NULL: the command has none.
 * @param[in]  more      text that follows the help; may be "".
 * @param[out] value     the operand, which the caller frees; may be NULL if
 *                       operand is NULL.
 * @param[out] status    the exit status, if the function returns false.
 *
 * @return false if the function printed help or an error, and the command must
 *         end.
 */
bool tool_parse(int argc,
		const char **argv,
		const struct poptOption *options,
		const char *operand,
		const char *more,
		char **value,
		int *status);

/** @brief Free the words of an option with POPT_ARG_ARGV. */
void tool_free_words(const char **words);

/** @brief Print the message "smbd-uring: DETAIL: WHAT"; EXIT_USAGE. */
int tool_usage_error(const char *detail, const char *what);

/** @brief Print the message "smbd-uring: DETAIL: WHAT"; EXIT_FAILURE. */
int tool_failure(const char *detail, const char *what);

/** @brief Print a JSON value and release it; EXIT_SUCCESS or EXIT_FAILURE. */
int tool_print_json(json_t *json);

/** @brief The exit status: whether all of standard output was written. */
int tool_flush(void);

#endif /* TOOL_TOOL_H */
