/* SPDX-License-Identifier: LGPL-3.0-or-later */
/*
 * The connections of an smbd that publishes nothing.
 */

#include "config.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "kernel.h"
#include "names.h"
#include "ports.h"
#include "sockdiag.h"
#include "tool.h"
#include "transport/tcp.h"
#include "util/address.h"
#include "util/clock.h"

struct kernel_reader {
	struct ports ports;
	struct status_rows *rows;
};

static bool kernel_is_smbd(const struct kernel_reader *reader, uint16_t port)
{
	size_t i;

	for (i = 0; i < reader->ports.num_ports; i++) {
		if (reader->ports.ports[i] == port) {
			return true;
		}
	}
	return false;
}

static int kernel_add_socket(const struct sockdiag_socket *socket,
			     void *private_data)
{
	struct kernel_reader *reader = private_data;
	struct uring_status_row row;

	if (!kernel_is_smbd(reader, socket->port)) {
		return 0;
	}
	uring_status_row_init(&row);
	strcpy(row.transport, "tcp");
	(void)address_print((const struct sockaddr *)&socket->peer, row.client);
	row.sampled = clock_monotonic_ns();
	tcp_figures(&socket->info, row.figures);
	row.figures[FIGURE_unacked_bytes] = socket->unacked_bytes;
	if (socket->tos != -1) {
		row.figures[FIGURE_dscp] = tcp_dscp(socket->tos);
	}
	return rows_add(&row, reader->rows);
}

static void kernel_fill_names(const char *configfile, struct status_rows *rows)
{
	const char *hint = "";
	int ret;

	ret = names_fill(configfile, rows);
	if (ret == 0) {
		return;
	}
	if (geteuid() != 0) {
		hint = " (run it as root)";
	} else if (ret == ENOENT) {
		hint = " (package samba)";
	}
	fprintf(stderr,
		"smbd-uring: no users and shares: smbstatus --json: %s%s\n",
		ret == EIO	? "it failed"
		: ret == EPROTO ? "it printed no JSON"
				: strerror(ret),
		hint);
}

int kernel_add_rows(const char *configfile, struct status_rows *rows)
{
	struct kernel_reader reader = {
		.rows = rows,
	};
	int ret;

	rows->failed = configfile;
	ret = ports_read(configfile, &reader.ports);
	if (ret != 0) {
		return ret;
	}
	rows->failed = "sock_diag";
	ret = sockdiag_read(AF_INET, kernel_add_socket, &reader);
	if (ret == 0) {
		ret = sockdiag_read(AF_INET6, kernel_add_socket, &reader);
	}
	if (ret != 0) {
		return ret;
	}
	kernel_fill_names(configfile, rows);
	return 0;
}
