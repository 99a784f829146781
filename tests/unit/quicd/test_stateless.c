// SPDX-License-Identifier: LGPL-3.0-or-later
/* Answers that need no connection, source/quicd/stateless.c. */

#include <poll.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>
#include <ngtcp2/ngtcp2_crypto.h>

#include "loopback.h"
#include "quicd/stateless.h"
#include "transport/quicd_counters_text.h"
#include "util/clock.h"

#define SECOND CLOCK_NS_PER_S

static struct tevent_context *ev;
static struct quicd_stateless stateless;
static struct quicd_shared shared;
static struct quicd_context context;
static struct quicd_udp *udp;
/* 32 bytes each; the mark is what XOR makes of them */
#define TEN(_digits) \
	_digits _digits _digits _digits _digits _digits _digits _digits \
		_digits _digits
#define SECRET TEN("07") TEN("07") TEN("07") "0701"
#define MARK 6
#define OTHER TEN("02") TEN("02") TEN("02") "0201"

static struct quicd_path path;
static struct quicd_settings settings;
static struct quicd_report report = {.errors_only = true};
static int server;
static int client;
static uint8_t answer[2000];

static int setup(void **state)
{
	int error;

	memset(&stateless, 0, sizeof(stateless));
	memset(&path, 0, sizeof(path));
	shared.workers = 3;
	assert_true(quicd_secrets_parse(
		&shared.secrets, &report, "secret", SECRET "\n"));
	context.settings = &settings;
	settings.secrets.num = 0;
	context.shared = &shared;
	context.worker = 2;
	ev = tevent_context_init(NULL);
	assert_non_null(ev);
	/* without a file */
	shared.counters = quicd_counters_create(ev, "/dev/null/none", &error);
	assert_non_null(shared.counters);
	server = loopback_socket(&path.local);
	client = loopback_socket(&path.remote);
	udp = quicd_udp_create(ev, ev, server, &loopback_ops, NULL, NULL);
	assert_non_null(udp);
	return 0;
}

static int teardown(void **state)
{
	talloc_free(ev);
	close(server);
	close(client);
	return 0;
}

/* The length of the answer that the client has got, or 0. */
static size_t got(void)
{
	struct pollfd poller = {.fd = client, .events = POLLIN};
	ssize_t n;

	if (poll(&poller, 1, 0) == 0) {
		return 0;
	}
	n = recv(client, answer, sizeof(answer), 0);
	assert_true(n > 0);
	return (size_t)n;
}

/* So many in a second, and then in the next one again. */
static void test_rate(void **state)
{
	unsigned i;

	for (i = 0; i < QUICD_STATELESS_RATE; i++) {
		assert_true(quicd_stateless_allowed(&stateless, 5 * SECOND));
	}
	assert_false(quicd_stateless_allowed(&stateless, 5 * SECOND + 1));
	assert_false(quicd_stateless_allowed(&stateless, 6 * SECOND - 1));
	assert_true(quicd_stateless_allowed(&stateless, 6 * SECOND));
}

/* Use all answers of this second, of which there is some left. */
static void spend(void)
{
	while (clock_monotonic_ns() % SECOND > SECOND / 2) {
		usleep(1000);
	}
	stateless.second = clock_monotonic_ns() / SECOND;
	stateless.sent = QUICD_STATELESS_RATE;
}

static void test_version_negotiation(void **state)
{
	static const uint8_t dcid[] = {1, 2, 3, 4, 5};
	static const uint8_t scid[] = {6, 7, 8};
	static const uint8_t expected[] = {
		0,
		0,
		0,
		0, /* version negotiation */
		3,
		6,
		7,
		8, /* to whom it came from */
		5,
		1,
		2,
		3,
		4,
		5,
		0,
		0,
		0,
		1, /* and version 1 */
	};
	const ngtcp2_version_cid vc = {
		.version = 0x1a2a3a4a,
		.dcid = dcid,
		.dcidlen = sizeof(dcid),
		.scid = scid,
		.scidlen = sizeof(scid),
	};

	quicd_send_version_negotiation(&stateless, udp, &path, &vc, 1200);
	assert_int_equal(got(), 1 + sizeof(expected));
	assert_true((answer[0] & 0x80) != 0);
	assert_memory_equal(&answer[1], expected, sizeof(expected));
	/* smaller ones begin no connection */
	quicd_send_version_negotiation(&stateless, udp, &path, &vc, 1199);
	assert_int_equal(got(), 0);
	spend();
	quicd_send_version_negotiation(&stateless, udp, &path, &vc, 1200);
	assert_int_equal(got(), 0);
}

