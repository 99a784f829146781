// SPDX-License-Identifier: LGPL-3.0-or-later
/*
 * What is taken from testparm: source/quicd/smbconf.c, smbconf_stderr.c,
 * smbconf_include.c, testparm.c.
 *
 * The testparm here is a script that prints what a test wants, as Samba's does
 * not print half a line.
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
#include "quicd/smbconf.h"
#include "quicd/testparm.h"

static char directory[] = "/tmp/smbd-quicd-smbconf-XXXXXX";

static void write_file(const char *name, const char *text)
{
	char path[sizeof(directory) + 32];
	FILE *f = NULL;

	(void)snprintf(path, sizeof(path), "%s/%s", directory, name);
	f = fopen(path, "we");
	assert_non_null(f);
	assert_true(fputs(text, f) >= 0);
	assert_int_equal(fclose(f), 0);
}

/* What testparm prints and says; %s there is the directory. */
static void testparm_prints(const char *out, const char *err)
{
	char text[512];

	write_file("out", out);
	/* up to two files of it */
	(void)snprintf(text, sizeof(text), err, directory, directory);
	write_file("err", text);
}

static int setup(void **state)
{
	char path[sizeof(directory) + 32];
	char text[512];

	if (mkdtemp(directory) == NULL) {
		return -1;
	}
	(void)snprintf(text,
		       sizeof(text),
		       "#!/bin/sh\n/bin/cat %s/err >&2\n"
		       "echo \"$3\" >%s/path\nexec /bin/cat %s/out\n",
		       directory,
		       directory,
		       directory);
	write_file("testparm", text);
	(void)snprintf(path, sizeof(path), "%s/testparm", directory);
	(void)chmod(path, 0700);
	(void)snprintf(path, sizeof(path), "%s/dir", directory);
	if (mkdir(path, 0700) != 0) {
		return -1;
	}
	return setenv("PATH", directory, 1);
}

static int teardown(void **state)
{
	static const char *const names[] = {
		"testparm", "out", "err", "path", "conf", "empty"};
	char path[sizeof(directory) + 32];
	size_t i;

	for (i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		(void)snprintf(
			path, sizeof(path), "%s/%s", directory, names[i]);
		(void)unlink(path);
	}
	(void)snprintf(path, sizeof(path), "%s/dir", directory);
	(void)rmdir(path);
	return rmdir(directory);
}

/* All parameters, a line each. */
struct taken {
	char text[4096];
};

static bool take(void *private_data,
		 const char *section,
		 const char *name,
		 const char *value)
{
	struct taken *taken = private_data;
	const size_t used = strlen(taken->text);

	(void)snprintf(taken->text + used,
		       sizeof(taken->text) - used,
		       "%s|%s|%.60s\n",
		       section != NULL ? section : "",
		       name,
		       value != NULL ? value : "(none)");
	return false;
}

static bool read_all(struct taken *taken)
{
	struct quicd_report report = {.errors_only = true};
	bool good;

	*taken = (struct taken){};
	good = quicd_smbconf_read(NULL, &report, "FILE", take, taken);
	assert_true(good == (report.errors == 0));
	return good;
}

static bool taken_is(const char *text)
{
	struct taken taken;

	return read_all(&taken) && strcmp(taken.text, text) == 0;
}

static bool refused(void)
{
	struct taken taken;

	return !read_all(&taken);
}

static void test_good(void **state)
{
	write_file("empty", "");
	testparm_prints("# Global parameters\n[global]\n\ta = b = c\n"
			"\tx : y = \n\n\n[s one]\n\thosts allow = 10.\n",
			"Load smb config files from %s/empty\n"
			"doing parameter a = b = c\n\nsomething else\n"
			"\tindented\n");
	assert_true(taken_is("|a|b = c\n|x : y|\ns one|hosts allow|10.\n"));
}

/* The end of the output may be one of a line, too. */
static void test_last_line(void **state)
{
	testparm_prints("[global]\n\thosts deny = ALL", "");
	assert_true(taken_is("|hosts deny|ALL\n"));
}

