/* SPDX-License-Identifier: LGPL-3.0-or-later */
/*
 * The counters of smbd-quicd in each format.
 */

#include "config.h"

#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "openmetrics.h"
#include "output.h"
#include "util/macros.h"

/* A metric has one series, or one by the value of a label. */
static const struct {
	enum quicd_counter counter;
	const char *name; /* in JSON */
	const char *metric;
	const char *reason; /* the label, or NULL */
	const char *help;
} quicd_metrics[] = {
	{QUICD_COUNT_ACCEPTED,
	 "accepted",
	 "connections_accepted",
	 NULL,
	 "Connections that were accepted."},
	{QUICD_COUNT_REFUSED_HOSTS,
	 "refused_hosts",
	 "connections_refused",
	 "hosts",
	 "Connections that were refused."},
	{QUICD_COUNT_REFUSED_LIMITS,
	 "refused_limits",
	 "connections_refused",
	 "limits",
	 NULL},
	{QUICD_COUNT_REFUSED_TLS,
	 "refused_tls",
	 "connections_refused",
	 "tls",
	 NULL},
	{QUICD_COUNT_RETRIES,
	 "retries",
	 "retries",
	 NULL,
	 "Retry packets that were sent."},
	{QUICD_COUNT_WRONG_TOKENS,
	 "wrong_tokens",
	 "wrong_tokens",
	 NULL,
	 "Tokens that were wrong."},
	{QUICD_COUNT_RESETS,
	 "stateless_resets",
	 "stateless_resets",
	 NULL,
	 "Stateless resets that were sent."},
	{QUICD_COUNT_HANDSHAKE_TIMEOUT,
	 "handshake_timeouts",
	 "handshake_timeouts",
	 NULL,
	 "Handshakes that timed out."},
	{QUICD_COUNT_DROPPED,
	 "datagrams_dropped",
	 "datagrams_dropped",
	 NULL,
	 "Datagrams that the kernel dropped, since our socket was full."},
	{QUICD_COUNT_SEGMENTATION_OFF,
	 "segmentation_off",
	 "segmentation_off",
	 NULL,
	 "Sockets that send single datagrams: a device refused GSO."},
	{QUICD_COUNT_BYTES_RECEIVED,
	 "bytes_received",
	 "received_bytes",
	 NULL,
	 "Bytes of SMB received from clients."},
	{QUICD_COUNT_BYTES_ACKED,
	 "bytes_acked",
	 "sent_bytes",
	 NULL,
	 "Bytes of SMB sent to clients and acknowledged."},
};

/* Gauges: values that go up and down. */
static const struct {
	size_t offset; /* in struct quicd_counters_read */
	const char *name; /* in JSON */
	const char *metric;
	const char *help;
} quicd_gauges[] = {
	{offsetof(struct quicd_counters_read, memory_used),
	 "memory_used",
	 "memory_used_bytes",
	 "Memory of connections that is in use."},
	{offsetof(struct quicd_counters_read, memory_max),
	 "memory_limit",
	 "memory_limit_bytes",
	 "Memory that connections may use."},
};

_Static_assert(ARRAY_SIZE(quicd_metrics) == QUICD_COUNTERS, "all of them");

/* One smbd-quicd; in a cluster each node may have one. */
struct quicd_shown {
	const struct quicd_counters_read *read;
	const char *node; /* or NULL */
};

/* Get an smbd-quicd by number; false after the last.  read may be NULL. */
static bool quicd_get(const struct status_rows *rows,
		      size_t number,
		      struct quicd_shown *shown)
{
	*shown = (struct quicd_shown){};
	if (!rows->cluster) {
		shown->read = rows->quicd;
		return number == 0;
	}
	if (number >= rows->num_nodes) {
		return false;
	}
	shown->read = rows->nodes[number].quicd;
	shown->node = rows->nodes[number].name;
	return true;
}

