/* SPDX-License-Identifier: LGPL-3.0-or-later */
/*
 * The connections in the text format of OpenMetrics, written so that it has the
 * same meaning in Prometheus' own format, which node_exporter's textfile
 * collector reads.
 */

#include "config.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <talloc.h>

#include "openmetrics.h"
#include "output.h"
#include "tool.h"

void openmetrics_label(FILE *out,
		       const char *name,
		       const char *value,
		       bool last)
{
	fprintf(out, "%s=\"", name);
	for (; *value != '\0'; value++) {
		if (*value == '"' || *value == '\\') {
			fputc('\\', out);
		}
		fputc(*value, out);
	}
	fprintf(out, "\"%s", last ? "} " : ",");
}

void openmetrics_head(FILE *out,
		      const char *metric,
		      bool counter,
		      const char *help)
{
	/*
	 * The line with a counter's type has the name without "_total" in
	 * OpenMetrics, and with "_total" in Prometheus' own format, which the
	 * textfile collector reads.  Without that line both formats agree.
	 */
	fprintf(out,
		"# HELP smbd_uring_%s%s %s\n",
		metric,
		counter ? "_total" : "",
		help);
	if (!counter) {
		fprintf(out, "# TYPE smbd_uring_%s gauge\n", metric);
	}
}

void openmetrics_value(FILE *out, enum figure_index figure, uint64_t number)
{
	switch (figures[figure].unit) {
	case FIGURE_UNIT_MICROSECONDS:
	case FIGURE_UNIT_PARTS_PER_MILLION:
		fprintf(out, "%.6f\n", (double)number / 1e6);
		break;
	case FIGURE_UNIT_MILLISECONDS:
		fprintf(out, "%.3f\n", (double)number / 1e3);
		break;
	default:
		fprintf(out, "%ju\n", (uintmax_t)number);
		break;
	}
}

static void print_names_label(FILE *out,
			      const char *label,
			      const struct status_row *row)
{
	char names[sizeof(row->published.shares)];

	row_names(row, table_find_column(label), ',', names, sizeof(names));
	openmetrics_label(out, label, names, false);
}

/* Without a cluster Prometheus has the machine in a label of its own. */
static void print_node_label(FILE *out, const struct status_row *row)
{
	if (row->node[0] != '\0') {
		openmetrics_label(out, "node", row->node, false);
	}
}

static void print_labels(FILE *out,
			 const char *metric,
			 const char *suffix,
			 const struct status_row *row)
{
	fprintf(out,
		"smbd_uring_%s%s{pid=\"%ju\",",
		metric,
		suffix,
		(uintmax_t)row->published.pid);
	print_node_label(out, row);
	openmetrics_label(out, "client", row->published.client, false);
	print_names_label(out, "users", row);
	print_names_label(out, "shares", row);
	openmetrics_label(out, "transport", row->published.transport, true);
}

static void print_figure(FILE *out,
			 const struct status_rows *rows,
			 enum figure_index index)
{
	const struct figure *figure = &figures[index];
	size_t i;

	openmetrics_head(out, figure->metric, figure->counter, figure->help);
	for (i = 0; i < rows->num_rows; i++) {
		const struct status_row *row = &rows->rows[i];
		uint64_t number = row->published.figures[index];

		if (row->published.sampled == 0 || number == FIGURE_UNKNOWN) {
			continue;
		}
		print_labels(out,
			     figure->metric,
			     figure->counter ? "_total" : "",
			     row);
		openmetrics_value(out, index, number);
	}
}

static void print_ages(FILE *out, const struct status_rows *rows)
{
	size_t i;

	openmetrics_head(out,
			 "sample_age_seconds",
			 false,
			 "Time since the kernel was asked for all of these.");
	for (i = 0; i < rows->num_rows; i++) {
		if (rows->rows[i].published.sampled != 0) {
			print_labels(out,
				     "sample_age_seconds",
				     "",
				     &rows->rows[i]);
			fprintf(out, "%.3f\n", row_age(rows, &rows->rows[i]));
		}
	}
}

/* The smbd of each connection over QUIC, to join the metrics of both. */
static void print_relays(FILE *out, const struct status_rows *rows)
{
	size_t i;

	openmetrics_head(out,
			 "relay_info",
			 false,
			 "The TCP connection to smbd that a QUIC client has.");
	for (i = 0; i < rows->num_rows; i++) {
		const struct status_row *row = &rows->rows[i];

		if (row->published.relay[0] == '\0') {
			continue;
		}
		fprintf(out,
			"smbd_uring_relay_info{pid=\"%ju\",smbd_pid=\"%ju\",",
			(uintmax_t)row->published.pid,
			(uintmax_t)row->smbd_pid);
		print_node_label(out, row);
		openmetrics_label(out, "client", row->published.client, false);
		openmetrics_label(out, "relay", row->published.relay, true);
		fprintf(out, "1\n");
	}
}

static void print_nodes(FILE *out, const struct status_rows *rows)
{
	size_t i;

	openmetrics_head(out,
			 "node_up",
			 false,
			 "Whether the node of the cluster answers.");
	for (i = 0; i < rows->num_nodes; i++) {
		fprintf(out, "smbd_uring_node_up{");
		openmetrics_label(out, "node", rows->nodes[i].name, true);
		fprintf(out, "%d\n", rows->nodes[i].error == NULL);
	}
}

void openmetrics_own_node(FILE *out, const struct status_rows *rows)
{
	if (rows->own_node[0] == '\0') {
		return;
	}
	openmetrics_head(out,
			 "node_info",
			 false,
			 "The number of this node of the cluster.");
	fprintf(out, "smbd_uring_node_info{");
	openmetrics_label(out, "node", rows->own_node, true);
	fprintf(out, "1\n");
}

/* The first of the rows with the same process and client. */
static bool unique_rows(const struct status_rows *rows,
			struct status_rows *unique)
{
	json_t *seen = json_object();
	size_t i;

	*unique = (struct status_rows){.now = rows->now};
	unique->rows = talloc_array(NULL, struct status_row, rows->num_rows);
	for (i = 0; unique->rows != NULL && i < rows->num_rows; i++) {
		const struct status_row *row = &rows->rows[i];
		char key[ADDRESS_TEXT_SIZE + sizeof(row->node) + 32];

		snprintf(key,
			 sizeof(key),
			 "%s %ju %s",
			 row->node,
			 (uintmax_t)row->published.pid,
			 row->published.client);
		if (json_object_get(seen, key) == NULL) {
			json_object_set_new(seen, key, json_true());
			unique->rows[unique->num_rows] = *row;
			unique->num_rows += 1;
		}
	}
	json_decref(seen);
	return unique->rows != NULL;
}

bool openmetrics_connections(FILE *out, const struct status_rows *rows)
{
	struct status_rows unique;
	enum figure_index i;

	if (!unique_rows(rows, &unique)) {
		return false;
	}
	for (i = 0; i < FIGURES_COUNT; i++) {
		if (figures[i].metric != NULL) {
			print_figure(out, &unique, i);
		}
	}
	print_ages(out, &unique);
	print_relays(out, &unique);
	rows_free(&unique);
	return true;
}

int output_openmetrics(const struct status_rows *rows)
{
	if (!openmetrics_connections(stdout, rows)) {
		return tool_failure("standard output", strerror(ENOMEM));
	}
	if (rows->cluster) {
		print_nodes(stdout, rows);
	} else {
		openmetrics_own_node(stdout, rows);
	}
	openmetrics_quicd(stdout, rows);
	printf("# EOF\n");
	return tool_flush();
}