/* The client knows it by its last bytes: they are our token for its ID. */
static void test_stateless_reset(void **state)
{
	uint8_t token[NGTCP2_STATELESS_RESET_TOKENLEN];
	uint8_t dcid[QUICD_CID_LEN] = {9, MARK, 7};
	ngtcp2_version_cid vc = {.dcid = dcid, .dcidlen = sizeof(dcid)};
	ngtcp2_cid cid;
	size_t len;

	ngtcp2_cid_init(&cid, dcid, sizeof(dcid));
	assert_int_equal(
		ngtcp2_crypto_generate_stateless_reset_token(
			token,
			shared.secrets.list[0].key,
			QUICD_SECRET_LEN,
			&cid),
		0);
	quicd_send_stateless_reset(&stateless, &context, udp, &path, &vc, 43);
	len = got();
	assert_in_range(len, 21, 42);
	assert_int_equal(answer[0] & 0xc0, 0x40);
	assert_memory_equal(&answer[len - sizeof(token)], token, sizeof(token));
	/* shorter than what it answers, which may be a reset, too */
	quicd_send_stateless_reset(&stateless, &context, udp, &path, &vc, 38);
	len = got();
	assert_int_equal(len, 37);
	assert_memory_equal(&answer[len - sizeof(token)], token, sizeof(token));
	quicd_send_stateless_reset(&stateless, &context, udp, &path, &vc, 22);
	assert_int_equal(got(), 21);
	quicd_send_stateless_reset(&stateless, &context, udp, &path, &vc, 21);
	assert_int_equal(got(), 0);
	/* nor for an ID that cannot be ours */
	vc.dcidlen = 8;
	quicd_send_stateless_reset(&stateless, &context, udp, &path, &vc, 100);
	assert_int_equal(got(), 0);
	vc.dcidlen = sizeof(dcid);
	spend();
	quicd_send_stateless_reset(&stateless, &context, udp, &path, &vc, 100);
	assert_int_equal(got(), 0);
}

/* The secret of the ID counts, not the one for new IDs. */
static void test_changed_secret(void **state)
{
	uint8_t token[NGTCP2_STATELESS_RESET_TOKENLEN];
	uint8_t dcid[QUICD_CID_LEN] = {9, MARK, 7};
	ngtcp2_version_cid vc = {.dcid = dcid, .dcidlen = sizeof(dcid)};
	ngtcp2_cid cid;
	size_t len;

	ngtcp2_cid_init(&cid, dcid, sizeof(dcid));
	assert_true(quicd_secrets_parse(&settings.secrets,
					&report,
					"secret",
					OTHER "\n" SECRET "\n"));
	assert_int_equal(ngtcp2_crypto_generate_stateless_reset_token(
				 token,
				 settings.secrets.list[1].key,
				 QUICD_SECRET_LEN,
				 &cid),
			 0);
	quicd_send_stateless_reset(&stateless, &context, udp, &path, &vc, 43);
	len = got();
	assert_true(len > sizeof(token));
	assert_memory_equal(&answer[len - sizeof(token)], token, sizeof(token));
	assert_true(quicd_secrets_parse(
		&settings.secrets, &report, "secret", OTHER "\n"));
	quicd_send_stateless_reset(&stateless, &context, udp, &path, &vc, 43);
	assert_int_equal(got(), 0);
}

static void retried(ngtcp2_pkt_hd *hd)
{
	static uint8_t token[2000];
	const size_t len = got();
	ngtcp2_version_cid vc;

	/* Retry: header, token, and 16 bytes of integrity tag */
	assert_true(len > 0);
	assert_int_equal(answer[0] & 0xf0, 0xf0);
	assert_int_equal(ngtcp2_pkt_decode_version_cid(&vc, answer, len, 16),
			 0);
	assert_int_equal(vc.dcidlen, hd->scid.datalen);
	assert_memory_equal(vc.dcid, hd->scid.data, vc.dcidlen);
	/* by which the client's next packet comes to this worker */
	assert_int_equal(vc.scidlen, QUICD_CID_LEN);
	assert_int_equal(vc.scid[0] % shared.workers, context.worker);
	ngtcp2_cid_init(&hd->dcid, vc.scid, vc.scidlen);
	hd->tokenlen = len - 7 - vc.dcidlen - vc.scidlen - 16;
	memcpy(token, &answer[7 + vc.dcidlen + vc.scidlen], hd->tokenlen);
	hd->token = token;
}

