/* SPDX-License-Identifier: LGPL-3.0-or-later */
/*
 * The tevent backend "io_uring".
 *
 * tevent's own epoll backend handles descriptors, timers, signals and
 * immediates; this backend calls it through its operations.  Samba relies on
 * level triggering, one handler per iteration and close() that tears a file
 * down.  The same code keeps all three, and a loop without queries makes the
 * same system calls.  This backend adds the queue of socket queries.
 *
 * The loop answers prompt queries together at the beginning of its next
 * iteration, before it can wait.  Lazy queries piggyback on the wait: when the
 * epoll backend calls epoll_wait(2), who interposes that call passes it here:
 * epoll_interpose.c in a program, and the shim of the preload library in smbd.
 * One io_uring_enter(2) then submits the queries and waits for the event that
 * epoll_wait() would have returned.  It waits by IORING_OP_EPOLL_WAIT (Linux
 * 6.15).  On an older kernel, and if nobody interposes the call, lazy queries
 * are answered together with the prompt ones.
 *
 * All other calls of epoll_wait(2) go on to libc.  The backend compares the
 * descriptor, so that a handler may use epoll for itself.
 *
 * Alternative: an epoll set of our own, with all of the bookkeeping of
 * tevent_epoll.c in side tables.  We decided against it.  It would have to
 * follow the differences between tevent 0.14 and 0.17 (several fdes on one
 * descriptor, errors, time limits), and would wait with the same system call
 * in the end.  docs/ has the figures, and those of polls in the ring.
 *
 * The backend delivers answers as immediate events.  So tevent decides their
 * order among other events, and tevent's nesting, trace points and wrapper
 * contexts apply to them.
 *
 * A new context has only its state of a few dozen bytes and its queue.  Its
 * ring comes with the first batch that is worth one.  So a short-lived context
 * costs as much as it does on epoll.
 *
 * tevent has no public prototypes for the functions that its backends share.
 * Every libtevent.so.0 from 0.14.1 on exports those that we use, and configure
 * checks for them.
 */

#include "config.h"

#include <stddef.h>
#include <sys/epoll.h>

#include "epoll_interpose.h"
#include "smbd_uring_backend_internal.h"
#include "uring_queue.h"

bool tevent_common_have_events(struct tevent_context *ev);

static const struct tevent_ops *epoll_ops;
static struct tevent_ops uring_ops;

/* What the backend keeps for a context. */
struct uring_loop {
	struct uring_queue *queue;
	void (*hook)(void *private_data);
	void *hook_private_data;

	/* the epoll set that the loop of this process waits on; -1: unknown */
	int epoll_fd;
	pid_t pid;
};

/* Where epoll_create() for one of our contexts stores the descriptor. */
static __thread int *created_epoll_fd;

/* The context whose queue piggybacks on its next wait. */
static __thread struct tevent_context *piggybacking;

static struct uring_loop *uring_loop_find(struct tevent_context *ev)
{
	struct uring_queue *queue = uring_queue_find(ev);

	return queue != NULL ? uring_queue_owner(queue) : NULL;
}

static struct uring_loop *uring_loop_create(struct tevent_context *ev)
{
	struct uring_loop *loop = NULL;

	loop = talloc_zero(ev, struct uring_loop);
	if (loop == NULL) {
		return NULL;
	}
	loop->queue = uring_queue_create(loop, ev, loop);
	if (loop->queue == NULL) {
		TALLOC_FREE(loop);
	}
	return loop;
}

bool smbd_uring_backend_set_loop_hook(struct tevent_context *ev,
				      void (*hook)(void *private_data),
				      void *private_data)
{
	struct uring_loop *loop = uring_loop_find(ev);

	if (loop == NULL || (hook != NULL && loop->hook != NULL)) {
		return false;
	}
	loop->hook = hook;
	loop->hook_private_data = private_data;
	return true;
}

