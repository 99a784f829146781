/* SPDX-License-Identifier: LGPL-3.0-or-later */
/*
 * Description: the system call decides every error of the ring, and the
 * library does not ask the ring again for a refused query.
 */

#include "config.h"

#include <errno.h>
#include <stdarg.h>
#include <setjmp.h>
#include <stdint.h>
#include <string.h>
#include <unistd.h>
#include <sys/wait.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <cmocka.h>

#include "compat_getsockopt.h"
#include "uring_process_internal.h"
#include "uring_syscall.h"
#include "own_process.h"
#include "util/macros.h"

static struct uring_socket sock;

static int setup(void **state)
{
	int fd = socket(AF_INET, SOCK_STREAM, 0);

	return uring_socket_init(fd, &sock);
}

static int teardown(void **state)
{
	return close(sock.fd);
}

static void test_socket_init(void **state)
{
	struct uring_socket s;
	int pipes[2];

	assert_int_equal(sock.family, AF_INET);
	assert_int_equal(sock.type, SOCK_STREAM);
	assert_int_equal(sock.protocol, IPPROTO_TCP);

	assert_int_equal(pipe(pipes), 0);
	assert_int_equal(uring_socket_init(pipes[0], &s), ENOTSOCK);
	close(pipes[0]);
	close(pipes[1]);
	assert_int_equal(uring_socket_init(pipes[0], &s), EBADF);
}

static struct uring_query nodelay(int *value)
{
	return (struct uring_query){
		.level = IPPROTO_TCP,
		.optname = TCP_NODELAY,
		.optval = value,
		.optlen = sizeof(*value),
	};
}

static void route(void)
{
	int value = 7;
	struct uring_query q = nodelay(&value);

	CHECK(compat_query_route(&sock, &q) == URING_REASON_NONE);
	uring_set_mode(URING_MODE_SYSCALL);
	CHECK(compat_query_route(&sock, &q) == URING_REASON_MODE);
	uring_set_mode(URING_MODE_RING);
	CHECK(compat_query_route(&sock, &q) == URING_REASON_NONE);
	q.optlen = (socklen_t)-1;
	CHECK(compat_query_route(&sock, &q) == URING_REASON_SHAPE);
}

static void test_route(void **state)
{
	assert_int_equal(own_process(route), 0);
}

static void answer(void)
{
	int value = 7;
	struct uring_query q = nodelay(&value);

	compat_query_result(&sock, &q, 3);
	CHECK(q.error == 0 && q.optlen == 3 && q.reason == URING_REASON_NONE);
	/* the ring wrote the value, not the library */
	CHECK(value == 7);

	q.type = URING_QUERY_SIOCOUTQ;
	q.optlen = sizeof(value);
	compat_query_result(&sock, &q, 4711);
	CHECK(value == 4711 && q.optlen == sizeof(value));
}

static void test_answer(void **state)
{
	assert_int_equal(own_process(answer), 0);
}

/* The ring refuses and the system call answers: do not ask the ring again. */
static void refused(void)
{
	const struct {
		int res;
		enum uring_reason reason;
	} cases[] = {
		{-EOPNOTSUPP, URING_REASON_LEVEL},
		{-EACCES, URING_REASON_DENIED},
	};
	size_t i;

	for (i = 0; i < 2; i++) {
		int value = 7;
		struct uring_query q = nodelay(&value);
		unsigned generation;

		q.optname = i == 0 ? TCP_NODELAY : TCP_CORK;
		generation = uring_routing_generation();
		compat_query_result(&sock, &q, cases[i].res);
		CHECK(q.error == 0 && value == 0 && q.optlen == sizeof(int));
		CHECK(q.reason == cases[i].reason);
		CHECK(compat_query_route(&sock, &q) == cases[i].reason);
		CHECK(uring_routing_generation() != generation);

		/* another option, another family: not known yet */
		q.optname = TCP_MAXSEG;
		CHECK(compat_query_route(&sock, &q) == URING_REASON_NONE);
	}
}

static void test_refused(void **state)
{
	assert_int_equal(own_process(refused), 0);
}

/* Both fail: the system call's errno, and nothing is learned. */
static void both_fail(void)
{
	const int errors[] = {EOPNOTSUPP, EINVAL, EACCES, EPERM, EIO};
	size_t i;

	for (i = 0; i < ARRAY_SIZE(errors); i++) {
		int value = 7;
		struct uring_query q = nodelay(&value);

		q.optname = 9999;
		compat_query_result(&sock, &q, -errors[i]);
		CHECK(q.error == ENOPROTOOPT);
		CHECK(q.reason == URING_REASON_ERROR);
		CHECK(compat_query_route(&sock, &q) == URING_REASON_NONE);
	}
}

static void test_both_fail(void **state)
{
	assert_int_equal(own_process(both_fail), 0);
}

/* A closed descriptor: EBADF, as from getsockopt(2). */
static void closed(void)
{
	int value = 7;
	struct uring_query q = nodelay(&value);

	close(sock.fd);
	compat_query_result(&sock, &q, -EBADF);
	CHECK(q.error == EBADF && q.reason == URING_REASON_ERROR);
	CHECK(value == 7);
}

static void test_closed(void **state)
{
	assert_int_equal(own_process(closed), 0);
}

/* More refusals than the table holds: the answer is still correct. */
static void many_refusals(void)
{
	int i;

	for (i = 0; i < 200; i++) {
		int value = 7;
		struct uring_query q = nodelay(&value);
		struct uring_socket s = sock;

		/* 200 different classes on the same descriptor */
		s.protocol = i;
		compat_query_result(&s, &q, -EOPNOTSUPP);
		CHECK(q.error == 0 && value == 0);
		CHECK(q.reason == URING_REASON_LEVEL);
	}
}

static void test_many_refusals(void **state)
{
	assert_int_equal(own_process(many_refusals), 0);
}

static int libc_calls;

static int counting_getsockopt(int fd,
			       int level,
			       int optname,
			       void *optval,
			       socklen_t *optlen)
{
	libc_calls++;
	return getsockopt(fd, level, optname, optval, optlen);
}

static void libc_hook(void)
{
	int value = 7;
	struct uring_query q = nodelay(&value);

	uring_set_libc_getsockopt(counting_getsockopt);
	uring_syscall_query(&sock, &q, URING_REASON_FEW);
	CHECK(libc_calls == 1 && value == 0 && q.error == 0);
}

static void test_libc_hook(void **state)
{
	assert_int_equal(own_process(libc_hook), 0);
}

int main(void)
{
#define COMPAT_TEST(_test) \
	cmocka_unit_test_setup_teardown(_test, setup, teardown)
	const struct CMUnitTest tests[] = {
		COMPAT_TEST(test_socket_init),
		COMPAT_TEST(test_route),
		COMPAT_TEST(test_answer),
		COMPAT_TEST(test_refused),
		COMPAT_TEST(test_both_fail),
		COMPAT_TEST(test_closed),
		COMPAT_TEST(test_many_refusals),
		COMPAT_TEST(test_libc_hook),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
