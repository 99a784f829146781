// SPDX-License-Identifier: LGPL-3.0-or-later
/* Timers, source/quicd/timer.c. */

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <unistd.h>

#include <cmocka.h>

#include "quicd/timer.h"
#include "util/clock.h"

#define MANY 300

struct one {
	struct quicd_timer timer;
	uint64_t at; /* what the test has set, or QUICD_TIMER_NEVER */
	unsigned fired;
};

static struct tevent_context *ev;
static struct quicd_timers *timers;
static struct one ones[MANY];
static uint64_t last; /* the time of the one that fired last */

static void fired(void *owner)
{
	struct one *one = owner;

	assert_true(one->at != QUICD_TIMER_NEVER);
	assert_true(one->at >= last);
	last = one->at;
	one->at = QUICD_TIMER_NEVER;
	one->fired++;
}

static int setup(void **state)
{
	size_t i;

	ev = tevent_context_init(NULL);
	assert_non_null(ev);
	timers = quicd_timers_create(ev);
	assert_non_null(timers);
	last = 0;
	memset(ones, 0, sizeof(ones));
	for (i = 0; i < MANY; i++) {
		ones[i].at = QUICD_TIMER_NEVER;
		assert_true(quicd_timer_add(
			timers, &ones[i].timer, fired, &ones[i]));
	}
	assert_int_equal(quicd_timers_count(timers), MANY);
	return 0;
}

static int teardown(void **state)
{
	size_t i;

	for (i = 0; i < MANY; i++) {
		quicd_timer_remove(&ones[i].timer);
	}
	assert_int_equal(quicd_timers_count(timers), 0);
	talloc_free(ev);
	return 0;
}

static void set(struct one *one, uint64_t at)
{
	one->at = at;
	quicd_timer_set(&one->timer, at);
}

static uint64_t earliest(void)
{
	uint64_t at = QUICD_TIMER_NEVER;
	size_t i;

	for (i = 0; i < MANY; i++) {
		at = ones[i].at < at ? ones[i].at : at;
	}
	return at;
}

/* Many timers, set, moved and cancelled, beside a list that is searched. */
static void test_heap(void **state)
{
	uint64_t now = 1000;
	int turn;
	size_t i;

	srandom(1);
	for (turn = 0; turn < 20000; turn++) {
		struct one *one = &ones[random() % MANY];

		switch (random() % 4) {
		case 0:
			set(one, QUICD_TIMER_NEVER);
			break;
		case 1:
			now += (uint64_t)random() % 50;
			last = 0;
			quicd_timers_expire(timers, now);
			for (i = 0; i < MANY; i++) {
				assert_true(ones[i].at > now);
			}
			break;
		default:
			set(one, now + 1 + (uint64_t)random() % 1000);
			break;
		}
		assert_int_equal(quicd_timers_next(timers), earliest());
	}
	for (i = 0; i < MANY; i++) {
		assert_true(ones[i].fired > 0);
	}
}

static void test_time(void **state)
{
	set(&ones[0], 50);
	set(&ones[1], 51);
	quicd_timers_expire(timers, 49);
	assert_int_equal(ones[0].fired, 0);
	quicd_timers_expire(timers, 50);
	assert_int_equal(ones[0].fired, 1);
	assert_int_equal(ones[1].fired, 0);
	quicd_timers_expire(timers, 60);
	assert_int_equal(ones[0].fired, 1);
	assert_int_equal(ones[1].fired, 1);
	assert_int_equal(quicd_timers_next(timers), QUICD_TIMER_NEVER);
}

static void fired_set_again(void *owner)
{
	struct one *one = owner;

	one->fired++;
	quicd_timer_set(&one->timer, 1);
}

/* One that sets itself for a time that is past does not keep us for ever. */
static void test_set_again(void **state)
{
	quicd_timer_remove(&ones[0].timer);
	quicd_timer_add(timers, &ones[0].timer, fired_set_again, &ones[0]);
	quicd_timer_set(&ones[0].timer, 1);
	quicd_timers_expire(timers, 10);
	assert_int_equal(ones[0].fired, 1);
	quicd_timers_expire(timers, 10);
	assert_int_equal(ones[0].fired, 2);
}

static void fired_remove_others(void *owner)
{
	struct one *one = owner;

	one->fired++;
	quicd_timer_remove(&ones[1].timer);
	quicd_timer_set(&ones[2].timer, QUICD_TIMER_NEVER);
	quicd_timer_remove(&one->timer);
}

