/* SPDX-License-Identifier: LGPL-3.0-or-later */
/*
 * What the files of the endpoint share: endpoint.c (dispatch, accept, which
 * connections have work) and endpoint_drain.c (the drain of a worker and of a
 * socket).
 */
#ifndef QUICD_ENDPOINT_INTERNAL_H
#define QUICD_ENDPOINT_INTERNAL_H

#include "close_wait.h"
#include "conn.h"
#include "endpoint.h"
#include "stateless.h"

/* We remember so many clients that got a Retry for want of a ClientHello. */
#define QUICD_RETRIED 32

/* A socket of an address, and how the endpoint drains its connections. */
struct quicd_socket {
	struct quicd_socket *prev;
	struct quicd_socket *next;
	struct quicd_endpoint *endpoint;
	uint32_t number;
	int fd;
	struct quicd_udp *udp;
	const char *reason; /* NULL: the socket is not drained */
	uint64_t until;
	struct quicd_timer timer;
	void (*done)(void *owner, uint32_t number);
	void *owner;
};

struct quicd_endpoint {
	struct quicd_context context;
	struct quicd_socket *sockets;
	struct uring_status *status; /* or NULL */
	struct quicd_conn *idle;
	struct quicd_conn *work; /* connections that have something to do */
	uint64_t gather;	 /* until then only a timer ends a wait */
	struct quicd_close_waits *close_waits;
	struct quicd_stateless stateless;
	struct {
		const char *reason; /* NULL: the worker is not drained */
		uint64_t until;
		struct quicd_timer timer;
		void (*done)(void *owner);
		void *owner;
	} drain;

	/* the first Destination Connection IDs of clients that got a Retry
	 * because the beginning of their ClientHello was missing */
	ngtcp2_cid retried[QUICD_RETRIED];
	unsigned num_retried;
};

/* endpoint.c */

/** @brief Any connection of the endpoint; NULL if it has none. */
struct quicd_conn *quicd_endpoint_any(const struct quicd_endpoint *endpoint);

/** @brief Free a closed connection, and begin its closing period. */
void quicd_endpoint_closed(struct quicd_endpoint *endpoint,
			   struct quicd_conn *conn);

/**
 * @brief Find a socket that is not drained and receives what is sent to this
 * address.
 *
 * @return NULL if there is none.
 */
struct quicd_socket *quicd_endpoint_covers(
	const struct quicd_endpoint *endpoint,
	const struct sockaddr *local);

#endif /* QUICD_ENDPOINT_INTERNAL_H */
