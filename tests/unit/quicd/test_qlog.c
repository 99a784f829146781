// SPDX-License-Identifier: LGPL-3.0-or-later
/* Files of qlog, source/quicd/qlog.c: few, small, and no links. */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "quicd/qlog.h"

static char directory[] = "/tmp/test-qlog-XXXXXX";
static TALLOC_CTX *mem_ctx;
static struct quicd_settings settings;
static struct address client;

static char *path_of(const char *name)
{
	return talloc_asprintf(mem_ctx, "%s/qlog/%s", directory, name);
}

static int setup(void **state)
{
	mem_ctx = talloc_new(NULL);
	strcpy(directory, "/tmp/test-qlog-XXXXXX");
	assert_non_null(mkdtemp(directory));
	settings = (struct quicd_settings){
		.qlog_directory = path_of(""),
	};
	/* without the slash, which would follow a link */
	settings.qlog_directory = talloc_strndup(
		mem_ctx,
		settings.qlog_directory,
		strlen(settings.qlog_directory) - 1);
	assert_true(address_parse("192.0.2.1", 1, &client));
	return 0;
}

static int teardown(void **state)
{
	char *command = talloc_asprintf(mem_ctx, "rm -r %s", directory);

	assert_int_equal(system(command), 0);
	talloc_free(mem_ctx);
	return 0;
}

static void test_file(void **state)
{
	struct quicd_qlogs *qlogs = quicd_qlogs_open(mem_ctx, &settings);
	struct quicd_qlog *qlog = NULL;
	struct stat st;
	char text[8] = "";
	FILE *in = NULL;

	assert_non_null(qlogs);
	assert_int_equal(stat(path_of(""), &st), 0);
	assert_int_equal(st.st_mode & 07777, 0700);
	qlog = quicd_qlog_begin(mem_ctx, qlogs, &client, "one");
	assert_non_null(qlog);
	/* a reload */
	talloc_free(qlogs);
	quicd_qlog_write(qlog, "abc", 3);
	talloc_free(qlog);
	assert_int_equal(stat(path_of("one.sqlog"), &st), 0);
	assert_int_equal(st.st_mode & 07777, 0600);
	in = fopen(path_of("one.sqlog"), "r");
	assert_non_null(in);
	assert_int_equal(fread(text, 1, sizeof(text), in), 3);
	assert_string_equal(text, "abc");
	fclose(in);
}

static void test_size(void **state)
{
	static const char record[65536] = "record";
	struct quicd_qlogs *qlogs = quicd_qlogs_open(mem_ctx, &settings);
	struct quicd_qlog *qlog = quicd_qlog_begin(
		mem_ctx, qlogs, &client, "long");
	struct stat st;
	size_t i;

	assert_non_null(qlog);
	for (i = 0; i < 2 * QUICD_QLOG_SIZE / sizeof(record); i++) {
		quicd_qlog_write(qlog, record, sizeof(record) - 1);
	}
	talloc_free(qlog);
	assert_int_equal(stat(path_of("long.sqlog"), &st), 0);
	assert_in_range(st.st_size,
			QUICD_QLOG_SIZE - sizeof(record),
			QUICD_QLOG_SIZE);
}

static void test_number(void **state)
{
	struct quicd_qlogs *qlogs = quicd_qlogs_open(mem_ctx, &settings);
	struct quicd_qlogs *other = quicd_qlogs_open(mem_ctx, &settings);
	char name[16];
	unsigned i;

	for (i = 0; i < QUICD_QLOG_FILES; i++) {
		snprintf(name, sizeof(name), "%u", i);
		assert_non_null(quicd_qlog_begin(
			mem_ctx, i % 2 ? qlogs : other, &client, name));
	}
	assert_null(quicd_qlog_begin(mem_ctx, qlogs, &client, "more"));
	assert_null(quicd_qlog_begin(mem_ctx, other, &client, "more"));
	assert_int_equal(unlink(path_of("0.sqlog")), 0);
	/* until a reload */
	assert_null(quicd_qlog_begin(mem_ctx, qlogs, &client, "more"));
	qlogs = quicd_qlogs_open(mem_ctx, &settings);
	assert_non_null(quicd_qlog_begin(mem_ctx, qlogs, &client, "more"));
}

static void test_links(void **state)
{
	struct quicd_qlogs *qlogs = quicd_qlogs_open(mem_ctx, &settings);
	struct stat st;

	/* to a file that is not there, and to one that is */
	assert_int_equal(symlink(path_of("a"), path_of("1.sqlog")), 0);
	assert_int_equal(symlink(directory, path_of("2.sqlog")), 0);
	assert_null(quicd_qlog_begin(mem_ctx, qlogs, &client, "1"));
	assert_null(quicd_qlog_begin(mem_ctx, qlogs, &client, "2"));
	assert_int_not_equal(stat(path_of("a"), &st), 0);
	assert_int_equal(symlink(directory, path_of("link")), 0);
	settings.qlog_directory = path_of("link");
	assert_null(quicd_qlogs_open(mem_ctx, &settings));
	settings.qlog_directory = path_of("none/none");
	assert_null(quicd_qlogs_open(mem_ctx, &settings));
}

static void test_clients(void **state)
{
	struct address others[2];
	struct quicd_qlogs *qlogs = NULL;

	assert_true(address_parse("192.0.2.2", 7, &others[0]));
	assert_true(address_parse("[2001:db8::1]", 7, &others[1]));
	settings.qlog_clients = talloc_array(mem_ctx, struct address, 2);
	memcpy(settings.qlog_clients, others, sizeof(others));
	qlogs = quicd_qlogs_open(mem_ctx, &settings);
	assert_non_null(qlogs);
	TALLOC_FREE(settings.qlog_clients);
	assert_null(quicd_qlog_begin(mem_ctx, qlogs, &client, "1"));
	assert_true(address_parse("192.0.2.2", 8, &client));
	assert_non_null(quicd_qlog_begin(mem_ctx, qlogs, &client, "2"));
	assert_true(address_parse("[2001:db8::1]", 8, &client));
	assert_non_null(quicd_qlog_begin(mem_ctx, qlogs, &client, "3"));
	settings.qlog_directory = NULL;
	assert_null(quicd_qlogs_open(mem_ctx, &settings));
	assert_null(quicd_qlog_begin(mem_ctx, NULL, &client, "4"));
}

static void test_possible(void **state)
{
	struct quicd_report report = {};

	settings.qlog_directory = "relative";
	assert_false(quicd_qlog_possible(&report, &settings));
	settings.qlog_directory = NULL;
	assert_true(quicd_qlog_possible(&report, &settings));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_file, setup, teardown),
		cmocka_unit_test_setup_teardown(test_size, setup, teardown),
		cmocka_unit_test_setup_teardown(test_number, setup, teardown),
		cmocka_unit_test_setup_teardown(test_links, setup, teardown),
		cmocka_unit_test_setup_teardown(test_clients, setup, teardown),
		cmocka_unit_test_setup_teardown(test_possible, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
