/* SPDX-License-Identifier: LGPL-3.0-or-later */
/*
 * Description: the options that write past their length, and those that must
 * not be asked twice.
 */

#include "config.h"

#include <stdarg.h>
#include <setjmp.h>
#include <stdint.h>
#include <string.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <cmocka.h>

#include "uring_options.h"
#include "util/macros.h"

#define MAX_SIZE 1024

/* A length, a count and its offset; whether Linux may write more. */
static const struct {
	int level;
	int optname;
	socklen_t optlen;
	size_t offset;
	uint32_t count;
	bool overruns;
} cases[] = {
	{SOL_SOCKET, SO_RCVBUF, 4, 0, UINT32_MAX, false},
	{SOL_SOCKET, SO_GET_FILTER, 8, 0, 0, true},
	{SOL_SOCKET, SO_GET_FILTER, 0, 0, 0, false},
	/* struct ip_msfilter: 16 bytes and 4 for each source */
	{IPPROTO_IP, IP_MSFILTER, 16 + 2 * 4, 12, 2, false},
	{IPPROTO_IP, IP_MSFILTER, 16 + 2 * 4, 12, 3, true},
	{IPPROTO_IP, IP_MSFILTER, 16 + 2 * 4, 12, UINT32_MAX, true},
	{IPPROTO_IP, IP_MSFILTER, 15, 12, 0, true},
	/* struct group_filter: 144 bytes and 128 for each */
	{IPPROTO_IP, MCAST_MSFILTER, 144 + 128, 140, 1, false},
	{IPPROTO_IP, MCAST_MSFILTER, 144 + 128, 140, 2, true},
	{IPPROTO_IPV6, MCAST_MSFILTER, 144 + 128, 140, 1, false},
	{IPPROTO_IPV6, MCAST_MSFILTER, 144 + 128, 140, 2, true},
	/* TCP_AO_GET_KEYS: the length is that of one key */
	{IPPROTO_TCP, 41, 276, 272, 1, false},
	{IPPROTO_TCP, 41, 276, 272, 2, true},
	{IPPROTO_TCP, 41, 275, 0, 0, true},
	/* the same numbers at another level */
	{IPPROTO_UDP, IP_MSFILTER, 16, 12, 3, false},
};

static void test_overruns(void **state)
{
	size_t i;

	for (i = 0; i < ARRAY_SIZE(cases); i++) {
		uint8_t value[MAX_SIZE] = {};
		struct uring_query query = {
			.level = cases[i].level,
			.optname = cases[i].optname,
			.optval = value,
			.optlen = cases[i].optlen,
		};

		memcpy(value + cases[i].offset,
		       &cases[i].count,
		       sizeof(cases[i].count));
		if (uring_option_overruns(&query) != cases[i].overruns) {
			fail_msg("case %zu", i);
		}
		query.type = URING_QUERY_SIOCINQ;
		assert_false(uring_option_overruns(&query));
	}
}

static void test_once(void **state)
{
	struct uring_query query = {
		.level = SOL_SOCKET,
		.optname = SO_ERROR,
	};

	assert_true(uring_option_once(&query));
	query.optname = SO_RCVBUF;
	assert_false(uring_option_once(&query));
	query.level = IPPROTO_TCP;
	query.optname = TCP_SAVED_SYN;
	assert_true(uring_option_once(&query));
	query.type = URING_QUERY_SIOCOUTQ;
	assert_false(uring_option_once(&query));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_overruns),
		cmocka_unit_test(test_once),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
