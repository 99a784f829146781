/* SPDX-License-Identifier: LGPL-3.0-or-later */
/*
 * uring-sockopt: what the ring can answer here, and what a connection looks
 * like.  The command "status" is in a file of its own.
 */

#include "config.h"

#include <errno.h>
#include <netdb.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <sys/socket.h>
#include <sys/utsname.h>
#include <netinet/in.h>
#include <popt.h>

#include "transport/snapshot.h"
#include "tool.h"

#define CONNECT_TIMEOUT_SECONDS 10

/* Below Debian's lock directory. */
#define TOOL_STATUS_SMBD "/run/samba/smbd_uring"
#define TOOL_STATUS_QUICD "/run/smbd-quicd"

int tool_usage_error(const char *what, const char *detail)
{
	fprintf(stderr, "uring-sockopt: %s: %s\n", detail, what);
	return EXIT_USAGE;
}

int tool_print_json(json_t *json)
{
	int ret = -1;

	if (json != NULL) {
		ret = json_dumpf(json, stdout, JSON_INDENT(2));
		putchar('\n');
	}
	json_decref(json);
	if (ret != 0 || fflush(stdout) != 0) {
		fprintf(stderr,
			"uring-sockopt: standard output: %s\n",
			strerror(errno));
		return EXIT_FAILURE;
	}
	return EXIT_SUCCESS;
}

static json_t *probe_class_json(const struct uring_probe_class *c)
{
	char why[256];

	if (c->socket_error != 0) {
		return json_pack("{s:s, s:s, s:s, s:s}",
				 "socket",
				 c->socket,
				 "level",
				 c->level,
				 "answered_by",
				 "nobody",
				 "errno",
				 uring_errno_name(c->socket_error));
	}
	if (c->error != 0) {
		return json_pack(
			"{s:s, s:s, s:s, s:s, s:s}",
			"socket",
			c->socket,
			"level",
			c->level,
			"answered_by",
			"syscall",
			"errno",
			uring_errno_name(c->error),
			"why",
			uring_probe_explain(false, c->error, why, sizeof(why)));
	}
	return json_pack("{s:s, s:s, s:s}",
			 "socket",
			 c->socket,
			 "level",
			 c->level,
			 "answered_by",
			 "ring");
}

static int probe_json(const struct uring_probe *probe, const char *release)
{
	json_t *json = NULL;
	json_t *ring = NULL;
	json_t *classes = json_array();
	char why[256];
	size_t i;

	if (probe->ring_error != 0) {
		ring = json_pack("{s:b, s:s, s:s}",
				 "available",
				 0,
				 "errno",
				 uring_errno_name(probe->ring_error),
				 "why",
				 uring_probe_explain(true,
						     probe->ring_error,
						     why,
						     sizeof(why)));
	} else {
		ring = json_pack("{s:b, s:s}",
				 "available",
				 1,
				 "flags",
				 probe->ring_flags);
	}
	for (i = 0; i < probe->num_classes; i++) {
		json_array_append_new(classes,
				      probe_class_json(&probe->classes[i]));
	}
	json = json_pack("{s:s, s:b, s:o, s:o}",
			 "kernel",
			 release,
			 "wrapped",
			 probe->wrapped,
			 "ring",
			 ring,
			 "levels",
			 classes);
	return tool_print_json(json);
}

