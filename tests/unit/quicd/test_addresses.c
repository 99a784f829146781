// SPDX-License-Identifier: LGPL-3.0-or-later
/* The addresses of this machine, source/quicd/addresses.c. */

#include <sched.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "../own_process.h"
#include "quicd/addresses.h"

static char lost[3 * ADDRESS_TEXT_SIZE];

static void note(void *private_data, const struct address *address)
{
	char text[ADDRESS_TEXT_SIZE];

	CHECK(private_data == lost);
	CHECK(strlen(lost) + ADDRESS_TEXT_SIZE < sizeof(lost));
	strcat(lost, address_print(&address->u.sa, text));
	strcat(lost, " ");
}

static void run(const char *command)
{
	CHECK(system(command) == 0);
}

/*
 * IPv4, the other end of which has an address, too; IPv6; link-local.  Those
 * that are there twice are lost when both are gone.
 */
static void loses_in_namespace(void)
{
	struct tevent_context *ev = tevent_context_init(NULL);

	if (unshare(CLONE_NEWNET) != 0) {
		skip_test("no right to a network namespace");
	}
	CHECK(ev != NULL);
	run("ip link set lo up");
	CHECK(quicd_addresses_watch(ev, ev, note, lost) == 0);
	run("ip addr add 198.51.100.1/24 dev lo &&"
	    "ip addr add 198.51.100.1/16 dev lo &&"
	    "ip addr add 192.0.2.1 peer 192.0.2.2 dev lo &&"
	    "ip addr add 2001:db8::1/64 dev lo nodad &&"
	    "ip addr add fe80::1/64 dev lo nodad");
	run("ip addr del 198.51.100.1/24 dev lo");
	run("ip addr del 192.0.2.1 peer 192.0.2.2 dev lo");
	run("ip addr del 2001:db8::1/64 dev lo");
	run("ip addr del fe80::1/64 dev lo");
	while (strstr(lost, "fe80") == NULL) {
		CHECK(tevent_loop_once(ev) == 0);
	}
	CHECK(strcmp(lost, "192.0.2.1:0 [2001:db8::1]:0 [fe80::1%lo]:0 ") == 0);
	lost[0] = '\0';
	run("ip addr del 198.51.100.1/16 dev lo");
	while (lost[0] == '\0') {
		CHECK(tevent_loop_once(ev) == 0);
	}
	CHECK(strcmp(lost, "198.51.100.1:0 ") == 0);
	talloc_free(ev);
}

static void test_loses(void **state)
{
	assert_int_equal(own_process(loses_in_namespace), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_loses),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
