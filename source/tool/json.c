/* SPDX-License-Identifier: LGPL-3.0-or-later */
/*
 * status as JSON.
 */

#include "config.h"

#include <string.h>

#include "output.h"
#include "tool.h"

static json_t *names_json(const struct status_row *row,
			  const struct column *column)
{
	char names[sizeof(row->published.shares)];
	char *next = names;
	const char *name = NULL;
	json_t *json = json_array();

	row_names(row, column, '\n', names, sizeof(names));
	while ((name = strsep(&next, "\n")) != NULL) {
		if (*name != '\0') {
			json_array_append_new(json, json_string(name));
		}
	}
	return json;
}

static json_t *cell_json(const struct status_rows *rows,
			 const struct status_row *row,
			 const struct column *column)
{
	uint64_t number;

	if (column->kind == COLUMN_NAMES) {
		return names_json(row, column);
	}
	if (column->kind == COLUMN_STRING) {
		return json_string(row_string(row, column));
	}
	number = row_number(row, column);
	if (number == FIGURE_UNKNOWN) {
		return json_null();
	}
	switch (column->kind) {
	case COLUMN_STATE:
		return json_string(row_string(row, column));
	case COLUMN_AGE:
		return json_real(row_age(rows, row));
	default:
		return json_integer((json_int_t)number);
	}
}

/* The error of each node, or null. */
static json_t *nodes_json(const struct status_rows *rows)
{
	json_t *nodes = json_object();
	size_t i;

	for (i = 0; i < rows->num_nodes; i++) {
		const struct status_node *node = &rows->nodes[i];

		json_object_set_new(nodes,
				    node->name,
				    node->error != NULL
					    ? json_string(node->error)
					    : json_null());
	}
	return nodes;
}

int output_json(const struct status_rows *rows)
{
	json_t *connections = json_array();
	json_t *json = NULL;
	const struct column *columns = NULL;
	size_t num_columns;
	size_t i;
	size_t j;

	columns = table_columns(&num_columns);
	for (i = 0; i < rows->num_rows; i++) {
		const struct status_row *row = &rows->rows[i];
		json_t *connection = json_object();

		for (j = 0; j < num_columns; j++) {
			const struct column *column = &columns[j];

			if (table_has_column(rows, column)) {
				json_object_set_new(
					connection,
					column->name,
					cell_json(rows, row, column));
			}
		}
		json_array_append_new(connections, connection);
	}
	json = json_pack("{s:i, s:o}",
			 "version",
			 OUTPUT_JSON_VERSION,
			 "connections",
			 connections);
	json_object_set_new(json,
			    "node",
			    rows->own_node[0] != '\0'
				    ? json_string(rows->own_node)
				    : json_null());
	if (rows->cluster) {
		json_object_set_new(json, "nodes", nodes_json(rows));
	}
	quicd_add_json(rows, json);
	return tool_print_json(json);
}