static int probe_text(const struct uring_probe *probe, const char *release)
{
	char why[256];
	int last_error = 0;
	size_t i;

	printf("kernel  %s\n", release);
	if (probe->wrapped) {
		printf("sockets wrapped: every query goes through libc\n");
	}
	if (probe->ring_error != 0) {
		printf("ring    no: %s\n",
		       uring_probe_explain(
			       true, probe->ring_error, why, sizeof(why)));
	} else {
		printf("ring    yes: %s\n", probe->ring_flags);
	}

	printf("\n%-8s%-14s%s\n", "socket", "level", "answered by");
	for (i = 0; i < probe->num_classes; i++) {
		const struct uring_probe_class *c = &probe->classes[i];

		printf("%-8s%-14s", c->socket, c->level);
		if (c->socket_error != 0) {
			printf("nobody: no such socket for this user (%s)\n",
			       uring_errno_name(c->socket_error));
		} else if (c->error != 0) {
			printf("system call (%s)\n",
			       uring_errno_name(c->error));
			last_error = c->error;
		} else {
			printf("ring\n");
		}
	}
	if (last_error != 0 && probe->ring_error == 0) {
		printf("\n%s\n",
		       uring_probe_explain(
			       false, last_error, why, sizeof(why)));
	}
	return EXIT_SUCCESS;
}

static int command_probe(bool as_json)
{
	struct uring_probe *probe = uring_probe(NULL);
	struct utsname uts;
	int ret;

	if (probe == NULL || uname(&uts) != 0) {
		fprintf(stderr, "uring-sockopt: probe: %s\n", strerror(errno));
		talloc_free(probe);
		return EXIT_FAILURE;
	}
	if (as_json) {
		ret = probe_json(probe, uts.release);
	} else {
		ret = probe_text(probe, uts.release);
	}
	talloc_free(probe);
	return ret;
}

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

static int connect_to(const char *host, const char *port)
{
	struct addrinfo hints = {
		.ai_socktype = SOCK_STREAM,
	};
	struct timeval limit = {
		.tv_sec = CONNECT_TIMEOUT_SECONDS,
	};
	struct addrinfo *list = NULL;
	struct addrinfo *ai = NULL;
	int error = ECONNREFUSED;
	int fd = -1;
	int ret;

	ret = getaddrinfo(host, port, &hints, &list);
	if (ret != 0) {
		fprintf(stderr,
			"uring-sockopt: %s:%s: %s\n",
			host,
			port,
			gai_strerror(ret));
		return -1;
	}
	for (ai = list; ai != NULL; ai = ai->ai_next) {
		fd = socket(ai->ai_family,
			    ai->ai_socktype | SOCK_CLOEXEC,
			    ai->ai_protocol);
		if (fd == -1) {
			error = errno;
			continue;
		}
		setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof(limit));
		if (connect(fd, ai->ai_addr, ai->ai_addrlen) == 0) {
			break;
		}
		/* what the time limit of a blocking connect() looks like */
		error = errno == EINPROGRESS ? ETIMEDOUT : errno;
		close(fd);
		fd = -1;
	}
	freeaddrinfo(list);
	if (fd == -1) {
		fprintf(stderr,
			"uring-sockopt: %s:%s: %s\n",
			host,
			port,
			strerror(error));
	}
	return fd;
}

/* "ring", "system call (few)" or "EPERM" */
static const char *item_route(const struct uring_snapshot *s,
			      enum uring_snapshot_item item,
			      char *buf,
			      size_t buflen)
{
	if (s->items[item].error != 0) {
		snprintf(buf,
			 buflen,
			 "failed (%s)",
			 uring_errno_name(s->items[item].error));
	} else if (s->items[item].reason != URING_REASON_NONE) {
		snprintf(buf,
			 buflen,
			 "system call (%s)",
			 uring_reason_name(s->items[item].reason));
	} else {
		snprintf(buf, buflen, "ring");
	}
	return buf;
}

