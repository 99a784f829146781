/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Asks the same question in different ways and compares the answers: result,
 * errno, length and every byte of memory.
 */
#ifndef ASK_H
#define ASK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "uring_sockopt.h"

/* The way of asking: the caller, and the call. */
enum way {
	WAY_SYSCALL,
	/* the command, on a ring without flags */
	WAY_RING,
	/* the same with IORING_SETUP_DEFER_TASKRUN */
	WAY_DEFER,
	/* with a registered file */
	WAY_FIXED,
	/* submitted by a thread with a descriptor table of its own */
	WAY_THREAD,
	/* IOSQE_ASYNC: by a worker of the kernel */
	WAY_WORKER,
	/* uring_getsockopt() and uring_query_batch() */
	WAY_ROUTER,
	WAY_BATCH,
	/* as a 32-bit program: getsockopt(2), a ring of its own */
	WAY_SYSCALL32,
	WAY_RING32,
	/* the other kind of caller submits to either ring */
	WAY_RING_BY_32,
	WAY_RING32_BY_64,
	/* its worker, which has no caller */
	WAY_WORKER32,
};
#define NUM_WAYS (WAY_WORKER32 + 1)
#define WAY_BIT(way) (1U << (way))
#define WAYS_32                                         \
	(WAY_BIT(WAY_SYSCALL32) | WAY_BIT(WAY_RING32) | \
	 WAY_BIT(WAY_RING_BY_32) | WAY_BIT(WAY_RING32_BY_64))

extern const char *const way_names[NUM_WAYS];

/* Where the buffer lies. */
enum place {
	PLACE_GOOD,
	/* its start, middle or end is in read-only memory */
	PLACE_READONLY_START,
	PLACE_READONLY_MIDDLE,
	PLACE_READONLY_END,
	/* the same with unmapped memory */
	PLACE_UNMAPPED_START,
	PLACE_UNMAPPED_MIDDLE,
	PLACE_UNMAPPED_END,
	PLACE_NULL,
};
#define NUM_PLACES (PLACE_NULL + 1)

extern const char *const place_names[NUM_PLACES];

/* The faults that a buffer of this length can have. */
#define ASK_PLACED_MAX 4096
/* The length up to which memory is compared. */
#define ASK_LENGTH_MAX 65536
/* Memory before and behind a buffer that must stay as it was. */
#define ASK_CANARY 64
/* SO_GET_FILTER and filters with a count write behind a short buffer. */
#define ASK_BEHIND 512

/* A question; slot says which piece of memory it uses. */
struct ask {
	unsigned slot;
	int level;
	int optname;
	int length;
	enum place place;
	/* in PLACE_GOOD: from an aligned address */
	unsigned misaligned;
	/* the previous contents of the buffer: a byte, or input at its start */
	uint8_t fill;
	const uint8_t *input;
	size_t input_size;
};

struct answer {
	/* 0 and the length, or -errno */
	int result;
	/* the length that getsockopt(2) wrote back, also with an error */
	int length;
	/* of the router */
	enum uring_reason reason;
};

/* The number of questions that can be asked together. */
#define ASK_SLOTS 64

/*
 * Create rings and memory of this process; call it once, and again after
 * fork().  The LTS kernel has either workers or 32-bit callers: a worker of
 * 6.12 has the caller's kind of its creator, for whomever it works.
 */
void ask_init(bool with_worker);

/* The ways that this machine supports, as WAY_BITs. */
unsigned ask_ways(void);

/* The reason why there are no 32-bit callers here, or NULL. */
const char *ask_no_32(void);

/* Set the socket for the next questions. */
void ask_socket(int fd);

/* Fill the buffers, and ask; in slots 0 to num - 1. */
void ask(enum way way, const struct ask *asks, size_t num, struct answer *out);

/* The memory of a question, with the bytes before and behind its buffer. */
uint8_t *ask_memory(const struct ask *a, size_t *size);

/* The buffer in that memory, and its address for the kernel. */
uint8_t *ask_buffer(const struct ask *a);

/* Close a descriptor that a way's answer installed, in the table it is in. */
bool ask_close(enum way way, int fd);

/* A call of a 32-bit program; -errno on error. */
long call_32(long nr, long a, long b, long c, long d, long e);

#endif /* ASK_H */
