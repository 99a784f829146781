// SPDX-License-Identifier: LGPL-3.0-or-later
/* Connection IDs, source/quicd/cid.c. */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "quicd/cid.h"
#include "util/macros.h"

static const struct quicd_cid one = {4, {1, 2, 3, 4}};
static const struct quicd_cid longer = {5, {1, 2, 3, 4, 0}};
static const struct quicd_cid other = {4, {1, 2, 3, 5}};
static const struct quicd_cid empty = {0, {}};

struct fixture {
	struct quicd_cids *cids;
	struct quicd_cid_set a;
	struct quicd_cid_set b;
};

static struct fixture fixture;

static int setup(void **state)
{
	fixture.cids = quicd_cids_create(NULL);
	assert_non_null(fixture.cids);
	quicd_cid_set_init(&fixture.a, fixture.cids, QUICD_CID_OF_CONN);
	quicd_cid_set_init(&fixture.b, fixture.cids, QUICD_CID_OF_CLOSE_WAIT);
	return 0;
}

static int teardown(void **state)
{
	quicd_cid_clear(&fixture.a);
	quicd_cid_clear(&fixture.b);
	assert_int_equal(quicd_cids_count(fixture.cids), 0);
	/* entries are its children: none is left */
	assert_int_equal(talloc_total_blocks(fixture.cids), 1);
	talloc_free(fixture.cids);
	return 0;
}

static struct quicd_cid_set *find(const struct quicd_cid *cid)
{
	return quicd_cid_find(fixture.cids, cid->data, cid->len);
}

static void test_find(void **state)
{
	uint8_t data[UINT8_MAX] = {1, 2, 3, 4};

	assert_null(find(&one));
	assert_true(quicd_cid_add(&fixture.a, &one));
	assert_true(quicd_cid_add(&fixture.b, &other));
	assert_ptr_equal(find(&one), &fixture.a);
	assert_ptr_equal(find(&other), &fixture.b);
	/* the length counts, too */
	assert_null(find(&longer));
	assert_true(quicd_cid_add(&fixture.b, &longer));
	assert_ptr_equal(find(&longer), &fixture.b);
	assert_ptr_equal(find(&one), &fixture.a);
	assert_null(find(&empty));
	assert_true(quicd_cid_add(&fixture.a, &empty));
	assert_ptr_equal(find(&empty), &fixture.a);
	/* a client may send a longer one than there can be */
	assert_null(quicd_cid_find(fixture.cids, data, sizeof(data)));
	assert_null(quicd_cid_find(fixture.cids, data, QUICD_CID_MAX + 1));
	assert_int_equal(quicd_cids_count(fixture.cids), 4);
}

static void test_twice(void **state)
{
	assert_true(quicd_cid_add(&fixture.a, &one));
	assert_false(quicd_cid_add(&fixture.a, &one));
	assert_false(quicd_cid_add(&fixture.b, &one));
	assert_ptr_equal(find(&one), &fixture.a);
	assert_int_equal(quicd_cids_count(fixture.cids), 1);
}

static void test_remove(void **state)
{
	assert_true(quicd_cid_add(&fixture.a, &one));
	assert_true(quicd_cid_add(&fixture.a, &longer));
	assert_true(quicd_cid_add(&fixture.a, &other));
	/* only by the set that has it */
	quicd_cid_remove(&fixture.b, &one);
	assert_ptr_equal(find(&one), &fixture.a);
	quicd_cid_remove(&fixture.a, &longer);
	assert_null(find(&longer));
	quicd_cid_remove(&fixture.a, &longer);
	assert_ptr_equal(find(&one), &fixture.a);
	assert_ptr_equal(find(&other), &fixture.a);
	assert_int_equal(quicd_cids_count(fixture.cids), 2);
	assert_true(quicd_cid_add(&fixture.b, &longer));
	quicd_cid_clear(&fixture.a);
	assert_null(find(&one));
	assert_ptr_equal(find(&longer), &fixture.b);
}

static void test_move(void **state)
{
	assert_true(quicd_cid_add(&fixture.a, &one));
	assert_true(quicd_cid_add(&fixture.a, &longer));
	assert_true(quicd_cid_add(&fixture.b, &other));
	quicd_cid_move(&fixture.b, &fixture.a);
	assert_ptr_equal(find(&one), &fixture.b);
	assert_ptr_equal(find(&longer), &fixture.b);
	assert_int_equal(quicd_cids_count(fixture.cids), 3);
	/* nothing is left of them in the first one */
	quicd_cid_clear(&fixture.a);
	assert_ptr_equal(find(&one), &fixture.b);
	quicd_cid_remove(&fixture.b, &one);
	assert_null(find(&one));
	assert_ptr_equal(find(&other), &fixture.b);
}

/* Each leads to the worker that made it, and no two are the same. */
static void test_make(void **state)
{
	static const uint32_t workers[] = {1, 2, 3, 7, 64, 200, 255, 256};
	struct quicd_cid cid;
	uint32_t worker;
	size_t i;
	int n;

	for (i = 0; i < ARRAY_SIZE(workers); i++) {
		for (worker = 0; worker < workers[i]; worker++) {
			for (n = 0; n < 32; n++) {
				quicd_cid_make(
					&cid, worker, workers[i], 7);
				assert_int_equal(cid.len, QUICD_CID_LEN);
				assert_int_equal(cid.data[0] % workers[i],
						 worker);
				assert_true(quicd_cid_leads_to(cid.data,
							       cid.len,
							       worker,
							       workers[i]));
				assert_false(quicd_cid_leads_to(
					cid.data,
					cid.len,
					worker + 1,
					workers[i]));
				assert_int_equal(cid.data[QUICD_CID_MARK], 7);
				assert_true(quicd_cid_add(&fixture.a, &cid));
			}
		}
	}
	assert_false(quicd_cid_leads_to(cid.data, 0, 0, 1));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_find, setup, teardown),
		cmocka_unit_test_setup_teardown(test_twice, setup, teardown),
		cmocka_unit_test_setup_teardown(test_remove, setup, teardown),
		cmocka_unit_test_setup_teardown(test_move, setup, teardown),
		cmocka_unit_test_setup_teardown(test_make, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
