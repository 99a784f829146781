// SPDX-License-Identifier: LGPL-3.0-or-later
/* The closing period, source/quicd/close_wait.c. */

#include <poll.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "loopback.h"
#include "quicd/close_wait.h"
#include "util/clock.h"
#include "util/macros.h"

#define MAX 2

static const struct quicd_cid first = {4, {1, 2, 3, 4}};
static const struct quicd_cid second = {4, {1, 2, 3, 5}};

static struct tevent_context *ev;
static struct quicd_timers *timers;
static struct quicd_cids *cids;
static struct quicd_close_waits *waits;
static struct quicd_cid_set conn; /* the connection IDs of a connection */
static int server;
static int client;
static uint8_t packet[] = "CONNECTION_CLOSE";
static struct quicd_closing closing;

static int setup(void **state)
{
	ev = tevent_context_init(NULL);
	assert_non_null(ev);
	timers = quicd_timers_create(ev);
	cids = quicd_cids_create(ev);
	assert_non_null(timers);
	assert_non_null(cids);
	waits = quicd_close_waits_create(ev, timers, MAX);
	assert_non_null(waits);
	quicd_cid_set_init(&conn, cids, QUICD_CID_OF_CONN);
	closing = (struct quicd_closing){
		.packet = packet,
		.len = sizeof(packet),
		.ns = 3600 * CLOCK_NS_PER_S,
	};
	server = loopback_socket(&closing.path.local);
	client = loopback_socket(&closing.path.remote);
	closing.udp = quicd_udp_create(
		ev, ev, server, &loopback_ops, NULL, NULL);
	assert_non_null(closing.udp);
	return 0;
}

static int teardown(void **state)
{
	quicd_cid_clear(&conn);
	quicd_close_waits_clear(waits);
	assert_int_equal(quicd_close_waits_count(waits), 0);
	assert_int_equal(quicd_cids_count(cids), 0);
	assert_int_equal(quicd_timers_count(timers), 0);
	talloc_free(ev);
	close(server);
	close(client);
	return 0;
}

static struct quicd_cid_set *find(const struct quicd_cid *cid)
{
	return quicd_cid_find(cids, cid->data, cid->len);
}

/* How many packets the client has got. */
static unsigned got(void)
{
	struct pollfd poller = {.fd = client, .events = POLLIN};
	unsigned count = 0;
	uint8_t data[100];

	while (poll(&poller, 1, 0) > 0) {
		assert_int_equal(recv(client, data, sizeof(data), 0),
				 sizeof(packet));
		assert_memory_equal(data, "CONNECTION_CLOSE", sizeof(packet));
		count++;
	}
	return count;
}

static void test_answers(void **state)
{
	static const unsigned answers[] = {1, 1, 0, 1, 0, 0, 0, 1};
	unsigned i;

	assert_true(quicd_cid_add(&conn, &first));
	assert_true(quicd_cid_add(&conn, &second));
	assert_true(quicd_close_wait_begin(waits, &conn, &closing));
	/* it has a copy */
	memset(packet, 0, sizeof(packet));
	assert_int_equal(got(), 0);
	for (i = 0; i < 1024; i++) {
		struct quicd_cid_set *set = find(i % 2 == 0 ? &first : &second);
		const bool power = (i & (i + 1)) == 0;

		assert_non_null(set);
		assert_int_equal(set->owner, QUICD_CID_OF_CLOSE_WAIT);
		quicd_close_wait_received(set);
		assert_int_equal(got(),
				 i < ARRAY_SIZE(answers) ? answers[i] : power);
	}
	memcpy(packet, "CONNECTION_CLOSE", sizeof(packet));
}

/* After its time, and not before, nothing is left. */
static void test_ends(void **state)
{
	const uint64_t now = clock_monotonic_ns();

	assert_true(quicd_cid_add(&conn, &first));
	assert_true(quicd_close_wait_begin(waits, &conn, &closing));
	assert_in_range(quicd_timers_next(timers),
			now + closing.ns,
			clock_monotonic_ns() + closing.ns);
	quicd_timers_expire(timers, now + closing.ns - 1);
	assert_int_equal(quicd_close_waits_count(waits), 1);
	assert_true(quicd_close_waits_use(waits, closing.udp));
	assert_false(quicd_close_waits_use(waits, NULL));
	assert_non_null(find(&first));
	quicd_timers_expire(timers, quicd_timers_next(timers));
	assert_int_equal(quicd_close_waits_count(waits), 0);
	assert_false(quicd_close_waits_use(waits, closing.udp));
	assert_null(find(&first));
	assert_int_equal(quicd_timers_count(timers), 0);
}

/* One too many: the connection keeps its IDs, and frees them. */
static void test_too_many(void **state)
{
	unsigned i;

	for (i = 0; i < MAX; i++) {
		const struct quicd_cid cid = {1, {(uint8_t)i}};

		assert_true(quicd_cid_add(&conn, &cid));
		assert_true(quicd_close_wait_begin(waits, &conn, &closing));
	}
	assert_true(quicd_cid_add(&conn, &first));
	assert_false(quicd_close_wait_begin(waits, &conn, &closing));
	assert_ptr_equal(find(&first), &conn);
	assert_int_equal(quicd_close_waits_count(waits), MAX);
	quicd_timers_expire(timers, UINT64_MAX - 1);
	assert_true(quicd_close_wait_begin(waits, &conn, &closing));
	assert_int_equal(quicd_close_waits_count(waits), 1);
}

/* Freed with the worker, before their time. */
static void test_freed(void **state)
{
	assert_true(quicd_cid_add(&conn, &first));
	assert_true(quicd_close_wait_begin(waits, &conn, &closing));
	talloc_free(waits);
	assert_null(find(&first));
	assert_int_equal(quicd_timers_count(timers), 0);
	waits = quicd_close_waits_create(ev, timers, MAX);
	assert_non_null(waits);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_answers, setup, teardown),
		cmocka_unit_test_setup_teardown(test_ends, setup, teardown),
		cmocka_unit_test_setup_teardown(test_too_many, setup, teardown),
		cmocka_unit_test_setup_teardown(test_freed, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
