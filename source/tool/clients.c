/* SPDX-License-Identifier: LGPL-3.0-or-later */
/*
 * The connections by client.
 */

#include "config.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "clients.h"
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

static void client_key(const struct status_row *row, char *key, size_t size)
{
	char address[ADDRESS_TEXT_SIZE];

	client_address(row, address, sizeof(address));
	snprintf(key, size, "%s %s", row->published.transport, address);
}

/* A key that no two connections have, unless a writer lies. */
static void connection_key(const struct status_row *row, char *key, size_t size)
{
	snprintf(key,
		 size,
		 "%ju %ju %s",
		 (uintmax_t)row->published.pid,
		 (uintmax_t)row->published.started,
		 row->published.client);
}

static json_int_t get_integer(const json_t *object, const char *name)
{
	return json_integer_value(json_object_get(object, name));
}

static void set_integer(json_t *object, const char *name, json_int_t value)
{
	json_object_set_new(object, name, json_integer(value));
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
		char key[ADDRESS_TEXT_SIZE + 64];
		json_t *client = NULL;

		connection_key(row, key, sizeof(key));
		if (row->relayed || json_object_get(seen, key) != NULL) {
			continue;
		}
		json_object_set_new(seen, key, json_true());
		client_key(row, key, sizeof(key));
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

/* Add the growth of each counter of a connection to its client's total. */
static void count_row(const struct status_row *row,
		      const json_t *before,
		      json_t *connection,
		      json_t *total)
{
	enum figure_index figure;

	for (figure = 0; figure < FIGURES_COUNT; figure++) {
		const char *name = figures[figure].name;
		uint64_t number = row->published.figures[figure];
		json_int_t value = (json_int_t)number;
		json_int_t old = get_integer(before, name);
		json_int_t sum = get_integer(total, name);

		if (figures[figure].metric == NULL ||
		    !figures[figure].counter || number > INT64_MAX)
		{
			continue;
		}
		set_integer(connection, name, value);
		if (value > old && sum <= INT64_MAX - (value - old)) {
			sum += value - old;
		}
		set_integer(total, name, sum);
	}
}

static void count_rows(const struct status_rows *rows,
		       const json_t *before,
		       json_t *connections,
		       json_t *clients,
		       int64_t now)
{
	size_t i;

	for (i = 0; i < rows->num_rows; i++) {
		const struct status_row *row = &rows->rows[i];
		char key[ADDRESS_TEXT_SIZE + 64];
		json_t *connection = NULL;
		const json_t *old = NULL;
		json_t *total = NULL;

		connection_key(row, key, sizeof(key));
		if (row->relayed || row->published.sampled == 0 ||
		    json_object_get(connections, key) != NULL)
		{
			continue;
		}
		old = json_object_get(before, key);
		connection = json_object();
		json_object_set_new(connections, key, connection);
		client_key(row, key, sizeof(key));
		total = json_object_get(clients, key);
		if (total == NULL) {
			total = json_object();
			json_object_set_new(clients, key, total);
		}
		set_integer(total, "seen", now);
		count_row(row, old, connection, total);
	}
}

/* Forget clients that were not seen for a day, or too many of them. */
static void forget_clients(json_t *clients, int64_t now)
{
	int64_t kept = CLIENTS_KEPT;
	const char *key = NULL;
	json_t *client = NULL;
	void *next = NULL;

	do {
		json_object_foreach_safe(clients, next, key, client)
		{
			int64_t seen = get_integer(client, "seen");

			if (seen > now || seen < now - kept) {
				json_object_del(clients, key);
			}
		}
		kept /= 2;
	} while (kept > 0 && json_object_size(clients) > CLIENTS_TOTALS_MAX);
}

/* Show the totals in place of the sums. */
static void show_totals(const json_t *totals, json_t *clients)
{
	json_t *client = NULL;
	size_t i;

	json_array_foreach(clients, i, client)
	{
		char key[ADDRESS_TEXT_SIZE + 64];
		json_t *total = NULL;
		const char *name = NULL;
		json_t *value = NULL;

		snprintf(key,
			 sizeof(key),
			 "%s %s",
			 json_string_value(
				 json_object_get(client, "transport")),
			 json_string_value(json_object_get(client, "client")));
		total = json_object_get(totals, key);
		json_object_foreach(total, name, value)
		{
			if (strcmp(name, "seen") != 0) {
				json_object_set(client, name, value);
			}
		}
	}
}

int clients_count(json_t *totals,
		  const struct status_rows *rows,
		  json_t *clients,
		  int64_t now)
{
	json_t *connections = json_object();
	json_t *by_key = json_object_get(totals, "clients");

	if (!json_is_object(by_key)) {
		by_key = json_object();
		json_object_set_new(totals, "clients", by_key);
	}
	count_rows(rows,
		   json_object_get(totals, "connections"),
		   connections,
		   by_key,
		   now);
	forget_clients(by_key, now);
	show_totals(by_key, clients);
	return json_object_set_new(totals, "connections", connections) == 0
		       ? 0
		       : ENOMEM;
}
