/* SPDX-License-Identifier: LGPL-3.0-or-later */
/*
 * The nodes of a CTDB cluster, and their connections.
 */

#include "config.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <talloc.h>

#include "cluster.h"
#include "command.h"
#include "json_read.h"
#include "util/clock.h"

/*
 * ctdb(1) waits for two minutes if ctdbd hangs, and then ends its process
 * group, which would be ours: timeout(1) starts it in another one.
 */

/* ctdbd's, in Debian */
#define CLUSTER_SOCKET "/run/ctdb/ctdbd.socket"

/* On a node that has had no client nobody has published: that is no error. */
#define CLUSTER_STATUS                        \
	"type smbd-uring >/dev/null && "      \
	"{ smbd-uring status --json || test " \
	"! -e " ROWS_SMBD "; }"

/* Sets node->error if the node does not answer. */
static int add_rows(struct status_node *node,
		    bool kernel,
		    struct status_rows *rows)
{
	const char *const argv[] = {
		"onnode",
		"-q",
		node->name,
		kernel ? "smbd-uring status --json --kernel" : CLUSTER_STATUS,
		NULL,
	};
	char *output = NULL;
	int ret;

	ret = command_output(argv, &output);
	if (ret != 0) {
		node->error = ret == ENOMEM
				      ? strerror(ret)
				      : "smbd-uring status fails there, or "
					"ssh does not get there";
		return 0;
	}
	ret = json_read(output, node, rows);
	free(output);
	return ret;
}

/*
 * A line of "ctdb -X status" is |Node|IP|Disconnected|..., below such a
 * heading.  Returns false for any other line.
 */
static bool parse_node(const char *line, struct status_node *node)
{
	unsigned number;
	unsigned disconnected;

	if (sscanf(line, "|%u|%*[^|]|%u|", &number, &disconnected) != 2) {
		return false;
	}
	*node = (struct status_node){};
	snprintf(node->name, sizeof(node->name), "%u", number);
	if (disconnected != 0) {
		node->error = "CTDB is not connected to it";
	}
	return true;
}

void cluster_own_node(struct status_rows *rows)
{
	static const char *const argv[] = {
		"timeout", "2", "ctdb", "pnn", NULL,
	};
	char *output = NULL;
	unsigned number;

	if (access(CLUSTER_SOCKET, F_OK) != 0 ||
	    command_output(argv, &output) != 0)
	{
		return;
	}
	if (sscanf(output, "%u", &number) == 1) {
		snprintf(rows->own_node,
			 sizeof(rows->own_node),
			 "%u",
			 number);
	}
	free(output);
}

int cluster_add_rows(bool kernel, struct status_rows *rows)
{
	static const char *const argv[] = {
		"timeout", "10", "ctdb", "-X", "status", NULL,
	};
	struct status_node node;
	char *output = NULL;
	char *next = NULL;
	char *line = NULL;
	int ret;

	rows->cluster = true;
	rows->failed = "ctdb status";
	ret = command_output(argv, &output);
	next = output;
	while (ret == 0 && (line = strsep(&next, "\n")) != NULL) {
		struct status_node *nodes = NULL;

		if (!parse_node(line, &node)) {
			continue;
		}
		if (node.error == NULL) {
			ret = add_rows(&node, kernel, rows);
		}
		nodes = talloc_realloc(NULL,
				       rows->nodes,
				       struct status_node,
				       rows->num_nodes + 1);
		if (nodes == NULL) {
			talloc_free(node.quicd);
			ret = ENOMEM;
			break;
		}
		talloc_steal(nodes, node.quicd);
		nodes[rows->num_nodes] = node;
		rows->nodes = nodes;
		rows->num_nodes += 1;
	}
	free(output);
	rows->now = clock_monotonic_ns();
	return ret;
}
