/* SPDX-License-Identifier: LGPL-3.0-or-later */
/*
 * The queue of a tevent context: queries that its loop answers.
 *
 * Asked batches stay here until the loop flushes the queue or submits it
 * together with its wait.  So all batches of one loop iteration share one list
 * and one io_uring_enter(2).
 */

#include "config.h"

#include <errno.h>
#include <stdatomic.h>

#include "uring_batch.h"
#include "uring_process_internal.h"
#include "uring_queue.h"
#include "uring_ring_obtain.h"
#include "uring_sockopt_internal.h"
#include "util/dlinklist.h"

struct uring_queue {
	struct uring_queue *prev;
	struct uring_queue *next;
	struct tevent_context *ev;
	void *owner;
	struct uring_ring *ring;
	struct uring_batch *asked;
	/* batches whose handler has not been called yet */
	struct uring_batch *answered;
};

/*
 * The queues of all contexts.  A tevent context has no room for a plugin's
 * data.  generation changes with each change of the list, so that a thread can
 * remember the queue that it found last.
 */
static struct {
	struct uring_queue *list;
	atomic_uint generation;
} queues;

static __thread struct {
	const struct tevent_context *ev;
	struct uring_queue *queue;
	unsigned generation;
} last_found;

static void uring_batch_deliver(struct tevent_context *ev,
				struct tevent_immediate *im,
				void *private_data)
{
	struct uring_batch *batch = talloc_get_type_abort(private_data,
							  struct uring_batch);

	if (batch->state != BATCH_ANSWERED) {
		/* cancelled, and perhaps asked again since */
		return;
	}
	batch->state = BATCH_IDLE;
	uring_batch_unlink(batch);
	batch->handler(batch, batch->queries, batch->private_data);
}

/* The handler is called by the loop, like that of any other event. */
static void uring_batch_done(struct uring_batch *batch)
{
	batch->state = BATCH_ANSWERED;
	tevent_schedule_immediate(batch->im,
				  batch->ev,
				  uring_batch_deliver,
				  batch);
}

int uring_batch_ask(struct uring_batch *batch, enum uring_urgency urgency)
{
	struct uring_queue *queue = NULL;

	if (batch->state != BATCH_IDLE) {
		return EBUSY;
	}
	batch->state = BATCH_ASKED;

	queue = uring_queue_find(batch->ev);
	if (queue == NULL) {
		uring_batch_answer_now(batch);
		uring_batch_done(batch);
		return 0;
	}

	uring_batch_prepare(batch);
	batch->urgency = urgency;
	uring_batch_link(batch, &queue->asked);
	return 0;
}

bool uring_batch_cancel(struct uring_batch *batch)
{
	if (batch->state == BATCH_IDLE) {
		return false;
	}
	batch->state = BATCH_IDLE;
	uring_batch_unlink(batch);
	return true;
}

static int uring_queue_destructor(struct uring_queue *queue)
{
	/* handlers are not called once the context is gone, as in tevent */
	while (queue->asked != NULL) {
		uring_batch_unlink(queue->asked);
	}
	while (queue->answered != NULL) {
		uring_batch_unlink(queue->answered);
	}

	uring_process_lock();
	DLIST_REMOVE(queues.list, queue);
	atomic_fetch_add(&queues.generation, 1);
	uring_process_unlock();
	return 0;
}

struct uring_queue *uring_queue_create(TALLOC_CTX *mem_ctx,
				       struct tevent_context *ev,
				       void *owner)
{
	struct uring_queue *queue = NULL;

	queue = talloc_zero(mem_ctx, struct uring_queue);
	if (queue == NULL) {
		return NULL;
	}
	queue->ev = ev;
	queue->owner = owner;

	uring_process_lock();
	DLIST_ADD(queues.list, queue);
	atomic_fetch_add(&queues.generation, 1);
	uring_process_unlock();

	talloc_set_destructor(queue, uring_queue_destructor);
	return queue;
}

struct uring_queue *uring_queue_find(struct tevent_context *ev)
{
	struct uring_queue *queue = NULL;
	unsigned generation = atomic_load(&queues.generation);

	if (last_found.ev == ev && last_found.generation == generation) {
		return last_found.queue;
	}

	uring_process_lock();
	for (queue = queues.list; queue != NULL; queue = queue->next) {
		if (queue->ev == ev) {
			break;
		}
	}
	last_found.ev = ev;
	last_found.queue = queue;
	last_found.generation = atomic_load(&queues.generation);
	uring_process_unlock();
	return queue;
}

void *uring_queue_owner(const struct uring_queue *queue)
{
	return queue->owner;
}

enum uring_reason uring_prepare(struct tevent_context *ev, size_t num_queries)
{
	struct uring_queue *queue = uring_queue_find(ev);
	enum uring_mode mode = uring_get_mode();

	if (mode == URING_MODE_SYSCALL) {
		return URING_REASON_MODE;
	}
	if (queue == NULL) {
		return URING_REASON_NORING;
	}
	if (num_queries == 0 ||
	    (mode == URING_MODE_AUTO && num_queries < URING_BREAK_EVEN))
	{
		return URING_REASON_FEW;
	}
	return uring_ring_obtain(queue, &queue->ring);
}

bool uring_queue_asked(const struct uring_queue *queue)
{
	return queue->asked != NULL;
}

bool uring_queue_pending(const struct uring_queue *queue)
{
	const struct uring_batch *batch = NULL;

	for (batch = queue->asked; batch != NULL; batch = batch->next) {
		if (batch->urgency == URING_PROMPT) {
			return true;
		}
	}
	return false;
}

static void uring_queue_done(struct uring_queue *queue)
{
	while (queue->asked != NULL) {
		struct uring_batch *batch = queue->asked;

		uring_batch_unlink(batch);
		uring_batch_link(batch, &queue->answered);
		uring_batch_done(batch);
	}
}

void uring_queue_flush(struct uring_queue *queue)
{
	if (queue->asked == NULL) {
		return;
	}
	uring_batches_answer(queue, &queue->ring, queue->asked);
	uring_queue_done(queue);
}

void uring_queue_restart(struct uring_queue *queue)
{
	struct uring_batch *batch = NULL;

	/* a wait that is armed in the ring is for the old epoll set */
	TALLOC_FREE(queue->ring);

	/* tevent_re_initialise() drops all immediate events */
	for (batch = queue->answered; batch != NULL; batch = batch->next) {
		uring_batch_done(batch);
	}
}

bool uring_queue_can_piggyback(struct uring_queue *queue)
{
	if (queue->asked == NULL || uring_queue_pending(queue) ||
	    uring_batches_route(queue->asked) == 0)
	{
		return false;
	}
	return uring_ring_obtain(queue, &queue->ring) == URING_REASON_NONE &&
	       uring_ring_can_wait(queue->ring);
}

int uring_queue_epoll_wait(struct uring_queue *queue,
			   int epoll_fd,
			   struct epoll_event *event,
			   int timeout)
{
	size_t enters = uring_ring_enters(queue->ring);
	int ret;

	uring_batches_submit(queue->ring, queue->asked, URING_REASON_NONE);
	ret = -1;
	if (uring_ring_usable(queue->ring)) {
		ret = uring_ring_epoll_wait(queue->ring,
					    epoll_fd,
					    event,
					    timeout);
	}
	uring_batches_account(queue->ring, enters, queue->asked);
	uring_queue_done(queue);
	if (ret == -1) {
		/* also if the ring died: the loop then goes on without it */
		errno = EINTR;
	}
	return ret;
}
