/* SPDX-License-Identifier: LGPL-3.0-or-later */
/*
 * Timers, see timer.h.
 *
 * tevent waits in epoll_wait(2), with a time limit in milliseconds.  libtevent
 * finds our epoll_wait() before libc's, and ours shortens the wait to the next
 * timer.  So a timer costs no system call of its own.  The alternative was a
 * timerfd: each expiry takes a timerfd_settime(2), and most changes another
 * one.
 */

#include "config.h"

#include <errno.h>
#include <limits.h>
#include <sys/epoll.h>

#include "timer.h"
#include "util/clock.h"

#define QUICD_TIMER_UNSET SIZE_MAX

struct quicd_timers {
	struct quicd_timer **heap; /* the earliest first */
	size_t count;		   /* the timers that are set */
	size_t added;		   /* and all, for which there is room */
};

static void quicd_timers_put(struct quicd_timers *timers,
			     size_t position,
			     struct quicd_timer *timer)
{
	timers->heap[position] = timer;
	timer->position = position;
}

/* Put a timer into the heap, starting at a position where there is room. */
static void quicd_timers_sift(struct quicd_timers *timers,
			      size_t position,
			      struct quicd_timer *timer)
{
	while (position > 0) {
		struct quicd_timer *parent = timers->heap[(position - 1) / 2];

		if (parent->at <= timer->at) {
			break;
		}
		quicd_timers_put(timers, position, parent);
		position = (position - 1) / 2;
	}
	while (2 * position + 1 < timers->count) {
		size_t child = 2 * position + 1;

		if (child + 1 < timers->count &&
		    timers->heap[child + 1]->at < timers->heap[child]->at)
		{
			child++;
		}
		if (timers->heap[child]->at >= timer->at) {
			break;
		}
		quicd_timers_put(timers, position, timers->heap[child]);
		position = child;
	}
	quicd_timers_put(timers, position, timer);
}

uint64_t quicd_timers_next(const struct quicd_timers *timers)
{
	return timers->count > 0 ? timers->heap[0]->at : QUICD_TIMER_NEVER;
}

size_t quicd_timers_count(const struct quicd_timers *timers)
{
	return timers->added;
}

static void quicd_timer_unset(struct quicd_timer *timer)
{
	struct quicd_timers *timers = timer->timers;
	const size_t position = timer->position;

	if (position == QUICD_TIMER_UNSET) {
		return;
	}
	timer->position = QUICD_TIMER_UNSET;
	timers->count--;
	if (position < timers->count) {
		quicd_timers_sift(timers,
				  position,
				  timers->heap[timers->count]);
	}
}

void quicd_timer_set(struct quicd_timer *timer, uint64_t at)
{
	struct quicd_timers *timers = timer->timers;

	if (at == QUICD_TIMER_NEVER) {
		quicd_timer_unset(timer);
		return;
	}
	timer->at = at;
	if (timer->position == QUICD_TIMER_UNSET) {
		timer->position = timers->count;
		timers->count++;
	}
	quicd_timers_sift(timers, timer->position, timer);
}

void quicd_timers_expire(struct quicd_timers *timers, uint64_t now)
{
	/* timers that are set meanwhile must not keep us here for ever */
	size_t most = timers->count;

	while (most > 0 && quicd_timers_next(timers) <= now) {
		struct quicd_timer *timer = timers->heap[0];

		most--;
		quicd_timer_unset(timer);
		timer->expired(timer->owner); /* may free it */
	}
}

/* The timers whose loop is in epoll_wait(); NULL for any other wait. */
static const struct quicd_timers *quicd_timers_waiting;

/*
 * In place of libc's: the wait of quicd_timers_loop_once() ends when the next
 * timer expires.
 */
int __attribute__((visibility("default")))
epoll_wait(int epfd, struct epoll_event *events, int maxevents, int timeout)
{
	uint64_t limit = QUICD_TIMER_NEVER;
	struct timespec left = {};
	uint64_t now;
	int ret;

	if (timeout != 0 && quicd_timers_waiting != NULL) {
		limit = quicd_timers_next(quicd_timers_waiting);
	}
	if (limit == QUICD_TIMER_NEVER) {
		return epoll_pwait(epfd, events, maxevents, timeout, NULL);
	}
	now = clock_monotonic_ns();
	limit = limit > now ? limit - now : 0;
	if (timeout > 0 && (uint64_t)timeout * CLOCK_NS_PER_MS <= limit) {
		return epoll_pwait(epfd, events, maxevents, timeout, NULL);
	}
	left.tv_sec = (time_t)(limit / CLOCK_NS_PER_S);
	left.tv_nsec = (long)(limit % CLOCK_NS_PER_S);
	ret = epoll_pwait2(epfd, events, maxevents, &left, NULL);
	if (ret < 0 && errno == ENOSYS) {
		/* a filter of system calls: Linux has it since 5.11 */
		limit = (limit + CLOCK_NS_PER_MS - 1) / CLOCK_NS_PER_MS;
		ret = epoll_pwait(epfd,
				  events,
				  maxevents,
				  limit < INT_MAX ? (int)limit : INT_MAX,
				  NULL);
	}
	return ret;
}

int quicd_timers_loop_once(struct quicd_timers *timers,
			   struct tevent_context *ev)
{
	uint64_t now;
	int ret;

	quicd_timers_waiting = timers;
	ret = tevent_loop_once(ev);
	quicd_timers_waiting = NULL;
	now = clock_monotonic_ns();
	quicd_timers_expire(timers, now);
	return ret;
}

struct quicd_timers *quicd_timers_create(TALLOC_CTX *mem_ctx)
{
	return talloc_zero(mem_ctx, struct quicd_timers);
}

bool quicd_timer_add(struct quicd_timers *timers,
		     struct quicd_timer *timer,
		     void (*expired)(void *owner),
		     void *owner)
{
	const size_t room = talloc_array_length(timers->heap);

	if (timers->added == room) {
		struct quicd_timer **heap = NULL;

		heap = talloc_realloc(timers,
				      timers->heap,
				      struct quicd_timer *,
				      room > 0 ? 2 * room : 16);
		if (heap == NULL) {
			return false;
		}
		timers->heap = heap;
	}
	timers->added++;
	*timer = (struct quicd_timer){
		.timers = timers,
		.expired = expired,
		.owner = owner,
		.position = QUICD_TIMER_UNSET,
	};
	return true;
}

void quicd_timer_remove(struct quicd_timer *timer)
{
	if (timer->timers == NULL) {
		return;
	}
	quicd_timer_unset(timer);
	timer->timers->added--;
	timer->timers = NULL;
}
