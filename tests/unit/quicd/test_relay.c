// SPDX-License-Identifier: LGPL-3.0-or-later
/*
 * The relay, source/quicd/relay.c and queue.c, between the test as owner and as
 * smbd.
 */

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "quicd/relay.h"
#include "util/macros.h"

#define TOTAL (24U << 20)
#define ENDLESS (256U << 20) /* more than TCP's buffers and a relay can hold */
#define PACKET 1452
#define BUFFERS 2

static struct tevent_context *ev;
static struct quicd_settings settings;
static struct quicd_relay *relay;
static struct quicd_account account;
static int listener;
static int smbd;
static unsigned connected;
static unsigned ready;
static const char *failure;

/* What the byte at an offset of a stream is. */
static uint8_t byte_at(size_t offset)
{
	return (uint8_t)(offset ^ offset >> 8 ^ offset >> 16);
}

static void relay_connected(void *owner)
{
	connected++;
}

/* What quicd_conn_work() does with it, but for the packets. */
static void work(void)
{
	size_t taken;

	assert_null(quicd_relay_flush(relay, &taken));
	assert_null(quicd_relay_refill(relay));
}

static void relay_ready(void *owner)
{
	ready++;
	work();
}

static void relay_failed(void *owner, const char *reason)
{
	failure = reason;
}

static const struct quicd_relay_ops ops = {
	.connected = relay_connected,
	.ready = relay_ready,
	.failed = relay_failed,
};

