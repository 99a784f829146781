// SPDX-License-Identifier: LGPL-3.0-or-later
/* The limits on connections, source/quicd/limits.c. */

#include <arpa/inet.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "quicd/limits.h"
#include "util/address.h"

#define ALL "smbd_uring:quic max connections"
#define EACH "smbd_uring:quic max per address"

static struct quicd_settings settings;
static struct quicd_limits *limits;

static int setup(void **state)
{
	settings.max_connections = 4;
	settings.max_per_address = 2;
	limits = quicd_limits_create(NULL, 4);
	assert_non_null(limits);
	return 0;
}

static int teardown(void **state)
{
	talloc_free(limits);
	return 0;
}

static struct address parse(const char *text)
{
	struct address address = {};

	assert_true(address_parse(text, 1, &address));
	return address;
}

static struct quicd_slot *take_for(uint32_t worker,
				   const char *text,
				   const char *expected)
{
	const struct address address = parse(text);
	const char *limit = NULL;
	struct quicd_slot *slot = NULL;
	const char *full = NULL;

	full = quicd_limits_check(limits, &settings, &address);
	slot = quicd_limits_take(limits, &settings, worker, &address, &limit);
	if (expected != NULL) {
		assert_null(slot);
		assert_string_equal(limit, expected);
		assert_non_null(full);
		assert_string_equal(full, expected);
	} else {
		assert_non_null(slot);
		assert_null(full);
	}
	return slot;
}

static struct quicd_slot *take(const char *text)
{
	return take_for(0, text, NULL);
}

static void refused(const char *text, const char *limit)
{
	take_for(0, text, limit);
}

static void test_all(void **state)
{
	struct quicd_slot *slot = NULL;

	take("192.0.2.1");
	take("192.0.2.2");
	slot = take("192.0.2.3");
	take("192.0.2.4");
	refused("192.0.2.5", ALL);
	quicd_slot_release(slot);
	take("192.0.2.5");
	refused("192.0.2.6", ALL);
}

/* A reload may set a limit that is smaller, or larger than the table. */
static void test_other_limit(void **state)
{
	take("192.0.2.1");
	take("192.0.2.2");
	settings.max_connections = 2;
	refused("192.0.2.3", ALL);
	settings.max_connections = 100;
	take("192.0.2.3");
	take("192.0.2.4");
	refused("192.0.2.5", ALL);
}

static void test_per_address(void **state)
{
	struct quicd_slot *slot = NULL;

	slot = take("192.0.2.1:1");
	take("192.0.2.1:2");
	refused("192.0.2.1:3", EACH);
	take("192.0.2.2");
	quicd_slot_release(slot);
	take("192.0.2.1:3");
	refused("192.0.2.1:1", EACH);
}

/* The /64 of an IPv6 address counts as one. */
static void test_ipv6(void **state)
{
	take("2001:db8::1");
	take("2001:db8::ffff:0:0:1");
	refused("2001:db8::2", EACH);
	take("2001:db8:0:1::1");
	take("192.0.2.1");
}

/* An IPv6 network is not an IPv4 address with the same bytes. */
static void test_families(void **state)
{
	take("1.2.3.4");
	take("1.2.3.4");
	refused("1.2.3.4", EACH);
	take("0102:0304::1");
}

static void test_move(void **state)
{
	const struct address to = parse("192.0.2.2");
	struct quicd_slot *slots[2];

	slots[0] = take("192.0.2.1");
	slots[1] = take("192.0.2.1");
	refused("192.0.2.1", EACH);
	quicd_slot_move(slots[0], &to);
	take("192.0.2.1");
	refused("192.0.2.1", EACH);
	quicd_slot_move(slots[1], &to);
	refused("192.0.2.2", EACH);
	take("192.0.2.1");
}

static void test_release_worker(void **state)
{
	take_for(1, "192.0.2.1", NULL);
	take_for(2, "192.0.2.2", NULL);
	take_for(1, "192.0.2.3", NULL);
	take_for(0, "192.0.2.4", NULL);
	quicd_limits_release_worker(limits, 1);
	take("192.0.2.5");
	take("192.0.2.6");
	refused("192.0.2.7", ALL);
	quicd_limits_release_worker(limits, 1);
	refused("192.0.2.7", ALL);
}

static pid_t fork_taker(uint32_t worker, uint32_t tries, int report)
{
	const pid_t pid = fork();
	const struct address address = parse("192.0.2.1");
	const char *limit = NULL;
	char taken = 0;
	uint32_t i;

	if (pid != 0) {
		return pid;
	}
	for (i = 0; i < tries; i++) {
		if (quicd_limits_take(
			    limits, &settings, worker, &address, &limit)) {
			taken++;
		}
	}
	_exit(write(report, &taken, 1) == 1 ? 0 : 1);
}

/* Workers at the same time: never more than the limit. */
static void test_workers(void **state)
{
	const uint32_t workers = 4;
	unsigned all = 0;
	unsigned turn;
	uint32_t worker;
	int fds[2];

	talloc_free(limits);
	limits = quicd_limits_create(NULL, 32);
	assert_non_null(limits);
	settings.max_connections = 32;
	settings.max_per_address = 8;
	assert_int_equal(pipe(fds), 0);
	for (turn = 0; turn < 20; turn++) {
		all = 0;
		for (worker = 0; worker < workers; worker++) {
			assert_true(fork_taker(worker, 8, fds[1]) > 0);
		}
		for (worker = 0; worker < workers; worker++) {
			char taken = 0;
			int status = 0;

			assert_int_equal(read(fds[0], &taken, 1), 1);
			assert_true(wait(&status) > 0);
			assert_int_equal(status, 0);
			all += (unsigned)taken;
		}
		assert_in_range(all, 1, 8);
		for (worker = 0; worker < workers; worker++) {
			quicd_limits_release_worker(limits, worker);
		}
	}
	close(fds[0]);
	close(fds[1]);
	take("192.0.2.1");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_all, setup, teardown),
		cmocka_unit_test_setup_teardown(test_other_limit,
						setup,
						teardown),
		cmocka_unit_test_setup_teardown(test_per_address,
						setup,
						teardown),
		cmocka_unit_test_setup_teardown(test_ipv6, setup, teardown),
		cmocka_unit_test_setup_teardown(test_families, setup, teardown),
		cmocka_unit_test_setup_teardown(test_move, setup, teardown),
		cmocka_unit_test_setup_teardown(test_release_worker,
						setup,
						teardown),
		cmocka_unit_test_setup_teardown(test_workers, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
