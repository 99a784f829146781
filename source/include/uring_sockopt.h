/* SPDX-License-Identifier: LGPL-3.0-or-later */
/*
 * Socket queries: one, many; now, with the loop, or again and again.
 */
#ifndef URING_SOCKOPT_H
#define URING_SOCKOPT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/epoll.h>
#include <talloc.h>
#include <tevent.h>

#include "compat_getsockopt.h"

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
 * in each, or is
 * answered by system call where that is cheaper; on any other context it is
 * answered when it is asked.
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

/*
 * Internal from here on: for the backend and for requests on top of these.
 */

/** The errno of a request that ends with 0, an errno, or a time-out. */
int uring_req_errno(struct tevent_req *req);

/** Pass the errno of a subrequest on; whether there was one. */
bool uring_subreq_failed(int error, struct tevent_req *req);

struct uring_queue;

/** The queue of ev; later queries on ev go into it.  NULL without memory. */
struct uring_queue *uring_queue_create(struct tevent_context *ev);

/** The queue of ev, or NULL. */
struct uring_queue *uring_queue_find(struct tevent_context *ev);

/**
 * Call turn() in each turn of the loop, before it can wait and before what is
 * queued is submitted; NULL: no more.  False if there is another already.
 */
bool uring_queue_set_turn(struct uring_queue *queue,
			  void (*turn)(void *private_data),
			  void *private_data);
void uring_queue_turn(const struct uring_queue *queue);

/** Whether a prompt batch waits for uring_queue_flush(). */
bool uring_queue_pending(const struct uring_queue *queue);

/** Answer all that is queued; handlers run later, as immediates. */
void uring_queue_flush(struct uring_queue *queue);

/**
 * The context is new, or tevent_re_initialise() has made it so.
 *
 * epoll_fd is what its loop waits on, in this process; -1: not known.
 */
void uring_queue_restart(struct uring_queue *queue, int epoll_fd);
int uring_queue_epoll_fd(const struct uring_queue *queue);

/** Whether all that is queued can go with uring_queue_epoll_wait(). */
bool uring_queue_can_ride(struct uring_queue *queue);

/**
 * epoll_wait(2) with maxevents 1 and a timeout that is not 0, and the answers
 * to all that is queued, in one system call.  After uring_queue_can_ride().
 */
int uring_queue_epoll_wait(struct uring_queue *queue,
			   int epoll_fd,
			   struct epoll_event *event,
			   int timeout);

#endif /* URING_SOCKOPT_H */
