/* SPDX-License-Identifier: LGPL-3.0-or-later */
/*
 * The tevent backend "io_uring".
 *
 * Readiness of descriptors, timers, signals and immediates are tevent's own
 * epoll backend, called through its operations: what Samba relies on there
 * (level triggering, one handler per turn, close() that tears a file down)
 * is kept by being the same code, and a loop without queries makes the same
 * system calls.  What this backend adds is the queue of socket queries.
 *
 * Prompt queries are answered at the beginning of the next iteration of the
 * loop, all together, before the loop can wait.  Lazy ones piggyback: when the
 * epoll backend calls epoll_wait(2), epoll_interpose.c passes that call here,
 * and one io_uring_enter(2) submits the queries and waits, by
 * IORING_OP_EPOLL_WAIT (Linux 6.15), for the event that epoll_wait() would have
 * returned.  Where the kernel cannot do that, and in a program without
 * epoll_interpose.c, lazy queries go with the prompt ones.
 *
 * Calls that are not the loop's own wait with queries to carry go on to libc.
 * The descriptor is compared, so that a handler may use epoll for itself.
 *
 * Decided against: an epoll set of our own, with all of the bookkeeping of
 * tevent_epoll.c in side tables.  It would have to follow what differs
 * between tevent 0.14 and 0.17 (several fdes on one descriptor, errors,
 * time limits), and waits with the same system call in the end.  docs/ has
 * the figures, also of polls in the ring.
 *
 * The answers are delivered as immediate events, so that their order among
 * other events, nesting, trace points and wrapper contexts are tevent's.
 *
 * Nothing is created before it is needed: a context has its state of a few
 * dozen bytes and its queue, and its ring comes with the first batch that is
 * worth one.  So a throw-away context costs what it costs on epoll.
 *
 * tevent has no public prototypes for what backends share; the functions
 * used are exported by every libtevent.so.0 from 0.14.1 on and are checked
 * for by configure.
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

	/* what the loop of this process waits on; -1: not known */
	int epoll_fd;
	pid_t pid;
};

/* In epoll_create() for a context of ours: where to note the descriptor. */
static __thread int *created_epoll_fd;

/* The context whose next wait is to carry its queue. */
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
		/* none if a handler has freed the context meanwhile */
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
	 * tevent_re_initialise() comes here again: what was asked before
	 * the fork is answered in the child too.
	 */
	loop = uring_loop_find(ev);
	if (loop == NULL) {
		loop = uring_loop_create(ev);
	}
	/*
	 * Without memory for a queue there is none, and queries on this
	 * context are answered when they are asked.
	 */
	if (loop != NULL) {
		loop->epoll_fd = epoll_fd;
		loop->pid = tevent_cached_getpid();
		uring_queue_restart(loop->queue);
	}
	return 0;
}

/* In a child without tevent_re_initialise() the set is still the parent's. */
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
	if (loop != NULL && uring_loop_can_piggyback(loop)) {
		piggybacking = ev;
	} else if (loop != NULL) {
		uring_queue_flush(loop->queue);
	}
	ret = epoll_ops->loop_once(ev, location);
	piggybacking = NULL;
	return ret;
}

/* tevent_common_loop_wait() cannot know of requests that only wait here. */
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
