/* SPDX-License-Identifier: LGPL-3.0-or-later */
/*
 * smbd-uring metrics: the clients for Prometheus, and a sample for the report.
 *
 * smbd-uring-metrics.service executes this command each minute.
 */

#include "config.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "clients.h"
#include "cluster.h"
#include "history.h"
#include "join.h"
#include "openmetrics.h"
#include "replace.h"
#include "rows.h"
#include "table.h"
#include "tool.h"
#include "totals.h"

struct metrics_options {
	const char **directories;
	char *output;
	char *history;
	int per_connection;
};

/* The values to print. */
struct metrics {
	struct status_rows rows;
	json_t *clients;
	/** of all clients that were seen lately, see clients_count() */
	json_t *totals;
	/** 0, or the errno of reading the rows */
	int error;
	/** seconds since 1970; 0: never */
	int64_t last_success;
};

/* Read the rows; nobody publishes: that is no error. */
static void metrics_read(const struct metrics_options *o, struct metrics *m)
{
	static const char *const standard[] = {ROWS_SMBD, ROWS_QUICD, NULL};
	const char *const *directories = standard;

	if (o->directories != NULL) {
		directories = o->directories;
	}
	m->error = rows_add_published(directories, false, &m->rows);
	if (m->error == ENOENT) {
		m->error = 0;
	}
	if (m->error == 0) {
		m->error = rows_finish(&m->rows);
	}
	if (m->error != 0) {
		rows_free(&m->rows);
	}
	cluster_own_node(&m->rows);
	table_sort(&m->rows, NULL);
	m->clients = clients_collect(&m->rows);
}

/* Print a metric that has one series. */
static void print_one(FILE *out,
		      const char *metric,
		      const char *help,
		      int64_t value)
{
	openmetrics_head(out, metric, false, help);
	fprintf(out, "smbd_uring_%s %jd\n", metric, (intmax_t)value);
}

static bool metrics_print(FILE *out,
			  const struct metrics_options *o,
			  const struct metrics *m)
{
	bool done = true;

	print_one(out,
		  "up",
		  "Whether the published samples could be read.",
		  m->error == 0);
	print_one(out,
		  "last_success_timestamp_seconds",
		  "The time when they could last be read.",
		  m->last_success);
	openmetrics_head(out, "build_info", false, "The version.");
	fprintf(out, "smbd_uring_build_info{");
	openmetrics_label(out, "version", SMBD_URING_VERSION, true);
	fprintf(out, "1\n");
	openmetrics_own_node(out, &m->rows);
	print_one(out,
		  "clients",
		  "Clients that are connected.",
		  (int64_t)json_array_size(m->clients));
	if (o->per_connection) {
		done = openmetrics_connections(out, &m->rows);
	} else {
		openmetrics_clients(out, m->clients);
	}
	openmetrics_quicd(out, &m->rows);
	fprintf(out, "# EOF\n");
	return done;
}

/* Write the file, or remove it if there is nothing. */
static int metrics_write(const struct metrics_options *o,
			 const struct metrics *m)
{
	struct replaced file;
	int ret;

	if (m->error == 0 && m->rows.num_rows == 0 &&
	    m->rows.quicd == NULL)
	{
		return replace_remove(o->output);
	}
	ret = replace_begin(o->output, 0644, &file);
	if (ret != 0) {
		return ret;
	}
	if (!metrics_print(file.out, o, m)) {
		replace_cancel(&file);
		return ENOMEM;
	}
	return replace_end(&file);
}

static const char *metrics_history(const struct metrics_options *o)
{
	return o->history != NULL ? o->history : HISTORY_DIRECTORY;
}

static int metrics_count(const struct metrics_options *o, struct metrics *m)
{
	int64_t now = time(NULL);
	int ret = 0;

	m->totals = history_totals(metrics_history(o));
	if (m->totals == NULL) {
		return ENOMEM;
	}
	if (m->error == 0) {
		ret = clients_count(m->totals, &m->rows, m->clients, now);
		json_object_set_new(m->totals,
				    "last_success",
				    json_integer((json_int_t)now));
	}
	m->last_success = json_integer_value(
		json_object_get(m->totals, "last_success"));
	return ret;
}

/* Keep the totals and a sample. */
static int metrics_keep(const struct metrics_options *o,
			const struct metrics *m)
{
	int ret;

	if (m->error != 0) {
		return 0;
	}
	ret = history_keep_totals(metrics_history(o), m->totals);
	if (ret == 0) {
		ret = history_append(
			metrics_history(o), m->clients, m->last_success);
	}
	return ret;
}

/*
 * Write the file before the history, which may be full, so that Prometheus gets
 * its values in any case.  Sets failed to the name of what failed.
 */
static int metrics_publish(const struct metrics_options *o,
			   const struct metrics *m,
			   const char **failed)
{
	int written = metrics_write(o, m);
	int kept = metrics_keep(o, m);

	*failed = written != 0 ? o->output : metrics_history(o);
	return written != 0 ? written : kept;
}

static int metrics_run(const struct metrics_options *o)
{
	struct metrics m = {};
	const char *failed = "standard output";
	int ret;

	metrics_read(o, &m);
	ret = metrics_count(o, &m);
	if (ret == 0 && o->output != NULL) {
		ret = metrics_publish(o, &m, &failed);
	} else if (ret == 0) {
		ret = metrics_print(stdout, o, &m) ? 0 : ENOMEM;
	}
	if (ret == 0 && m.error != 0) {
		failed = m.rows.failed;
		ret = m.error;
	}
	rows_free(&m.rows);
	json_decref(m.clients);
	json_decref(m.totals);
	return ret != 0 ? tool_failure(failed, replace_strerror(ret))
			: tool_flush();
}

int tool_metrics(int argc, const char **argv)
{
	struct metrics_options o = {};
	const struct poptOption options[] = {
		{"output",
		 'O',
		 POPT_ARG_STRING,
		 &o.output,
		 0,
		 "replace this file in one step, or remove it if there is "
		 "nothing to tell; keep totals and a sample",
		 "FILE"},
		{"history",
		 'H',
		 POPT_ARG_STRING,
		 &o.history,
		 0,
		 "where totals and the samples of a day are kept "
		 "(default: " HISTORY_DIRECTORY ")",
		 "DIR"},
		{"per-connection",
		 'p',
		 POPT_ARG_NONE,
		 &o.per_connection,
		 0,
		 "print series by connection, not by client; their number is "
		 "not bounded",
		 NULL},
		TOOL_OPTION_DIRECTORY(&o.directories),
		TOOL_OPTIONS_END,
	};
	int ret;

	if (tool_parse(argc, argv, options, NULL, "", NULL, &ret)) {
		ret = metrics_run(&o);
	}
	tool_free_words(o.directories);
	free(o.output);
	free(o.history);
	return ret;
}
