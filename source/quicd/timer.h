/* SPDX-License-Identifier: LGPL-3.0-or-later */
/*
 * Timers of a worker: a heap, and the time limit of the event loop's wait.
 *
 * tevent's own timers follow the wall clock, which can be set, and tick in
 * milliseconds.  QUIC paces its packets in microseconds.
 */
#ifndef QUICD_TIMER_H
#define QUICD_TIMER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <talloc.h>
#include <tevent.h>

#define QUICD_TIMER_NEVER UINT64_MAX

struct quicd_timers;

/* A member of its owner; only the functions below read and write it. */
struct quicd_timer {
	struct quicd_timers *timers;
	void (*expired)(void *owner);
	void *owner;
	uint64_t at;
	size_t position; /* in the heap */
};

/** @brief The timers of a worker; NULL without memory. */
struct quicd_timers *quicd_timers_create(TALLOC_CTX *mem_ctx);

/**
 * @brief tevent_loop_once(), and quicd_timers_expire() after it.
 *
 * The wait ends when the next timer expires.
 *
 * @param[in] ev  Of tevent's epoll backend.
 *
 * @return As tevent_loop_once().
 */
int quicd_timers_loop_once(struct quicd_timers *timers,
			   struct tevent_context *ev);

/**
 * @brief Prepare a timer; it is not set yet.
 *
 * Room for it is reserved here, so that setting it cannot fail.
 *
 * @param[in] expired  Called once each time that the timer was set.  It may
 *                     set, cancel and remove any timer.
 *
 * @return false without memory.
 */
bool quicd_timer_add(struct quicd_timers *timers,
		     struct quicd_timer *timer,
		     void (*expired)(void *owner),
		     void *owner);

/** @brief Undo quicd_timer_add(); nothing happens if it was not called. */
void quicd_timer_remove(struct quicd_timer *timer);

/**
 * @brief Set the time at which it expires, in place of the one before.
 *
 * @param[in] at  Of clock_monotonic_ns(); one that is past expires in the next
 *                iteration of the event loop.  QUICD_TIMER_NEVER: cancel.
 */
void quicd_timer_set(struct quicd_timer *timer, uint64_t at);

/**
 * @brief Expire the timers whose time has come, the earliest first.
 *
 * quicd_timers_loop_once() calls it.  A timer that is set meanwhile waits for
 * the next call.
 */
void quicd_timers_expire(struct quicd_timers *timers, uint64_t now);

/** @brief How many timers were added and not removed. */
size_t quicd_timers_count(const struct quicd_timers *timers);

/** @brief When the next timer expires, or QUICD_TIMER_NEVER. */
uint64_t quicd_timers_next(const struct quicd_timers *timers);

#endif /* QUICD_TIMER_H */
