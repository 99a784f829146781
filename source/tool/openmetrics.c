/* SPDX-License-Identifier: LGPL-3.0-or-later */
/*
 * status in the text format of OpenMetrics, written so that it has the same
 * meaning in Prometheus' own format, which node_exporter's textfile collector
 * reads.
 */

#include "config.h"

#include <stdio.h>

#include "output.h"
#include "tool.h"

static void print_label(const char *name, const char *value, bool last)
{
	printf("%s=\"", name);
	for (; *value != '\0'; value++) {
		if (*value == '"' || *value == '\\') {
			putchar('\\');
		}
		putchar(*value);
	}
	printf("\"%s", last ? "} " : ",");
}

static void print_names_label(const char *label,
			      const struct status_row *row,
			      const char *name)
{
	char names[sizeof(row->published.shares)];

	row_names(row, table_find_column(name), ',', names, sizeof(names));
	print_label(label, names, false);
}

/* Without a cluster Prometheus has the machine in a label of its own. */
static void print_node_label(const struct status_row *row)
{
	if (row->node[0] != '\0') {
		print_label("node", row->node, false);
	}
}

static void print_labels(const char *metric,
			 const char *suffix,
			 const struct status_row *row)
{
	printf("smbd_uring_%s%s{pid=\"%ju\",",
	       metric,
	       suffix,
	       (uintmax_t)row->published.pid);
	print_node_label(row);
	print_label("client", row->published.client, false);
	print_names_label("users", row, "users");
	print_names_label("shares", row, "shares");
	print_label("transport", row->published.transport, true);
}

static void print_head(const char *metric, bool counter, const char *help)
{
	/*
	 * The line with a counter's type has the name without "_total" in
	 * OpenMetrics, and with "_total" in Prometheus' own format, which the
	 * textfile collector reads.  Without that line both formats agree.
	 */
	printf("# HELP smbd_uring_%s%s %s\n",
	       metric,
	       counter ? "_total" : "",
	       help);
	if (!counter) {
		printf("# TYPE smbd_uring_%s gauge\n", metric);
	}
}

static void print_figure(const struct status_rows *rows,
			 enum figure_index index)
{
	const struct figure *figure = &figures[index];
	size_t i;

	print_head(figure->metric, figure->counter, figure->help);
	for (i = 0; i < rows->num_rows; i++) {
		const struct status_row *row = &rows->rows[i];
		uint64_t number = row->published.figures[index];

		if (row->published.sampled == 0 || number == FIGURE_UNKNOWN) {
			continue;
		}
		print_labels(figure->metric,
			     figure->counter ? "_total" : "",
			     row);
		switch (figure->unit) {
		case FIGURE_UNIT_MICROSECONDS:
		case FIGURE_UNIT_PARTS_PER_MILLION:
			printf("%.6f\n", (double)number / 1e6);
			break;
		case FIGURE_UNIT_MILLISECONDS:
			printf("%.3f\n", (double)number / 1e3);
			break;
		default:
			printf("%ju\n", (uintmax_t)number);
			break;
		}
	}
}

static void print_ages(const struct status_rows *rows)
{
	size_t i;

	print_head("sample_age_seconds",
		   false,
		   "Time since the kernel was asked for all of these.");
	for (i = 0; i < rows->num_rows; i++) {
		if (rows->rows[i].published.sampled != 0) {
			print_labels("sample_age_seconds", "", &rows->rows[i]);
			printf("%.3f\n", row_age(rows, &rows->rows[i]));
		}
	}
}

/* The smbd of each connection over QUIC, to join the metrics of both. */
static void print_relays(const struct status_rows *rows)
{
	size_t i;

	print_head("relay_info",
		   false,
		   "The TCP connection to smbd that a QUIC client has.");
	for (i = 0; i < rows->num_rows; i++) {
		const struct status_row *row = &rows->rows[i];

		if (row->published.relay[0] == '\0') {
			continue;
		}
		printf("smbd_uring_relay_info{pid=\"%ju\",smbd_pid=\"%ju\",",
		       (uintmax_t)row->published.pid,
		       (uintmax_t)row->smbd_pid);
		print_node_label(row);
		print_label("client", row->published.client, false);
		print_label("relay", row->published.relay, true);
		printf("1\n");
	}
}

static void print_nodes(const struct status_rows *rows)
{
	size_t i;

	print_head("node_up", false, "Whether the node of the cluster answers.");
	for (i = 0; i < rows->num_nodes; i++) {
		printf("smbd_uring_node_up{");
		print_label("node", rows->nodes[i].name, true);
		printf("%d\n", rows->nodes[i].error == NULL);
	}
}

int output_openmetrics(const struct status_rows *rows)
{
	enum figure_index i;

	for (i = 0; i < FIGURES_COUNT; i++) {
		if (figures[i].metric != NULL) {
			print_figure(rows, i);
		}
	}
	print_ages(rows);
	print_relays(rows);
	if (rows->cluster) {
		print_nodes(rows);
	}
	printf("# EOF\n");
	return tool_flush();
}
