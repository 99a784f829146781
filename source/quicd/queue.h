/* SPDX-License-Identifier: LGPL-3.0-or-later */
/*
 * A queue of bytes in chunks of equal size.  What is sent stays in the queue
 * until it is dropped.
 */
#ifndef QUICD_QUEUE_H
#define QUICD_QUEUE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/uio.h>
#include <talloc.h>

#define QUICD_CHUNK_SIZE 65536U

struct quicd_chunk;

/*
 * All chunks but the last one are full.  next is the chunk with the first byte
 * that quicd_queue_advance() has not passed; NULL: the head.
 */
struct quicd_queue {
	struct quicd_chunk *chunks;
	size_t len;
	struct quicd_chunk *next;
	size_t next_at;
};

/**
 * @brief Copy bytes to the end.
 *
 * @param[in] mem_ctx  owns the chunks
 *
 * @return false without memory.
 */
bool quicd_queue_add(TALLOC_CTX *mem_ctx,
		     struct quicd_queue *queue,
		     const uint8_t *data,
		     size_t len);

/**
 * @brief Make room for so many chunks at the end.
 *
 * @param[in]  mem_ctx  owns the chunks
 * @param[out] iov      the room, count elements
 *
 * @return the first chunk, for quicd_queue_commit(); NULL without memory.
 */
struct quicd_chunk *quicd_queue_reserve(TALLOC_CTX *mem_ctx,
					struct quicd_queue *queue,
					struct iovec *iov,
					size_t count);

/**
 * @brief Say that so many bytes are in the room of quicd_queue_reserve().
 *
 * @return false if not all of the room was used.
 */
bool quicd_queue_commit(struct quicd_queue *queue,
			struct quicd_chunk *first,
			size_t len);

/**
 * @brief The bytes from the first one that quicd_queue_advance() has not
 * passed.
 *
 * @return the number of elements of iov that are set, max at most.
 */
size_t quicd_queue_peek(const struct quicd_queue *queue,
			struct iovec *iov,
			size_t max);

/** @brief Advance over bytes that are in the queue. */
void quicd_queue_advance(struct quicd_queue *queue, size_t len);

/** @brief Drop bytes that are in the queue from its beginning. */
void quicd_queue_drop(struct quicd_queue *queue, size_t len);

#endif /* QUICD_QUEUE_H */