static uint64_t quicd_gauge(const struct quicd_counters_read *read,
			    size_t number)
{
	uint64_t value;

	memcpy(&value,
	       (const char *)read + quicd_gauges[number].offset,
	       sizeof(value));
	return value;
}

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

/* Whether any is there. */
static bool quicd_any(const struct status_rows *rows)
{
	struct quicd_shown shown;
	size_t i;

	for (i = 0; quicd_get(rows, i, &shown); i++) {
		if (shown.read != NULL) {
			return true;
		}
	}
	return false;
}

void openmetrics_quicd(FILE *out, const struct status_rows *rows)
{
	size_t i;

	if (!quicd_any(rows)) {
		return;
	}
	for (i = 0; i < ARRAY_SIZE(quicd_metrics); i++) {
		print_counter(out, rows, i);
	}
	for (i = 0; i < ARRAY_SIZE(quicd_gauges); i++) {
		print_gauge(out, rows, i);
	}
	print_certificates(out, rows);
}

static json_t *quicd_to_json(const struct quicd_counters_read *read)
{
	json_t *json = json_object();
	json_t *certificates = json_array();
	size_t i;

	for (i = 0; i < ARRAY_SIZE(quicd_metrics); i++) {
		const uint64_t value = read->values[quicd_metrics[i].counter];

		json_object_set_new(json,
				    quicd_metrics[i].name,
				    json_integer((json_int_t)value));
	}
	for (i = 0; i < ARRAY_SIZE(quicd_gauges); i++) {
		json_object_set_new(
			json,
			quicd_gauges[i].name,
			json_integer((json_int_t)quicd_gauge(read, i)));
	}
	for (i = 0; i < read->num_certificates; i++) {
		json_array_append_new(
			certificates,
			json_pack("{s:s, s:I}",
				  "certificate",
				  read->certificates[i].name,
				  "ends",
				  (json_int_t)read->certificates[i].ends));
	}
	json_object_set_new(json, "certificates", certificates);
	return json;
}

void quicd_add_json(const struct status_rows *rows, json_t *json)
{
	json_t *by_node = json_object();
	struct quicd_shown shown;
	size_t i;

	for (i = 0; quicd_get(rows, i, &shown); i++) {
		if (shown.read != NULL) {
			json_object_set_new(
				shown.node != NULL ? by_node : json,
				shown.node != NULL ? shown.node : "quicd",
				quicd_to_json(shown.read));
		}
	}
	if (json_object_size(by_node) > 0) {
		json_object_set(json, "quicd_by_node", by_node);
	}
	json_decref(by_node);
}

static uint64_t get_number(const json_t *json, const char *name)
{
	return (uint64_t)json_integer_value(json_object_get(json, name));
}

struct quicd_counters_read *quicd_from_json(TALLOC_CTX *mem_ctx,
					    const json_t *json)
{
	struct quicd_counters_read *read = talloc_zero(
		mem_ctx, struct quicd_counters_read);
	const json_t *certificates = json_object_get(json, "certificates");
	size_t i;

	if (read == NULL) {
		return NULL;
	}
	for (i = 0; i < ARRAY_SIZE(quicd_metrics); i++) {
		read->values[quicd_metrics[i].counter] = get_number(
			json, quicd_metrics[i].name);
	}
	for (i = 0; i < ARRAY_SIZE(quicd_gauges); i++) {
		const uint64_t value = get_number(json, quicd_gauges[i].name);

		memcpy((char *)read + quicd_gauges[i].offset,
		       &value,
		       sizeof(value));
	}
	for (i = 0; i < json_array_size(certificates) &&
		    i < QUICD_COUNTERS_CERTIFICATES;
	     i++)
	{
		const json_t *one = json_array_get(certificates, i);
		const char *name = json_string_value(
			json_object_get(one, "certificate"));

		read->certificates[i].ends = json_integer_value(
			json_object_get(one, "ends"));
		snprintf(read->certificates[i].name,
			 sizeof(read->certificates[i].name),
			 "%s",
			 name != NULL ? name : "");
	}
	read->num_certificates = i;
	rows_clean_quicd(read);
	return read;
}

