// SPDX-License-Identifier: LGPL-3.0-or-later
/*
 * Settings and their bundle: source/quicd/settings_parse.c, parameters.c,
 * values.c, hosts.c, settings.c, bundle.c.
 */

#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "no_memory.h"
#include "quicd/cpus.h"
#include "quicd/names.h"
#include "quicd/settings.h"
#include "quicd/values.h"
#include "util/macros.h"

static struct quicd_bundle *bundle;

static int setup(void **state)
{
	bundle = talloc_zero(NULL, struct quicd_bundle);
	return bundle == NULL;
}

static int teardown(void **state)
{
	TALLOC_FREE(bundle);
	return 0;
}

static struct quicd_settings *parse(unsigned errors)
{
	struct quicd_report report = {.errors_only = true};
	struct quicd_settings *settings = quicd_settings_parse(bundle,
							       &report,
							       bundle);

	assert_int_equal(report.errors, errors);
	assert_true((settings == NULL) == (errors > 0));
	return settings;
}

static void add(const char *name, const char *value)
{
	assert_true(quicd_bundle_add_string(bundle, name, value));
}

static bool admits(const struct quicd_settings *settings, const char *text)
{
	struct address address;

	assert_true(address_parse(text, 1, &address));
	return quicd_settings_admit(settings, &address);
}

static void defaults(void **state)
{
	const struct quicd_settings *settings = parse(0);
	char text[ADDRESS_TEXT_SIZE];

	assert_int_equal(talloc_array_length(settings->listen), 2);
	assert_string_equal(address_print(&settings->listen[0].u.sa, text),
			    "0.0.0.0:443");
	assert_string_equal(address_print(&settings->listen[1].u.sa, text),
			    "[::]:443");
	assert_int_equal(settings->num_servers, 2);
	assert_string_equal(address_print(&settings->servers[1].u.sa, text),
			    "[::1]:445");
	assert_false(settings->transparent);
	assert_int_equal(settings->max_connections, 1024);
	assert_int_equal(settings->max_per_address, 64);
	assert_int_equal(settings->idle_timeout, 60);
	assert_int_equal(settings->workers, quicd_cpus(""));
	assert_int_equal(settings->client_certificates,
			 QUICD_CLIENT_CERTIFICATES_NO);
	assert_true(admits(settings, "192.0.2.1"));
}

static void values(void **state)
{
	const struct quicd_settings *settings = NULL;

	add("smbd_uring:quic listen", "127.0.0.1:1,[::1]:2 ;10.0.0.1");
	add("smbd_uring:quic server", "[::1]:4450");
	add("smbd_uring:quic transparent", "True");
	add("smbd_uring:quic workers", "128");
	add("smbd_uring:quic client certificates", "REQUIRED");
	add("hosts allow", "10.");
	add("hosts allow", "EXCEPT");
	add("hosts allow", "10.1.");
	add("hosts deny", "ALL");
	add("smb2 max read", "8388608");
	add("smb2 max write", "1048576");
	settings = parse(0);
	assert_int_equal(talloc_array_length(settings->listen), 3);
	assert_int_equal(settings->num_servers, 1);
	assert_true(settings->transparent);
	assert_int_equal(settings->workers, 128);
	assert_int_equal(settings->client_certificates,
			 QUICD_CLIENT_CERTIFICATES_REQUIRED);
	assert_int_equal(settings->max_message, 8388608 + 65536);
	assert_true(admits(settings, "10.2.0.1"));
	assert_false(admits(settings, "10.1.0.1"));
	assert_false(admits(settings, "192.0.2.1"));
	assert_null(quicd_settings_server(settings, &settings->listen[0]));
	assert_ptr_equal(quicd_settings_server(settings, &settings->listen[1]),
			 &settings->servers[0]);
}

static void bad_values(void **state)
{
	static const char *const bad[][2] = {
		{"listen", ""},
		{"listen", "nowhere"},
		{"listen", "127.0.0.1 nowhere"},
		{"server", "127.0.0.1 127.0.0.2"},
		{"server", "127.0.0.1 ::1 ::2"},
		{"transparent", ""},
		{"max connections", "0"},
		{"max connections", "1000001"},
		{"max connections", "+1"},
		{"max connections", "1 "},
		{"idle timeout", "99999999999999999999"},
		{"workers", "129"},
		{"workers", "0x8"},
		{"client certificates", "yes"},
		{"client certificates", "require"},
		{"nonsense", "1"},
	};
	size_t i;

	for (i = 0; i < ARRAY_SIZE(bad); i++) {
		char name[80];

		teardown(state);
		setup(state);
		(void)snprintf(name,
			       sizeof(name),
			       "smbd_uring:quic %s",
			       bad[i][0]);
		add(name, bad[i][1]);
		(void)parse(1);
	}
	/* each of several is said */
	add("smbd_uring:quic workers", "0");
	add("hosts deny", "nobody.example.org");
	(void)parse(3);
}

