/* SPDX-License-Identifier: LGPL-3.0-or-later */
/*
 * The inside of a batch of queries, for the ring and for the queue of a
 * context.  Internal.
 *
 * The library answers a list of batches together.  The batches of a list are
 * linked by next, and the first one stands for the list.
 */
#ifndef URING_BATCH_H
#define URING_BATCH_H

#include "uring_ring.h"
#include "uring_sockopt.h"

/*
 * The number of queries from which on one io_uring_enter(2) is cheaper than a
 * system call for each.  We measured SO_RCVBUF on Linux 6.18.  The time of
 * getsockopt(2) divided by that of the ring was: 0.56 for 1 query, 0.91 for 4,
 * 1.11 for 8, 1.45 for 32.
 */
#define URING_BREAK_EVEN 6

struct uring_item {
	struct uring_op op;
	struct uring_batch *batch;
	struct uring_query *query;
	/* of the buffer: an answer changes optlen */
	socklen_t size;
	/* of the buffer in the blocks of the batch */
	size_t offset;
	/* whether the query may use the ring, as of batch->generation */
	enum uring_reason route;
	/*
	 * getsockopt(2) may write past the buffer, so a query must not use a
	 * copy of the buffer
	 */
	bool overruns;
};

struct uring_batch {
	/* while the batch is in a queue; *list is the head */
	struct uring_batch *prev;
	struct uring_batch *next;
	struct uring_batch **list;
	enum uring_urgency urgency;

	/* BATCH_ANSWERED: the handler has not been called yet */
	enum { BATCH_IDLE, BATCH_ASKED, BATCH_ANSWERED } state;
	struct tevent_context *ev;
	struct tevent_immediate *im;
	uring_batch_handler_t handler;
	void *private_data;

	struct uring_socket sock;
	struct uring_query *queries;
	struct uring_item *items;
	size_t num_items;

	/* the generation of the items' routes, and how many may use the ring */
	bool routed;
	unsigned generation;
	size_t candidates;

	/* the queries' buffers; the caller's bytes; see uring_batch.c */
	uint8_t *answers;
	uint8_t *input;
	uint8_t *spare;
	size_t size;
};

/** Route the queries; returns how many of them may use the ring. */
size_t uring_batches_route(struct uring_batch *batches);

/**
 * Put the queries that may use the ring into it, and answer the rest by system
 * call.
 *
 * @param[in] no_ring  why there is no ring, or URING_REASON_NONE
 */
void uring_batches_submit(struct uring_ring *ring,
			  struct uring_batch *batches,
			  enum uring_reason no_ring);

/**
 * Count the answered queries.
 *
 * @param[in] ring    may be NULL
 * @param[in] enters  the value of uring_ring_enters() before
 */
void uring_batches_account(const struct uring_ring *ring,
			   size_t enters,
			   const struct uring_batch *batches);

/**
 * Answer all batches of a list, in the cheaper way or as the mode says.
 *
 * @param[in,out] ring  their ring; created as a child of mem_ctx if needed
 */
void uring_batches_answer(TALLOC_CTX *mem_ctx,
			  struct uring_ring **ring,
			  struct uring_batch *batches);

/** Put a batch at the end of a list, or take it out of the one it is in. */
void uring_batch_link(struct uring_batch *batch, struct uring_batch **list);
void uring_batch_unlink(struct uring_batch *batch);

/** Restore the caller's bytes; to be called before the batch is asked. */
void uring_batch_prepare(struct uring_batch *batch);

#endif /* URING_BATCH_H */
