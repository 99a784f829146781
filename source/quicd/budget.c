/* SPDX-License-Identifier: LGPL-3.0-or-later */
/* The memory of connections, see budget.h. */

#include <stdatomic.h>
#include <sys/mman.h>

#include "budget.h"

struct quicd_budget {
	_Atomic uint64_t max;
	_Atomic uint64_t used;
	_Atomic uint64_t of_worker[]; /* its part of used */
};

static size_t quicd_budget_size(uint32_t workers)
{
	return sizeof(struct quicd_budget) + workers * sizeof(uint64_t);
}

/* What talloc frees; the budget itself is shared memory. */
struct quicd_budget_owner {
	struct quicd_budget *budget;
	size_t size;
};

static int quicd_budget_destructor(struct quicd_budget_owner *owner)
{
	munmap(owner->budget, owner->size);
	return 0;
}

struct quicd_budget *quicd_budget_create(TALLOC_CTX *mem_ctx,
					 uint32_t workers,
					 uint64_t bytes)
{
	struct quicd_budget_owner *owner = talloc(mem_ctx,
						  struct quicd_budget_owner);

	if (owner == NULL) {
		return NULL;
	}
	owner->size = quicd_budget_size(workers);
	owner->budget = mmap(NULL,
			     owner->size,
			     PROT_READ | PROT_WRITE,
			     MAP_SHARED | MAP_ANONYMOUS,
			     -1,
			     0);
	if (owner->budget == MAP_FAILED) {
		talloc_free(owner);
		return NULL;
	}
	talloc_set_destructor(owner, quicd_budget_destructor);
	quicd_budget_set(owner->budget, bytes);
	return owner->budget;
}

void quicd_budget_set(struct quicd_budget *budget, uint64_t bytes)
{
	atomic_store(&budget->max, bytes);
}

uint64_t quicd_budget_used(const struct quicd_budget *budget)
{
	return atomic_load(&budget->used);
}

bool quicd_budget_has(const struct quicd_budget *budget, uint64_t bytes)
{
	return budget == NULL || quicd_budget_used(budget) + bytes <=
					 atomic_load(&budget->max);
}

void quicd_budget_release_worker(struct quicd_budget *budget, uint32_t worker)
{
	atomic_fetch_sub(&budget->used,
			 atomic_exchange(&budget->of_worker[worker], 0));
}

/* Take so many bytes, if no more than max are in use then. */
static bool quicd_account_take(struct quicd_account *account,
			       uint64_t bytes,
			       uint64_t max)
{
	struct quicd_budget *budget = account->budget;

	if (atomic_fetch_add(&budget->used, bytes) + bytes > max) {
		atomic_fetch_sub(&budget->used, bytes);
		return false;
	}
	atomic_fetch_add(&budget->of_worker[account->worker], bytes);
	account->bytes += bytes;
	return true;
}

bool quicd_account_open(struct quicd_account *account,
			struct quicd_budget *budget,
			uint32_t worker,
			uint64_t bytes)
{
	account->budget = budget;
	account->worker = worker;
	return budget == NULL ||
	       quicd_account_take(account, bytes, atomic_load(&budget->max));
}

bool quicd_account_grow(struct quicd_account *account, uint64_t bytes)
{
	struct quicd_budget *budget = account->budget;

	return budget == NULL ||
	       quicd_account_take(
		       account, bytes, atomic_load(&budget->max) / 4 * 3);
}

void quicd_account_shrink(struct quicd_account *account, uint64_t bytes)
{
	if (account->budget == NULL || bytes == 0) {
		return;
	}
	account->bytes -= bytes;
	atomic_fetch_sub(&account->budget->of_worker[account->worker], bytes);
	atomic_fetch_sub(&account->budget->used, bytes);
}

void quicd_account_close(struct quicd_account *account)
{
	quicd_account_shrink(account, account->bytes);
}
