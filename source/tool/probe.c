/* SPDX-License-Identifier: LGPL-3.0-or-later */
/*
 * smbd-uring probe: shows which queries the ring answers on this kernel, for
 * this user.
 */

#include "config.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/utsname.h>

#include "tool.h"
#include "uring_probe.h"

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
	const struct uring_probe_class *c = NULL;
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
	for (i = 0; (c = uring_probe_class(probe, i)) != NULL; i++) {
		json_array_append_new(classes, probe_class_json(c));
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
	const struct uring_probe_class *c = NULL;
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
	for (i = 0; (c = uring_probe_class(probe, i)) != NULL; i++) {
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
	return tool_flush();
}

int tool_probe(int argc, const char **argv)
{
	int as_json = 0;
	const struct poptOption options[] = {
		TOOL_OPTION_JSON(&as_json),
		TOOL_OPTIONS_END,
	};
	struct uring_probe *probe = NULL;
	struct utsname uts;
	int ret;

	if (!tool_parse(argc,
			argv,
			options,
			NULL,
			"\nA kernel without io_uring is no failure: the exit "
			"status is 0.\n",
			NULL,
			&ret))
	{
		return ret;
	}
	probe = uring_probe(NULL);
	if (probe == NULL || uname(&uts) != 0) {
		talloc_free(probe);
		return tool_failure("probe", strerror(errno));
	}
	if (as_json) {
		ret = probe_json(probe, uts.release);
	} else {
		ret = probe_text(probe, uts.release);
	}
	talloc_free(probe);
	return ret;
}
