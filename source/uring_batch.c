/* SPDX-License-Identifier: LGPL-3.0-or-later */
/*
 * Answers batches of queries, through the ring or by system call.
 *
 * The library answers a list of batches together.  compat_getsockopt.c says
 * which way each query may go.  The number of queries that may use the ring
 * decides which way is cheaper.
 *
 * A batch owns three blocks:
 * - the answers, to which the ring writes
 * - the caller's bytes.  An option that reads its buffer starts from them, and
 *   so does the system call after an error of the ring.
 * - a spare.  If a ring dies with a command in flight, the kernel may still
 *   write to the answers.  The library leaks them on purpose, and the spare
 *   takes their place.
 *
 * To ask a batch allocates nothing, takes no lock and repeats no lookup.  About
 * 200 ns more would make a query through the ring slower than the system call.
 */

#include "config.h"

#include <errno.h>
#include <string.h>
#include <sys/ioctl.h>
#include <linux/sockios.h>

#include "compat_getsockopt.h"
#include "uring_batch.h"
#include "uring_options.h"
#include "uring_process_internal.h"
#include "uring_ring_obtain.h"
#include "uring_syscall.h"
#include "util/dlinklist.h"
#include "util/macros.h"

/* The alignment of the buffers in a block. */
#define URING_ALIGN 8

/*
 * The kernel may still write to the answers.  The library leaks them on
 * purpose, and the spare takes their place.
 */
static void uring_batch_leak(struct uring_batch *batch)
{
	uint8_t *answers = batch->answers;
	size_t i;

	if (batch->spare == NULL) {
		return;
	}
	memcpy(batch->spare, answers, batch->size);
	for (i = 0; i < batch->num_items; i++) {
		batch->queries[i].optval = batch->spare +
					   batch->items[i].offset;
	}
	batch->answers = batch->spare;
	batch->spare = NULL;
	uring_leak_on_purpose(answers);
}

static void uring_item_done(struct uring_op *op, int res, bool lost)
{
	struct uring_item *item = container_of(op, struct uring_item, op);
	struct uring_batch *batch = item->batch;
	struct uring_query *query = item->query;

	if (lost) {
		uring_batch_leak(batch);
	}
	if (res < 0 && batch->input != NULL && item->size > 0) {
		/* the kernel may have written some bytes before it failed */
		memcpy(query->optval, batch->input + item->offset, item->size);
	}
	if (lost) {
		uring_syscall_query(&batch->sock, query, URING_REASON_NORING);
	} else {
		compat_query_result(&batch->sock, query, res);
	}
}

static int uring_item_queue(struct uring_ring *ring, struct uring_item *item)
{
	const struct uring_query *query = item->query;
	int fd = item->batch->sock.fd;

	item->op.done = uring_item_done;
	switch (query->type) {
	case URING_QUERY_SIOCINQ:
		return uring_ring_ioctl(ring, &item->op, fd, SIOCINQ);
	case URING_QUERY_SIOCOUTQ:
		return uring_ring_ioctl(ring, &item->op, fd, SIOCOUTQ);
	case URING_QUERY_GETSOCKOPT:
		break;
	}
	return uring_ring_getsockopt(ring,
				     &item->op,
				     fd,
				     query->level,
				     query->optname,
				     query->optval,
				     query->optlen);
}

/* Put an item into the ring; else return the reason for the system call. */
static enum uring_reason uring_item_submit(struct uring_ring *ring,
					   struct uring_item *item)
{
	int ret = ENOBUFS;

	if (!uring_ring_usable(ring)) {
		return URING_REASON_NORING;
	}
	ret = uring_item_queue(ring, item);
	if (ret == ENOBUFS && uring_ring_run(ring) == 0) {
		ret = uring_item_queue(ring, item);
	}
	return ret == 0 ? URING_REASON_NONE : URING_REASON_NORING;
}

size_t uring_batches_route(struct uring_batch *batches)
{
	unsigned generation = uring_routing_generation();
	struct uring_batch *batch = NULL;
	size_t candidates = 0;
	size_t i;

	for (batch = batches; batch != NULL; batch = batch->next) {
		if (batch->routed && batch->generation == generation) {
			candidates += batch->candidates;
			continue;
		}
		batch->candidates = 0;
		for (i = 0; i < batch->num_items; i++) {
			struct uring_item *item = &batch->items[i];

			item->route = URING_REASON_SHAPE;
			if (!item->overruns) {
				item->route = compat_query_route(&batch->sock,
								 item->query);
			}
			batch->candidates += item->route == URING_REASON_NONE;
		}
		batch->routed = true;
		batch->generation = generation;
		candidates += batch->candidates;
	}
	return candidates;
}

void uring_batches_submit(struct uring_ring *ring,
			  struct uring_batch *batches,
			  enum uring_reason no_ring)
{
	struct uring_batch *batch = NULL;
	size_t i;