static void test_odd_lines(void **state)
{
	static const char *const odd[] = {
		"\ta = b\n",
		"[global]\na = b\n",
		"[global]\n a = b\n",
		"[global]\n\ta\n",
		"[global]\n# Global parameters\n",
		"[global]\n\ta = b\n[global]\n\ta = c\n",
	};
	size_t i;

	for (i = 0; i < sizeof(odd) / sizeof(odd[0]); i++) {
		testparm_prints(odd[i], "");
		assert_true(refused());
	}
}

/* A value of the registry with several lines, as both streams have it. */
static void test_values_of_lines(void **state)
{
	testparm_prints("[global]\n\ta = b\n\tsmbd_uring:c = d\n",
			"doing parameter a = b\n\tsmbd_uring:c = d\n");
	assert_true(refused());
	testparm_prints("[global]\n\ta = b\n\n\tc = d\n",
			"doing parameter a = b\n\n\tc = d\n");
	assert_true(refused());
	testparm_prints("[global]\n\ta = b\n[s]\n\tc = d\n",
			"doing parameter a = b\n[s]\ndoing parameter c = d\n");
	assert_true(refused());
	testparm_prints("[global]\n\ta = b\ndoing parameter c = d\n"
			"\tc = d\n",
			"doing parameter a = b\ndoing parameter c = d\n"
			"\tc = d\n");
	assert_true(refused());
}

static void test_long_line(void **state)
{
	const size_t size = (size_t)QUICD_TESTPARM_LINE + 100;
	char *text = malloc(size);

	assert_non_null(text);
	memset(text, 'x', size);
	memcpy(text, "[global]\n\ta = ", 14);
	text[size - 2] = '\n';
	text[size - 1] = '\0';
	testparm_prints(text, "");
	assert_true(refused());
	text[QUICD_TESTPARM_LINE] = '\n'; /* shorter by far than the limit */
	text[QUICD_TESTPARM_LINE + 1] = '\0';
	testparm_prints(text, "");
	assert_false(refused());
	free(text);
}

/* A file that ends early by an error is not one that ends. */
static void test_read_error(void **state)
{
	testparm_prints("[global]\n\ta = b\n",
			"Load smb config files from %s/dir\n");
	assert_true(refused());
}

/* Without memory there is an error, and never a part of the parameters. */
static void test_memory(void **state)
{
	static const char all[] =
		"|a|b\n|hosts deny|ALL\ns|path|/x\n|a line|(none)\n";
	struct taken taken;
	unsigned at = 0;
	bool good = false;

	write_file("conf", "[global]\na = b\na line\n");
	testparm_prints("[global]\n\ta = b\n\thosts deny = ALL\n[s]\n"
			"\tpath = /x\n",
			"Load smb config files from %s/conf\n"
			"doing parameter include = %s/empty\n"
			"doing parameter a = b\n");
	while (!good && at < 1000) {
		at++;
		no_memory_begin(at);
		good = read_all(&taken);
		assert_true(!good || strcmp(taken.text, all) == 0);
	}
	assert_true(no_memory_count < at);
	assert_true(at > 10);
	no_memory_begin(0);
}

/* testparm is told the file. */
static void test_path(void **state)
{
	char path[sizeof(directory) + 32];
	char text[16] = "";
	FILE *f = NULL;

	testparm_prints("[global]\n", "");
	assert_true(taken_is(""));
	(void)snprintf(path, sizeof(path), "%s/path", directory);
	f = fopen(path, "re");
	assert_non_null(f);
	assert_non_null(fgets(text, sizeof(text), f));
	(void)fclose(f);
	assert_string_equal(text, "FILE\n");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_good),
		cmocka_unit_test(test_last_line),
		cmocka_unit_test(test_odd_lines),
		cmocka_unit_test(test_values_of_lines),
		cmocka_unit_test(test_long_line),
		cmocka_unit_test(test_read_error),
		cmocka_unit_test(test_memory),
		cmocka_unit_test(test_path),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
