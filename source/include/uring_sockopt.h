/* SPDX-License-Identifier: LGPL-3.0-or-later */
/*
 * Socket queries: one, many; now, with the loop, or again and again.
 */
#ifndef URING_SOCKOPT_H
#define URING_SOCKOPT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>
#include <talloc.h>
#include <tevent.h>

#include "uring_process.h"

/** What is asked. */
enum uring_query_type {
	URING_QUERY_GETSOCKOPT,
	/** ioctl(SIOCINQ): bytes received and not yet read */
	URING_QUERY_SIOCINQ,
	/** ioctl(SIOCOUTQ): bytes sent and not yet acknowledged */
	URING_QUERY_SIOCOUTQ,
};

/**
 * A socket and what it is; filled by uring_socket_init().
 *
 * It must be made again when the descriptor is closed and its number used
 * for another socket.
 */
struct uring_socket {
	int fd;
	int family;   /* SO_DOMAIN, -1 if not known */
	int type;     /* SO_TYPE */
	int protocol; /* SO_PROTOCOL */
};

/** One question and its answer. */
struct uring_query {
	enum uring_query_type type;

	/** for URING_QUERY_GETSOCKOPT */
	int level;
	int optname;

	/**
	 * The buffer: what is in it is what an option that reads its buffer
	 * gets.  For the ioctls an int.
	 */
	void *optval;
	/** its size; afterwards what getsockopt(2) writes back */
	socklen_t optlen;

	/** 0 or the errno of getsockopt(2) or ioctl(2) */
	int error;

	/** URING_REASON_NONE: the ring answered; else why it did not */
	enum uring_reason reason;
};

/** When the answer of a query with the loop is needed. */
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
 * @brief Find out what a socket is: three system calls, once per
 * connection.
 *
 * @return 0, or EBADF or ENOTSOCK.
 */
URING_PUBLIC int uring_socket_init(int fd, struct uring_socket *sock);

/**
 * @brief Set the getsockopt(2) to be called, for a program that interposes
 * it: libc's own would lead back into the interposer.
 */
URING_PUBLIC void uring_set_libc_getsockopt(int (
	*fn)(int fd, int level, int optname, void *optval, socklen_t *optlen));

/**
 * @brief getsockopt(2), through the ring in URING_MODE_RING.
 *
 * A lone query is cheaper by system call, so that is what the other modes
 * do.  Arguments, result and errno are those of getsockopt(2); optlen itself
 * must be readable, or NULL.
 *
 * A command that hangs for a second ends the ring and is answered by system
 * call; the kernel may then still write its answer to optval, so in
 * URING_MODE_RING that has to outlive the call.
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
 * Where getsockopt(2) writes past optlen (SO_GET_FILTER, whose length counts
 * instructions; a filter of multicast sources or TCP-AO keys with more of them
 * counted in the value than optlen holds) it does so here.
 */
URING_PUBLIC void uring_query_batch(const struct uring_socket *sock,
				    struct uring_query *queries,
				    size_t num_queries);

/**
 * @brief Queries of one socket that can be asked again and again: what a
 * caller that samples a connection keeps with it.
 *
 * Asking allocates nothing.  On a context of the io_uring backend all that is
 * asked in one iteration of the loop shares an io_uring_enter(2), 64 queries
 * in each, or is answered by system call where that is cheaper; on any other
 * context it is answered when it is asked.
 *
 * Freeing it, also in its own handler, cancels.  Free it before the
 * descriptor is closed.
 */
struct uring_batch;

/**
 * @brief Called as an immediate event of the context when the batch has been
 * answered.
 *
 * @param[in] queries  the queries in their order, each with its answer, error
 *                     and reason; valid until the batch is asked again.
 */
typedef void (*uring_batch_handler_t)(struct uring_batch *batch,
				      const struct uring_query *queries,
				      void *private_data);

/**
 * @brief Prepare a batch.
 *
 * The queries and what is in their buffers are copied; the caller's memory is
 * not needed any more.  Each asking starts from these bytes.  A query for which
 * getsockopt(2) may write past optlen is answered with EINVAL.
 *
 * @return NULL without memory.
 */
URING_PUBLIC struct uring_batch *uring_batch_create(
	TALLOC_CTX *mem_ctx,
	struct tevent_context *ev,
	const struct uring_socket *sock,
	const struct uring_query *queries,
	size_t num_queries,
	uring_batch_handler_t handler,
	void *private_data);

/**
 * @brief Ask it.
 *
 * @return 0, or EBUSY if the handler has not been called since it was asked
 *         last.
 */
URING_PUBLIC int uring_batch_ask(struct uring_batch *batch,
				 enum uring_urgency urgency);

/**
 * @brief Take back what was asked; the handler will not be called.
 *
 * @return false if nothing was asked.
 */
URING_PUBLIC bool uring_batch_cancel(struct uring_batch *batch);

/**
 * @brief Whether so many prompt queries on ev, asked in one iteration of its
 * loop, would go through the ring.
 *
 * For a caller that would rather make its system calls at once than wait for
 * answers that are no cheaper.
 *
 * @return URING_REASON_NONE if they would; the ring is there then, whoever
 *         the process is when the loop runs.  Else why not; with
 *         URING_REASON_EUID the caller may become root and try again.
 */
URING_PUBLIC enum uring_reason uring_prepare(struct tevent_context *ev,
					     size_t num_queries);

/**
 * @brief Ask several queries of one socket, once.
 *
 * Errors of single queries are in uring_query.error; the request itself
 * fails with ENOMEM, or with ECANCELED after tevent_req_cancel().  Free it
 * before the descriptor is closed.
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

#endif /* URING_SOCKOPT_H */
