/* SPDX-License-Identifier: LGPL-3.0-or-later */
/*
 * The limits on connections, see limits.h.
 *
 * A new connection reads every slot.  A thousand slots take some ten
 * microseconds, and the handshake takes a hundred times as long.  There is no
 * index that a worker could leave inconsistent when it dies.
 */

#include "config.h"

#include <stdatomic.h>
#include <string.h>
#include <sys/mman.h>

#include "limits.h"

struct quicd_slot {
	atomic_uint_fast32_t owner; /* worker + 1, or 0: free */
	/* the family; and the host, or the /64 of an IPv6 address */
	atomic_uint_fast64_t net[2];
};

struct quicd_limits {
	uint32_t size;
	size_t bytes;
	struct quicd_slot *slots;
};

static int quicd_limits_destructor(struct quicd_limits *limits)
{
	munmap(limits->slots, limits->bytes);
	return 0;
}

struct quicd_limits *quicd_limits_create(TALLOC_CTX *mem_ctx, uint32_t size)
{
	struct quicd_limits *limits = talloc_zero(mem_ctx, struct quicd_limits);
	void *slots = NULL;

	if (limits == NULL) {
		return NULL;
	}
	limits->size = size;
	limits->bytes = size * sizeof(struct quicd_slot);
	slots = mmap(NULL,
		     limits->bytes,
		     PROT_READ | PROT_WRITE,
		     MAP_SHARED | MAP_ANONYMOUS,
		     -1,
		     0);
	if (slots == MAP_FAILED) {
		talloc_free(limits);
		return NULL;
	}
	limits->slots = slots;
	talloc_set_destructor(limits, quicd_limits_destructor);
	return limits;
}

static void quicd_limits_net(const struct address *peer, uint64_t net[2])
{
	net[0] = peer->u.sa.sa_family;
	if (peer->u.sa.sa_family == AF_INET6) {
		memcpy(&net[1], &peer->u.in6.sin6_addr, sizeof(net[1]));
	} else {
		net[1] = peer->u.in.sin_addr.s_addr;
	}
}

/* The limit that the taken slots and so many more would exceed, or NULL. */
static const char *quicd_limits_count(struct quicd_limits *limits,
				      const struct quicd_settings *settings,
				      const struct address *peer,
				      uint32_t more)
{
	uint64_t net[2];
	uint64_t all = more;
	uint64_t same = more;
	uint32_t i;

	quicd_limits_net(peer, net);
	for (i = 0; i < limits->size; i++) {
		struct quicd_slot *slot = &limits->slots[i];

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
	if (all > settings->max_connections || all > limits->size) {
		return "smbd_uring:quic max connections";
	}
	if (same > settings->max_per_address) {
		return "smbd_uring:quic max per address";
	}
	return NULL;
}

const char *quicd_limits_check(struct quicd_limits *limits,
			       const struct quicd_settings *settings,
			       const struct address *peer)
{
	return quicd_limits_count(limits, settings, peer, 1);
}

struct quicd_slot *quicd_limits_take(struct quicd_limits *limits,
				     const struct quicd_settings *settings,
				     uint32_t worker,
				     const struct address *peer,
				     const char **limit)
{
	uint32_t i;

	for (i = 0; i < limits->size; i++) {
		struct quicd_slot *slot = &limits->slots[i];
		uint_fast32_t nobody = 0;

		if (!atomic_compare_exchange_strong(
			    &slot->owner, &nobody, worker + 1))
		{
			continue;
		}
		quicd_slot_move(slot, peer);
		*limit = quicd_limits_count(limits, settings, peer, 0);
		if (*limit != NULL) {
			quicd_slot_release(slot);
			return NULL;
		}
		return slot;
	}
	*limit = "smbd_uring:quic max connections";
	return NULL;
}

uint32_t quicd_limits_used(struct quicd_limits *limits)
{
	uint32_t used = 0;
	uint32_t i;

	for (i = 0; i < limits->size; i++) {
		if (atomic_load(&limits->slots[i].owner) != 0) {
			used++;
		}
	}
	return used;
}

void quicd_slot_move(struct quicd_slot *slot, const struct address *peer)
{
	uint64_t net[2];

	quicd_limits_net(peer, net);
	atomic_store(&slot->net[0], net[0]);
	atomic_store(&slot->net[1], net[1]);
}

void quicd_slot_release(struct quicd_slot *slot)
{
	atomic_store(&slot->net[0], 0);
	atomic_store(&slot->owner, 0);
}

void quicd_limits_release_worker(struct quicd_limits *limits, uint32_t worker)
{
	uint32_t i;

	for (i = 0; i < limits->size; i++) {
		if (atomic_load(&limits->slots[i].owner) == worker + 1) {
			quicd_slot_release(&limits->slots[i]);
		}
	}
}