void uring_epoll_created(int fd)
{
	if (created_epoll_fd != NULL) {
		*created_epoll_fd = fd;
	}
}

bool uring_epoll_wait(int epfd,
		      struct epoll_event *events,
		      int maxevents,
		      int timeout,
		      int *ret)
{
	struct uring_loop *loop = NULL;

	if (piggybacking != NULL) {
		/* NULL if a handler has freed the context meanwhile */
		loop = uring_loop_find(piggybacking);
	}
	if (loop == NULL || epfd != loop->epoll_fd) {
		return false;
	}
	piggybacking = NULL;
	if (timeout == 0) {
		uring_queue_flush(loop->queue);
		return false;
	}
	*ret = uring_queue_epoll_wait(loop->queue, epfd, events, timeout);
	return true;
}

static int uring_backend_context_init(struct tevent_context *ev)
{
	struct uring_loop *loop = NULL;
	int epoll_fd = -1;
	int ret;

	created_epoll_fd = &epoll_fd;
	ret = epoll_ops->context_init(ev);
	created_epoll_fd = NULL;
	if (ret != 0) {
		return ret;
	}

	/*
	 * tevent_re_initialise() calls this again: the child also answers
	 * the queries that were asked before the fork.
	 */
	loop = uring_loop_find(ev);
	if (loop == NULL) {
		loop = uring_loop_create(ev);
	}
	/*
	 * If there is no memory for a queue, queries on this context are
	 * answered when they are asked.
	 */
	if (loop != NULL) {
		loop->epoll_fd = epoll_fd;
		loop->pid = tevent_cached_getpid();
		uring_queue_restart(loop->queue);
	}
	return 0;
}

/* A child without tevent_re_initialise() still has its parent's epoll set. */
static bool uring_loop_can_piggyback(const struct uring_loop *loop)
{
	return loop->epoll_fd != -1 && loop->pid == tevent_cached_getpid() &&
	       uring_queue_can_piggyback(loop->queue);
}

static int uring_backend_loop_once(struct tevent_context *ev,
				   const char *location)
{
	struct uring_loop *loop = uring_loop_find(ev);
	int ret;

	piggybacking = NULL;
	if (loop != NULL && loop->hook != NULL) {
		loop->hook(loop->hook_private_data);
	}
	/* most iterations: they cost a hundredth more than epoll's */
	if (loop == NULL || !uring_queue_asked(loop->queue)) {
		return epoll_ops->loop_once(ev, location);
	}
	if (uring_loop_can_piggyback(loop)) {
		piggybacking = ev;
	} else {
		uring_queue_flush(loop->queue);
	}
	ret = epoll_ops->loop_once(ev, location);
	piggybacking = NULL;
	return ret;
}

/* tevent_common_loop_wait() does not know the requests in our queue. */
static int uring_backend_loop_wait(struct tevent_context *ev,
				   const char *location)
{
	while (true) {
		const struct uring_loop *loop = uring_loop_find(ev);
		int ret;

		if (!tevent_common_have_events(ev) &&
		    (loop == NULL || !uring_queue_pending(loop->queue)))
		{
			break;
		}
		ret = _tevent_loop_once(ev, location);
		if (ret != 0) {
			return ret;
		}
	}
	return 0;
}

const struct tevent_ops *smbd_uring_backend_ops(void)
{
	epoll_ops = tevent_find_ops_byname("epoll");
	if (epoll_ops == NULL) {
		return NULL;
	}

	uring_ops = *epoll_ops;
	uring_ops.context_init = uring_backend_context_init;
	uring_ops.loop_once = uring_backend_loop_once;
	uring_ops.loop_wait = uring_backend_loop_wait;
	return &uring_ops;
}

bool smbd_uring_backend_register(void)
{
	const struct tevent_ops *ops = smbd_uring_backend_ops();

	if (ops == NULL) {
		return false;
	}
	return tevent_register_backend(SMBD_URING_BACKEND_NAME, ops);
}
