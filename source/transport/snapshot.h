/* SPDX-License-Identifier: LGPL-3.0-or-later */
/*
 * A transport snapshot: what a TCP connection looks like, in one batch.
 */
#ifndef URING_SNAPSHOT_H
#define URING_SNAPSHOT_H

#include <stdint.h>
#include <talloc.h>
#include <tevent.h>

#include "uring_sockopt.h"

/** The queries of a transport snapshot. */
enum uring_snapshot_item {
	URING_SNAPSHOT_TCP_INFO,
	URING_SNAPSHOT_SIOCOUTQ,
	URING_SNAPSHOT_SIOCINQ,
	URING_SNAPSHOT_SO_SNDBUF,
	URING_SNAPSHOT_SO_RCVBUF,
	URING_SNAPSHOT_SO_PRIORITY,
	URING_SNAPSHOT_SO_MARK,
	URING_SNAPSHOT_TCP_MAXSEG,
	URING_SNAPSHOT_TCP_CONGESTION,
	/** IP_TOS or IPV6_TCLASS */
	URING_SNAPSHOT_TOS,
	/** IP_MTU or IPV6_MTU */
	URING_SNAPSHOT_MTU,
};
#define URING_SNAPSHOT_ITEMS (URING_SNAPSHOT_MTU + 1)

/** What a TCP connection looked like at one moment. */
struct uring_snapshot {
	struct uring_socket sock;

	/** per query: its error (0 or errno) and how it was answered */
	struct {
		int error;
		enum uring_reason reason;
	} items[URING_SNAPSHOT_ITEMS];

	/* from TCP_INFO; 0 where the kernel is too old to tell */
	uint32_t rtt_us;
	uint32_t rttvar_us;
	uint32_t rto_us;
	uint32_t snd_cwnd; /* segments */
	uint32_t unacked;  /* segments */
	uint32_t retrans;  /* segments in flight again */
	uint32_t total_retrans;
	uint32_t snd_mss;	/* bytes */
	uint64_t delivery_rate; /* bytes per second */
	uint64_t pacing_rate;	/* bytes per second */
	uint64_t bytes_acked;
	uint64_t bytes_received;

	/* the other queries, bytes where it applies */
	int outq;
	int inq;
	int sndbuf;
	int rcvbuf;
	int priority;
	int mark;
	int maxseg;
	char congestion[16];
	int tos;
	int mtu;
};

/** One value of a snapshot, for whoever prints it. */
struct uring_snapshot_field {
	const char *name;
	/** the query that it is from */
	enum uring_snapshot_item item;
	/** NULL for a number */
	const char *string;
	uint64_t number;
};
#define URING_SNAPSHOT_FIELDS 22

/**
 * @brief Take a snapshot of a connected TCP socket now.
 *
 * @return 0, or EPROTOTYPE if it is no TCP socket over IPv4 or IPv6.
 */
URING_PUBLIC int uring_snapshot(const struct uring_socket *sock,
				struct uring_snapshot *snapshot);

/** @brief The same with the loop; errors as uring_query_batch_send(). */
URING_PUBLIC struct tevent_req *uring_snapshot_send(
	TALLOC_CTX *mem_ctx,
	struct tevent_context *ev,
	const struct uring_socket *sock,
	enum uring_urgency urgency);
URING_PUBLIC int uring_snapshot_recv(struct tevent_req *req,
				     struct uring_snapshot *snapshot);

/** @brief "TCP_INFO", "IPV6_MTU", ...: the item's name for this family. */
URING_PUBLIC const char *uring_snapshot_item_name(
	const struct uring_snapshot *snapshot,
	enum uring_snapshot_item item);

/** @brief All values, URING_SNAPSHOT_FIELDS of them, in fields. */
URING_PUBLIC void uring_snapshot_fields(
	const struct uring_snapshot *snapshot,
	struct uring_snapshot_field fields[URING_SNAPSHOT_FIELDS]);

/**
 * @brief One line: "rtt_us=21 ... via TCP_INFO=ring IP_MTU=syscall(level)".
 *
 * @return a talloc string, NULL without memory.
 */
URING_PUBLIC char *uring_snapshot_string(TALLOC_CTX *mem_ctx,
					 const struct uring_snapshot *snapshot);

#endif /* URING_SNAPSHOT_H */
