/* SPDX-License-Identifier: LGPL-3.0-or-later */
/*
 * Finds the users of each share, from smbstatus --json.
 *
 * A session has the address of its first connection and, from about Samba 4.20
 * on, those of its channels.  A tree connect has its session.
 */

#include "config.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <jansson.h>

#include "command.h"
#include "names.h"
#include "transport/name_list.h"

/* Keys: address and port of a client, and the ID of a session. */
struct names {
	/* the sessions of a client */
	json_t *clients;
	/* the names of the shares of a session */
	json_t *shares;
	/* as smbstatus prints them */
	const json_t *sessions;
};

/* Append value to the array of this key; takes ownership of value. */
static void names_append(json_t *map, const char *key, json_t *value)
{
	json_t *array = json_object_get(map, key);

	if (array == NULL) {
		array = json_array();
		json_object_set_new(map, key, array);
	}
	json_array_append_new(array, value);
}

/* Convert "ipv4:192.0.2.1:50000", "ipv6:2001:db8::1:50000" to those of rows. */
static void names_add_client(struct names *names,
			     const json_t *address,
			     const char *session_id)
{
	char text[sizeof(((struct uring_status_row *)NULL)->client)];
	const char *host = json_string_value(address);
	const char *port = NULL;
	const char *format = "%.*s:%s";

	host = host != NULL ? strchr(host, ':') : NULL;
	port = host != NULL ? strrchr(host, ':') : NULL;
	if (port == host) {
		return;
	}
	host += 1;
	if (memchr(host, ':', (size_t)(port - host)) != NULL) {
		format = "[%.*s]:%s";
	}
	snprintf(
		text, sizeof(text), format, (int)(port - host), host, port + 1);
	names_append(names->clients, text, json_string(session_id));
}

static void names_read_sessions(struct names *names, json_t *sessions)
{
	const char *session_id = NULL;
	json_t *session = NULL;

	names->sessions = sessions;
	json_object_foreach(sessions, session_id, session)
	{
		json_t *channels = json_object_get(session, "channels");
		const char *key = NULL;
		json_t *channel = NULL;

		names_add_client(names,
				 json_object_get(session, "hostname"),
				 session_id);
		json_object_foreach(channels, key, channel)
		{
			names_add_client(names,
					 json_object_get(channel,
							 "remote_address"),
					 session_id);
		}
	}
}

static void names_read_tcons(struct names *names, json_t *tcons)
{
	const char *key = NULL;
	json_t *tcon = NULL;

	json_object_foreach(tcons, key, tcon)
	{
		const char *session_id = json_string_value(
			json_object_get(tcon, "session_id"));
		json_t *service = json_object_get(tcon, "service");

		if (session_id != NULL && json_is_string(service)) {
			names_append(names->shares,
				     session_id,
				     json_incref(service));
		}
	}
}

static void names_fill_session(const struct names *names,
			       const char *session_id,
			       struct uring_status_row *row)
{
	const json_t *session = json_object_get(names->sessions, session_id);
	const json_t *shares = json_object_get(names->shares, session_id);
	const char *name = json_string_value(
		json_object_get(session, "username"));
	const char *pid = json_string_value(
		json_object_get(json_object_get(session, "server_id"), "pid"));
	size_t i;

	if (pid != NULL) {
		row->pid = strtoull(pid, NULL, 10);
	}
	if (name != NULL) {
		name_list_add(row->users, sizeof(row->users), name);
	}
	for (i = 0; i < json_array_size(shares); i++) {
		name_list_add(row->shares,
			      sizeof(row->shares),
			      json_string_value(json_array_get(shares, i)));
	}
}

static void names_fill_rows(const struct names *names, struct status_rows *rows)
{
	size_t i;
	size_t j;

	for (i = 0; i < rows->num_rows; i++) {
		struct uring_status_row *row = &rows->rows[i].published;
		const json_t *ids = json_object_get(names->clients,
						    row->client);

		/* leave out the rows of smbd-quicd */
		for (j = 0; row->relay[0] == '\0' && j < json_array_size(ids);
		     j++) {
			names_fill_session(names,
					   json_string_value(
						   json_array_get(ids, j)),
					   row);
		}
	}
}

int names_fill(const char *configfile, struct status_rows *rows)
{
	const char *argv[] = {
		"smbstatus",
		"--json",
		configfile != NULL ? "--configfile" : NULL,
		configfile,
		NULL,
	};
	struct names names = {
		.clients = json_object(),
		.shares = json_object(),
	};
	json_t *json = NULL;
	char *text = NULL;
	int ret;

	ret = command_output(argv, &text);
	if (ret == 0) {
		json = json_loads(text, 0, NULL);
		ret = json_is_object(json) ? 0 : EPROTO;
	}
	if (ret == 0) {
		names_read_sessions(&names, json_object_get(json, "sessions"));
		names_read_tcons(&names, json_object_get(json, "tcons"));
		names_fill_rows(&names, rows);
	}
	free(text);
	json_decref(json);
	json_decref(names.clients);
	json_decref(names.shares);
	return ret;
}