static void test_retry(void **state)
{
	ngtcp2_pkt_hd hd = {.version = NGTCP2_PROTO_VER_V1};
	struct quicd_path other = path;
	uint8_t forged[2000];
	ngtcp2_cid original;
	ngtcp2_cid first;
	size_t i;

	ngtcp2_cid_init(&first, (const uint8_t *)"original", 8);
	ngtcp2_cid_init(&hd.scid, (const uint8_t *)"client", 6);
	hd.dcid = first;
	assert_int_equal(
		quicd_check_retry_token(&context, &path, &hd, &original), 0);
	/* a Retry is never left out: nobody would get in */
	spend();
	quicd_send_retry(&context, udp, &path, &hd);
	assert_string_equal(quicd_counters_print(ev, shared.counters),
			    ", 1 Retry sent");
	retried(&hd);
	assert_int_equal(
		quicd_check_retry_token(&context, &path, &hd, &original), 1);
	assert_true(ngtcp2_cid_eq(&original, &first));

	/* of another address, of another smbd-quicd */
	other.remote.u.in.sin_addr.s_addr ^= htonl(1);
	assert_int_equal(
		quicd_check_retry_token(&context, &other, &hd, &original), -1);
	assert_true(quicd_secrets_parse(
		&settings.secrets, &report, "secret", OTHER "\n"));
	assert_int_equal(
		quicd_check_retry_token(&context, &path, &hd, &original), -1);
	/* when the secret has been changed, those of before are known */
	assert_true(quicd_secrets_parse(&settings.secrets,
					&report,
					"secret",
					OTHER "\n" SECRET "\n"));
	assert_int_equal(
		quicd_check_retry_token(&context, &path, &hd, &original), 1);
	/* with another ID */
	hd.dcid.data[0] ^= 1;
	assert_int_equal(
		quicd_check_retry_token(&context, &path, &hd, &original), -1);
	hd.dcid.data[0] ^= 1;
	/* with any byte changed; the first one says that it is of a Retry */
	for (i = 0; i < hd.tokenlen; i++) {
		ngtcp2_pkt_hd bad = hd;

		memcpy(forged, hd.token, hd.tokenlen);
		forged[i] ^= 0x80;
		bad.token = forged;
		assert_int_equal(quicd_check_retry_token(
					 &context, &path, &bad, &original),
				 i == 0 ? 0 : -1);
	}
}

/* Of the same address, but for the port. */
static void test_new_token(void **state)
{
	uint8_t token[NGTCP2_CRYPTO_MAX_REGULAR_TOKENLEN];
	struct quicd_path other = path;
	ngtcp2_pkt_hd hd = {.version = NGTCP2_PROTO_VER_V1};
	size_t i;

	assert_false(quicd_check_new_token(&context, &path, &hd));
	hd.token = token;
	hd.tokenlen = quicd_make_new_token(&context, &path.remote, token);
	assert_in_range(hd.tokenlen, 20, sizeof(token));
	assert_true(quicd_check_new_token(&context, &path, &hd));
	other.remote.u.in.sin_port ^= 1;
	assert_true(quicd_check_new_token(&context, &other, &hd));
	other.remote.u.in.sin_addr.s_addr ^= 1;
	assert_false(quicd_check_new_token(&context, &other, &hd));
	/* when the secret has been changed, those of before are known */
	assert_true(quicd_secrets_parse(&settings.secrets,
					&report,
					"secret",
					OTHER "\n" SECRET "\n"));
	assert_true(quicd_check_new_token(&context, &path, &hd));
	for (i = 0; i < hd.tokenlen; i++) {
		token[i] ^= 0x80;
		assert_false(quicd_check_new_token(&context, &path, &hd));
		token[i] ^= 0x80;
	}
}

static void test_connection_close(void **state)
{
	ngtcp2_pkt_hd hd = {.version = NGTCP2_PROTO_VER_V1};
	ngtcp2_version_cid vc;
	size_t len;

	ngtcp2_cid_init(&hd.dcid, (const uint8_t *)"original", 8);
	ngtcp2_cid_init(&hd.scid, (const uint8_t *)"client", 6);
	quicd_send_connection_close(
		&stateless, udp, &path, &hd, NGTCP2_CONNECTION_REFUSED);
	len = got();
	assert_in_range(len, 20, 1199);
	assert_int_equal(answer[0] & 0xf0, 0xc0); /* Initial */
	assert_int_equal(ngtcp2_pkt_decode_version_cid(&vc, answer, len, 16),
			 0);
	assert_int_equal(vc.dcidlen, hd.scid.datalen);
	assert_memory_equal(vc.dcid, hd.scid.data, vc.dcidlen);
	assert_int_equal(vc.scidlen, hd.dcid.datalen);
	assert_memory_equal(vc.scid, hd.dcid.data, vc.scidlen);
	spend();
	quicd_send_connection_close(
		&stateless, udp, &path, &hd, NGTCP2_CONNECTION_REFUSED);
	assert_int_equal(got(), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_rate, setup, teardown),
		cmocka_unit_test_setup_teardown(test_version_negotiation,
						setup,
						teardown),
		cmocka_unit_test_setup_teardown(
			test_changed_secret, setup, teardown),
		cmocka_unit_test_setup_teardown(test_stateless_reset,
						setup,
						teardown),
		cmocka_unit_test_setup_teardown(test_retry, setup, teardown),
		cmocka_unit_test_setup_teardown(test_new_token,
						setup,
						teardown),
		cmocka_unit_test_setup_teardown(test_connection_close,
						setup,
						teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
