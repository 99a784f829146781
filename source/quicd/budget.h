/* SPDX-License-Identifier: LGPL-3.0-or-later */
/*
 * The memory that connections may need, in all workers: smbd_uring:quic memory.
 *
 * We count memory before anybody can make us use it: the share of a connection
 * when we accept it, more credit before we grant it to the client, and room for
 * smbd's bytes before we read them.  So clients that all send at once cannot
 * exceed the limit.
 *
 * The last quarter is reserved for new connections.  Connections that exist do
 * not grow into it.
 */
#ifndef QUICD_BUDGET_H
#define QUICD_BUDGET_H

#include <stdbool.h>
#include <stdint.h>
#include <talloc.h>

#include "transport/quicd_counters.h"

struct quicd_budget;

/* The bytes of one connection; all zero at first. */
struct quicd_account {
	struct quicd_budget *budget; /* NULL: no limit */
	uint32_t worker;
	uint64_t bytes;
};

/**
 * @brief Create a budget, which processes share by fork().
 *
 * @param[in] bytes  The limit.
 * @param[in] shown  Where other programs see use and limit, in memory that
 *                   fork() shares; it has to outlive the budget.
 *
 * @return NULL without memory.
 */
struct quicd_budget *quicd_budget_create(TALLOC_CTX *mem_ctx,
					 uint32_t workers,
					 uint64_t bytes,
					 struct quicd_counters_memory *shown);

/** @brief Change the limit; bytes in use above a lower limit stay in use. */
void quicd_budget_set(struct quicd_budget *budget, uint64_t bytes);

uint64_t quicd_budget_used(const struct quicd_budget *budget);

/** @brief Whether there is room for a new connection of so many bytes. */
bool quicd_budget_has(const struct quicd_budget *budget, uint64_t bytes);

/** @brief Give back the bytes of a dead worker. */
void quicd_budget_release_worker(struct quicd_budget *budget, uint32_t worker);

/** @brief Take the share of a new connection; false if there is no room. */
bool quicd_account_open(struct quicd_account *account,
			struct quicd_budget *budget,
			uint32_t worker,
			uint64_t bytes);

/** @brief Take more bytes; false if there is no room. */
bool quicd_account_grow(struct quicd_account *account, uint64_t bytes);

void quicd_account_shrink(struct quicd_account *account, uint64_t bytes);

/** @brief Give all bytes of a connection back. */
void quicd_account_close(struct quicd_account *account);

#endif /* QUICD_BUDGET_H */
