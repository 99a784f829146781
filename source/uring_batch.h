/* SPDX-License-Identifier: LGPL-3.0-or-later */
/*
 * A batch of queries from the inside: what the ring and the queue of a context
 * do with it.  Internal.
 *
 * A list of batches is answered together: it is linked by next, and what is
 * behind its first one belongs to it.
 */
#ifndef URING_BATCH_H
#define URING_BATCH_H

#include "uring_ring.h"
#include "uring_sockopt.h"

/*
 * From how many queries on an enter of their own is cheaper than as many
 * system calls.  SO_RCVBUF, Linux 6.18, time of getsockopt(2) divided by
 * that of the ring: 0.56 for 1 query, 0.91 for 4, 1.11 for 8, 1.45 for 32.
 */
#define URING_BREAK_EVEN 6

struct uring_item {
	struct uring_op op;
	struct uring_batch *batch;
	struct uring_query *query;
	/* of the buffer, before an answer changes optlen */
	socklen_t size;
	/* in the blocks of the batch */
	size_t offset;
	/* whether the ring may be asked, as of batch->generation */
	enum uring_reason route;
	/*
	 * getsockopt(2) may write past the buffer, so a copy of it must not be
	 * asked into
	 */
	bool overruns;
};

struct uring_batch {
	/* while it is in a queue; *list is the head */
	struct uring_batch *prev;
	struct uring_batch *next;
	struct uring_batch **list;
	enum uring_urgency urgency;

	/* answered: the handler is about to be called */
	enum { BATCH_IDLE, BATCH_ASKED, BATCH_ANSWERED } state;
	struct tevent_context *ev;
	struct tevent_immediate *im;
	uring_batch_handler_t handler;
	void *private_data;

	struct uring_socket sock;
	struct uring_query *queries;
	struct uring_item *items;
	size_t num_items;

	/* of the items' routes: when they were found, and how many are NONE */
	bool routed;
	unsigned generation;
	size_t candidates;

	/* the queries' buffers; what they start from; see above */
	uint8_t *answers;
	uint8_t *input;
	uint8_t *spare;
	size_t size;
};

/**
 * The ring of a context or of a thread, created at its first use.
 *
 * @return URING_REASON_NONE if *ring is usable now, else why there is none.
 */
enum uring_reason uring_ring_obtain(TALLOC_CTX *mem_ctx,
				    struct uring_ring **ring);

/** Find out what the ring may be asked; how many queries that are. */
size_t uring_batches_route(struct uring_batch *batches);

/**
 * Put into the ring what it may be asked, and answer the rest by system call.
 *
 * @param[in] no_ring  why there is no ring, or URING_REASON_NONE
 */
void uring_batches_submit(struct uring_ring *ring,
			  struct uring_batch *batches,
			  enum uring_reason no_ring);

/**
 * Count what was answered.
 *
 * @param[in] ring    may be NULL
 * @param[in] enters  what uring_ring_enters() was before
 */
void uring_batches_account(const struct uring_ring *ring,
			   size_t enters,
			   const struct uring_batch *batches);

/**
 * Answer all of a list, in the way that is cheaper or that the mode wants.
 *
 * @param[in] ring  where the ring for them is, or is to be: a child of mem_ctx
 */
void uring_batches_answer(TALLOC_CTX *mem_ctx,
			  struct uring_ring **ring,
			  struct uring_batch *batches);

/** Put a batch at the end of a list, or take it out of the one it is in. */
void uring_batch_link(struct uring_batch *batch, struct uring_batch **list);
void uring_batch_unlink(struct uring_batch *batch);

/** Before it is asked: start from the caller's bytes again. */
void uring_batch_prepare(struct uring_batch *batch);

#endif /* URING_BATCH_H */
