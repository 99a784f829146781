// SPDX-License-Identifier: LGPL-3.0-or-later
/* The states of a connection, source/quicd/state.c. */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "quicd/state.h"

/* A column for each state: where the one of the row may go. */
static void test_order(void **state)
{
	static const char *const may[QUICD_STATES] = {
		[QUICD_HANDSHAKE] = " x   xx",
		[QUICD_WAIT_SMB] = "  x  xx",
		[QUICD_CONNECTING] = "   x xx",
		[QUICD_OPEN] = "    xxx",
		[QUICD_ENDING] = "     xx",
		[QUICD_FAILED] = "      x",
		[QUICD_CLOSED] = "       ",
	};
	int from;
	int to;

	for (from = 0; from < QUICD_STATES; from++) {
		assert_int_equal(strlen(may[from]), QUICD_STATES);
		for (to = 0; to < QUICD_STATES; to++) {
			print_message("# %s, %s\n",
				      quicd_deadline(from)->name,
				      quicd_deadline(to)->name);
			assert_int_equal(quicd_state_may_follow(from, to),
					 may[from][to] == 'x');
		}
	}
}

/* The man page, with its white space as one blank each. */
static char *man_page(void)
{
	static char page[200000];
	char path[4096];
	ssize_t n;
	size_t len = 0;
	FILE *f = NULL;
	int c;

	n = readlink("/proc/self/exe", path, sizeof(path) - 100);
	assert_true(n > 0);
	path[n] = '\0';
	/* bin/tests/test_quicd_state */
	strcpy(strrchr(path, '/'), "/../../docs/man/smbd-quicd.8.xml");
	f = fopen(path, "r");
	assert_non_null(f);
	while ((c = getc(f)) != EOF && len < sizeof(page) - 1) {
		const char character = c == '\n' || c == '\t' ? ' ' : (char)c;

		if (character != ' ' || len == 0 || page[len - 1] != ' ') {
			page[len++] = character;
		}
	}
	page[len] = '\0';
	(void)fclose(f);
	return page;
}

/* Each deadline is in the man page, with its seconds and its reason. */
static void test_man_page(void **state)
{
	const char *page = man_page();
	const char *row = NULL;
	unsigned rows = 0;
	unsigned deadlines = 0;
	char expected[300];
	int i;

	for (i = 0; i < QUICD_STATES; i++) {
		const struct quicd_deadline *deadline = quicd_deadline(i);

		if (deadline->seconds == 0) {
			assert_null(deadline->reason);
			continue;
		}
		deadlines++;
		(void)snprintf(expected,
			       sizeof(expected),
			       "<row> <entry>%s</entry> <entry>%u s</entry> "
			       "<entry>%s</entry> </row>",
			       deadline->name,
			       deadline->seconds,
			       deadline->reason);
		print_message("# %s\n", expected);
		assert_non_null(strstr(page, expected));
	}
	row = strstr(page, "<title>DEADLINES</title>");
	assert_non_null(row);
	for (; (row = strstr(row, "<row> <entry>")) != NULL; row++) {
		rows++;
	}
	/* and a heading */
	assert_int_equal(rows, deadlines + 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_order),
		cmocka_unit_test(test_man_page),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
