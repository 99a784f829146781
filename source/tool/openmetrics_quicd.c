/* SPDX-License-Identifier: LGPL-3.0-or-later */
/*
 * The counters of smbd-quicd in the text format of OpenMetrics.
 */

#include "config.h"

#include <stdio.h>
#include <string.h>

#include "openmetrics.h"
#include "quicd.h"
#include "quicd_names.h"

/* Prometheus refuses all lines if two series are alike. */
static bool is_first(const struct quicd_counters_read *read, size_t number)
{
	size_t i;

	for (i = 0; i < number; i++) {
		if (strcmp(read->certificates[i].name,
			   read->certificates[number].name) == 0)
		{
			return false;
		}
	}
	return true;
}

/* The name of a series, with a label or without. */
static void print_series(FILE *out,
			 const struct quicd_shown *shown,
			 const char *metric,
			 const char *suffix,
			 const char *label,
			 const char *value)
{
	fprintf(out, "smbd_quicd_%s%s", metric, suffix);
	if (shown->node == NULL && label == NULL) {
		fputc(' ', out);
		return;
	}
	fputc('{', out);
	if (shown->node != NULL) {
		openmetrics_label(out, "node", shown->node, label == NULL);
	}
	if (label != NULL) {
		openmetrics_label(out, label, value, true);
	}
}

static void print_counter(FILE *out,
			  const struct status_rows *rows,
			  size_t number)
{
	const char *reason = quicd_metrics[number].reason;
	const char *metric = quicd_metrics[number].metric;
	struct quicd_shown shown;
	size_t i;

	/* no line with the type, see openmetrics_head() */
	if (quicd_metrics[number].help != NULL) {
		fprintf(out,
			"# HELP smbd_quicd_%s_total %s\n",
			metric,
			quicd_metrics[number].help);
	}
	for (i = 0; quicd_get(rows, i, &shown); i++) {
		const enum quicd_counter counter =
			quicd_metrics[number].counter;

		if (shown.read != NULL) {
			print_series(out,
				     &shown,
				     metric,
				     "_total",
				     reason != NULL ? "reason" : NULL,
				     reason);
			fprintf(out,
				"%ju\n",
				(uintmax_t)shown.read->values[counter]);
		}
	}
}

static void print_gauge_head(FILE *out, const char *metric, const char *help)
{
	fprintf(out, "# HELP smbd_quicd_%s %s\n", metric, help);
	fprintf(out, "# TYPE smbd_quicd_%s gauge\n", metric);
}

static void print_gauge(FILE *out,
			const struct status_rows *rows,
			size_t number)
{
	const char *metric = quicd_gauges[number].metric;
	struct quicd_shown shown;
	size_t i;

	print_gauge_head(out, metric, quicd_gauges[number].help);
	for (i = 0; quicd_get(rows, i, &shown); i++) {
		if (shown.read != NULL) {
			print_series(out, &shown, metric, "", NULL, NULL);
			fprintf(out,
				"%ju\n",
				(uintmax_t)quicd_gauge(shown.read, number));
		}
	}
}

static void print_certificates(FILE *out, const struct status_rows *rows)
{
	static const char metric[] = "certificate_expiry_timestamp_seconds";
	struct quicd_shown shown;
	size_t i;
	size_t j;

	print_gauge_head(out, metric, "The end of each certificate.");
	for (i = 0; quicd_get(rows, i, &shown); i++) {
		const struct quicd_counters_read *read = shown.read;

		for (j = 0; read != NULL && j < read->num_certificates; j++) {
			if (is_first(read, j)) {
				print_series(out,
					     &shown,
					     metric,
					     "",
					     "certificate",
					     read->certificates[j].name);
				fprintf(out,
					"%jd\n",
					(intmax_t)read->certificates[j].ends);
			}
		}
	}
}

void openmetrics_quicd(FILE *out, const struct status_rows *rows)
{
	size_t i;

	if (!quicd_any(rows)) {
		return;
	}
	for (i = 0; i < QUICD_COUNTERS; i++) {
		print_counter(out, rows, i);
	}
	for (i = 0; i < QUICD_GAUGES; i++) {
		print_gauge(out, rows, i);
	}
	print_certificates(out, rows);
}
