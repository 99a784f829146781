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

#include "command.h"
#include "kernel.h"
#include "names.h"
#include "sockdiag.h"
#include "tool.h"
#include "transport/tcp.h"
#include "util/address.h"
#include "util/clock.h"

#define KERNEL_MAX_PORTS 16

/* smb.conf(5): the ports of "tcp" and "nbt" in server smb transports. */
#define KERNEL_PORT_TCP 445
#define KERNEL_PORT_NBT 139

struct kernel_reader {
	uint16_t ports[KERNEL_MAX_PORTS];
	size_t num_ports;
	struct status_rows *rows;
};

static void kernel_add_port(struct kernel_reader *reader, unsigned long port)
{
	if (reader->num_ports < KERNEL_MAX_PORTS && port > 0 &&
	    port <= UINT16_MAX) {
		reader->ports[reader->num_ports] = (uint16_t)port;
		reader->num_ports += 1;
	}
}

/* "445 139", or "tcp:4450, nbt, quic" of Samba from 4.23 on */
static void kernel_parse_ports(struct kernel_reader *reader, char *text)
{
	char *next = text;
	char *word = NULL;

	while ((word = strsep(&next, " ,\t\n")) != NULL) {
		char *colon = strrchr(word, ':');

		if (strncasecmp(word, "quic", 4) == 0) {
			continue;
		}
		if (strcasecmp(word, "tcp") == 0) {
			kernel_add_port(reader, KERNEL_PORT_TCP);
		} else if (strcasecmp(word, "nbt") == 0) {
			kernel_add_port(reader, KERNEL_PORT_NBT);
		} else {
			const char *number = colon != NULL ? colon + 1 : word;

			kernel_add_port(reader, strtoul(number, NULL, 10));
		}
	}
}

static int kernel_read_ports(struct kernel_reader *reader,
			     const char *parameter,
			     const char *configfile)
{
	char option[64];
	const char *argv[] = {
		"testparm",
		"--suppress-prompt",
		option,
		configfile,
		NULL,
	};
	char *text = NULL;
	int ret;

	snprintf(option, sizeof(option), "--parameter-name=%s", parameter);
	ret = command_output(argv, &text);
	if (ret == 0) {
		kernel_parse_ports(reader, text);
	}
	free(text);
	return ret;
}

/* 0 or an errno. */
static int kernel_find_ports(struct kernel_reader *reader,
			     const char *configfile)
{
	int ret;

	ret = kernel_read_ports(reader, "smb ports", configfile);
	if (ret != 0 && configfile != NULL) {
		return ret;
	}
	if (reader->num_ports == 0) {
		(void)kernel_read_ports(reader,
					"server smb transports",
					configfile);
	}
	if (reader->num_ports == 0) {
		kernel_add_port(reader, KERNEL_PORT_TCP);
		kernel_add_port(reader, KERNEL_PORT_NBT);
	}
	return 0;
}

static bool kernel_is_smbd(const struct kernel_reader *reader, uint16_t port)
{
	size_t i;

	for (i = 0; i < reader->num_ports; i++) {
		if (reader->ports[i] == port) {
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
	ret = kernel_find_ports(&reader, configfile);
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
