/* SPDX-License-Identifier: LGPL-3.0-or-later */
/*
 * All QUIC connections of all workers: for the limits.
 *
 * The table is one piece of memory that is shared by the workers, a slot a
 * connection.  A slot is taken first and counted then, so that two workers
 * can at worst both refuse what one of them might have let in, but never go
 * above a limit together.  What a dead worker held is given back by the parent.
 */
#ifndef QUICD_TABLE_H
#define QUICD_TABLE_H

#include <stdatomic.h>

#include "settings.h"

struct quicd_slot {
	atomic_uint_fast32_t owner; /* worker + 1, or 0: free */
	/* the host, or the /64 of an IPv6 address */
	atomic_uint_fast64_t net[2];
};

struct quicd_table;

/** @brief A table for as many connections, to be shared by fork(). */
struct quicd_table *quicd_table_create(TALLOC_CTX *mem_ctx, uint32_t size);

/**
 * @brief Take a slot for a connection.
 *
 * @param[out] limit  The parameter that forbids it, if NULL is returned.
 */
struct quicd_slot *quicd_table_take(struct quicd_table *table,
				    const struct quicd_settings *settings,
				    uint32_t worker,
				    const struct quicd_address *peer,
				    const char **limit);

/** @brief The limit that a connection more would break now, or NULL. */
const char *quicd_table_full(struct quicd_table *table,
			     const struct quicd_settings *settings,
			     const struct quicd_address *peer);

/** @brief The client of a slot has another address now. */
void quicd_slot_move(struct quicd_slot *slot,
		     const struct quicd_address *peer);

void quicd_slot_release(struct quicd_slot *slot);

/** @brief Give back what a worker held that is no more. */
void quicd_table_release_worker(struct quicd_table *table, uint32_t worker);

#endif /* QUICD_TABLE_H */
