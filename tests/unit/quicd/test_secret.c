// SPDX-License-Identifier: LGPL-3.0-or-later
/* The secrets of resets and tokens: source/quicd/secret.c, secret_file.c. */

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "quicd/secret.h"
#include "quicd/secret_file.h"
#include "util/macros.h"

/* 64 digits; the mark of both is 1. */
#define ZEROS "0000000000000000000000000000000"
#define ONE "01" ZEROS ZEROS
#define LAST ZEROS ZEROS "01"
#define TWO "02" ZEROS ZEROS

static bool parse(struct quicd_secrets *secrets, const char *text)
{
	struct quicd_report report = {.errors_only = true};
	const bool good = quicd_secrets_parse(secrets, &report, "file", text);

	assert_int_equal(report.errors, !good);
	return good;
}

static void test_good(void **state)
{
	struct quicd_secrets secrets;

	assert_true(parse(&secrets, TWO "\n" ONE));
	assert_int_equal(secrets.num, 2);
	assert_int_equal(secrets.list[0].mark, 2);
	assert_int_equal(secrets.list[0].key[0], 2);
	assert_int_equal(secrets.list[0].key[31], 0);
	assert_ptr_equal(quicd_secrets_find(&secrets, 1), &secrets.list[1]);
	assert_null(quicd_secrets_find(&secrets, 0));
	assert_true(parse(&secrets, ZEROS ZEROS "aB\n"));
	assert_int_equal(secrets.list[0].key[31], 0xab);
}

static void test_bad(void **state)
{
	static const char *const bad[] = {
		"",
		"\n",
		ONE "\n\n",
		ONE "0",
		ZEROS ZEROS "0g\n",
		ONE "\r\n",
		ONE "\n" LAST "\n",
		"# a comment\n" ONE "\n",
		ONE "\n" TWO "\n" ZEROS ZEROS "03\n" ZEROS ZEROS
		    "04\n" ZEROS ZEROS "05\n",
	};
	struct quicd_secrets secrets;
	size_t i;

	for (i = 0; i < ARRAY_SIZE(bad); i++) {
		assert_false(parse(&secrets, bad[i]));
	}
}

/* A process of the same PID was killed while it made the file. */
static void test_left_behind(void **state)
{
	char directory[] = "/tmp/smbd-quicd-secret-XXXXXX";
	char path[64];
	char left[96];
	FILE *f = NULL;

	assert_non_null(mkdtemp(directory));
	(void)snprintf(path, sizeof(path), "%s/secret", directory);
	(void)snprintf(left, sizeof(left), "%s.%d", path, (int)getpid());
	f = fopen(left, "we");
	assert_non_null(f);
	(void)fclose(f);
	assert_int_equal(quicd_secret_file_make(NULL, path), 0);
	assert_int_equal(unlink(path), 0);
	assert_int_equal(unlink(left), 0);
	assert_int_equal(rmdir(directory), 0);
}

/* Made once, for its owner alone. */
static void test_make_file(void **state)
{
	char directory[] = "/tmp/smbd-quicd-secret-XXXXXX";
	struct quicd_secrets secrets;
	char path[64];
	char text[2][100] = {};
	struct stat st;
	size_t i;

	assert_non_null(mkdtemp(directory));
	(void)snprintf(path, sizeof(path), "%s/secret", directory);
	for (i = 0; i < ARRAY_SIZE(text); i++) {
		FILE *f = NULL;

		assert_int_equal(quicd_secret_file_make(NULL, path), 0);
		f = fopen(path, "re");
		assert_non_null(f);
		assert_non_null(fgets(text[i], sizeof(text[i]), f));
		(void)fclose(f);
	}
	assert_string_equal(text[0], text[1]);
	assert_true(parse(&secrets, text[0]));
	assert_int_equal(stat(path, &st), 0);
	assert_int_equal(st.st_mode & 07777, 0600);
	assert_int_equal(st.st_nlink, 1);
	(void)unlink(path);
	assert_int_equal(rmdir(directory), 0); /* and nothing else is there */
	assert_int_equal(quicd_secret_file_make(NULL, path), ENOENT);
}

static void test_random(void **state)
{
	struct quicd_secrets a;
	struct quicd_secrets b;

	quicd_secrets_random(&a);
	quicd_secrets_random(&b);
	assert_memory_not_equal(a.list[0].key, b.list[0].key, QUICD_SECRET_LEN);
	assert_ptr_equal(quicd_secrets_find(&a, a.list[0].mark), a.list);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_good),
		cmocka_unit_test(test_bad),
		cmocka_unit_test(test_make_file),
		cmocka_unit_test(test_left_behind),
		cmocka_unit_test(test_random),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
