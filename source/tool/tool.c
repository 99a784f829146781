/* SPDX-License-Identifier: LGPL-3.0-or-later */
/*
 * smbd-uring: functions that its commands share.
 */

#include "config.h"

#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tool.h"

int tool_usage_error(const char *detail, const char *what)
{
	fprintf(stderr, "smbd-uring: %s: %s\n", detail, what);
	return EXIT_USAGE;
}

int tool_failure(const char *detail, const char *what)
{
	fprintf(stderr, "smbd-uring: %s: %s\n", detail, what);
	return EXIT_FAILURE;
}

void tool_free_words(const char **words)
{
	size_t i;

	for (i = 0; words != NULL && words[i] != NULL; i++) {
		free((void *)(uintptr_t)words[i]);
	}
	free(words);
}

int tool_flush(void)
{
	if (fflush(stdout) != 0 || ferror(stdout)) {
		return tool_failure("standard output", strerror(errno));
	}
	return EXIT_SUCCESS;
}

int tool_print_json(json_t *json)
{
	int ret = -1;

	if (json != NULL) {
		ret = json_dumpf(json, stdout, JSON_INDENT(2));
		putchar('\n');
	}
	json_decref(json);
	if (ret != 0) {
		return tool_failure("standard output", strerror(errno));
	}
	return tool_flush();
}

static bool parse_operand(poptContext pc,
			  const char *operand,
			  char **value,
			  int *status)
{
	const char *first = poptGetArg(pc);
	const char *extra = first;

	*status = EXIT_USAGE;
	if (operand != NULL) {
		if (first == NULL) {
			(void)tool_usage_error(operand, "missing, see --help");
			return false;
		}
		extra = poptGetArg(pc);
	}
	if (extra != NULL) {
		(void)tool_usage_error(extra, "unexpected argument");
		return false;
	}
	if (operand != NULL) {
		*value = strdup(first);
		if (*value == NULL) {
			*status = tool_failure(operand, strerror(ENOMEM));
			return false;
		}
	}
	return true;
}

bool tool_parse(int argc,
		const char **argv,
		const struct poptOption *options,
		const char *operand,
		const char *more,
		char **value,
		int *status)
{
	poptContext pc = poptGetContext(NULL, argc, argv, options, 0);
	char intro[64];
	bool go_on = false;
	int ret;

	snprintf(intro,
		 sizeof(intro),
		 "[OPTION...]%s%s",
		 operand != NULL ? " " : "",
		 operand != NULL ? operand : "");
	poptSetOtherOptionHelp(pc, intro);
	ret = poptGetNextOpt(pc);
	if (ret < -1) {
		*status = tool_usage_error(poptBadOption(pc, 0),
					   poptStrerror(ret));
	} else if (ret == 'h') {
		poptPrintHelp(pc, stdout, 0);
		printf("%s", more);
		*status = tool_flush();
	} else {
		go_on = parse_operand(pc, operand, value, status);
	}
	poptFreeContext(pc);
	return go_on;
}
