/* SPDX-License-Identifier: LGPL-3.0-or-later */
/* The closing period, see close_wait.h. */

#include "config.h"

#include "close_wait.h"
#include "util/clock.h"
#include "util/dlinklist.h"
#include "util/macros.h"

struct quicd_close_wait {
	struct quicd_close_wait *prev;
	struct quicd_close_wait *next;
	struct quicd_close_waits *waits;
	struct quicd_cid_set cids;
	struct quicd_timer timer;
	struct quicd_closing closing;
	unsigned received;
};

struct quicd_close_waits {
	struct quicd_timers *timers;
	struct quicd_close_wait *list;
	unsigned count;
	unsigned max;
};

static int quicd_close_waits_destructor(struct quicd_close_waits *waits)
{
	quicd_close_waits_clear(waits);
	return 0;
}

struct quicd_close_waits *quicd_close_waits_create(TALLOC_CTX *mem_ctx,
						   struct quicd_timers *timers,
						   unsigned max)
{
	struct quicd_close_waits *waits = talloc_zero(mem_ctx,
						      struct quicd_close_waits);

	if (waits == NULL) {
		return NULL;
	}
	waits->timers = timers;
	waits->max = max;
	talloc_set_destructor(waits, quicd_close_waits_destructor);
	return waits;
}

unsigned quicd_close_waits_count(const struct quicd_close_waits *waits)
{
	return waits->count;
}

void quicd_close_waits_clear(struct quicd_close_waits *waits)
{
	while (waits->list != NULL) {
		talloc_free(waits->list);
	}
}

bool quicd_close_waits_use(const struct quicd_close_waits *waits,
			   const struct quicd_udp *udp)
{
	const struct quicd_close_wait *wait = waits->list;

	while (wait != NULL && wait->closing.udp != udp) {
		wait = wait->next;
	}
	return wait != NULL;
}

void quicd_close_waits_forget(struct quicd_close_waits *waits,
			      const struct quicd_udp *udp)
{
	struct quicd_close_wait *wait = NULL;
	struct quicd_close_wait *next = NULL;

	for (wait = waits->list; wait != NULL; wait = next) {
		next = wait->next;
		if (wait->closing.udp == udp) {
			talloc_free(wait);
		}
	}
}

static int quicd_close_wait_destructor(struct quicd_close_wait *wait)
{
	quicd_cid_clear(&wait->cids);
	quicd_timer_remove(&wait->timer);
	DLIST_REMOVE(wait->waits->list, wait);
	wait->waits->count--;
	return 0;
}

static void quicd_close_wait_expired(void *owner)
{
	struct quicd_close_wait *wait = talloc_get_type_abort(
		owner, struct quicd_close_wait);

	talloc_free(wait);
}

bool quicd_close_wait_begin(struct quicd_close_waits *waits,
			    struct quicd_cid_set *cids,
			    const struct quicd_closing *closing)
{
	struct quicd_close_wait *wait = NULL;

	if (waits->count >= waits->max) {
		return false;
	}
	wait = talloc_zero(waits, struct quicd_close_wait);
	if (wait == NULL) {
		return false;
	}
	wait->closing = *closing;
	wait->closing.packet = talloc_memdup(wait,
					     closing->packet,
					     closing->len);
	if (wait->closing.packet == NULL ||
	    !quicd_timer_add(waits->timers,
			     &wait->timer,
			     quicd_close_wait_expired,
			     wait))
	{
		talloc_free(wait);
		return false;
	}
	wait->waits = waits;
	DLIST_ADD(waits->list, wait);
	waits->count++;
	quicd_cid_set_init(&wait->cids, cids->cids, QUICD_CID_OF_CLOSE_WAIT);
	quicd_cid_move(&wait->cids, cids);
	talloc_set_destructor(wait, quicd_close_wait_destructor);
	quicd_timer_set(&wait->timer, clock_monotonic_ns() + closing->ns);
	return true;
}

void quicd_close_wait_received(struct quicd_cid_set *cids)
{
	struct quicd_close_wait *wait = container_of(cids,
						     struct quicd_close_wait,
						     cids);
	const struct quicd_closing *closing = &wait->closing;

	wait->received++;
	/* less and less often: the client may never stop (RFC 9000, 10.2.1) */
	if ((wait->received & (wait->received - 1)) == 0) {
		quicd_udp_send(closing->udp,
			       &closing->path,
			       closing->packet,
			       closing->len);
	}
}
