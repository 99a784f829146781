// SPDX-License-Identifier: LGPL-3.0-or-later
/* The processes of the workers, source/quicd/workers.c. */

#include <poll.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "quicd/workers.h"
#include "util/clock.h"

#define WORKERS 2

/*
 * What each worker answers to a request; 'L': first to an earlier one; 'D':
 * something else before and after it.
 */
static char answers[WORKERS];

/* What was heard of each. */
static unsigned drained[WORKERS];
static unsigned deaths;

static struct quicd_shared shared = {.workers = WORKERS};
static struct quicd_counters_memory shown;
static struct quicd_settings settings = {
	.max_connections = 4,
	.max_per_address = 4,
};

static void heard(void *private_data,
		  uint32_t number,
		  const struct quicd_message *message)
{
	assert_ptr_equal(private_data, answers);
	assert_in_range(number, 0, WORKERS - 1);
	if (message != NULL) {
		assert_int_equal(message->number, 7);
		drained[number]++;
	} else {
		deaths++;
	}
}

static void ended(int sig)
{
	_exit(0);
}

/* In the process of a worker. */
static void become(void *private_data,
		   uint32_t number,
		   pid_t parent_pid,
		   int fd)
{
	const struct quicd_message other = {.what = 'D', .number = 7};
	struct quicd_message message;
	struct address client = {};
	const char *limit = NULL;
	int bundle;

	if (private_data != answers || parent_pid != getppid()) {
		_exit(1);
	}
	signal(SIGTERM, ended);
	client.u.sa.sa_family = AF_INET;
	(void)quicd_limits_take(
		shared.limits, &settings, number, &client, &limit);
	while (true) {
		message = quicd_message_recv(fd, &bundle, UINT64_MAX);
		if (message.what != 'P') {
			_exit(message.what == 'E' ? 0 : 1);
		}
		if (answers[number] == 'L') {
			message.number--;
			message.what = 'N';
			(void)quicd_message_send(fd, message, -1);
			message.number++;
			message.what = 'Y';
		} else if (answers[number] == 'D') {
			(void)quicd_message_send(fd, other, -1);
			message.what = 'Y';
		} else {
			message.what = (unsigned char)answers[number];
		}
		(void)quicd_message_send(fd, message, -1);
		if (answers[number] == 'D') {
			(void)quicd_message_send(fd, other, -1);
		}
	}
}

static struct quicd_workers *start(char first, char second)
{
	struct quicd_workers *workers = NULL;

	answers[0] = first;
	answers[1] = second;
	drained[0] = 0;
	drained[1] = 0;
	deaths = 0;
	shared.limits = quicd_limits_create(NULL, settings.max_connections);
	assert_non_null(shared.limits);
	shared.budget = quicd_budget_create(shared.limits, WORKERS, 1, &shown);
	assert_non_null(shared.budget);
	workers = quicd_workers_create(
		shared.limits, &shared, become, heard, answers);
	assert_non_null(workers);
	assert_false(quicd_workers_left(workers));
	assert_true(quicd_workers_start(workers) == UINT64_MAX);
	assert_true(quicd_workers_left(workers));
	return workers;
}

static bool request(const struct quicd_workers *workers, uint32_t number)
{
	const struct quicd_message message = {.what = 'P', .number = number};

	quicd_workers_tell(workers, message, -1);
	return quicd_workers_agree(workers, number);
}

/* Wait until one more worker is dead, and do not reap it. */
static pid_t wait_for_death(void)
{
	siginfo_t info = {};

	assert_int_equal(waitid(P_ALL, 0, &info, WEXITED | WNOWAIT), 0);
	return info.si_pid;
}

static void stop(struct quicd_workers *workers)
{
	quicd_workers_stop(workers);
	while (quicd_workers_left(workers)) {
		(void)wait_for_death();
		quicd_workers_reap(workers, true);
	}
	assert_int_equal(quicd_limits_used(shared.limits), 0);
	assert_in_range(deaths, WORKERS, 2 * WORKERS);
	talloc_free(shared.limits);
}

static void test_agree(void **state)
{
	struct quicd_workers *workers = start('Y', 'L');

	assert_true(request(workers, 1));
	/* what each worker did before it answered */
	assert_int_equal(quicd_limits_used(shared.limits), WORKERS);
	assert_true(request(workers, 2));
	stop(workers);
}

/* What a worker says unasked is heard, before an answer and without one. */
static void test_hear(void **state)
{
	struct quicd_workers *workers = start('Y', 'D');
	struct pollfd polled;

	assert_true(request(workers, 7));
	assert_int_equal(drained[1], 1);
	polled = (struct pollfd){
		.fd = quicd_workers_fd(workers, 1),
		.events = POLLIN,
	};
	assert_int_equal(poll(&polled, 1, -1), 1);
	quicd_workers_hear(workers, 1);
	assert_int_equal(drained[1], 2);
	assert_int_equal(drained[0], 0);
	assert_true(quicd_workers_runs(workers, 1));
	stop(workers);
	assert_int_equal(deaths, WORKERS);
}

static void test_disagree(void **state)
{
	struct quicd_workers *workers = start('Y', 'N');

	assert_false(request(workers, 1));
	stop(workers);
}

/* A dead worker has no say, and is replaced when it has lived for a second. */
static void test_death(void **state)
{
	struct quicd_workers *workers = start('Y', 'Y');
	const struct quicd_message end = {.what = 'E'};
	uint64_t wait;

	assert_true(request(workers, 1));
	quicd_workers_tell(workers, end, -1);
	(void)wait_for_death();
	quicd_workers_reap(workers, true);
	if (quicd_workers_left(workers)) {
		(void)wait_for_death();
	}
	assert_true(request(workers, 2));
	quicd_workers_reap(workers, true);
	assert_false(quicd_workers_left(workers));
	assert_int_equal(quicd_limits_used(shared.limits), 0);

	wait = quicd_workers_start(workers);
	assert_true(wait == UINT64_MAX || wait <= CLOCK_NS_PER_S);
	while (wait != UINT64_MAX) {
		(void)usleep((useconds_t)(wait / CLOCK_NS_PER_US) + 1);
		wait = quicd_workers_start(workers);
	}
	assert_true(request(workers, 3));
	assert_int_equal(quicd_limits_used(shared.limits), WORKERS);
	stop(workers);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_agree),
		cmocka_unit_test(test_hear),
		cmocka_unit_test(test_disagree),
		cmocka_unit_test(test_death),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
