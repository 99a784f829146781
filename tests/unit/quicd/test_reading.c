// SPDX-License-Identifier: LGPL-3.0-or-later
/*
 * The reading without memory: source/quicd/reading.c, named_files.c, file.c,
 * directory.c.
 *
 * A parameter that is lost could leave a door open, so that there is all or an
 * error.  testparm is a script that prints what the test wants.
 */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "no_memory.h"
#include "quicd/reading.h"

static char directory[] = "/tmp/smbd-quicd-reading-XXXXXX";

#define OPENSSL                                                     \
	"openssl req -x509 -newkey ec -pkeyopt "                    \
	"ec_paramgen_curve:P-256 -nodes -days 30 -subj /CN=server " \
	"-addext subjectAltName=DNS:server "

static int setup(void **state)
{
	return mkdtemp(directory) == NULL || chdir(directory) != 0 ||
	       system("mkdir pairs && { " OPENSSL
		      "-keyout key -out pem; " OPENSSL
		      "-keyout pairs/a.key -out pairs/a.pem; } 2>/dev/null && "
		      "chmod 600 key pairs/a.key && "
		      "openssl rand -hex 32 >smbd-quicd.secret && "
		      "chmod 600 smbd-quicd.secret && "
		      "printf '#!/bin/sh\\nexec /bin/cat out\\n' >testparm && "
		      "chmod 700 testparm && printf '[global]\\n"
		      "\\tprivate dir = %s\\n"
		      "\\ttls certfile = pem\\n"
		      "\\ttls keyfile = key\\n"
		      "\\thosts allow = 10. 127.\\n"
		      "\\thosts deny = ALL\\n"
		      "\\tsmbd_uring:quic server = 127.0.0.1:1\\n"
		      "\\tsmbd_uring:quic certificate = pem\\n"
		      "\\tsmbd_uring:quic key = key\\n"
		      "\\tsmbd_uring:quic certificate directory = pairs\\n"
		      "[s]\\n\\tpath = /x\\n' \"$PWD\" >out") != 0 ||
	       setenv("PATH", directory, 1) != 0;
}

static int teardown(void **state)
{
	char command[64];

	(void)setenv("PATH", "/usr/bin:/bin", 1);
	(void)snprintf(command, sizeof(command), "rm -r %s", directory);
	return chdir("/") != 0 || system(command) != 0;
}

static uint8_t *read_all(unsigned at)
{
	struct quicd_report report = {.errors_only = true};
	struct quicd_bundle *bundle = NULL;
	uint8_t *packed = NULL;

	no_memory_begin(at);
	bundle = quicd_reading(NULL, &report, NULL, false);
	no_memory_at = 0;
	assert_true(bundle == NULL || report.errors == 0);
	if (bundle != NULL) {
		packed = quicd_bundle_pack(NULL, bundle);
		assert_non_null(packed);
		talloc_free(bundle);
	}
	return packed;
}

static void test_memory(void **state)
{
	uint8_t *all = read_all(0);
	const unsigned count = no_memory_count;
	unsigned failed = 0;
	unsigned at;

	assert_non_null(all);
	for (at = 1; at <= count; at++) {
		uint8_t *some = read_all(at);

		if (some == NULL) {
			failed++;
			continue;
		}
		/* what is lost is nothing that smbd-quicd goes by */
		assert_int_equal(talloc_get_size(some), talloc_get_size(all));
		assert_memory_equal(some, all, talloc_get_size(all));
		talloc_free(some);
	}
	assert_true(failed > count / 2);
	talloc_free(all);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_memory),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
