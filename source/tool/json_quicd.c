/* SPDX-License-Identifier: LGPL-3.0-or-later */
/*
 * The counters of smbd-quicd in JSON, and read from the JSON of another node.
 */

#include "config.h"

#include <stdio.h>
#include <string.h>

#include "output.h"
#include "quicd.h"
#include "quicd_names.h"

static json_t *quicd_to_json(const struct quicd_counters_read *read)
{
	json_t *json = json_object();
	json_t *certificates = json_array();
	size_t i;

	for (i = 0; i < QUICD_COUNTERS; i++) {
		const uint64_t value = read->values[quicd_metrics[i].counter];

		json_object_set_new(json,
				    quicd_metrics[i].name,
				    json_integer((json_int_t)value));
	}
	for (i = 0; i < QUICD_GAUGES; i++) {
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
	for (i = 0; i < QUICD_COUNTERS; i++) {
		read->values[quicd_metrics[i].counter] = get_number(
			json, quicd_metrics[i].name);
	}
	for (i = 0; i < QUICD_GAUGES; i++) {
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