static int snapshot_json(const struct uring_snapshot *s, const char *peer)
{
	struct uring_snapshot_field fields[URING_SNAPSHOT_FIELDS];
	json_t *values = json_object();
	json_t *items = json_object();
	size_t i;

	uring_snapshot_fields(s, fields);
	for (i = 0; i < URING_SNAPSHOT_FIELDS; i++) {
		const struct uring_snapshot_field *f = &fields[i];
		json_t *value = NULL;

		if (s->items[f->item].error != 0) {
			value = json_null();
		} else if (f->string != NULL) {
			value = json_string(f->string);
		} else {
			value = json_integer(f->number);
		}
		json_object_set_new(values, f->name, value);
	}
	for (i = 0; i < URING_SNAPSHOT_ITEMS; i++) {
		json_t *item = NULL;

		if (s->items[i].error != 0) {
			item = json_pack("{s:s}",
					 "errno",
					 uring_errno_name(s->items[i].error));
		} else if (s->items[i].reason != URING_REASON_NONE) {
			item = json_pack("{s:s, s:s}",
					 "answered_by",
					 "syscall",
					 "reason",
					 uring_reason_name(s->items[i].reason));
		} else {
			item = json_pack("{s:s}", "answered_by", "ring");
		}
		json_object_set_new(items,
				    uring_snapshot_item_name(s, i),
				    item);
	}
	return tool_print_json(json_pack("{s:s, s:o, s:o}",
				    "peer",
				    peer,
				    "values",
				    values,
				    "queries",
				    items));
}

static int snapshot_text(const struct uring_snapshot *s, const char *peer)
{
	struct uring_snapshot_field fields[URING_SNAPSHOT_FIELDS];
	char route[64];
	char number[32];
	size_t i;

	uring_snapshot_fields(s, fields);
	printf("peer %s\n\n%-16s%-22s%-16s%s\n",
	       peer,
	       "value",
	       "",
	       "query",
	       "answered by");
	for (i = 0; i < URING_SNAPSHOT_FIELDS; i++) {
		const struct uring_snapshot_field *f = &fields[i];
		const char *value = f->string;

		if (s->items[f->item].error != 0) {
			value = "-";
		} else if (value == NULL) {
			snprintf(number,
				 sizeof(number),
				 "%ju",
				 (uintmax_t)f->number);
			value = number;
		}
		printf("%-16s%-22s%-16s%s\n",
		       f->name,
		       value,
		       uring_snapshot_item_name(s, f->item),
		       item_route(s, f->item, route, sizeof(route)));
	}
	return EXIT_SUCCESS;
}

static int command_snapshot(const char *address, bool as_json)
{
	struct uring_socket sock;
	struct uring_snapshot snapshot;
	char *copy = NULL;
	char *host = NULL;
	char *port = NULL;
	int fd;
	int ret;

	if (address == NULL) {
		return tool_usage_error("--connect=HOST:PORT is missing",
				   "snapshot");
	}
	copy = talloc_strdup(NULL, address);
	if (copy == NULL || !split_address(copy, &host, &port)) {
		talloc_free(copy);
		return tool_usage_error("not HOST:PORT or [IPV6]:PORT", address);
	}

	fd = connect_to(host, port);
	talloc_free(copy);
	if (fd == -1) {
		return EXIT_FAILURE;
	}
	ret = uring_socket_init(fd, &sock);
	if (ret == 0) {
		ret = uring_snapshot(&sock, &snapshot);
	}
	close(fd);
	if (ret != 0) {
		fprintf(stderr,
			"uring-sockopt: %s: %s\n",
			address,
			strerror(ret));
		return EXIT_FAILURE;
	}
	if (as_json) {
		return snapshot_json(&snapshot, address);
	}
	return snapshot_text(&snapshot, address);
}

static void print_help(poptContext pc)
{
	poptPrintHelp(pc, stdout, 0);
	printf("\nCommands:\n"
	       "  probe      what the ring can answer on this kernel, for "
	       "this user\n"
	       "  snapshot   connect, and print what the connection looks "
	       "like and how\n"
	       "             each value was obtained\n"
	       "  status     the connections that smbd samples\n"
	       "\nExit status: 0 success; 1 it could not be done (no "
	       "connection, no memory);\n"
	       "2 wrong usage.  A kernel without io_uring is no failure of "
	       "probe.\n");
}

