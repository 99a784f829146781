/* SPDX-License-Identifier: LGPL-3.0-or-later */
/*
 * A queue of bytes, see queue.h.
 */

#include "config.h"

#include <string.h>

#include "queue.h"
#include "util/dlinklist.h"

struct quicd_chunk {
	struct quicd_chunk *prev;
	struct quicd_chunk *next;
	size_t start;
	size_t end;
	uint8_t data[QUICD_CHUNK_SIZE];
};

/* A new chunk at the end, or NULL without memory. */
static struct quicd_chunk *quicd_queue_append(TALLOC_CTX *mem_ctx,
					      struct quicd_queue *queue)
{
	struct quicd_chunk *chunk = talloc(mem_ctx, struct quicd_chunk);

	if (chunk == NULL) {
		return NULL;
	}
	chunk->start = 0;
	chunk->end = 0;
	DLIST_ADD_END(queue->chunks, chunk);
	return chunk;
}

/* Where the next bytes go, or NULL without memory. */
static struct quicd_chunk *quicd_queue_room(TALLOC_CTX *mem_ctx,
					    struct quicd_queue *queue)
{
	if (queue->chunks != NULL &&
	    queue->chunks->prev->end < QUICD_CHUNK_SIZE) {
		return queue->chunks->prev;
	}
	return quicd_queue_append(mem_ctx, queue);
}

bool quicd_queue_add(TALLOC_CTX *mem_ctx,
		     struct quicd_queue *queue,
		     const uint8_t *data,
		     size_t len)
{
	while (len > 0) {
		struct quicd_chunk *chunk = quicd_queue_room(mem_ctx, queue);
		size_t n;

		if (chunk == NULL) {
			return false;
		}
		n = QUICD_CHUNK_SIZE - chunk->end;
		n = n < len ? n : len;
		memcpy(&chunk->data[chunk->end], data, n);
		chunk->end += n;
		queue->len += n;
		data += n;
		len -= n;
	}
	return true;
}

size_t quicd_queue_peek(const struct quicd_queue *queue,
			struct iovec *iov,
			size_t max)
{
	struct quicd_chunk *chunk = queue->next;
	size_t at = queue->next_at;
	size_t n = 0;

	if (chunk == NULL) {
		chunk = queue->chunks;
		at = chunk != NULL ? chunk->start : 0;
	}
	while (chunk != NULL && n < max) {
		if (at < chunk->end) {
			iov[n].iov_base = &chunk->data[at];
			iov[n].iov_len = chunk->end - at;
			n++;
		}
		chunk = chunk->next;
		at = chunk != NULL ? chunk->start : 0;
	}
	return n;
}

void quicd_queue_advance(struct quicd_queue *queue, size_t len)
{
	if (queue->next == NULL && queue->chunks != NULL) {
		queue->next = queue->chunks;
		queue->next_at = queue->chunks->start;
	}
	while (len > 0) {
		const size_t have = queue->next->end - queue->next_at;

		if (len <= have) {
			queue->next_at += len;
			return;
		}
		len -= have;
		queue->next = queue->next->next;
		queue->next_at = queue->next->start;
	}
}

void quicd_queue_drop(struct quicd_queue *queue, size_t len)
{
	queue->len -= len;
	while (queue->chunks != NULL) {
		struct quicd_chunk *chunk = queue->chunks;
		const size_t have = chunk->end - chunk->start;

		if (len < have) {
			chunk->start += len;
			return;
		}
		len -= have;
		if (chunk == queue->next) {
			queue->next = NULL;
		}
		DLIST_REMOVE(queue->chunks, chunk);
		talloc_free(chunk);
	}
}

struct quicd_chunk *quicd_queue_reserve(TALLOC_CTX *mem_ctx,
					struct quicd_queue *queue,
					struct iovec *iov,
					size_t count)
{
	struct quicd_chunk *first = quicd_queue_room(mem_ctx, queue);
	struct quicd_chunk *chunk = first;
	size_t i;

	for (i = 0; i < count && chunk != NULL; i++) {
		iov[i].iov_base = &chunk->data[chunk->end];
		iov[i].iov_len = QUICD_CHUNK_SIZE - chunk->end;
		if (i + 1 < count) {
			chunk = quicd_queue_append(mem_ctx, queue);
		}
	}
	return chunk != NULL ? first : NULL;
}

bool quicd_queue_commit(struct quicd_queue *queue,
			struct quicd_chunk *first,
			size_t len)
{
	struct quicd_chunk *chunk = first;
	bool all = true;

	queue->len += len;
	while (chunk != NULL) {
		struct quicd_chunk *next = chunk->next;
		const size_t room = QUICD_CHUNK_SIZE - chunk->end;
		const size_t n = len < room ? len : room;

		chunk->end += n;
		len -= n;
		all = n == room;
		if (chunk->end == 0) {
			DLIST_REMOVE(queue->chunks, chunk);
			talloc_free(chunk);
		}
		chunk = next;
	}
	return all;
}