static void judge(const char *section,
		  const char *name,
		  bool taken,
		  enum quicd_name expected)
{
	struct quicd_report report = {};
	const char *canonical = NULL;

	assert_int_equal(
		quicd_name_of(&report, section, name, taken, &canonical),
		expected);
	assert_int_equal(report.errors, expected == QUICD_NAME_BAD);
	if (expected == QUICD_NAME_OURS) {
		assert_string_equal(canonical, "smbd_uring:quic key");
	}
}

static void names(void **state)
{
	judge(NULL, "smbd_uring:quic key", true, QUICD_NAME_OURS);
	judge(NULL, " SMBD_uring :quic\tk e y", true, QUICD_NAME_OURS);
	judge(NULL, "smbd_uring:sockopt", true, QUICD_NAME_IGNORED);
	judge("s", "smbd_uring:warn rtt", true, QUICD_NAME_IGNORED);
	judge(NULL, "workgroup", true, QUICD_NAME_FOREIGN);
	judge(NULL, "idmap config * : range", true, QUICD_NAME_FOREIGN);
	judge(NULL, "fruit:metadata", true, QUICD_NAME_FOREIGN);
	judge(NULL, "no such", false, QUICD_NAME_FOREIGN);
	judge("s", "smbd_uring:quic key", true, QUICD_NAME_BAD);
	judge(NULL, "smbd-uring:quic key", true, QUICD_NAME_BAD);
	judge(NULL, "smbd_uring:quic_key", true, QUICD_NAME_BAD);
	judge(NULL, "smbd_uring:quic\xc2\xa0key", true, QUICD_NAME_BAD);
	judge(NULL, "smbd_uring\xe2\x80\x8b:quic key", true, QUICD_NAME_BAD);
	judge(NULL, "smbd_uring:", true, QUICD_NAME_BAD);
	judge(NULL, "smbd_uring:warn rrt", true, QUICD_NAME_BAD);
	judge(NULL, "other:quic key", true, QUICD_NAME_BAD);
	judge(NULL, "smbd_uring quic key", false, QUICD_NAME_BAD);
	judge(NULL, "quic key", false, QUICD_NAME_BAD);
}

static void words(void **state)
{
	size_t num = 0;
	const char *const *list = quicd_value_words(
		bundle, "a \"b c\"  d,e \"\" \"f\"", &num);

	assert_int_equal(num, 6);
	assert_string_equal(list[0], "a");
	assert_string_equal(list[1], "b c");
	assert_string_equal(list[2], "");
	assert_string_equal(list[3], "d,e");
	assert_string_equal(list[4], "");
	assert_string_equal(list[5], "f");
	(void)quicd_value_words(bundle, "", &num);
	assert_int_equal(num, 0);
	list = quicd_value_words(bundle, "\"never ends", &num);
	assert_int_equal(num, 1);
	assert_string_equal(list[0], "never ends");
}

/* A set goes through a memfd as it is, binary data included. */
static void bundles(void **state)
{
	static const char data[] = "a\0b\n";
	const struct quicd_bundle_item *item = NULL;
	struct quicd_bundle *copy = NULL;
	int fd;

	add("name", "value");
	assert_true(quicd_bundle_add(bundle, "file", data, sizeof(data)));
	add("empty", "");
	add("name", "last");
	fd = quicd_bundle_seal(bundle);
	assert_true(fd >= 0);
	assert_int_equal(write(fd, "x", 1), -1);
	assert_int_equal(ftruncate(fd, 0), -1);
	copy = quicd_bundle_load(bundle, fd);
	assert_non_null(copy);
	assert_int_equal(copy->num, 4);
	item = quicd_bundle_find(copy, "file");
	assert_int_equal(item->len, sizeof(data));
	assert_memory_equal(item->data, data, sizeof(data));
	assert_string_equal(quicd_bundle_find(copy, "name")->data, "last");
	assert_string_equal(quicd_bundle_find(copy, "empty")->data, "");
	assert_null(quicd_bundle_find(copy, "other"));
	close(fd);
}

