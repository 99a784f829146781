/* SPDX-License-Identifier: LGPL-3.0-or-later */
/*
 * TCP connections of the machine, by sock_diag(7): what ss(8) asks, too.
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
	/** IP_TOS or IPV6_TCLASS, -1: not known */
	int tos;
	/** zeroes where the kernel is too old to fill it */
	struct tcp_info info;
};

/** Called for each connection; an errno ends it all. */
typedef int (*sockdiag_fn_t)(const struct sockdiag_socket *socket,
			     void *private_data);

/**
 * @brief All TCP connections over IPv4 or IPv6 that are established or that
 * the peer has closed.
 *
 * @return 0, an errno of the kernel, or what fn() returned.
 */
int sockdiag_read(int family, sockdiag_fn_t fn, void *private_data);

#endif /* TOOL_SOCKDIAG_H */
