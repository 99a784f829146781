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
 * Prompt queries are answered at the beginning of the next turn of the
 * loop, all together, before the loop can wait.  Lazy ones ride along: when
 * the epoll backend calls epoll_wait(2), that call arrives here, and one
 * io_uring_enter(2) submits the queries and waits, by IORING_OP_EPOLL_WAIT
 * (Linux 6.15), for the event that epoll_wait() would have returned.  Where
 * the kernel cannot do that, lazy queries go with the prompt ones.
 *
 * epoll_wait() and epoll_create() are interposed for that, as a library
 * that comes before libc can.  Calls that are not the loop's own wait with
 * queries to carry are passed on; the descriptor is compared, so that a
 * handler may use epoll for itself.  Where interposing does not work (this
 * library was opened by dlopen()) nothing is lost but the ride.
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
 * Nothing is created before it is needed: a context has a queue of a few
 * dozen bytes, and its ring comes with the first batch that is worth one.
 * So a throw-away context costs what it costs on epoll.
 *
 * tevent has no public prototypes for what backends share; the functions
 * used are exported by every libtevent.so.0 from 0.14.1 on and are checked
 * for by configure.
 */

#include "config.h"

#include <dlfcn.h>
#include <pthread.h>
#include <stddef.h>
#include <sys/epoll.h>

#include "smbd_uring_backend.h"
#include "uring_sockopt.h"

bool tevent_common_have_events(struct tevent_context *ev);

static const struct tevent_ops *epoll_ops;
static struct tevent_ops uring_ops;

/* In epoll_create() for a context of ours: where to note the descriptor. */
static __thread int *created_epoll_fd;

/* The context whose next wait is to carry its queue. */
static __thread struct tevent_context *riding;

static struct {
	pthread_once_t once;
	int (*epoll_create)(int size);
	int (*epoll_create1)(int flags);
	int (*epoll_wait)(int epfd,
			  struct epoll_event *events,
			  int maxevents,
			  int timeout);
} libc = {
	.once = PTHREAD_ONCE_INIT,
};

static void libc_init(void)
{
	libc.epoll_create = dlsym(RTLD_NEXT, "epoll_create");
	libc.epoll_create1 = dlsym(RTLD_NEXT, "epoll_create1");
	libc.epoll_wait = dlsym(RTLD_NEXT, "epoll_wait");
}

/* tevent up to 0.15 */
URING_PUBLIC int epoll_create(int size)
{
	int fd;

	pthread_once(&libc.once, libc_init);
	fd = libc.epoll_create(size);
	if (created_epoll_fd != NULL) {
		*created_epoll_fd = fd;
	}
	return fd;
}

/* tevent from 0.16 on */
URING_PUBLIC int epoll_create1(int flags)
{
	int fd;

	pthread_once(&libc.once, libc_init);
	fd = libc.epoll_create1(flags);
	if (created_epoll_fd != NULL) {
		*created_epoll_fd = fd;
	}
	return fd;
}

URING_PUBLIC int epoll_wait(int epfd,
			    struct epoll_event *events,
			    int maxevents,
			    int timeout)
{
	struct uring_queue *queue = NULL;

	if (riding != NULL) {
		/* none if a handler has freed the context meanwhile */
		queue = uring_queue_find(riding);
	}
	if (queue != NULL && epfd == uring_queue_epoll_fd(queue)) {
		riding = NULL;
		if (timeout != 0) {
			return uring_queue_epoll_wait(
				queue, epfd, events, timeout);
		}
		uring_queue_flush(queue);
	}
	pthread_once(&libc.once, libc_init);
	return libc.epoll_wait(epfd, events, maxevents, timeout);
}

static int uring_backend_context_init(struct tevent_context *ev)
{
	struct uring_queue *queue = NULL;
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
	queue = uring_queue_find(ev);
	if (queue == NULL) {
		queue = uring_queue_create(ev);
	}
	/*
	 * Without memory for a queue there is none, and queries on this
	 * context are answered when they are asked.
	 */
	if (queue != NULL) {
		uring_queue_restart(queue, epoll_fd);
	}
	return 0;
}

static int uring_backend_loop_once(struct tevent_context *ev,
				   const char *location)
{
	struct uring_queue *queue = uring_queue_find(ev);
	int ret;

	riding = NULL;
	if (queue != NULL) {
		uring_queue_turn(queue);
	}
	if (queue != NULL && uring_queue_can_ride(queue)) {
		riding = ev;
	} else if (queue != NULL) {
		uring_queue_flush(queue);
	}
	ret = epoll_ops->loop_once(ev, location);
	riding = NULL;
	return ret;
}

/* tevent_common_loop_wait() cannot know of requests that only wait here. */
static int uring_backend_loop_wait(struct tevent_context *ev,
				   const char *location)
{
	while (true) {
		const struct uring_queue *queue = uring_queue_find(ev);
		int ret;

		if (!tevent_common_have_events(ev) &&
		    (queue == NULL || !uring_queue_pending(queue)))
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
