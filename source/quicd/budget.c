/* SPDX-License-Identifier: LGPL-3.0-or-later */
/* The memory of connections, see budget.h. */

#include <stdatomic.h>
#include <sys/mman.h>

#include "budget.h"

/* Both are shared memory. */
struct quicd_budget {
	struct quicd_counters_memory *memory;
	_Atomic uint64_t *of_worker; /* the bytes in use by each worker */
	size_t size;		     /* of the memory at of_worker */
};

static int quicd_budget_destructor(struct quicd_budget *budget)
{
	munmap(budget->of_worker, budget->size);
	return 0;
}

struct quicd_budget *quicd_budget_create(TALLOC_CTX *mem_ctx,
					 uint32_t workers,
					 uint64_t bytes,
					 struct quicd_counters_memory *shown)
{
	struct quicd_budget *budget = talloc(mem_ctx, struct quicd_budget);

	if (budget == NULL) {
		return NULL;
	}
	budget->memory = shown;
	budget->size = workers * sizeof(*budget->of_worker);
	budget->of_worker = mmap(NULL,
				 budget->size,
				 PROT_READ | PROT_WRITE,
				 MAP_SHARED | MAP_ANONYMOUS,
				 -1,
				 0);
	if (budget->of_worker == MAP_FAILED) {
		talloc_free(budget);
		return NULL;
	}
	talloc_set_destructor(budget, quicd_budget_destructor);
	quicd_budget_set(budget, bytes);
	return budget;
}

void quicd_budget_set(struct quicd_budget *budget, uint64_t bytes)
{
	atomic_store(&budget->memory->max, bytes);
}

uint64_t quicd_budget_used(const struct quicd_budget *budget)
{
	return atomic_load(&budget->memory->used);
}

static uint64_t quicd_budget_max(const struct quicd_budget *budget)
{
	return atomic_load(&budget->memory->max);
}

bool quicd_budget_has(const struct quicd_budget *budget, uint64_t bytes)
{
	return budget == NULL ||
	       quicd_budget_used(budget) + bytes <= quicd_budget_max(budget);
}

void quicd_budget_release_worker(struct quicd_budget *budget, uint32_t worker)
{
	atomic_fetch_sub(&budget->memory->used,
			 atomic_exchange(&budget->of_worker[worker], 0));
}

/* Take so many bytes, if no more than max are in use then. */
static bool quicd_account_take(struct quicd_account *account,
			       uint64_t bytes,
			       uint64_t max)
{
	struct quicd_budget *budget = account->budget;

	if (atomic_fetch_add(&budget->memory->used, bytes) + bytes > max) {
		atomic_fetch_sub(&budget->memory->used, bytes);
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
	       quicd_account_take(account, bytes, quicd_budget_max(budget));
}

bool quicd_account_grow(struct quicd_account *account, uint64_t bytes)
{
	struct quicd_budget *budget = account->budget;

	return budget == NULL ||
	       quicd_account_take(
		       account, bytes, quicd_budget_max(budget) / 4 * 3);
}

void quicd_account_shrink(struct quicd_account *account, uint64_t bytes)
{
	if (account->budget == NULL || bytes == 0) {
		return;
	}
	account->bytes -= bytes;
	atomic_fetch_sub(&account->budget->of_worker[account->worker], bytes);
	atomic_fetch_sub(&account->budget->memory->used, bytes);
}

void quicd_account_close(struct quicd_account *account)
{
	quicd_account_shrink(account, account->bytes);
}
