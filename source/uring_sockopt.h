/* SPDX-License-Identifier: LGPL-3.0-or-later */
/*
 * Socket queries: one, many, a transport snapshot; now or with the loop.
 */
#ifndef URING_SOCKOPT_H
#define URING_SOCKOPT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <talloc.h>
#include <tevent.h>

#include "compat_getsockopt.h"

/** When the answer of an asynchronous query is needed. */
enum uring_urgency {
	/** someone waits: answered before the loop waits for events */
	URING_PROMPT,
	/**
	 * a sample: may stay unanswered until the loop wakes up for another
	 * reason, and does not keep tevent_loop_wait() going
	 */
	URING_LAZY,
};

/**
 * @brief getsockopt(2), through the ring in URING_MODE_RING.
 *
 * A lone query is cheaper by system call, so that is what the other modes
 * do.  Arguments, result and errno are those of getsockopt(2); optlen itself
 * must be readable, or NULL.
 *
 * @param[out] reason  how it was answered; may be NULL.
 */
URING_PUBLIC int uring_getsockopt(int fd,
				  int level,
				  int optname,
				  void *optval,
				  socklen_t *optlen,
				  enum uring_reason *reason);

/**
 * @brief Answer several queries of one socket now.
 *
 * Each query gets its own error and reason.  The buffers are the caller's.
 */
URING_PUBLIC void uring_query_batch(const struct uring_socket *sock,
				    struct uring_query *queries,
				    size_t num_queries);

/**
 * @brief Ask several queries of one socket.
 *
 * On a context of the io_uring backend the queries of all requests of one
 * loop iteration share an io_uring_enter(2), or are answered by system call
 * where that is cheaper; on any other context they are answered here, and
 * the request is finished at the next turn of the loop.
 *
 * The queries and what is in their buffers are copied; the caller's memory
 * is not needed any more.  Free the request before the descriptor is closed.
 *
 * Errors of single queries are in uring_query.error; the request itself
 * fails with ENOMEM, or with ECANCELED after tevent_req_cancel().
 */
URING_PUBLIC struct tevent_req *uring_query_batch_send(
	TALLOC_CTX *mem_ctx,
	struct tevent_context *ev,
	const struct uring_socket *sock,
	const struct uring_query *queries,
	size_t num_queries,
	enum uring_urgency urgency);

/**
 * @param[out] queries  the answered queries in the order in which they were
 *                      asked, a talloc array of num_queries, with its
 *                      buffers as children.
 *
 * @return 0, or the errno of the request.
 */
URING_PUBLIC int uring_query_batch_recv(struct tevent_req *req,
					TALLOC_CTX *mem_ctx,
					struct uring_query **queries);

/**
 * @brief Ask one socket option.
 *
 * @param[in] optval  what an option that reads its buffer gets, optlen
 *                    bytes; NULL for zeroes.
 * @param[in] optlen  size of the buffer to be answered into.
 *
 * Otherwise as uring_query_batch_send().
 */
URING_PUBLIC struct tevent_req *uring_getsockopt_send(
	TALLOC_CTX *mem_ctx,
	struct tevent_context *ev,
	const struct uring_socket *sock,
	int level,
	int optname,
	const void *optval,
	socklen_t optlen,
	enum uring_urgency urgency);

/**
 * @param[out] optval  the answer, a talloc chunk of the size asked for.
 * @param[out] optlen  how much of it getsockopt(2) says it filled.
 * @param[out] reason  how it was answered; may be NULL.
 *
 * @return 0, or the errno of the request or of getsockopt(2).
 */
URING_PUBLIC int uring_getsockopt_recv(struct tevent_req *req,
				       TALLOC_CTX *mem_ctx,
				       void **optval,
				       socklen_t *optlen,
				       enum uring_reason *reason);

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
	const struct uring_snapshot *snapshot, enum uring_snapshot_item item);

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

/*
 * Internal from here on: for the backend.
 */

struct uring_queue;

/** The queue of ev; later queries on ev go into it.  NULL without memory. */
struct uring_queue *uring_queue_create(struct tevent_context *ev);

/** The queue of ev, or NULL. */
struct uring_queue *uring_queue_find(struct tevent_context *ev);

/** Whether a prompt request waits for uring_queue_flush(). */
bool uring_queue_pending(const struct uring_queue *queue);

/** Answer all that is queued; callbacks run later, as immediates. */
void uring_queue_flush(struct uring_queue *queue);

#endif /* URING_SOCKOPT_H */
