/* SPDX-License-Identifier: LGPL-3.0-or-later */
/*
 * The counters of smbd-quicd in JSON.
 */

#include "config.h"

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
