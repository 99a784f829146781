/* SPDX-License-Identifier: LGPL-3.0-or-later */
/*
 * The queries of a tevent context, as its loop sees them.  Internal.
 */
#ifndef URING_QUEUE_H
#define URING_QUEUE_H

#include <sys/epoll.h>

#include "uring_sockopt.h"

struct uring_queue;

/**
 * The queue of ev; later queries on ev go into it.
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

/** What the loop that created the queue keeps with it. */
void *uring_queue_owner(const struct uring_queue *queue);

/** Whether a prompt batch waits for uring_queue_flush(). */
bool uring_queue_pending(const struct uring_queue *queue);

/** Answer all that is queued; handlers run later, as immediates. */
void uring_queue_flush(struct uring_queue *queue);

/** The context is new, or tevent_re_initialise() has made it so. */
void uring_queue_restart(struct uring_queue *queue);

/**
 * Whether all that is queued can piggyback on a wait, by
 * uring_queue_epoll_wait(); it creates the ring if there is none.
 */
bool uring_queue_can_piggyback(struct uring_queue *queue);

/**
 * epoll_wait(2) with maxevents 1 and a timeout that is not 0, and the answers
 * to all that is queued, in one system call.  After
 * uring_queue_can_piggyback().
 *
 * @return as epoll_wait(2); -1 with EINTR also if the ring died.
 */
int uring_queue_epoll_wait(struct uring_queue *queue,
			   int epoll_fd,
			   struct epoll_event *event,
			   int timeout);

#endif /* URING_QUEUE_H */
