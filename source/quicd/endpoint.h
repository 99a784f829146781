/* SPDX-License-Identifier: LGPL-3.0-or-later */
/*
 * The endpoint of one worker: its sockets, and the connections on them.
 */
#ifndef QUICD_ENDPOINT_H
#define QUICD_ENDPOINT_H

#include <tevent.h>

#include "context.h"
#include "tls.h"
#include "udp.h"

struct quicd_endpoint;

/**
 * @brief Create the endpoint of a worker.
 *
 * @param[in] settings  Belong to the endpoint from here on.
 *
 * @param[in] tls  Released by the endpoint.
 *
 * @param[in] status  The directory to publish connections in, or NULL.
 *
 * @return NULL after a log line.
 */
struct quicd_endpoint *quicd_endpoint_create(TALLOC_CTX *mem_ctx,
					     struct tevent_context *ev,
					     const struct quicd_shared *shared,
					     uint32_t worker,
					     struct quicd_settings *settings,
					     struct quicd_tls *tls,
					     const char *status);

/**
 * @brief Serve a socket; NULL without memory.
 *
 * @param[in] number  The number of its address.
 * @param[in] fd      Belongs to the endpoint then.
 */
struct quicd_udp *quicd_endpoint_add_socket(struct quicd_endpoint *endpoint,
					    uint32_t number,
					    int fd);

/**
 * @brief As quicd_endpoint_drain(), for the connections of one address.
 *
 * If another socket receives for the address of a connection, the connection
 * continues through that socket.
 *
 * @param[in] done    Called when no connection is left; the socket stays.
 * @param[in] reason  What the clients are told; it has to stay.
 */
void quicd_endpoint_drain_socket(struct quicd_endpoint *endpoint,
				 uint32_t number,
				 const char *reason,
				 void (*done)(void *owner, uint32_t number),
				 void *owner);

/** @brief Undo quicd_endpoint_drain_socket(). */
void quicd_endpoint_keep_socket(struct quicd_endpoint *endpoint,
				uint32_t number);

/** @brief Close a socket, and all connections that it still has. */
void quicd_endpoint_remove_socket(struct quicd_endpoint *endpoint,
				  uint32_t number,
				  const char *reason);

/** @brief Open the qlogs of the settings, with the worker's own rights. */
void quicd_endpoint_open_qlogs(struct quicd_endpoint *endpoint);

/** @brief One iteration of the event loop, and the timers after it. */
int quicd_endpoint_loop_once(struct quicd_endpoint *endpoint);

/** @brief Use other settings and certificates for new connections. */
void quicd_endpoint_reload(struct quicd_endpoint *endpoint,
			   struct quicd_settings *settings,
			   struct quicd_tls *tls);

/** @brief Close all connections, and tell their clients why. */
void quicd_endpoint_close_all(struct quicd_endpoint *endpoint,
			      const char *reason);

/**
 * @brief Accept no more connections, and close idle connections now.
 *
 * A busy connection is closed when it is idle, or after the drain timeout.
 *
 * @param[in] done    Called once, from the event loop, when no connection is
 *                    left.
 * @param[in] reason  What the clients are told; it has to stay.
 */
void quicd_endpoint_drain(struct quicd_endpoint *endpoint,
			  const char *reason,
			  void (*done)(void *owner),
			  void *owner);

/* What an endpoint holds. */
struct quicd_endpoint_counts {
	unsigned conns[QUICD_STATES];
	unsigned close_waits;
	size_t cids;
	size_t timers;
};

void quicd_endpoint_count(const struct quicd_endpoint *endpoint,
			  struct quicd_endpoint_counts *counts);

/**
 * @brief Take a datagram; the sockets call it.
 *
 * @param[in] owner  The endpoint.
 * @param[in] now    When it came, on the monotonic clock in nanoseconds.
 */
void quicd_endpoint_received(void *owner,
			     struct quicd_udp *udp,
			     const struct quicd_path *path,
			     const uint8_t *data,
			     size_t len,
			     uint64_t now);

/**
 * @brief Do what the datagrams have left to do; the sockets call it after each
 * batch.
 *
 * @param[in] owner  The endpoint.
 */
void quicd_endpoint_work(void *owner);

/** @brief Free all connections and closing periods, and tell nobody. */
void quicd_endpoint_clear(struct quicd_endpoint *endpoint);

#endif /* QUICD_ENDPOINT_H */
