/* SPDX-License-Identifier: LGPL-3.0-or-later */
/*
 * smbd-uring status: the connections of smbd and smbd-quicd.
 */

#include "config.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <sys/ioctl.h>

#include "cluster.h"
#include "join.h"
#include "kernel.h"
#include "output.h"
#include "tool.h"
#include "util/macros.h"

/* The width of the table if no terminal has a width. */
#define STATUS_WIDTH 80

static const char *const status_standard[] = {
	ROWS_SMBD,
	ROWS_QUICD,
	NULL,
};

struct status_options {
	const char **directories;
	char *sort;
	char *configfile;
	int kernel;
	int cluster;
	int as_json;
	int as_openmetrics;
	int watch;
	int wide;
	int list_columns;
};

static int status_failed(const struct status_rows *rows, int error)
{
	const char *hint = "";
	char what[256];

	if (error == EIO && rows->cluster) {
		return tool_failure(rows->failed, "ctdbd does not answer");
	}
	if (error == EIO) {
		return tool_failure(rows->failed, "testparm refuses it");
	}
	if (error == ENOENT && rows->cluster) {
		hint = " (install the package ctdb)";
	} else if (error == ENOENT) {
		hint = " (no smbd with smbd_uring:sample interval has run, or "
		       "its lock directory is another, see --directory; "
		       "--kernel shows any smbd)";
	} else if (error == EACCES) {
		hint = " (run it as root)";
	}
	snprintf(what, sizeof(what), "%s%s", strerror(error), hint);
	return tool_failure(rows->failed, what);
}

static size_t status_width(void)
{
	const char *columns = getenv("COLUMNS");
	struct winsize size = {};
	unsigned long width = 0;

	if (isatty(STDOUT_FILENO) &&
	    ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col > 0)
	{
		return size.ws_col;
	}
	if (columns != NULL) {
		width = strtoul(columns, NULL, 10);
	}
	return width > 0 ? width : STATUS_WIDTH;
}

static int status_list_columns(void)
{
	const struct column *columns = NULL;
	size_t num_columns;
	size_t i;

	columns = table_columns(&num_columns);
	printf("%-10s%-16s%-18s%s\n", "HEADING", "NAME", "UNIT", "MEANING");
	for (i = 0; i < num_columns; i++) {
		const struct column *c = &columns[i];
		const char *unit = "";

		if (c->kind == COLUMN_FIGURE) {
			unit = figure_unit_name(figures[c->figure].unit);
		} else if (c->kind == COLUMN_AGE) {
			unit = "seconds";
		}
		printf("%-10s%-16s%-18s%s\n",
		       c->heading,
		       c->name,
		       unit,
		       c->help);
	}
	return tool_flush();
}

/* The kernel has smbd's connections; smbd-quicd publishes, if it runs. */
static int status_add_kernel(const struct status_options *o,
			     struct status_rows *rows)
{
	static const char *const quicd[] = {ROWS_QUICD, NULL};
	const char *const *directories = quicd;
	int ret;

	if (o->directories != NULL) {
		directories = o->directories;
	}
	ret = rows_add_published(directories, true, rows);
	if (ret != 0 && ret != ENOENT) {
		return ret;
	}
	return kernel_add_rows(o->configfile, rows);
}

static int status_source(struct status_rows *rows, void *private_data)
{
	const struct status_options *o = private_data;
	int ret;

	*rows = (struct status_rows){};
	if (o->cluster) {
		ret = cluster_add_rows(o->kernel != 0, rows);
	} else if (o->kernel) {
		ret = status_add_kernel(o, rows);
	} else if (o->directories != NULL) {
		ret = rows_add_published(o->directories, false, rows);
	} else {
		ret = rows_add_published(status_standard, false, rows);
	}
	if (ret == 0 && !o->cluster) {
		ret = rows_finish(rows);
	}
	if (ret != 0) {
		rows_free(rows);
	}
	return ret;
}

static int status_watch(struct status_options *o, const struct column *column)
{
	struct status_rows rows = {};
	int ret;

	ret = top_run(status_source, o, o->wide != 0, column, &rows);
	if (ret == ENOTTY) {
		return tool_usage_error("--watch", "needs a terminal");
	}
	return ret != 0 ? status_failed(&rows, ret) : EXIT_SUCCESS;
}

