/* SPDX-License-Identifier: LGPL-3.0-or-later */
/*
 * Socket queries: single or in batches; answered at once, or by the event loop;
 * asked once or repeatedly.
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

/** The kind of a query. */
enum uring_query_type {
	URING_QUERY_GETSOCKOPT,
	/** ioctl(SIOCINQ): bytes received and not yet read */
	URING_QUERY_SIOCINQ,
	/** ioctl(SIOCOUTQ): bytes sent and not yet acknowledged */
	URING_QUERY_SIOCOUTQ,
};

/**
 * A socket and its kind; uring_socket_init() fills it.
 *
 * Fill it again if the descriptor's number is reused for another socket.
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
	 * The buffer; for the ioctls an int.  Some options read it before they
	 * write to it.
	 */
	void *optval;
	/** its size; afterwards the length that getsockopt(2) writes back */
	socklen_t optlen;

	/** 0 or the errno of getsockopt(2) or ioctl(2) */
	int error;

	/** URING_REASON_NONE: the ring answered; else the reason it did not */
	enum uring_reason reason;
};

/** When the loop must answer a query. */
enum uring_urgency {
	/** somebody waits: the loop answers before it waits for events */
	URING_PROMPT,
	/**
	 * a sample: the loop may answer when it wakes up for another reason;
	 * the query does not keep tevent_loop_wait() running
	 */
	URING_LAZY,
};

/**
 * @brief Find out the kind of a socket.  This takes three system calls; call it
 * once per connection.
 *
 * @return 0, or EBADF or ENOTSOCK.
 */
URING_PUBLIC int uring_socket_init(int fd, struct uring_socket *sock);

/**
 * @brief Set the getsockopt(2) that the library calls, for a program that
 * interposes getsockopt(2).  Otherwise the library would call the interposer.
 */
URING_PUBLIC void uring_set_libc_getsockopt(int (
	*fn)(int fd, int level, int optname, void *optval, socklen_t *optlen));

/**
 * @brief getsockopt(2), through the ring in URING_MODE_RING.
 *
 * The other modes make the system call, because it is cheaper for a single
 * query.  Arguments, result and errno are those of getsockopt(2); optlen itself
 * must be readable, or NULL.
 *
 * If a command hangs for a second, the library gives up the ring and makes the
 * system call.  The kernel may still write the command's answer to optval
 * later.  So in URING_MODE_RING the buffer must outlive the call.
 *
 * @param[out] reason  how the query was answered; may be NULL.
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
 * Where getsockopt(2) writes past optlen, this function does so as well.
 * getsockopt(2) does it for SO_GET_FILTER, whose length counts instructions,
 * and for filters of multicast sources and TCP-AO keys, if the value counts
 * more of them than optlen has room for.
 */
URING_PUBLIC void uring_query_batch(const struct uring_socket *sock,
				    struct uring_query *queries,
				    size_t num_queries);

/**
 * @brief Queries of one socket that can be asked repeatedly.  A caller that
 * samples a connection keeps one for the connection.
 *
 * To ask a batch allocates nothing.  On a context of the io_uring backend, all
 * batches of one loop iteration share an io_uring_enter(2) for each 64 queries,
 * or are answered by system call where that is cheaper.  On any other context a
 * batch is answered when it is asked.
 *
 * To free a batch cancels it, also in its own handler.  Free it before you
 * close the descriptor.
 */
struct uring_batch;

/**
 * @brief The handler of an answered batch.  The loop calls it as an immediate
 * event of the context.
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
 * The function copies the queries and the contents of their buffers; the caller
 * may free its own.  Each time the batch is asked, the queries start from the
 * copied bytes.  A query for which getsockopt(2) may write past optlen gets
 * EINVAL.
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
 * @brief Ask a batch.
 *
 * @return 0, or EBUSY if the batch was asked before and its handler has not
 *         been called yet.
 */
URING_PUBLIC int uring_batch_ask(struct uring_batch *batch,
				 enum uring_urgency urgency);

/**
 * @brief Cancel a batch that was asked; its handler will not be called.
 *
 * @return false if the batch was not asked.
 */
URING_PUBLIC bool uring_batch_cancel(struct uring_batch *batch);

/**
 * @brief Whether num_queries prompt queries on ev would go through the ring, if
 * they are asked in one iteration of its loop.
 *
 * If not, a caller may prefer to make its system calls at once: answers from
 * the loop would be no cheaper.
 *
 * @return URING_REASON_NONE if they would.  Then the ring exists, and the
 *         effective user no longer matters.  Else the reason.  After
 *         URING_REASON_EUID the caller may become root and try again.
 */
URING_PUBLIC enum uring_reason uring_prepare(struct tevent_context *ev,
					     size_t num_queries);

/**
 * @brief Ask several queries of one socket once.
 *
 * Errors of single queries are in uring_query.error.  The request itself fails
 * with ENOMEM, or with ECANCELED after tevent_req_cancel().  Free the request
 * before you close the descriptor.
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
 * @param[in] optval  optlen bytes, the input of an option that reads its
 *                    buffer; NULL for zeroes.
 * @param[in] optlen  the size of the buffer for the answer.
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
 * @param[out] optlen  the length that getsockopt(2) wrote back.
 * @param[out] reason  how the query was answered; may be NULL.
 *
 * @return 0, or the errno of the request or of getsockopt(2).
 */
URING_PUBLIC int uring_getsockopt_recv(struct tevent_req *req,
				       TALLOC_CTX *mem_ctx,
				       void **optval,
				       socklen_t *optlen,
				       enum uring_reason *reason);

#endif /* URING_SOCKOPT_H */
