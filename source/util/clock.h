/* SPDX-License-Identifier: LGPL-3.0-or-later */
/**
 * @file clock.h
 * The one clock for time-outs, ages and rates.  It never jumps, because nobody
 * can set it.
 */

#ifndef UTIL_CLOCK_H
#define UTIL_CLOCK_H

#include <stdint.h>
#include <time.h>

#define CLOCK_NS_PER_S UINT64_C(1000000000)
#define CLOCK_NS_PER_MS UINT64_C(1000000)
#define CLOCK_NS_PER_US UINT64_C(1000)

/** CLOCK_MONOTONIC in nanoseconds.  It cannot fail. */
static inline uint64_t clock_monotonic_ns(void)
{
	struct timespec ts;

	(void)clock_gettime(CLOCK_MONOTONIC, &ts);
	return (uint64_t)ts.tv_sec * CLOCK_NS_PER_S + (uint64_t)ts.tv_nsec;
}

/**
 * CLOCK_MONOTONIC at the kernel's last tick, up to 10 ms ago.  It is cheaper.
 */
static inline uint64_t clock_monotonic_coarse_ns(void)
{
	struct timespec ts;

	(void)clock_gettime(CLOCK_MONOTONIC_COARSE, &ts);
	return (uint64_t)ts.tv_sec * CLOCK_NS_PER_S + (uint64_t)ts.tv_nsec;
}

#endif