	for (batch = batches; batch != NULL; batch = batch->next) {
		for (i = 0; i < batch->num_items; i++) {
			struct uring_item *item = &batch->items[i];
			enum uring_reason reason = item->route;

			if (item->overruns) {
				item->query->error = EINVAL;
				item->query->reason = URING_REASON_SHAPE;
				continue;
			}
			if (reason == URING_REASON_NONE) {
				reason = no_ring;
			}
			if (reason == URING_REASON_NONE) {
				reason = uring_item_submit(ring, item);
			}
			if (reason != URING_REASON_NONE) {
				uring_syscall_query(&batch->sock,
						    item->query,
						    reason);
			}
		}
	}
}

void uring_batches_account(const struct uring_ring *ring,
			   size_t enters,
			   const struct uring_batch *batches)
{
	const struct uring_batch *batch = NULL;
	size_t queries[URING_NUM_REASONS] = {};
	size_t i;

	for (batch = batches; batch != NULL; batch = batch->next) {
		for (i = 0; i < batch->num_items; i++) {
			queries[batch->items[i].query->reason]++;
		}
	}
	if (ring != NULL) {
		enters = uring_ring_enters(ring) - enters;
		if (uring_ring_errno(ring) != 0 &&
		    uring_process_ring_error() == 0) {
			uring_process_ring_failed(uring_ring_errno(ring));
		}
	}
	uring_process_count(queries, enters);
}

void uring_batches_answer(TALLOC_CTX *mem_ctx,
			  struct uring_ring **ring,
			  struct uring_batch *batches)
{
	enum uring_reason reason = URING_REASON_NONE;
	size_t candidates = uring_batches_route(batches);
	size_t enters = 0;

	if (uring_get_mode() == URING_MODE_AUTO &&
	    candidates < URING_BREAK_EVEN) {
		reason = URING_REASON_FEW;
	} else if (candidates > 0) {
		reason = uring_ring_obtain(mem_ctx, ring);
	}

	if (reason != URING_REASON_NONE || candidates == 0) {
		uring_batches_submit(NULL, batches, reason);
		uring_batches_account(NULL, 0, batches);
		return;
	}
	enters = uring_ring_enters(*ring);
	uring_batches_submit(*ring, batches, URING_REASON_NONE);
	(void)uring_ring_run(*ring);
	uring_batches_account(*ring, enters, batches);
}

void uring_batch_link(struct uring_batch *batch, struct uring_batch **list)
{
	DLIST_ADD_END(*list, batch);
	batch->list = list;
}

void uring_batch_unlink(struct uring_batch *batch)
{
	if (batch->list != NULL) {
		DLIST_REMOVE(*batch->list, batch);
		batch->list = NULL;
	}
}

static int uring_batch_destructor(struct uring_batch *batch)
{
	uring_batch_unlink(batch);
	return 0;
}

struct uring_batch *uring_batch_create(TALLOC_CTX *mem_ctx,
				       struct tevent_context *ev,
				       const struct uring_socket *sock,
				       const struct uring_query *queries,
				       size_t num_queries,
				       uring_batch_handler_t handler,
				       void *private_data)
{
	struct uring_batch *batch = NULL;
	size_t size = 0;
	size_t i;

	batch = talloc_zero(mem_ctx, struct uring_batch);
	if (batch == NULL) {
		return NULL;
	}
	batch->ev = ev;
	batch->sock = *sock;
	batch->num_items = num_queries;
	batch->handler = handler;
	batch->private_data = private_data;

	for (i = 0; i < num_queries; i++) {
		size += queries[i].optlen + URING_ALIGN;
		size &= ~(size_t)(URING_ALIGN - 1);
	}
	batch->size = size;
	batch->queries = talloc_array(batch, struct uring_query, num_queries);
	batch->items = talloc_zero_array(batch, struct uring_item, num_queries);
	batch->input = talloc_zero_array(batch, uint8_t, size);
	if (batch->queries != NULL) {
		/* uring_query_batch_recv() gives the caller both together */
		batch->answers = talloc_array(batch->queries, uint8_t, size);
		batch->spare = talloc_array(batch->queries, uint8_t, size);
	}
	if (ev != NULL) {
		batch->im = tevent_create_immediate(batch);
	}
	if (batch->items == NULL || batch->input == NULL ||
	    batch->answers == NULL || batch->spare == NULL ||
	    (ev != NULL && batch->im == NULL))
	{
		TALLOC_FREE(batch);
		return NULL;
	}
	talloc_set_destructor(batch, uring_batch_destructor);

	size = 0;
	for (i = 0; i < num_queries; i++) {
		struct uring_item *item = &batch->items[i];
		struct uring_query *query = &batch->queries[i];

		*query = queries[i];
		query->optval = batch->answers + size;
		item->batch = batch;
		item->query = query;
		item->size = query->optlen;
		item->offset = size;
		item->overruns = uring_option_overruns(&queries[i]);
		if (item->size > 0) {
			memcpy(batch->input + size,
			       queries[i].optval,
			       item->size);
		}
		size += item->size + URING_ALIGN;
		size &= ~(size_t)(URING_ALIGN - 1);
	}
	return batch;
}

void uring_batch_prepare(struct uring_batch *batch)
{
	size_t i;

	memcpy(batch->answers, batch->input, batch->size);
	for (i = 0; i < batch->num_items; i++) {
		batch->queries[i].optlen = batch->items[i].size;
	}
}
