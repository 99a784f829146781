/* SPDX-License-Identifier: LGPL-3.0-or-later */
/*
 * The tevent backend "io_uring".
 *
 * Readiness of descriptors, timers, signals and immediates are tevent's own
 * epoll backend, called through its operations: what Samba relies on there
 * (level triggering, one handler per turn, close() that tears a file down)
 * is kept by being the same code.  What this backend adds is the queue of
 * socket queries: whatever was asked since the last turn of the loop is
 * answered at the beginning of the next one, together, before the loop can
 * wait.  The answers are delivered as immediate events, so that their order
 * among other events, nesting, trace points and wrapper contexts are
 * tevent's.
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

#include <stddef.h>

#include "smbd_uring_backend.h"
#include "uring_sockopt.h"

bool tevent_common_have_events(struct tevent_context *ev);

static const struct tevent_ops *epoll_ops;
static struct tevent_ops uring_ops;

static int uring_backend_context_init(struct tevent_context *ev)
{
	int ret;

	ret = epoll_ops->context_init(ev);
	if (ret != 0) {
		return ret;
	}

	/*
	 * tevent_re_initialise() comes here again: what was asked before
	 * the fork is answered in the child too.
	 */
	if (uring_queue_find(ev) == NULL) {
		/*
		 * Without memory for a queue there is none, and queries on
		 * this context are answered when they are asked.
		 */
		(void)uring_queue_create(ev);
	}
	return 0;
}

static int uring_backend_loop_once(struct tevent_context *ev,
				   const char *location)
{
	struct uring_queue *queue = uring_queue_find(ev);

	if (queue != NULL) {
		uring_queue_flush(queue);
	}
	return epoll_ops->loop_once(ev, location);
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
