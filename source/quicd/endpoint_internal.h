/* SPDX-License-Identifier: LGPL-3.0-or-later */
/*
 * What the files of the endpoint share: endpoint.c (dispatch, which connections
 * have work), endpoint_create.c (its parts and sockets), endpoint_accept.c (new
 * connections) and endpoint_drain.c (the drain of a worker and of a socket).
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

/* endpoint_drain.c */

/**
 * @brief Close the connections on an address that this machine lost: it gets
 * no more packets.
 *
 * @param[in] owner  The endpoint.
 */
void quicd_endpoint_address_lost(void *owner, const struct address *address);

/* endpoint_accept.c */

/** @brief Whether "hosts allow" and "hosts deny" let an address in; else log.
 */
bool quicd_endpoint_admit(const struct quicd_endpoint *endpoint,
			  const struct address *remote);

/**
 * @brief Accept the connection that a datagram begins.
 *
 * @param[in] ops  the upcalls of the connection
 *
 * @return NULL: the datagram is dropped, or the client got an answer.
 */
struct quicd_conn *quicd_endpoint_accept(struct quicd_endpoint *endpoint,
					 const struct quicd_conn_ops *ops,
					 struct quicd_udp *udp,
					 const struct quicd_path *path,
					 const uint8_t *data,
					 size_t len,
					 uint64_t now);

/**
 * @brief Answer a first packet that has no beginning of the ClientHello.
 *
 * The first packet from a client lacked the beginning of the ClientHello, which
 * was lost or comes later.  Send a Retry, after which the client sends the
 * whole ClientHello again.  Without it, OpenSSL never does so unless we
 * acknowledge something.  If the beginning comes after all, it also gets a
 * Retry, which the client ignores.  So it does not begin a second handshake.
 */
void quicd_endpoint_retry(struct quicd_endpoint *endpoint,
			  struct quicd_udp *udp,
			  const struct quicd_path *path,
			  const uint8_t *data,
			  size_t len);

#endif /* QUICD_ENDPOINT_INTERNAL_H */
