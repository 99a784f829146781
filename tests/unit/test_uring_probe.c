/* SPDX-License-Identifier: LGPL-3.0-or-later */
/*
 * Description: the probe says which queries this kernel's ring answers.
 */

#include "config.h"

#include <errno.h>
#include <stdarg.h>
#include <setjmp.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#include "uring_probe.h"
#include "kernel.h"

static void test_probe(void **state)
{
	struct uring_probe *probe = uring_probe(NULL);
	const struct uring_probe_class *p = NULL;
	struct uring_counters c;
	size_t i;

	assert_non_null(probe);
	assert_int_equal(probe->ring_error, 0);
	for (i = 0; (p = uring_probe_class(probe, i)) != NULL; i++) {
		if (!kernel_has_ring_getsockopt()) {
			/* from 6.5 on, SIOCINQ and SIOCOUTQ may exist */
			assert_true(p->error == ENOSYS ||
				    strncmp(p->level, "SIOC", 4) == 0);
			continue;
		}
		/* every kernel with socket commands answers this */
		if (strcmp(p->level, "SOL_SOCKET") == 0) {
			assert_int_equal(p->socket_error, 0);
			assert_int_equal(p->error, 0);
		}
		/* and it either answers or refuses this */
		assert_true(p->error == 0 || p->error == EOPNOTSUPP);
	}
	assert_true(i >= 20);
	assert_null(uring_probe_class(probe, i + 1));
	uring_counters_get(&c, sizeof(c));
	assert_int_equal(c.ring + c.syscall, 0);
	talloc_free(probe);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_probe),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