/* Name the nodes whose rows are missing; the exit status. */
static int status_nodes(const struct status_rows *rows, int status)
{
	size_t i;

	for (i = 0; i < rows->num_nodes; i++) {
		const struct status_node *node = &rows->nodes[i];
		char name[sizeof("node ") + sizeof(node->name)];

		if (node->error != NULL) {
			snprintf(name, sizeof(name), "node %s", node->name);
			status = tool_failure(name, node->error);
		}
	}
	return status;
}

/* Whether these options can be together; if not, prints it. */
static bool status_check(const struct status_options *o, int *status)
{
	*status = EXIT_SUCCESS;
	if (o->as_json + o->as_openmetrics + o->watch + o->list_columns > 1) {
		*status = tool_usage_error(
			"--json, --openmetrics, --watch, --list-columns",
			"only one of them");
	} else if (o->cluster &&
		   (o->configfile != NULL || o->directories != NULL))
	{
		*status = tool_usage_error("--cluster",
					   "not with --configfile or "
					   "--directory");
	} else if (o->configfile != NULL && !o->kernel) {
		*status = tool_usage_error("--configfile",
					   "only with --kernel");
	}
	return *status == EXIT_SUCCESS;
}

static int status_run(struct status_options *o)
{
	const char *sort = o->sort != NULL ? o->sort : "state";
	const struct column *column = table_find_column(sort);
	struct status_rows rows = {};
	int ret;

	if (!status_check(o, &ret)) {
		return ret;
	}
	if (column == NULL) {
		return tool_usage_error(sort,
					"no such column, see status "
					"--list-columns");
	}
	if (o->list_columns) {
		return status_list_columns();
	}
	if (o->watch) {
		return status_watch(o, column);
	}
	ret = status_source(&rows, o);
	if (ret != 0) {
		return status_failed(&rows, ret);
	}
	table_sort(&rows, column);
	if (o->as_json || o->as_openmetrics) {
		cluster_own_node(&rows);
	}
	if (o->as_json) {
		ret = output_json(&rows);
	} else if (o->as_openmetrics) {
		ret = output_openmetrics(&rows);
	} else {
		const size_t width = o->wide ? 0 : status_width();

		ret = output_text(&rows, o->wide != 0, width, 0);
		if (ret == EXIT_SUCCESS) {
			quicd_text(&rows, width);
			ret = tool_flush();
		}
	}
	ret = status_nodes(&rows, ret);
	rows_free(&rows);
	return ret;
}

int tool_status(int argc, const char **argv)
{
	struct status_options o = {};
	const struct poptOption options[] = {
		{"kernel",
		 'k',
		 POPT_ARG_NONE,
		 &o.kernel,
		 0,
		 "ask the kernel and smbstatus: for an smbd without the "
		 "preload library",
		 NULL},
		{"cluster",
		 'C',
		 POPT_ARG_NONE,
		 &o.cluster,
		 0,
		 "all nodes of a CTDB cluster, which onnode(1) asks by ssh",
		 NULL},
		{"configfile",
		 'c',
		 POPT_ARG_STRING,
		 &o.configfile,
		 0,
		 "with --kernel: smbd's smb.conf, if it is another",
		 "FILE"},
		{"wide",
		 'W',
		 POPT_ARG_NONE,
		 &o.wide,
		 0,
		 "all columns, and the connections that relay QUIC",
		 NULL},
		{"watch",
		 'w',
		 POPT_ARG_NONE,
		 &o.watch,
		 0,
		 "redraw every second; keys < and > choose the column to sort "
		 "by, q ends",
		 NULL},
		TOOL_OPTION_JSON(&o.as_json),
		{"openmetrics",
		 'o',
		 POPT_ARG_NONE,
		 &o.as_openmetrics,
		 0,
		 "print OpenMetrics in place of a table",
		 NULL},
		{"sort",
		 's',
		 POPT_ARG_STRING,
		 &o.sort,
		 0,
		 "the column to sort by: its heading, or its name in JSON "
		 "(default: STATE, the worst first)",
		 "COLUMN"},
		TOOL_OPTION_DIRECTORY(&o.directories),
		{"list-columns",
		 'l',
		 POPT_ARG_NONE,
		 &o.list_columns,
		 0,
		 "list the columns: heading, name in JSON, unit, meaning",
		 NULL},
		TOOL_OPTIONS_END,
	};
	int ret;

	if (tool_parse(argc, argv, options, NULL, "", NULL, &ret)) {
		ret = status_run(&o);
	}
	tool_free_words(o.directories);
	free(o.configfile);
	free(o.sort);
	return ret;
}
