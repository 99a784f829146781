// SPDX-License-Identifier: LGPL-3.0-or-later
/* The memory of connections, source/quicd/budget.c. */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "quicd/budget.h"

static void test_limit(void **state)
{
	struct quicd_counters_memory shown = {};
	struct quicd_budget *budget = quicd_budget_create(
		NULL, 2, 1000, &shown);
	struct quicd_account first = {};
	struct quicd_account second = {};
	struct quicd_account third = {};

	assert_non_null(budget);
	assert_true(quicd_account_open(&first, budget, 0, 400));
	/* the last quarter is for new ones */
	assert_true(quicd_account_grow(&first, 350));
	assert_false(quicd_account_grow(&first, 1));
	assert_true(quicd_budget_has(budget, 250));
	assert_false(quicd_budget_has(budget, 251));
	assert_true(quicd_account_open(&second, budget, 1, 250));
	assert_false(quicd_account_open(&third, budget, 1, 1));
	assert_int_equal(quicd_budget_used(budget), 1000);

	quicd_account_shrink(&first, 350);
	assert_int_equal(quicd_budget_used(budget), 650);
	assert_int_equal(shown.used, 650);
	assert_int_equal(shown.max, 1000);
	quicd_account_close(&third);
	quicd_account_close(&first);
	quicd_account_close(&first);
	assert_int_equal(quicd_budget_used(budget), 250);
	quicd_budget_set(budget, 200);
	assert_int_equal(shown.max, 200);
	assert_false(quicd_budget_has(budget, 1));
	quicd_account_close(&second);
	assert_int_equal(quicd_budget_used(budget), 0);
}

/* It was shared with a worker that has died. */
static void test_death(void **state)
{
	TALLOC_CTX *mem_ctx = talloc_new(NULL);
	int error;
	struct quicd_counters *counters = quicd_counters_create(
		mem_ctx, "/dev/null/none", &error);
	struct quicd_budget *budget = NULL;
	struct quicd_account account = {};
	pid_t pid;

	assert_non_null(counters);
	budget = quicd_budget_create(
		mem_ctx, 2, 1000, quicd_counters_memory(counters));
	assert_non_null(budget);
	assert_true(quicd_account_open(&account, budget, 0, 100));
	pid = fork();
	if (pid == 0) {
		struct quicd_account its = {};

		_exit(quicd_account_open(&its, budget, 1, 300) ? 0 : 1);
	}
	assert_int_equal(waitpid(pid, NULL, 0), pid);
	assert_int_equal(quicd_budget_used(budget), 400);
	quicd_budget_release_worker(budget, 1);
	quicd_budget_release_worker(budget, 1);
	assert_int_equal(quicd_budget_used(budget), 100);
	talloc_free(mem_ctx);
}

/* Without a budget there is no limit. */
static void test_none(void **state)
{
	struct quicd_account account = {};

	assert_true(quicd_account_open(&account, NULL, 0, 100));
	assert_true(quicd_account_grow(&account, 1ULL << 60));
	quicd_account_shrink(&account, 1ULL << 60);
	quicd_account_close(&account);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_limit),
		cmocka_unit_test(test_death),
		cmocka_unit_test(test_none),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
