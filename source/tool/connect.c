/* SPDX-License-Identifier: LGPL-3.0-or-later */
/*
 * smbd-uring connect: opens a connection, and shows its figures and how each
 * value was obtained.
 */

#include "config.h"

#include <errno.h>
#include <netdb.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <sys/socket.h>
#include <netinet/in.h>

#include "tool.h"
#include "transport/snapshot.h"

#define CONNECT_TIMEOUT_SECONDS 10

/* Split HOST:PORT or [HOST]:PORT in place; false if it is neither. */
static bool split_address(char *address, char **host, char **port)
{
	char *colon = strrchr(address, ':');

	if (colon == NULL || colon == address || colon[1] == '\0') {
		return false;
	}
	*colon = '\0';
	*port = colon + 1;
	*host = address;
	if (address[0] == '[') {
		if (colon[-1] != ']' || colon - address < 3) {
			return false;
		}
		colon[-1] = '\0';
		*host = address + 1;
		return true;
	}
	return strchr(address, ':') == NULL;
}

static int connect_address(const struct addrinfo *ai)
{
	const struct timeval limit = {
		.tv_sec = CONNECT_TIMEOUT_SECONDS,
	};
	int error;
	int fd;

	fd = socket(ai->ai_family,
		    ai->ai_socktype | SOCK_CLOEXEC,
		    ai->ai_protocol);
	if (fd == -1) {
		return -1;
	}
	setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof(limit));
	if (connect(fd, ai->ai_addr, ai->ai_addrlen) == 0) {
		return fd;
	}
	/* connect() returns this after its time limit */
	error = errno == EINPROGRESS ? ETIMEDOUT : errno;
	close(fd);
	errno = error;
	return -1;
}

static int connect_to(const char *host, const char *port)
{
	struct addrinfo hints = {
		.ai_socktype = SOCK_STREAM,
	};
	struct addrinfo *list = NULL;
	struct addrinfo *ai = NULL;
	int error = ECONNREFUSED;
	int fd = -1;
	int ret;

	ret = getaddrinfo(host, port, &hints, &list);
	if (ret != 0) {
		(void)tool_failure(host, gai_strerror(ret));
		return -1;
	}
	for (ai = list; ai != NULL && fd == -1; ai = ai->ai_next) {
		fd = connect_address(ai);
		error = errno;
	}
	freeaddrinfo(list);
	if (fd == -1) {
		(void)tool_failure(host, strerror(error));
	}
	return fd;
}

/* "ring", "system call (few)" or "failed (EPERM)" */
static const char *query_route(const struct uring_snapshot *s,
			       enum figure_query query,
			       char *buf,
			       size_t buflen)
{
	if (s->queries[query].error != 0) {
		snprintf(buf,
			 buflen,
			 "failed (%s)",
			 uring_errno_name(s->queries[query].error));
	} else if (s->queries[query].reason != URING_REASON_NONE) {
		snprintf(buf,
			 buflen,
			 "system call (%s)",
			 uring_reason_name(s->queries[query].reason));
	} else {
		snprintf(buf, buflen, "ring");
	}
	return buf;
}

static json_t *figures_json(const struct uring_snapshot *s)
{
	json_t *values = json_object();
	size_t i;

	for (i = 0; i < FIGURES_COUNT; i++) {
		json_t *value = NULL;

		if (figures[i].query == FIGURE_QUERY_NONE) {
			continue;
		}
		if (!uring_snapshot_has(s, i)) {
			value = json_null();
		} else if (figures[i].unit == FIGURE_UNIT_TEXT) {
			value = json_string(s->congestion);
		} else {
			value = json_integer((json_int_t)s->figures[i]);
		}
		json_object_set_new(values, figures[i].name, value);
	}
	return values;
}

static int connect_json(const struct uring_snapshot *s, const char *peer)
{
	json_t *queries = json_object();
	size_t i;

	for (i = 0; i < FIGURE_QUERIES_COUNT; i++) {
		json_t *query = NULL;

		if (s->queries[i].error != 0) {
			query = json_pack("{s:s}",
					  "errno",
					  uring_errno_name(
						  s->queries[i].error));
		} else if (s->queries[i].reason != URING_REASON_NONE) {
			query = json_pack("{s:s, s:s}",
					  "answered_by",
					  "syscall",
					  "reason",
					  uring_reason_name(
						  s->queries[i].reason));
		} else {
			query = json_pack("{s:s}", "answered_by", "ring");
		}
		json_object_set_new(queries,
				    uring_snapshot_query_name(s, i),
				    query);
	}
	return tool_print_json(json_pack("{s:s, s:o, s:o}",
					 "peer",
					 peer,
					 "values",
					 figures_json(s),
					 "queries",
					 queries));
}

static int connect_text(const struct uring_snapshot *s, const char *peer)
{
	char route[64];
	char number[32];
	size_t i;

	printf("peer %s\n\n%-18s%-22s%-16s%s\n",
	       peer,
	       "value",
	       "",
	       "query",
	       "answered by");
	for (i = 0; i < FIGURES_COUNT; i++) {
		const struct figure *f = &figures[i];
		const char *value = number;

		if (f->query == FIGURE_QUERY_NONE) {
			continue;
		}
		snprintf(number,
			 sizeof(number),
			 "%ju",
			 (uintmax_t)s->figures[i]);
		if (!uring_snapshot_has(s, i)) {
			value = "-";
		} else if (f->unit == FIGURE_UNIT_TEXT) {
			value = s->congestion;
		}
		printf("%-18s%-22s%-16s%s\n",
		       f->name,
		       value,
		       uring_snapshot_query_name(s, f->query),
		       query_route(s, f->query, route, sizeof(route)));
	}
	return tool_flush();
}

static int connect_and_show(const char *peer, bool as_json)
{
	struct uring_socket sock;
	struct uring_snapshot snapshot;
	char *copy = strdup(peer);
	char *host = NULL;
	char *port = NULL;
	int fd;
	int ret;

	if (copy == NULL || !split_address(copy, &host, &port)) {
		free(copy);
		return tool_usage_error(peer, "not HOST:PORT or [IPV6]:PORT");
	}
	fd = connect_to(host, port);
	free(copy);
	if (fd == -1) {
		return EXIT_FAILURE;
	}
	ret = uring_socket_init(fd, &sock);
	if (ret == 0) {
		ret = uring_snapshot(&sock, &snapshot);
	}
	close(fd);
	if (ret != 0) {
		return tool_failure(peer, strerror(ret));
	}
	if (as_json) {
		return connect_json(&snapshot, peer);
	}
	return connect_text(&snapshot, peer);
}

int tool_connect(int argc, const char **argv)
{
	int as_json = 0;
	const struct poptOption options[] = {
		TOOL_OPTION_JSON(&as_json),
		TOOL_OPTIONS_END,
	};
	char *peer = NULL;
	int ret;

	if (!tool_parse(argc,
			argv,
			options,
			"HOST:PORT",
			"\nAn IPv6 address is in brackets: [2001:db8::1]:445\n",
			&peer,
			&ret))
	{
		return ret;
	}
	ret = connect_and_show(peer, as_json != 0);
	free(peer);
	return ret;
}
