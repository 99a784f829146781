/* SPDX-License-Identifier: LGPL-3.0-or-later */
/*
 * Timers, see timer.h.
 *
 * The timerfd is set only if a timer comes before what it is set to.  If all
 * timers have moved away it fires for nothing once: that costs less than a
 * system call for each move, and connections move their timer with each packet.
 */

#include "config.h"

#include <errno.h>
#include <sys/timerfd.h>
#include <unistd.h>

#include "timer.h"
#include "util/clock.h"

#define QUICD_TIMER_UNSET SIZE_MAX

struct quicd_timers {
	int fd;
	uint64_t armed; /* what the timerfd is set to, or QUICD_TIMER_NEVER */
	bool expiring;	/* it is set when all that has expired was called */
	struct quicd_timer **heap; /* the earliest first */
	size_t count;		   /* those that are set */
	size_t added;		   /* and all, for which there is room */
};

static void quicd_timers_put(struct quicd_timers *timers,
			     size_t position,
			     struct quicd_timer *timer)
{
	timers->heap[position] = timer;
	timer->position = position;
}

/* Find a timer's place, from a position where there is room, up and down. */
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

/* The timerfd is not readable any more until then. */
static void quicd_timers_arm(struct quicd_timers *timers)
{
	const uint64_t next = quicd_timers_next(timers);
	struct itimerspec when = {};

	if (next != QUICD_TIMER_NEVER) {
		/* a time of 0 would disarm it */
		const uint64_t at = next > 0 ? next : 1;

		when.it_value.tv_sec = (time_t)(at / CLOCK_NS_PER_S);
		when.it_value.tv_nsec = (long)(at % CLOCK_NS_PER_S);
	}
	timers->armed = next;
	/* it fails for a bad descriptor and a bad time only */
	(void)timerfd_settime(timers->fd, TFD_TIMER_ABSTIME, &when, NULL);
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
	if (quicd_timers_next(timers) < timers->armed && !timers->expiring) {
		quicd_timers_arm(timers);
	}
}

void quicd_timers_expire(struct quicd_timers *timers, uint64_t now)
{
	/* those that are set meanwhile must not keep us here for ever */
	size_t most = timers->count;

	while (most > 0 && quicd_timers_next(timers) <= now) {
		struct quicd_timer *timer = timers->heap[0];

		most--;
		quicd_timer_unset(timer);
		timer->expired(timer->owner); /* may free it */
	}
}

static void quicd_timers_handler(struct tevent_context *ev,
				 struct tevent_fd *fde,
				 uint16_t flags,
				 void *private_data)
{
	struct quicd_timers *timers = talloc_get_type_abort(
		private_data, struct quicd_timers);

	timers->expiring = true;
	quicd_timers_expire(timers, clock_monotonic_ns());
	timers->expiring = false;
	/* in place of a read(2) */
	quicd_timers_arm(timers);
}

static void quicd_timers_close(struct tevent_context *ev,
			       struct tevent_fd *fde,
			       int fd,
			       void *private_data)
{
	close(fd);
}

struct quicd_timers *quicd_timers_create(TALLOC_CTX *mem_ctx,
					 struct tevent_context *ev)
{
	struct quicd_timers *timers = talloc_zero(mem_ctx, struct quicd_timers);
	struct tevent_fd *fde = NULL;

	if (timers == NULL) {
		errno = ENOMEM;
		return NULL;
	}
	timers->armed = QUICD_TIMER_NEVER;
	timers->fd = timerfd_create(CLOCK_MONOTONIC,
				    TFD_NONBLOCK | TFD_CLOEXEC);
	if (timers->fd == -1) {
		talloc_free(timers);
		return NULL;
	}
	fde = tevent_add_fd(ev,
			    timers,
			    timers->fd,
			    TEVENT_FD_READ,
			    quicd_timers_handler,
			    timers);
	if (fde == NULL) {
		close(timers->fd);
		talloc_free(timers);
		errno = ENOMEM;
		return NULL;
	}
	tevent_fd_set_close_fn(fde, quicd_timers_close);
	return timers;
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