int main(int argc, const char *argv[])
{
	char *address = NULL;
	const char *const standard[] = {
		TOOL_STATUS_SMBD,
		TOOL_STATUS_QUICD,
		NULL,
	};
	const char **directories = NULL;
	char *sort = NULL;
	int as_json = 0;
	int as_openmetrics = 0;
	int watch = 0;
	int help = 0;
	struct poptOption options[] = {
		{"connect",
		 'c',
		 POPT_ARG_STRING,
		 &address,
		 0,
		 "snapshot: the peer; an IPv6 address in []",
		 "HOST:PORT"},
		{"json",
		 'j',
		 POPT_ARG_NONE,
		 &as_json,
		 0,
		 "print JSON instead of a table",
		 NULL},
		{"openmetrics",
		 'o',
		 POPT_ARG_NONE,
		 &as_openmetrics,
		 0,
		 "status: print OpenMetrics instead of a table",
		 NULL},
		{"watch",
		 'w',
		 POPT_ARG_NONE,
		 &watch,
		 0,
		 "status: redraw every second; keys < and > choose the column "
		 "to sort by, q ends",
		 NULL},
		{"sort",
		 's',
		 POPT_ARG_STRING,
		 &sort,
		 0,
		 "status: the column to sort by, as JSON calls it",
		 "COLUMN"},
		{"directory",
		 'd',
		 POPT_ARG_ARGV,
		 &directories,
		 0,
		 "status: where smbd publishes, smbd_uring below its lock "
		 "directory, or smbd-quicd; can be given more than once "
		 "(default: " TOOL_STATUS_SMBD " and " TOOL_STATUS_QUICD ")",
		 "DIR"},
		{"help", 'h', POPT_ARG_NONE, &help, 0, "print this", NULL},
		POPT_TABLEEND,
	};
	poptContext pc = poptGetContext(
		"uring-sockopt", argc, argv, options, 0);
	const char *command = NULL;
	const char *extra = NULL;
	size_t i;
	int ret;

	poptSetOtherOptionHelp(pc, "[OPTION...] probe|snapshot|status");
	ret = poptGetNextOpt(pc);
	if (ret < -1) {
		ret = tool_usage_error(poptStrerror(ret), poptBadOption(pc, 0));
		goto done;
	}
	if (help) {
		print_help(pc);
		ret = EXIT_SUCCESS;
		goto done;
	}

	command = poptGetArg(pc);
	extra = command != NULL ? poptGetArg(pc) : NULL;
	if (command == NULL) {
		ret = tool_usage_error("no command, see --help", "probe, snapshot, status");
	} else if (extra != NULL) {
		ret = tool_usage_error("unexpected argument", extra);
	} else if (strcmp(command, "snapshot") != 0 && address != NULL) {
		ret = tool_usage_error("only snapshot connects", "--connect");
	} else if (strcmp(command, "status") != 0 &&
		   (as_openmetrics || watch || sort || directories))
	{
		ret = tool_usage_error("only for status",
				       "--openmetrics, --watch, --sort, "
				       "--directory");
	} else if (as_json + as_openmetrics + watch > 1) {
		ret = tool_usage_error("only one of them",
				       "--json, --openmetrics, --watch");
	} else if (strcmp(command, "probe") == 0) {
		ret = command_probe(as_json);
	} else if (strcmp(command, "snapshot") == 0) {
		ret = command_snapshot(address, as_json);
	} else if (strcmp(command, "status") == 0) {
		enum tool_status_format format = TOOL_STATUS_TEXT;

		if (as_json) {
			format = TOOL_STATUS_JSON;
		} else if (as_openmetrics) {
			format = TOOL_STATUS_OPENMETRICS;
		} else if (watch) {
			format = TOOL_STATUS_WATCH;
		}
		ret = tool_status(directories != NULL ? directories : standard,
				  format,
				  sort);
	} else {
		ret = tool_usage_error("unknown command, see --help", command);
	}

done:
	poptFreeContext(pc);
	free(address);
	for (i = 0; directories != NULL && directories[i] != NULL; i++) {
		free((void *)(uintptr_t)directories[i]);
	}
	free(directories);
	free(sort);
	return ret;
}
