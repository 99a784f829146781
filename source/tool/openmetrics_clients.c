/* SPDX-License-Identifier: LGPL-3.0-or-later */
/*
 * The clients in the text format of OpenMetrics.
 *
 * A series has the client's address and transport.  Names of users and shares
 * are in series of their own.  A client with two shares has one connection, and
 * series by share would count its bytes twice.
 */

#include "config.h"

#include <stdio.h>

#include "clients.h"
#include "openmetrics.h"

static void print_labels(FILE *out,
			 const char *metric,
			 const char *suffix,
			 const json_t *client,
			 bool last)
{
	fprintf(out, "smbd_uring_%s%s{", metric, suffix);
	openmetrics_label(out,
			  "client",
			  json_string_value(json_object_get(client, "client")),
			  false);
	openmetrics_label(out,
			  "transport",
			  json_string_value(
				  json_object_get(client, "transport")),
			  last);
}

static void print_figure(FILE *out,
			 const json_t *clients,
			 enum figure_index index)
{
	const struct figure *figure = &figures[index];
	json_t *client = NULL;
	size_t i;

	openmetrics_head(out, figure->metric, figure->counter, figure->help);
	json_array_foreach(clients, i, client)
	{
		const json_t *value = json_object_get(client, figure->name);

		if (value == NULL) {
			continue;
		}
		print_labels(out,
			     figure->metric,
			     figure->counter ? "_total" : "",
			     client,
			     true);
		openmetrics_value(out,
				  index,
				  (uint64_t)json_integer_value(value));
	}
}

static void print_names(FILE *out,
			const json_t *clients,
			const char *metric,
			const char *help,
			const char *list,
			const char *label)
{
	json_t *client = NULL;
	json_t *name = NULL;
	size_t i;
	size_t j;

	openmetrics_head(out, metric, false, help);
	json_array_foreach(clients, i, client)
	{
		json_array_foreach(json_object_get(client, list), j, name)
		{
			print_labels(out, metric, "", client, false);
			openmetrics_label(out,
					  label,
					  json_string_value(name),
					  true);
			fprintf(out, "1\n");
		}
	}
}

static void print_number(FILE *out,
			 const json_t *clients,
			 const char *metric,
			 const char *help,
			 const char *name)
{
	json_t *client = NULL;
	size_t i;

	openmetrics_head(out, metric, false, help);
	json_array_foreach(clients, i, client)
	{
		const json_t *value = json_object_get(client, name);

		if (value != NULL) {
			print_labels(out, metric, "", client, true);
			fprintf(out, "%.3f\n", json_number_value(value));
		}
	}
}

void openmetrics_clients(FILE *out, const json_t *clients)
{
	enum figure_index i;

	for (i = 0; i < FIGURES_COUNT; i++) {
		if (figures[i].metric != NULL) {
			print_figure(out, clients, i);
		}
	}
	print_number(out,
		     clients,
		     "sample_age_seconds",
		     "Time since the kernel was asked for all of these.",
		     "age_s");
	print_number(out,
		     clients,
		     "connections",
		     "Connections of the client.",
		     "connections");
	print_number(out,
		     clients,
		     "ring_queries",
		     "Queries of the last samples that the ring answered.",
		     "ring");
	print_number(out,
		     clients,
		     "syscall_queries",
		     "Queries of the last samples that were answered by "
		     "system call.",
		     "syscall");
	print_names(out,
		    clients,
		    "user_info",
		    "The users of the client.",
		    "users",
		    "user");
	print_names(out,
		    clients,
		    "share_info",
		    "The shares that the client is connected to.",
		    "shares",
		    "share");
}
