/* SPDX-License-Identifier: LGPL-3.0-or-later */
/*
 * Reads the JSON of another node, see json_read.h.
 */

#include "config.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <jansson.h>

#include "json_read.h"
#include "quicd_names.h"
#include "util/clock.h"

static void get_string(const json_t *json,
		       const char *name,
		       char *text,
		       size_t size)
{
	const char *value = json_string_value(json_object_get(json, name));

	snprintf(text, size, "%s", value != NULL ? value : "");
}

static void get_names(const json_t *json,
		      const char *name,
		      char *text,
		      size_t size)
{
	const json_t *names = json_object_get(json, name);
	size_t used = 0;
	size_t i;

	text[0] = '\0';
	for (i = 0; i < json_array_size(names) && used + 1 < size; i++) {
		const char *one = json_string_value(json_array_get(names, i));

		if (i > 0) {
			text[used] = URING_STATUS_SEPARATOR;
			used += 1;
		}
		snprintf(text + used,
			 size - used,
			 "%s",
			 one != NULL ? one : "");
		used += strlen(text + used);
	}
}

static uint64_t get_number(const json_t *json,
			   const char *name,
			   uint64_t unknown)
{
	const json_t *value = json_object_get(json, name);

	if (!json_is_integer(value) || json_integer_value(value) < 0) {
		return unknown;
	}
	return (uint64_t)json_integer_value(value);
}

/* When the sample was taken, on this node's clock. */
static uint64_t get_sampled(const json_t *json)
{
	const json_t *age = json_object_get(json, "age_s");
	uint64_t now = clock_monotonic_ns();
	double ns = json_number_value(age) * CLOCK_NS_PER_S;

	if (!json_is_number(age) || ns < 0) {
		return 0;
	}
	return ns < (double)now ? now - (uint64_t)ns : 1;
}

static enum status_state get_state(const json_t *json)
{
	const char *name = json_string_value(json_object_get(json, "state"));

	return name != NULL ? state_find(name) : STATE_UNKNOWN;
}

static int add_row(const struct status_node *node,
		   const json_t *json,
		   struct status_rows *rows)
{
	struct uring_status_row p = {};
	struct status_row *row = NULL;
	size_t i;
	int ret;

	p.pid = get_number(json, "pid", 0);
	p.sampled = get_sampled(json);
	p.ring = get_number(json, "ring", 0);
	p.syscall = get_number(json, "syscall", 0);
	get_string(json, "transport", p.transport, sizeof(p.transport));
	get_string(json, "client", p.client, sizeof(p.client));
	get_string(json, "relay", p.relay, sizeof(p.relay));
	get_names(json, "users", p.users, sizeof(p.users));
	get_names(json, "shares", p.shares, sizeof(p.shares));
	for (i = 0; i < FIGURES_COUNT; i++) {
		p.figures[i] = get_number(json,
					  figures[i].name,
					  FIGURE_UNKNOWN);
	}
	ret = rows_add(&p, rows);
	if (ret != 0) {
		return ret;
	}
	row = &rows->rows[rows->num_rows - 1];
	memcpy(row->node, node->name, sizeof(row->node));
	row->smbd_pid = get_number(json, "smbd_pid", 0);
	row->state = get_state(json);
	return 0;
}

/* The node has joined its rows; JSON does not have the flag. */
static void mark_relayed(struct status_rows *rows, size_t first)
{
	size_t i;
	size_t j;

	for (i = first; i < rows->num_rows; i++) {
		for (j = first; j < rows->num_rows; j++) {
			if (rows->rows[i].smbd_pid != 0 &&
			    strcmp(rows->rows[i].published.relay,
				   rows->rows[j].published.client) == 0)
			{
				rows->rows[j].relayed = true;
			}
		}
	}
}

/* A counter of smbd-quicd, 0 if the node does not know it. */
static uint64_t get_counter(const json_t *json, const char *name)
{
	return (uint64_t)json_integer_value(json_object_get(json, name));
}

static struct quicd_counters_read *read_quicd(TALLOC_CTX *mem_ctx,
					      const json_t *json)
{
	struct quicd_counters_read *read = talloc_zero(
		mem_ctx, struct quicd_counters_read);
	const json_t *certificates = json_object_get(json, "certificates");
	size_t i;

	if (read == NULL) {
		return NULL;
	}
	for (i = 0; i < QUICD_COUNTERS; i++) {
		read->values[quicd_metrics[i].counter] = get_counter(
			json, quicd_metrics[i].name);
	}
	for (i = 0; i < QUICD_GAUGES; i++) {
		const uint64_t value = get_counter(json, quicd_gauges[i].name);

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

int json_read(const char *text,
	      struct status_node *node,
	      struct status_rows *rows)
{
	const json_t *connections = NULL;
	const json_t *quicd = NULL;
	size_t first = rows->num_rows;
	json_t *json = NULL;
	size_t i;
	int ret = 0;

	json = json_loads(text, 0, NULL);
	connections = json_object_get(json, "connections");
	if (!json_is_array(connections) && text[0] != '\0') {
		node->error = "its answer is no JSON of smbd-uring";
	}
	for (i = 0; ret == 0 && i < json_array_size(connections); i++) {
		ret = add_row(node, json_array_get(connections, i), rows);
	}
	quicd = json_object_get(json, "quicd");
	if (ret == 0 && quicd != NULL) {
		node->quicd = read_quicd(NULL, quicd);
		ret = node->quicd == NULL ? ENOMEM : 0;
	}
	json_decref(json);
	mark_relayed(rows, first);
	return ret;
}
