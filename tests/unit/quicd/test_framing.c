// SPDX-License-Identifier: LGPL-3.0-or-later
/* Direct TCP's headers, source/quicd/framing.c. */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "quicd/framing.h"
#include "util/macros.h"

#define MAX_MESSAGE 0x10203

static const struct row {
	const char *what;
	const char *wrong; /* or NULL */
	uint32_t left;
	uint8_t have;
	size_t len;
	uint8_t data[12];
} rows[] = {
	{"nothing", NULL, 0, 0, 0, {}},
	{"half a header", NULL, 0, 2, 2, {0, 0}},
	{"a header", NULL, 5, 0, 4, {0, 0, 0, 5}},
	{"a message", NULL, 0, 0, 9, {0, 0, 0, 5, 1, 2, 3, 4, 5}},
	{"and half a header", NULL, 0, 1, 8, {0, 0, 0, 3, 9, 9, 9, 0}},
	{"two messages", NULL, 1, 0, 11, {0, 0, 0, 1, 7, 0, 0, 0, 3, 7, 7}},
	{"an empty message", NULL, 2, 0, 8, {0, 0, 0, 0, 0, 0, 0, 2}},
	{"the longest message", NULL, MAX_MESSAGE, 0, 4, {0, 1, 2, 3}},
	{"a longer one", "message longer than smbd allows", 0, 0, 4,
	 {0, 1, 2, 4}},
	{"much longer", "message longer than smbd allows", 0, 0, 4,
	 {0, 0xff, 0, 0}},
	{"NetBIOS", "not an SMB message", 0, 0, 4, {0x81, 0, 0, 0x44}},
	{"HTTP", "not an SMB message", 0, 0, 6, "GET / "},
	{"a wrong second one", "not an SMB message", 0, 0, 9,
	 {0, 0, 0, 1, 7, 1, 0, 0, 0}},
};

static void check(const struct row *row, const char *wrong,
		  const struct quicd_framing *framing)
{
	if (row->wrong == NULL) {
		assert_null(wrong);
		assert_int_equal(framing->left, row->left);
		assert_int_equal(framing->have, row->have);
	} else {
		assert_non_null(wrong);
		assert_string_equal(wrong, row->wrong);
	}
}

static void test_whole(void **state)
{
	size_t i;

	for (i = 0; i < ARRAY_SIZE(rows); i++) {
		struct quicd_framing framing = {.max_message = MAX_MESSAGE};

		print_message("# %s\n", rows[i].what);
		check(&rows[i],
		      quicd_framing_check(&framing, rows[i].data, rows[i].len),
		      &framing);
	}
}

/* The verdict is the same wherever a stream is cut in two. */
static void test_pieces(void **state)
{
	size_t i;
	size_t cut;

	for (i = 0; i < ARRAY_SIZE(rows); i++) {
		for (cut = 0; cut <= rows[i].len; cut++) {
			struct quicd_framing framing = {
				.max_message = MAX_MESSAGE,
			};
			const char *wrong = NULL;

			print_message("# %s, cut at %zu\n", rows[i].what, cut);
			wrong = quicd_framing_check(
				&framing, rows[i].data, cut);
			if (wrong == NULL) {
				wrong = quicd_framing_check(
					&framing,
					&rows[i].data[cut],
					rows[i].len - cut);
			}
			check(&rows[i], wrong, &framing);
		}
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_whole),
		cmocka_unit_test(test_pieces),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
