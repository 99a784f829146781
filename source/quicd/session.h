/* SPDX-License-Identifier: LGPL-3.0-or-later */
/*
 * The QUIC side: UDP sockets, and the connections that come by them.
 */
#ifndef QUICD_SESSION_H
#define QUICD_SESSION_H

#include <tevent.h>

#include "settings.h"
#include "limits.h"
#include "tls.h"

#define QUICD_SECRET_LEN 32

/* What all workers have in common, made before they are forked. */
struct quicd_shared {
	struct quicd_table *table;
	uint32_t workers;
	/* of tokens and of stateless resets, so that they outlive a worker */
	uint8_t secret[QUICD_SECRET_LEN];
};

struct quicd_endpoint;

/**
 * @brief Open the UDP sockets of all workers for one address.
 *
 * @param[out] fds  One for each worker, in their order.
 *
 * @return 0 or an errno.
 */
int quicd_endpoint_open(const struct quicd_address *address,
			uint32_t workers,
			int *fds);

/**
 * @brief What one worker is.
 *
 * @param[in] settings  Belong to the endpoint from here on.
 *
 * @param[in] status  The directory to publish connections in, or NULL.
 */
struct quicd_endpoint *quicd_endpoint_create(TALLOC_CTX *mem_ctx,
					     struct tevent_context *ev,
					     const struct quicd_shared *shared,
					     uint32_t worker,
					     struct quicd_settings *settings,
					     struct quicd_tls *tls,
					     const char *status);

/** @brief Serve what comes by a socket. */
bool quicd_endpoint_add_socket(struct quicd_endpoint *endpoint, int fd);

/** @brief Other settings and certificates for new connections. */
void quicd_endpoint_reload(struct quicd_endpoint *endpoint,
			   struct quicd_settings *settings,
			   struct quicd_tls *tls);

/** @brief Tell all clients that this is the end. */
void quicd_endpoint_close_all(struct quicd_endpoint *endpoint,
			      const char *reason);

#endif /* QUICD_SESSION_H */
