/* SPDX-License-Identifier: LGPL-3.0-or-later */
/*
 * A transport snapshot: the figures of a TCP connection, in one batch.
 */
#ifndef TRANSPORT_SNAPSHOT_H
#define TRANSPORT_SNAPSHOT_H

#include <stdint.h>
#include <talloc.h>
#include <tevent.h>

#include "figures.h"
#include "uring_sockopt.h"

/** The figures of a TCP connection at one moment. */
struct uring_snapshot {
	struct uring_socket sock;

	/** of each query: its error (0 or errno) and how it was answered */
	struct {
		int error;
		enum uring_reason reason;
	} queries[FIGURE_QUERIES_COUNT];

	/** FIGURE_UNKNOWN where the query failed */
	uint64_t figures[FIGURES_COUNT];
	/** the one figure that is a word; "" if unknown */
	char congestion[16];
};

/**
 * @brief Take a snapshot of a connected TCP socket now.
 *
 * @return 0, or EPROTOTYPE if the socket is not TCP over IPv4 or IPv6.
 */
int uring_snapshot(const struct uring_socket *sock,
		   struct uring_snapshot *snapshot);

/** @brief The same by the event loop; errors as uring_query_batch_send(). */
struct tevent_req *uring_snapshot_send(TALLOC_CTX *mem_ctx,
				       struct tevent_context *ev,
				       const struct uring_socket *sock,
				       enum uring_urgency urgency);
int uring_snapshot_recv(struct tevent_req *req,
			struct uring_snapshot *snapshot);

/** @brief "TCP_INFO", "IPV6_MTU", ...: the query's name for this family. */
const char *uring_snapshot_query_name(const struct uring_snapshot *snapshot,
				      enum figure_query query);

/** @brief Whether the figure is known: its query did not fail. */
bool uring_snapshot_has(const struct uring_snapshot *snapshot,
			enum figure_index index);

#endif /* TRANSPORT_SNAPSHOT_H */