static int setup(void **state)
{
	struct address *server = &settings.servers[0];
	struct address client = {};

	ev = tevent_context_init(NULL);
	assert_non_null(ev);
	assert_true(address_parse("127.0.0.1", 1, server));
	client = *server;
	server->u.in.sin_port = 0;
	settings.num_servers = 1;
	settings.max_message = 1 << 20;
	listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	assert_true(listener >= 0);
	assert_int_equal(bind(listener, &server->u.sa, server->len), 0);
	assert_int_equal(getsockname(listener, &server->u.sa, &server->len), 0);
	assert_int_equal(listen(listener, 1), 0);

	connected = 0;
	ready = 0;
	failure = NULL;
	assert_null(quicd_relay_create(
		ev, ev, &settings, &client, &account, &ops, NULL, &relay));
	smbd = accept4(listener, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
	assert_true(smbd >= 0);
	while (connected == 0) {
		assert_int_equal(tevent_loop_once(ev), 0);
	}
	return 0;
}

static int teardown(void **state)
{
	talloc_free(ev);
	if (smbd >= 0) {
		close(smbd);
	}
	close(listener);
	return 0;
}

/* smbd sends as much of the stream as its socket takes; what it has sent. */
static size_t smbd_send(size_t sent, size_t total)
{
	uint8_t buf[50000];
	size_t i;

	while (sent < total) {
		const size_t left = total - sent;
		const size_t len = left < sizeof(buf) ? left : sizeof(buf);
		ssize_t n;

		for (i = 0; i < len; i++) {
			buf[i] = byte_at(sent + i);
		}
		n = send(smbd, buf, len, MSG_NOSIGNAL);
		if (n < 0) {
			assert_int_equal(errno, EAGAIN);
			break;
		}
		sent += (size_t)n;
	}
	return sent;
}

/* One packet's bytes, checked; their number. */
static size_t packet(size_t offset, bool *end)
{
	struct iovec iov[BUFFERS];
	size_t len = 0;
	size_t count = quicd_relay_peek(relay, iov, BUFFERS, end);
	size_t i;
	size_t k;

	for (i = 0; i < count; i++) {
		for (k = 0; k < iov[i].iov_len && len < PACKET; k++) {
			const uint8_t *data = iov[i].iov_base;

			assert_int_equal(data[k], byte_at(offset + len));
			len++;
		}
		*end = *end && k == iov[i].iov_len;
	}
	return len;
}

/*
 * Everything that smbd sends comes, in order, whatever is acknowledged in
 * between, and no more of it is kept than may be; then its end.
 */
static void test_to_client(void **state)
{
	size_t from_smbd = 0;
	size_t sent = 0;
	size_t acked = 0;
	bool end = false;

	srandom(1);
	while (!end) {
		unsigned packets = (unsigned)random() % 60;

		from_smbd = smbd_send(from_smbd, TOTAL);
		if (from_smbd == TOTAL && smbd >= 0) {
			close(smbd);
			smbd = -1;
		}
		if (quicd_relay_unsent(relay) == 0 && acked == sent) {
			/* only smbd can go on */
			assert_int_equal(tevent_loop_once(ev), 0);
		}
		for (; packets > 0 && !end; packets--) {
			const size_t len = packet(sent, &end);

			if (len == 0 && !end) {
				break;
			}
			quicd_relay_sent(relay, len, end);
			sent += len;
		}
		if (random() % 4 != 0) {
			const size_t most = sent - acked;
			const size_t n = (size_t)random() % (most + 1);

			quicd_relay_acked(relay, n);
			acked += n;
		} else if (random() % 4 == 0) {
			quicd_relay_acked(relay, sent - acked);
			acked = sent;
		}
		work();
		assert_true(sent - acked + quicd_relay_unsent(relay) <=
			    QUICD_RELAY_MAX);
	}
	assert_int_equal(sent, TOTAL);
	assert_true(quicd_relay_ended(relay));
	assert_null(failure);
}

static void timed_out(struct tevent_context *context,
		      struct tevent_timer *te,
		      struct timeval now,
		      void *private_data)
{
	*(bool *)private_data = true;
}

/* Send all that there is; how far that is. */
static size_t drain(size_t sent)
{
	bool end = false;
	size_t len;

	while ((len = packet(sent, &end)) > 0) {
		quicd_relay_sent(relay, len, false);
		sent += len;
	}
	return sent;
}

/*
 * A client that acknowledges nothing: what is kept has a limit, smbd has to
 * wait, and we sleep meanwhile; smbd goes on when the client does.
 */
static void test_limit(void **state)
{
	size_t from_smbd = 0;
	size_t sent = 0;
	bool over = false;
	unsigned was;

	while (sent < QUICD_RELAY_MAX / 4 * 3) {
		from_smbd = smbd_send(from_smbd, ENDLESS);
		work();
		if (quicd_relay_unsent(relay) == 0) {
			assert_int_equal(tevent_loop_once(ev), 0);
		}
		sent = drain(sent);
	}
	for (was = 0; was < 1000; was++) {
		from_smbd = smbd_send(from_smbd, ENDLESS);
		work();
		sent = drain(sent);
		assert_true(sent <= QUICD_RELAY_MAX);
	}
	(void)tevent_add_timer(
		ev, ev, tevent_timeval_current_ofs(0, 50000), timed_out, &over);
	was = ready;
	while (!over) {
		from_smbd = smbd_send(from_smbd, ENDLESS);
		work();
		assert_int_equal(tevent_loop_once(ev), 0);
		sent = drain(sent);
		assert_true(sent <= QUICD_RELAY_MAX);
	}
	assert_in_range(ready - was, 0, 100);
	assert_true(from_smbd < ENDLESS);
	quicd_relay_acked(relay, sent);
	work();
	while (quicd_relay_unsent(relay) == 0) {
		assert_int_equal(tevent_loop_once(ev), 0);
	}
	assert_true(drain(sent) > sent);
	assert_null(failure);
}

/* A small message goes through at once, and leaves nothing behind. */
static void test_small(void **state)
{
	static const uint8_t message[] = {0, 0, 0, 4, 1, 2, 3, 4};
	const size_t before = talloc_total_size(relay);
	struct iovec iov[BUFFERS];
	uint8_t buf[sizeof(message) + 1];
	unsigned i;
	bool end;

	for (i = 0; i < 100; i++) {
		const unsigned was = ready;

		assert_null(quicd_relay_input(
			relay, message, sizeof(message), false));
		work();
		assert_int_equal(recv(smbd, buf, sizeof(buf), 0),
				 sizeof(message));
		assert_memory_equal(buf, message, sizeof(message));
		assert_int_equal(send(smbd, message, sizeof(message), 0),
				 sizeof(message));
		while (ready == was) {
			assert_int_equal(tevent_loop_once(ev), 0);
		}
		assert_int_equal(quicd_relay_peek(relay, iov, BUFFERS, &end),
				 1);
		assert_int_equal(iov[0].iov_len, sizeof(message));
		assert_memory_equal(iov[0].iov_base, message, sizeof(message));
		quicd_relay_sent(relay, sizeof(message), false);
		quicd_relay_acked(relay, sizeof(message));
		work();
		assert_int_equal(talloc_total_size(relay), before);
	}
	assert_null(failure);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_to_client,
						setup,
						teardown),
		cmocka_unit_test_setup_teardown(test_limit, setup, teardown),
		cmocka_unit_test_setup_teardown(test_small, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
