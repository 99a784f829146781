/* SPDX-License-Identifier: LGPL-3.0-or-later */
/*
 * All QUIC connections of all workers, see limits.h.
 *
 * A new connection looks at every slot.  A thousand of them are some ten
 * microseconds, beside a handshake that takes a hundred times as long; no
 * index has to be kept consistent when a worker dies in the middle.
 */

#include "config.h"

#include <string.h>
#include <sys/mman.h>

#include "limits.h"

struct quicd_table {
	uint32_t size;
	size_t bytes;
	struct quicd_slot *slots;
};

static int quicd_table_destructor(struct quicd_table *table)
{
	munmap(table->slots, table->bytes);
	return 0;
}

struct quicd_table *quicd_table_create(TALLOC_CTX *mem_ctx, uint32_t size)
{
	struct quicd_table *table = talloc_zero(mem_ctx, struct quicd_table);
	void *slots = NULL;

	if (table == NULL) {
		return NULL;
	}
	table->size = size;
	table->bytes = size * sizeof(struct quicd_slot);
	slots = mmap(NULL,
		     table->bytes,
		     PROT_READ | PROT_WRITE,
		     MAP_SHARED | MAP_ANONYMOUS,
		     -1,
		     0);
	if (slots == MAP_FAILED) {
		talloc_free(table);
		return NULL;
	}
	table->slots = slots;
	talloc_set_destructor(table, quicd_table_destructor);
	return table;
}

static void quicd_table_net(const struct quicd_address *peer, uint64_t net[2])
{
	net[0] = peer->u.sa.sa_family;
	if (peer->u.sa.sa_family == AF_INET6) {
		memcpy(&net[1], &peer->u.in6.sin6_addr, sizeof(net[1]));
	} else {
		net[1] = peer->u.in.sin_addr.s_addr;
	}
}

/* The limit that is broken if there are more taken slots than allowed. */
static const char *quicd_table_check(struct quicd_table *table,
				     const struct quicd_settings *settings,
				     const struct quicd_address *peer,
				     uint32_t allowance)
{
	uint64_t net[2];
	uint64_t all = allowance;
	uint64_t same = allowance;
	uint32_t i;

	quicd_table_net(peer, net);
	for (i = 0; i < table->size; i++) {
		struct quicd_slot *slot = &table->slots[i];

		if (atomic_load(&slot->owner) == 0) {
			continue;
		}
		all++;
		if (atomic_load(&slot->net[0]) == net[0] &&
		    atomic_load(&slot->net[1]) == net[1])
		{
			same++;
		}
	}
	if (all > settings->max_connections || all > table->size) {
		return "smbd_uring:quic max connections";
	}
	if (same > settings->max_per_address) {
		return "smbd_uring:quic max per address";
	}
	return NULL;
}

const char *quicd_table_full(struct quicd_table *table,
			     const struct quicd_settings *settings,
			     const struct quicd_address *peer)
{
	return quicd_table_check(table, settings, peer, 1);
}

struct quicd_slot *quicd_table_take(struct quicd_table *table,
				    const struct quicd_settings *settings,
				    uint32_t worker,
				    const struct quicd_address *peer,
				    const char **limit)
{
	uint32_t i;

	for (i = 0; i < table->size; i++) {
		struct quicd_slot *slot = &table->slots[i];
		uint_fast32_t nobody = 0;

		if (!atomic_compare_exchange_strong(
			    &slot->owner, &nobody, worker + 1))
		{
			continue;
		}
		quicd_slot_move(slot, peer);
		*limit = quicd_table_check(table, settings, peer, 0);
		if (*limit != NULL) {
			quicd_slot_release(slot);
			return NULL;
		}
		return slot;
	}
	*limit = "smbd_uring:quic max connections";
	return NULL;
}

void quicd_slot_move(struct quicd_slot *slot, const struct quicd_address *peer)
{
	uint64_t net[2];

	quicd_table_net(peer, net);
	atomic_store(&slot->net[0], net[0]);
	atomic_store(&slot->net[1], net[1]);
}

void quicd_slot_release(struct quicd_slot *slot)
{
	atomic_store(&slot->net[0], 0);
	atomic_store(&slot->owner, 0);
}

void quicd_table_release_worker(struct quicd_table *table, uint32_t worker)
{
	uint32_t i;

	for (i = 0; i < table->size; i++) {
		if (atomic_load(&table->slots[i].owner) == worker + 1) {
			quicd_slot_release(&table->slots[i]);
		}
	}
}
