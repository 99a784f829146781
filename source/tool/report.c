/* SPDX-License-Identifier: LGPL-3.0-or-later */
/*
 * smbd-uring report: a page about the last day.
 */

#include "config.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "day.h"
#include "history.h"
#include "page.h"
#include "replace.h"
#include "tool.h"

struct report_options {
	char *history;
	char *output;
};

static int report_write(const struct report_options *o,
			const struct day *day,
			size_t num_samples,
			int64_t now)
{
	struct replaced file;
	int ret;

	if (o->output == NULL) {
		page_print(stdout, day, num_samples, now);
		return tool_flush();
	}
	/* names of users are for root alone */
	ret = replace_begin(o->output, 0600, &file);
	if (ret == 0) {
		page_print(file.out, day, num_samples, now);
		ret = replace_end(&file);
	}
	return ret != 0 ? tool_failure(o->output, replace_strerror(ret))
			: EXIT_SUCCESS;
}

static int report_failed(const char *directory, int error)
{
	char what[256];
	const char *hint = "";

	if (error == ENOENT || error == ENODATA) {
		hint = " (no sample of the last day; smbd-uring-metrics.timer "
		       "takes them, see smbd-uring(1))";
	} else if (error == EACCES) {
		hint = " (run it as root)";
	}
	snprintf(what, sizeof(what), "%s%s", strerror(error), hint);
	return tool_failure(directory, what);
}

static int report_run(const struct report_options *o)
{
	const char *directory = o->history != NULL ? o->history
						   : HISTORY_DIRECTORY;
	int64_t now = time(NULL);
	json_t *samples = NULL;
	struct day day;
	int ret;

	ret = history_read(directory, now, &samples);
	if (ret == 0) {
		ret = day_arrange(samples, now, &day);
	}
	if (ret != 0) {
		json_decref(samples);
		return report_failed(directory, ret);
	}
	ret = report_write(o, &day, json_array_size(samples), now);
	day_free(&day);
	json_decref(samples);
	return ret;
}

int tool_report(int argc, const char **argv)
{
	struct report_options o = {};
	const struct poptOption options[] = {
		{"output",
		 'O',
		 POPT_ARG_STRING,
		 &o.output,
		 0,
		 "write the page to this file, for you alone, and not to "
		 "standard output",
		 "FILE"},
		{"history",
		 'H',
		 POPT_ARG_STRING,
		 &o.history,
		 0,
		 "where the samples of a day are "
		 "(default: " HISTORY_DIRECTORY ")",
		 "DIR"},
		TOOL_OPTIONS_END,
	};
	int ret;

	if (tool_parse(argc, argv, options, NULL, "", NULL, &ret)) {
		ret = report_run(&o);
	}
	free(o.output);
	free(o.history);
	return ret;
}
