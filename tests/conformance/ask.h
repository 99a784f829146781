/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Asking one and the same question in different ways, and comparing what
 * came of it: result, errno, length and every byte of memory.
 */
#ifndef ASK_H
#define ASK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "uring_sockopt.h"

/* Who asks, and how. */
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
	/* and either ring submitted to by the other kind of caller */
	WAY_RING_BY_32,
	WAY_RING32_BY_64,
	/* its worker, which is nobody's caller */
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
	/* its start, its middle, its end is in memory that is read-only */
	PLACE_READONLY_START,
	PLACE_READONLY_MIDDLE,
	PLACE_READONLY_END,
	/* the same with memory that is not mapped */
	PLACE_UNMAPPED_START,
	PLACE_UNMAPPED_MIDDLE,
	PLACE_UNMAPPED_END,
	PLACE_NULL,
};
#define NUM_PLACES (PLACE_NULL + 1)

extern const char *const place_names[NUM_PLACES];

/* What can be wrong with a buffer of this length. */
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
	/* what the buffer holds before: a byte, or input at its start */
	uint8_t fill;
	const uint8_t *input;
	size_t input_size;
};

struct answer {
	/* 0 and the length, or -errno */
	int result;
	/* what getsockopt(2) wrote back also with an error */
	int length;
	/* of the router */
	enum uring_reason reason;
};

/* Questions that can be asked together. */
#define ASK_SLOTS 64

/*
 * Rings and memory of this process; once, and again after fork.  The LTS kernel
 * has either workers or 32-bit callers: a worker of 6.12 takes the kind of
 * caller from who made it, whoever it works for.
 */
void ask_init(bool with_worker);

/* Ways that this machine has, as WAY_BITs. */
unsigned ask_ways(void);

/* Why there are no 32-bit callers here; NULL: there are. */
const char *ask_no_32(void);

/* The socket that is asked from now on. */
void ask_socket(int fd);

/* Write what the buffers hold before, and ask; in slots 0 to num - 1. */
void ask(enum way way, const struct ask *asks, size_t num, struct answer *out);

/* The memory of a question with what lies before and behind its buffer. */
uint8_t *ask_memory(const struct ask *a, size_t *size);

/* The buffer itself within it, and as the kernel is told. */
uint8_t *ask_buffer(const struct ask *a);

/* A descriptor that a way's answer installed: close it, where it is. */
bool ask_close(enum way way, int fd);

/* A call of a 32-bit program; -errno on error. */
long call_32(long nr, long a, long b, long c, long d, long e);

#endif /* ASK_H */
