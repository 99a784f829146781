/* SPDX-License-Identifier: LGPL-3.0-or-later */
/*
 * The connections by client.
 */

#include "config.h"

#include <stdio.h>
#include <string.h>

#include "clients.h"
#include "clients_internal.h"
#include "table.h"

/* The address without the port, and without an IPv6 address' brackets. */
static void client_address(const struct status_row *row,
			   char *address,
			   size_t size)
{
	const char *text = row->published.client;
	const char *colon = strrchr(text, ':');
	size_t length = colon != NULL ? (size_t)(colon - text) : strlen(text);

	if (length >= 2 && text[0] == '[' && text[length - 1] == ']') {
		text += 1;
		length -= 2;
	}
	snprintf(address, size, "%.*s", (int)length, text);
}

void clients_key(const struct status_row *row, char *key, size_t size)
{
	char address[ADDRESS_TEXT_SIZE];

	client_address(row, address, sizeof(address));
	snprintf(key, size, "%s %s", row->published.transport, address);
}

void clients_connection_key(const struct status_row *row,
			    char *key,
			    size_t size)
{
	snprintf(key,
		 size,
		 "%ju %ju %s",
		 (uintmax_t)row->published.pid,
		 (uintmax_t)row->published.started,
		 row->published.client);
}

/* Add the names of a row to a set. */
static void add_names(json_t *client,
		      const char *name,
		      const struct status_row *row)
{
	char names[sizeof(row->published.shares)];
	json_t *set = json_object_get(client, name);
	char *next = names;
	const char *word = NULL;

	row_names(row, table_find_column(name), '\n', names, sizeof(names));
	while ((word = strsep(&next, "\n")) != NULL) {
		json_t *known = NULL;
		bool found = *word == '\0';
		size_t i;

		json_array_foreach(set, i, known)
		{
			found = found ||
				strcmp(json_string_value(known), word) == 0;
		}
		if (!found) {
			json_array_append_new(set, json_string(word));
		}
	}
}

static bool smaller_is_worse(enum figure_index figure)
{
	return figure == FIGURE_cwnd_segments || figure == FIGURE_mss ||
	       figure == FIGURE_mtu;
}

static void add_figure(json_t *client,
		       enum figure_index figure,
		       uint64_t number)
{
	const char *name = figures[figure].name;
	json_int_t value = (json_int_t)number;
	json_int_t old = get_integer(client, name);

	/* an untrusted writer may publish any number */
	if (number == FIGURE_UNKNOWN || number > INT64_MAX) {
		return;
	}
	if (json_object_get(client, name) == NULL) {
		set_integer(client, name, value);
	} else if (figures[figure].counter) {
		set_integer(client,
			    name,
			    old > INT64_MAX - value ? INT64_MAX : old + value);
	} else if ((value > old) != smaller_is_worse(figure)) {
		set_integer(client, name, value);
	}
}

/* How many queries of the last samples one of the two ways answered. */
static void add_queries(json_t *client, const char *name, uint64_t number)
{
	/* no sample has as many as a lying writer publishes */
	if (number <= INT32_MAX) {
		set_integer(client,
			    name,
			    get_integer(client, name) + (json_int_t)number);
	}
}

static json_t *client_new(const struct status_row *row)
{
	char address[ADDRESS_TEXT_SIZE];

	client_address(row, address, sizeof(address));
	/* the first row of a client is its worst */
	return json_pack("{s:s, s:s, s:s, s:[], s:[], s:i}",
			 "client",
			 address,
			 "transport",
			 row->published.transport,
			 "state",
			 state_name(row->state),
			 "users",
			 "shares",
			 "connections",
			 0);
}

static void client_add(json_t *client,
		       const struct status_rows *rows,
		       const struct status_row *row)
{
	const json_t *age = json_object_get(client, "age_s");
	enum figure_index figure;

	set_integer(client,
		    "connections",
		    get_integer(client, "connections") + 1);
	add_names(client, "users", row);
	add_names(client, "shares", row);
	if (row->published.sampled == 0) {
		return;
	}
	if (age == NULL || row_age(rows, row) < json_real_value(age)) {
		json_object_set_new(client,
				    "age_s",
				    json_real(row_age(rows, row)));
	}
	add_queries(client, "ring", row->published.ring);
	add_queries(client, "syscall", row->published.syscall);
	for (figure = 0; figure < FIGURES_COUNT; figure++) {
		if (figures[figure].metric != NULL) {
			add_figure(client,
				   figure,
				   row->published.figures[figure]);
		}
	}
}

json_t *clients_collect(const struct status_rows *rows)
{
	json_t *by_key = json_object();
	json_t *seen = json_object();
	json_t *clients = json_array();
	size_t i;

	for (i = 0; i < rows->num_rows; i++) {
		const struct status_row *row = &rows->rows[i];
		char key[CLIENTS_KEY_SIZE];
		json_t *client = NULL;

		clients_connection_key(row, key, sizeof(key));
		if (row->relayed || json_object_get(seen, key) != NULL) {
			continue;
		}
		json_object_set_new(seen, key, json_true());
		clients_key(row, key, sizeof(key));
		client = json_object_get(by_key, key);
		if (client == NULL) {
			client = client_new(row);
			json_object_set_new(by_key, key, client);
			json_array_append(clients, client);
		}
		client_add(client, rows, row);
	}
	json_decref(by_key);
	json_decref(seen);
	return clients;
}
