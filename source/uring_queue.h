/* SPDX-License-Identifier: LGPL-3.0-or-later */
/*
 * The queue of queries of a tevent context, for its loop.  Internal.
 */
#ifndef URING_QUEUE_H
#define URING_QUEUE_H

#include <sys/epoll.h>

#include "uring_sockopt.h"

struct uring_queue;

/**
 * Create the queue of ev.  Later queries on ev go into it.
 *
 * @param[in] mem_ctx  ev, or a descendant of it
 * @param[in] owner    for uring_queue_owner()
 *
 * @return NULL without memory.
 */
struct uring_queue *uring_queue_create(TALLOC_CTX *mem_ctx,
				       struct tevent_context *ev,
				       void *owner);

/** The queue of ev, or NULL. */
struct uring_queue *uring_queue_find(struct tevent_context *ev);

/** The owner that was passed to uring_queue_create(). */
void *uring_queue_owner(const struct uring_queue *queue);

/** Whether any batch waits for an answer. */
bool uring_queue_asked(const struct uring_queue *queue);

/** Whether a prompt batch waits for uring_queue_flush(). */
bool uring_queue_pending(const struct uring_queue *queue);

/** Answer all queued batches; their handlers run later, as immediates. */
void uring_queue_flush(struct uring_queue *queue);

/** To be called for a new context, and after tevent_re_initialise(). */
void uring_queue_restart(struct uring_queue *queue);

/**
 * Whether all queued batches can piggyback on a wait by
 * uring_queue_epoll_wait().  Creates the ring if there is none.
 */
bool uring_queue_can_piggyback(struct uring_queue *queue);

/**
 * Answer all queued batches and wait as epoll_wait(2) does with maxevents 1, in
 * one system call.  timeout must not be 0, and uring_queue_can_piggyback() must
 * have returned true.
 *
 * @return as epoll_wait(2); also -1 with errno EINTR if the ring died.
 */
int uring_queue_epoll_wait(struct uring_queue *queue,
			   int epoll_fd,
			   struct epoll_event *event,
			   int timeout);

#endif /* URING_QUEUE_H */
