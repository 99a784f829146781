/* SPDX-License-Identifier: LGPL-3.0-or-later */
/*
 * Description: a snapshot has all figures, and says how each was obtained.
 */

#include "config.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>
#include <netinet/in.h>
#include <cmocka.h>

#include "smbd_uring_backend.h"
#include "transport/snapshot.h"
#include "transport/snapshot_text.h"
#include "kernel.h"
#include "own_process.h"

static struct tevent_context *ev;
static struct uring_socket sock;
static void (*test_fn)(void);

static void with_context(void)
{
	CHECK(smbd_uring_backend_register());
	ev = tevent_context_init_byname(NULL, SMBD_URING_BACKEND_NAME);
	CHECK(ev != NULL);
	uring_set_mode(URING_MODE_RING);
	test_fn();
	talloc_free(ev);
}

static void in_own_process(void **state)
{
	test_fn = (void (*)(void))(uintptr_t)*state;
	assert_int_equal(own_process(with_context), 0);
}

static int connected(int family)
{
	union {
		struct sockaddr sa;
		struct sockaddr_in in;
		struct sockaddr_in6 in6;
	} addr = {};
	socklen_t len = family == AF_INET ? sizeof(addr.in) : sizeof(addr.in6);
	int listener = socket(family, SOCK_STREAM, 0);
	int fd = socket(family, SOCK_STREAM, 0);
	int tos = 46 << 2;

	addr.sa.sa_family = family;
	addr.in6.sin6_addr = in6addr_loopback;
	if (family == AF_INET) {
		addr.in.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	}
	CHECK(bind(listener, &addr.sa, len) == 0);
	CHECK(listen(listener, 1) == 0);
	CHECK(getsockname(listener, &addr.sa, &len) == 0);
	CHECK(setsockopt(fd,
			 family == AF_INET ? IPPROTO_IP : IPPROTO_IPV6,
			 family == AF_INET ? IP_TOS : IPV6_TCLASS,
			 &tos,
			 sizeof(tos)) == 0);
	CHECK(connect(fd, &addr.sa, len) == 0);
	CHECK(accept(listener, NULL, NULL) != -1);
	return fd;
}

static void check_snapshot(const struct uring_snapshot *s)
{
	char *text = uring_snapshot_string(NULL, s);
	const uint64_t *f = s->figures;
	socklen_t len = sizeof(int);
	int sndbuf = 0;
	size_t i;

	for (i = 0; i < FIGURE_QUERIES_COUNT; i++) {
		CHECK(s->queries[i].error == 0);
		CHECK(s->queries[i].reason == URING_REASON_NONE ||
		      s->queries[i].reason == URING_REASON_LEVEL);
	}
	CHECK(getsockopt(s->sock.fd, SOL_SOCKET, SO_SNDBUF, &sndbuf, &len) ==
	      0);
	CHECK(f[FIGURE_sndbuf] == (uint64_t)sndbuf);
	if (kernel_has_ring_getsockopt()) {
		CHECK(s->queries[FIGURE_QUERY_SO_SNDBUF].reason ==
		      URING_REASON_NONE);
		CHECK(s->queries[FIGURE_QUERY_SIOCOUTQ].reason ==
		      URING_REASON_NONE);
		CHECK(strstr(text, " SO_SNDBUF=ring") != NULL);
	}
	CHECK(f[FIGURE_rto_us] > 0 && f[FIGURE_cwnd_segments] > 0 &&
	      f[FIGURE_mss] > 0);
	CHECK(f[FIGURE_maxseg] > 0 && f[FIGURE_mtu] > 1000 &&
	      s->congestion[0] != '\0');
	/* set by connected() */
	CHECK(f[FIGURE_dscp] == 46);

	CHECK(strstr(text, " via TCP_INFO=") != NULL);
	CHECK(strstr(text,
		     s->sock.family == AF_INET6 ? " IPV6_MTU=" : " IP_MTU=") !=
	      NULL);
	for (i = 0; i < FIGURES_COUNT; i++) {
		char word[64];

		snprintf(word, sizeof(word), "%s=", figures[i].name);
		CHECK((strstr(text, word) != NULL) ==
		      (figures[i].query != FIGURE_QUERY_NONE));
	}
	talloc_free(text);
}

static uint64_t enters(void)
{
	struct uring_counters counters;

	uring_counters_get(&counters, sizeof(counters));
	return counters.enters;
}

static void snapshots(void)
{
	const int families[] = {AF_INET, AF_INET6};
	size_t i;

	for (i = 0; i < 2; i++) {
		struct uring_snapshot snapshot;
		struct tevent_req *req = NULL;
		uint64_t before;

		CHECK(uring_socket_init(connected(families[i]), &sock) == 0);
		CHECK(uring_snapshot(&sock, &snapshot) == 0);
		check_snapshot(&snapshot);
		before = enters();
		CHECK(uring_snapshot(&sock, &snapshot) == 0);
		CHECK(enters() == before + 1 || !kernel_has_ring_getsockopt());

		req = uring_snapshot_send(ev, ev, &sock, URING_PROMPT);
		CHECK(tevent_req_poll(req, ev));
		CHECK(uring_snapshot_recv(req, &snapshot) == 0);
		check_snapshot(&snapshot);
		CHECK(enters() == before + 2 || !kernel_has_ring_getsockopt());
	}
}

static void snapshot_of_something_else(void)
{
	struct uring_snapshot snapshot;
	struct tevent_req *req = NULL;
	int fd = socket(AF_UNIX, SOCK_STREAM, 0);

	CHECK(uring_socket_init(fd, &sock) == 0);
	CHECK(uring_snapshot(&sock, &snapshot) == EPROTOTYPE);
	req = uring_snapshot_send(ev, ev, &sock, URING_PROMPT);
	CHECK(tevent_req_poll(req, ev));
	CHECK(uring_snapshot_recv(req, &snapshot) == EPROTOTYPE);
}

/* The connection is closed: each query has the error of its system call. */
static void snapshot_of_closed(void)
{
	struct uring_snapshot snapshot;
	char *text = NULL;
	size_t i;

	CHECK(uring_socket_init(connected(AF_INET), &sock) == 0);
	/* keep the number in use, so that the ring does not get it */
	CHECK(uring_snapshot(&sock, &snapshot) == 0);
	close(sock.fd);
	CHECK(uring_snapshot(&sock, &snapshot) == 0);
	for (i = 0; i < FIGURE_QUERIES_COUNT; i++) {
		CHECK(snapshot.queries[i].error == EBADF);
	}
	text = uring_snapshot_string(NULL, &snapshot);
	CHECK(strstr(text, "TCP_INFO=error(EBADF)") != NULL);
	CHECK(strstr(text, "rtt_us") == NULL);
	talloc_free(text);
}

int main(void)
{
#define SNAPSHOT_TEST(_fn)                                               \
	{                                                                \
#_fn, in_own_process, NULL, NULL, (void *)(uintptr_t)_fn \
	}
	const struct CMUnitTest tests[] = {
		SNAPSHOT_TEST(snapshots),
		SNAPSHOT_TEST(snapshot_of_something_else),
		SNAPSHOT_TEST(snapshot_of_closed),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
