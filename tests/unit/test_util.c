// SPDX-License-Identifier: LGPL-3.0-or-later
/* Lists, addresses and printable text of source/util/. */

#include <locale.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "util/address.h"
#include "util/clock.h"
#include "util/dlinklist.h"
#include "util/macros.h"
#include "util/printable.h"

struct element {
	struct element *next;
	struct element *prev;
	char name;
};

/* "abc" if the list has these elements, forwards and backwards. */
static const char *names(struct element *list)
{
	static char forwards[16];
	struct element *e = NULL;
	size_t n = 0;
	size_t i;

	for (e = list; e != NULL; e = e->next) {
		forwards[n++] = e->name;
	}
	forwards[n] = '\0';
	e = list != NULL ? list->prev : NULL;
	for (i = n; i-- > 0; e = e->prev) {
		assert_int_equal(e->name, forwards[i]);
	}
	return forwards;
}

static void test_list(void **state)
{
	struct element a = {.name = 'a'};
	struct element b = {.name = 'b'};
	struct element c = {.name = 'c'};
	struct element *list = NULL;
	struct element *other = NULL;

	DLIST_REMOVE(list, &a);
	assert_string_equal(names(list), "");
	DLIST_ADD(list, &b);
	DLIST_ADD(list, &a);
	DLIST_ADD_END(list, &c);
	assert_string_equal(names(list), "abc");
	DLIST_REMOVE(list, &b);
	assert_string_equal(names(list), "ac");
	assert_null(b.next);
	assert_null(b.prev);
	DLIST_REMOVE(list, &c);
	DLIST_REMOVE(list, &c);
	assert_string_equal(names(list), "a");
	DLIST_ADD_END(list, &b);
	DLIST_REMOVE(list, &a);
	assert_string_equal(names(list), "b");
	DLIST_ADD(other, &c);
	DLIST_ADD(other, &a);
	DLIST_CONCATENATE(list, other);
	assert_string_equal(names(list), "bac");
	assert_ptr_equal(container_of(&list->name, struct element, name), &b);
}

static void test_address(void **state)
{
	static const struct {
		const char *word;
		const char *text;
		const char *host;
	} good[] = {
		{"192.0.2.1", "192.0.2.1:445", "192.0.2.1"},
		{"192.0.2.1:1", "192.0.2.1:1", "192.0.2.1"},
		{"2001:DB8::1", "[2001:db8::1]:445", "2001:db8::1"},
		{"[2001:db8::1]", "[2001:db8::1]:445", "2001:db8::1"},
		{"[::1]:65535", "[::1]:65535", "::1"},
		{"[fe80::1%lo]:9", "[fe80::1%lo]:9", "fe80::1%lo"},
		{"::ffff:192.0.2.1", "192.0.2.1:445", "192.0.2.1"},
	};
	static const char *const bad[] = {
		"", ":1", "192.0.2.1:", "192.0.2.1:0", "192.0.2.1:65536",
		"192.0.2.1:+1", "[::1", "[::1]1", "[]", "localhost", "*",
		"192.0.2.1:1 ", "::1%",
	};
	const struct sockaddr unix_address = {.sa_family = AF_UNIX};
	char text[ADDRESS_TEXT_SIZE];
	struct address address;
	struct address other;
	size_t i;

	for (i = 0; i < ARRAY_SIZE(good); i++) {
		assert_true(address_parse(good[i].word, 445, &address));
		assert_string_equal(address_print(&address.u.sa, text),
				    good[i].text);
		assert_string_equal(address_print_host(&address.u.sa, text),
				    good[i].host);
	}
	for (i = 0; i < ARRAY_SIZE(bad); i++) {
		if (address_parse(bad[i], 445, &address)) {
			fail_msg("'%s' was taken", bad[i]);
		}
	}
	assert_string_equal(address_print(&unix_address, text), "unknown");
	address_parse("[::1]:1", 0, &address);
	address_parse("[::1]:2", 0, &other);
	assert_true(address_same_host(&address.u.sa, &other.u.sa));
	assert_false(address_covers(&address, &other.u.sa));
	address_parse("127.0.0.1:1", 0, &other);
	assert_false(address_same_host(&address.u.sa, &other.u.sa));
	assert_true(address_covers(&other, &other.u.sa));
	address_parse("0.0.0.0:1", 0, &address);
	assert_true(address_covers(&address, &other.u.sa));
	assert_false(address_covers(&other, &address.u.sa));
	address_parse("[::]:1", 0, &address);
	assert_false(address_covers(&address, &other.u.sa));
	address_parse("[2001:db8::1]:1", 0, &other);
	assert_true(address_covers(&address, &other.u.sa));
}

static void test_printable(void **state)
{
	static const struct {
		const char *from;
		const char *to;
	} table[] = {
		{"plain \"text\"", "plain \"text\""},
		{"J\xc3\xbcrgen", "J\xc3\xbcrgen"},
		{"a\nb\x1b[31mc\x7f", "a?b?[31mc?"},
		{"\xc2\x9b" "2J", "?2J"},		   /* CSI of C1 */
		{"a\xe2\x80\xae" "b\xe2\x80\xa8" "c", "a?b?c"}, /* RLO, U+2028 */
		{"a\xef\xbb\xbf" "b", "a?b"},		   /* U+FEFF */
		{"\xc0\xafx", "??x"},			   /* overlong */
		{"\xed\xa0\x80", "???"},		   /* surrogate */
		{"\xf4\x90\x80\x80", "????"},		   /* beyond Unicode */
		{"\xe2\x82", "??"},			   /* unfinished */
		{"\xf0\x9f\x98\x80", "\xf0\x9f\x98\x80"},
	};
	char to[64];
	size_t i;

	for (i = 0; i < ARRAY_SIZE(table); i++) {
		assert_int_equal(printable_copy(to, sizeof(to), table[i].from),
				 strlen(table[i].to));
		assert_string_equal(to, table[i].to);
	}
	assert_int_equal(printable_copy_quoted(to, sizeof(to), "a\"b"), 3);
	assert_string_equal(to, "a?b");
	/* cut before the first character that does not fit */
	assert_int_equal(printable_copy(to, 3, "a\xc3\xbc" "b"), 4);
	assert_string_equal(to, "a");
	assert_int_equal(printable_copy(to, 4, "a\xc3\xbc" "b"), 4);
	assert_string_equal(to, "a\xc3\xbc");
	assert_int_equal(printable_copy(to, 1, "a"), 1);
	assert_string_equal(to, "");
	assert_int_equal(printable_copy(NULL, 0, "a"), 1);
}

static void test_width(void **state)
{
	assert_int_equal(printable_width("\xc3\xbc"), 2);
	if (setlocale(LC_CTYPE, "C.UTF-8") == NULL) {
		skip();
	}
	assert_int_equal(printable_width(""), 0);
	assert_int_equal(printable_width("J\xc3\xbcrgen"), 6);
	assert_int_equal(printable_width("\xe6\xbc\xa2\xe5\xad\x97"), 4);
	assert_int_equal(printable_width("e\xcc\x81"), 1);
	assert_int_equal(printable_width("a\xff" "b"), 3);
	setlocale(LC_CTYPE, "C");
}

static void test_clock(void **state)
{
	uint64_t before = clock_monotonic_coarse_ns();
	uint64_t now = clock_monotonic_ns();

	assert_true(now >= before);
	assert_true(clock_monotonic_ns() >= now);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_list),
		cmocka_unit_test(test_address),
		cmocka_unit_test(test_printable),
		cmocka_unit_test(test_width),
		cmocka_unit_test(test_clock),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