/* Whatever is cut or changed is refused, or read as something whole. */
static void bad_bundles(void **state)
{
	const struct quicd_bundle_item *item = NULL;
	uint8_t *data = NULL;
	size_t size;
	size_t i;
	int fd;

	add("name", "value");
	add("file", "content");
	data = quicd_bundle_pack(bundle, bundle);
	size = talloc_get_size(data);
	for (i = 0; i < size; i++) {
		struct quicd_bundle *part = quicd_bundle_unpack(bundle,
								data,
								i);

		if (part != NULL) {
			assert_true(part->num < 2);
		}
		talloc_free(part);
	}
	for (i = 0; i < size; i++) {
		struct quicd_bundle *other = NULL;

		data[i] ^= 0x80;
		other = quicd_bundle_unpack(bundle, data, size);
		item = other != NULL && other->num > 0 ? &other->items[0]
						       : NULL;
		assert_true(item == NULL || item->len <= size);
		talloc_free(other);
		data[i] ^= 0x80;
	}
	/* one that could still be changed */
	fd = memfd_create("test", MFD_CLOEXEC | MFD_ALLOW_SEALING);
	assert_int_equal(write(fd, data, size), (ssize_t)size);
	assert_null(quicd_bundle_load(bundle, fd));
	assert_int_equal(errno, EPERM);
	close(fd);
}

static void write_file(const char *root, const char *name, const char *text)
{
	char path[200];
	char *slash = NULL;
	FILE *f = NULL;

	(void)snprintf(path, sizeof(path), "%s%s", root, name);
	slash = strchr(path + 1, '/');
	while (slash != NULL) {
		*slash = '\0';
		(void)mkdir(path, 0700);
		*slash = '/';
		slash = strchr(slash + 1, '/');
	}
	f = fopen(path, "w");
	assert_non_null(f);
	assert_true(fputs(text, f) >= 0);
	assert_int_equal(fclose(f), 0);
}

/* The quota of the own group, or of one above it. */
static void quotas(void **state)
{
	char root[] = "/tmp/quicd-cpus-XXXXXX";
	char command[100];
	const uint32_t all = quicd_cpus("/nonexistent");

	assert_true(all >= 1);
	assert_non_null(mkdtemp(root));
	write_file(root, "/proc/self/cgroup", "9:name=x:/\n0::/a/b\n");
	assert_int_equal(quicd_cpus(root), all);
	write_file(root, "/sys/fs/cgroup/a/b/cpu.max", "max 100000\n");
	assert_int_equal(quicd_cpus(root), all);
	write_file(root, "/sys/fs/cgroup/a/cpu.max", "50000 100000\n");
	assert_int_equal(quicd_cpus(root), 1);
	write_file(root, "/sys/fs/cgroup/a/cpu.max", "12800000 100000\n");
	assert_int_equal(quicd_cpus(root), all);
	write_file(root, "/sys/fs/cgroup/cpu.max", "1000 100000\n");
	assert_int_equal(quicd_cpus(root), 1);
	(void)snprintf(command, sizeof(command), "rm -r %s", root);
	assert_int_equal(system(command), 0);
}

/* Without memory there is an error, and never a part of the settings. */
static void memory(void **state)
{
	struct quicd_settings *settings = NULL;
	unsigned at = 0;

	add("smbd_uring:quic listen", "127.0.0.1:1 [::1]:2");
	add("smbd_uring:quic server", "127.0.0.1");
	add("hosts deny", "10.");
	add("hosts deny", "192.168.");
	add(QUICD_ITEM_SOURCE("crl"), "tls crlfile = /x");
	add(QUICD_ITEM_FILE("crl"), "a list");
	while (settings == NULL) {
		struct quicd_report report = {.errors_only = true};

		at++;
		no_memory_begin(at);
		settings = quicd_settings_parse(bundle, &report, bundle);
		assert_true((settings == NULL) == (report.errors > 0));
		assert_true(settings == NULL || no_memory_count < at);
	}
	no_memory_begin(0);
	assert_true(at > 10);
	assert_string_equal(settings->crl.data, "a list");
	assert_false(admits(settings, "10.1.2.3"));
	assert_false(admits(settings, "192.168.1.1"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(defaults, setup, teardown),
		cmocka_unit_test_setup_teardown(values, setup, teardown),
		cmocka_unit_test_setup_teardown(bad_values, setup, teardown),
		cmocka_unit_test(names),
		cmocka_unit_test(quotas),
		cmocka_unit_test_setup_teardown(words, setup, teardown),
		cmocka_unit_test_setup_teardown(bundles, setup, teardown),
		cmocka_unit_test_setup_teardown(bad_bundles, setup, teardown),
		cmocka_unit_test_setup_teardown(memory, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