static void print_bytes(FILE *out, uint64_t bytes)
{
	char text[64];

	table_figure(FIGURE_UNIT_BYTES, bytes, text, sizeof(text));
	fprintf(out, "%s", text);
}

/* All counters that are not zero, without a newline. */
static void print_line(FILE *out, const struct quicd_shown *shown)
{
	const struct quicd_counters_read *read = shown->read;
	size_t i;

	fprintf(out, "smbd-quicd");
	if (shown->node != NULL) {
		fprintf(out, " on node %s", shown->node);
	}
	fprintf(out,
		": %ju accepted",
		(uintmax_t)read->values[QUICD_COUNT_ACCEPTED]);
	for (i = 0; i < ARRAY_SIZE(quicd_metrics); i++) {
		const enum quicd_counter counter = quicd_metrics[i].counter;

		if (counter != QUICD_COUNT_ACCEPTED &&
		    read->values[counter] != 0)
		{
			fprintf(out, ", ");
			print_bytes(out, read->values[counter]);
			fprintf(out, " %s", quicd_counter_name(counter));
		}
	}
	fprintf(out, ", ");
	print_bytes(out, read->memory_used);
	fprintf(out, " of ");
	print_bytes(out, read->memory_max);
	fprintf(out, " bytes of memory in use");
}

/* In several lines if it is too long, broken after commas; width 0: in one. */
static void print_wrapped(const char *line, size_t width)
{
	size_t column = 0;

	while (*line != '\0') {
		size_t len = strcspn(line, ",");

		len += line[len] == ',' ? 1 : 0;
		if (width > 0 && column > 0 && column + len > width) {
			printf("\n  ");
			column = 2;
			if (*line == ' ') { /* after the comma */
				line++;
				len--;
			}
		}
		printf("%.*s", (int)len, line);
		column += len;
		line += len;
	}
	printf("\n");
}

/* The line of print_line(); NULL without memory.  The caller frees it. */
static char *quicd_line(const struct quicd_shown *shown)
{
	char *line = NULL;
	size_t len;
	FILE *out = open_memstream(&line, &len);

	if (out == NULL) {
		return NULL;
	}
	print_line(out, shown);
	if (fclose(out) != 0) {
		free(line);
		return NULL;
	}
	return line;
}

static void print_certificate(const struct quicd_shown *shown,
			      const struct quicd_counters_certificate *one)
{
	const int64_t now = time(NULL);

	if (shown->node != NULL) {
		printf("node %s: ", shown->node);
	}
	/* an untrusted writer may publish any number */
	if (one->ends > now) {
		printf("%s ends in %jd days\n",
		       one->name,
		       (intmax_t)(one->ends - now) / 86400);
	} else {
		printf("%s has ended\n", one->name);
	}
}

void quicd_text(const struct status_rows *rows, size_t width)
{
	struct quicd_shown shown;
	size_t i;
	size_t j;

	if (quicd_any(rows)) {
		printf("\n");
	}
	for (i = 0; quicd_get(rows, i, &shown); i++) {
		char *line = NULL;

		if (shown.read == NULL) {
			continue;
		}
		line = quicd_line(&shown);
		print_wrapped(line != NULL ? line : "no memory", width);
		free(line);
		for (j = 0; j < shown.read->num_certificates; j++) {
			print_certificate(&shown, &shown.read->certificates[j]);
		}
	}
}

size_t quicd_lines(const struct status_rows *rows, size_t width, size_t height)
{
	struct quicd_shown shown;
	size_t lines = 0;
	size_t i;

	for (i = 0; lines < height && quicd_get(rows, i, &shown); i++) {
		char *line = NULL;

		if (shown.read == NULL) {
			continue;
		}
		line = quicd_line(&shown);
		if (line == NULL) {
			break;
		}
		printf("%.*s\n", (int)width, line);
		free(line);
		lines++;
	}
	return lines;
}
