/* SPDX-License-Identifier: LGPL-3.0-or-later */
/*
 * Description: the mode, the counters and the log line of a process.
 */

#include "config.h"

#include <errno.h>
#include <stdarg.h>
#include <setjmp.h>
#include <stdint.h>
#include <string.h>
#include <unistd.h>
#include <sys/wait.h>
#include <cmocka.h>

#include "uring_process_internal.h"
#include "own_process.h"

static char logged[512];
static unsigned num_logged;

static void log_fn(const char *line)
{
	num_logged++;
	snprintf(logged, sizeof(logged), "%s", line);
}

static void test_modes(void **state)
{
	enum uring_mode mode = URING_MODE_AUTO;

	assert_int_equal(uring_get_mode(), URING_MODE_AUTO);
	assert_true(uring_mode_parse("Ring", &mode));
	assert_int_equal(mode, URING_MODE_RING);
	assert_false(uring_mode_parse("rings", &mode));
	assert_false(uring_mode_parse("", &mode));
	assert_int_equal(mode, URING_MODE_RING);
	assert_string_equal(uring_mode_name(URING_MODE_SYSCALL), "syscall");
}

/* smbd reloads the settings each second, which must not change routes. */
static void same_mode(void)
{
	unsigned generation = uring_routing_generation();

	uring_set_mode(URING_MODE_AUTO);
	CHECK(uring_routing_generation() == generation);
	uring_set_mode(URING_MODE_RING);
	CHECK(uring_routing_generation() != generation);
	generation = uring_routing_generation();
	uring_set_mode(URING_MODE_RING);
	CHECK(uring_routing_generation() == generation);
	CHECK(uring_get_mode() == URING_MODE_RING);
}

static void test_same_mode(void **state)
{
	assert_int_equal(own_process(same_mode), 0);
}

static void test_names(void **state)
{
	enum uring_reason reason = URING_REASON_NONE;

	assert_string_equal(uring_reason_name(reason), "ring");
	while (uring_reason_name(reason) != NULL) {
		reason++;
	}
	assert_int_equal(reason, URING_NUM_REASONS);
	assert_null(uring_reason_name((enum uring_reason) - 1));
	assert_string_equal(uring_errno_name(EPERM), "EPERM");
	assert_string_equal(uring_errno_name(12345), "E?");
}

static void counters(void)
{
	size_t queries[URING_NUM_REASONS] = {
		[URING_REASON_NONE] = 5,
		[URING_REASON_FEW] = 2,
		[URING_REASON_ERROR] = 1,
	};
	/* programs that were built with a later and with an older header */
	struct {
		struct uring_counters c;
		uint64_t later;
	} larger;
	struct uring_counters c;

	uring_process_count(queries, 3);
	memset(&larger, 0xff, sizeof(larger));
	uring_counters_get(&larger.c, sizeof(larger));
	CHECK(larger.c.ring == 5 && larger.c.syscall == 3);
	CHECK(larger.c.enters == 3 && larger.later == 0);
	memset(&c, 0xff, sizeof(c));
	uring_counters_get(&c, offsetof(struct uring_counters, enters));
	CHECK(c.syscall == 3 && c.enters == UINT64_MAX);

	CHECK(uring_counters_reason(URING_REASON_NONE) == 5);
	CHECK(uring_counters_reason(URING_REASON_FEW) == 2);
	CHECK(uring_counters_reason(URING_REASON_LEVEL) == 0);
	CHECK(uring_counters_reason(URING_NUM_REASONS) == 0);
}

static void test_counters(void **state)
{
	assert_int_equal(own_process(counters), 0);
}

static void said_once(void)
{
	struct uring_counters c;
	int status = -1;
	pid_t pid;

	uring_set_log_fn(log_fn);
	CHECK(uring_process_ring_error() == 0);
	uring_process_ring_failed(EPERM);
	uring_process_ring_failed(ENOMEM);
	CHECK(num_logged == 1);
	CHECK(strncmp(logged, "falling back to system calls: ", 30) == 0);
	CHECK(strstr(logged, "EPERM") != NULL);
	CHECK(uring_process_ring_error() == ENOMEM);
	uring_counters_get(&c, sizeof(c));
	CHECK(c.rings_failed == 2);

	/* the counters of a child start at zero */
	pid = fork();
	if (pid == 0) {
		CHECK(uring_process_ring_error() == 0);
		uring_counters_get(&c, sizeof(c));
		CHECK(c.rings_failed == 0);
		uring_process_ring_failed(ENOSYS);
		CHECK(num_logged == 2);
		_exit(0);
	}
	CHECK(waitpid(pid, &status, 0) == pid && status == 0);
}

static void test_said_once(void **state)
{
	assert_int_equal(own_process(said_once), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_modes),
		cmocka_unit_test(test_same_mode),
		cmocka_unit_test(test_names),
		cmocka_unit_test(test_counters),
		cmocka_unit_test(test_said_once),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