static void test_remove_others(void **state)
{
	quicd_timer_remove(&ones[0].timer);
	quicd_timer_add(timers, &ones[0].timer, fired_remove_others, &ones[0]);
	quicd_timer_set(&ones[0].timer, 1);
	set(&ones[1], 2);
	set(&ones[2], 3);
	set(&ones[3], 4);
	quicd_timers_expire(timers, 10);
	assert_int_equal(ones[0].fired, 1);
	assert_int_equal(ones[1].fired, 0);
	assert_int_equal(ones[2].fired, 0);
	assert_int_equal(ones[3].fired, 1);
	assert_int_equal(quicd_timers_count(timers), MANY - 2);
	/* twice does no harm */
	quicd_timer_remove(&ones[1].timer);
	assert_int_equal(quicd_timers_count(timers), MANY - 2);
}

static bool filtered; /* a filter of system calls refuses epoll_pwait2(2) */

int __wrap_epoll_pwait2(int epfd,
			struct epoll_event *events,
			int maxevents,
			const struct timespec *timeout,
			const sigset_t *sigmask);
int __real_epoll_pwait2(int epfd,
			struct epoll_event *events,
			int maxevents,
			const struct timespec *timeout,
			const sigset_t *sigmask);

int __wrap_epoll_pwait2(int epfd,
			struct epoll_event *events,
			int maxevents,
			const struct timespec *timeout,
			const sigset_t *sigmask)
{
	if (filtered) {
		errno = ENOSYS;
		return -1;
	}
	return __real_epoll_pwait2(epfd, events, maxevents, timeout, sigmask);
}

/* Not early, and the loop does not spin until then. */
static void loop_until(const struct one *one)
{
	const uint64_t at = one->at;
	unsigned turns = 0;

	if (one->fired > 0) {
		return; /* in the turn of an earlier one: the machine is slow */
	}
	while (one->fired == 0) {
		assert_int_equal(quicd_timers_loop_once(timers, ev), 0);
		turns++;
	}
	assert_true(clock_monotonic_ns() >= at);
	assert_in_range(turns, 1, 2);
}

/* By the loop: none early, none forgotten, whatever comes first. */
static void test_loop(void **state)
{
	const uint64_t now = clock_monotonic_ns();
	const uint64_t hour = 3600 * CLOCK_NS_PER_S;

	set(&ones[0], now + 1);
	loop_until(&ones[0]);
	set(&ones[1], now + hour);
	set(&ones[2], now + 40 * CLOCK_NS_PER_MS);
	set(&ones[3], now + 20 * CLOCK_NS_PER_MS + 1);
	loop_until(&ones[3]);
	loop_until(&ones[2]);
	assert_int_equal(ones[1].fired, 0);
	/* later than it was, and earlier */
	set(&ones[4], clock_monotonic_ns() + 10 * CLOCK_NS_PER_MS);
	set(&ones[4], clock_monotonic_ns() + 30 * CLOCK_NS_PER_MS);
	loop_until(&ones[4]);
	set(&ones[1], clock_monotonic_ns() + CLOCK_NS_PER_MS);
	loop_until(&ones[1]);
	/* long past, and 0 */
	last = 0;
	set(&ones[5], 0);
	loop_until(&ones[5]);
}

/* With the time limit of epoll_wait(2), in milliseconds. */
static void test_filtered(void **state)
{
	filtered = true;
	test_loop(state);
	filtered = false;
}

static void readable(struct tevent_context *context,
		     struct tevent_fd *fde,
		     uint16_t flags,
		     void *private_data)
{
	unsigned *count = private_data;

	(*count)++;
	TALLOC_FREE(fde);
}

/* An event and tevent's own timer end the wait before the next timer. */
static void test_events(void **state)
{
	const uint64_t hour = clock_monotonic_ns() + 3600 * CLOCK_NS_PER_S;
	unsigned count = 0;
	int fds[2];

	set(&ones[0], hour);
	assert_int_equal(pipe(fds), 0);
	assert_int_equal(write(fds[1], "", 1), 1);
	assert_non_null(tevent_add_fd(
		ev, ev, fds[0], TEVENT_FD_READ, readable, &count));
	assert_int_equal(quicd_timers_loop_once(timers, ev), 0);
	assert_int_equal(count, 1);
	assert_true(tevent_wakeup_send(ev,
				       ev,
				       tevent_timeval_current_ofs(0, 1000)) !=
		    NULL);
	assert_int_equal(quicd_timers_loop_once(timers, ev), 0);
	assert_int_equal(ones[0].fired, 0);
	close(fds[0]);
	close(fds[1]);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_heap, setup, teardown),
		cmocka_unit_test_setup_teardown(test_time, setup, teardown),
		cmocka_unit_test_setup_teardown(test_set_again,
						setup,
						teardown),
		cmocka_unit_test_setup_teardown(test_remove_others,
						setup,
						teardown),
		cmocka_unit_test_setup_teardown(test_loop, setup, teardown),
		cmocka_unit_test_setup_teardown(test_filtered, setup, teardown),
		cmocka_unit_test_setup_teardown(test_events, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
