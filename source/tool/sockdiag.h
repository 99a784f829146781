/* SPDX-License-Identifier: LGPL-3.0-or-later */
/*
 * The TCP connections of the machine, from sock_diag(7), which ss(8) also uses.
 */
#ifndef TOOL_SOCKDIAG_H
#define TOOL_SOCKDIAG_H

#include <stdint.h>
#include <netinet/in.h>
#include <linux/tcp.h>

/** A connection of the machine. */
struct sockdiag_socket {
	/** of the peer */
	struct sockaddr_storage peer;
	/** our port */
	uint16_t port;
	/** bytes sent or waiting to be sent, and not acknowledged */
	uint32_t unacked_bytes;
	/** IP_TOS or IPV6_TCLASS; -1: unknown */
	int tos;
	/** zeroes in fields that the kernel is too old to fill */
	struct tcp_info info;
};

/** Called for each connection; a return value other than 0 ends the dump. */
typedef int (*sockdiag_fn_t)(const struct sockdiag_socket *socket,
			     void *private_data);

/**
 * @brief Call fn() for all TCP connections over IPv4 or IPv6 that are
 * established or that the peer has closed.
 *
 * @return 0, an errno of the kernel, or the value that fn() returned.
 */
int sockdiag_read(int family, sockdiag_fn_t fn, void *private_data);

#endif /* TOOL_SOCKDIAG_H */
