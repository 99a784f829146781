/* SPDX-License-Identifier: LGPL-3.0-or-later */
/*
 * Totals of the clients, see totals.h.
 */

#include "config.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "clients.h"
#include "clients_internal.h"
#include "totals.h"

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
		char key[CLIENTS_KEY_SIZE];
		json_t *connection = NULL;
		const json_t *old = NULL;
		json_t *total = NULL;

		clients_connection_key(row, key, sizeof(key));
		if (row->relayed || row->published.sampled == 0 ||
		    json_object_get(connections, key) != NULL)
		{
			continue;
		}
		old = json_object_get(before, key);
		connection = json_object();
		json_object_set_new(connections, key, connection);
		clients_key(row, key, sizeof(key));
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
		char key[CLIENTS_KEY_SIZE];
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
