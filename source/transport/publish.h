/* SPDX-License-Identifier: LGPL-3.0-or-later */
/*
 * The last sample of each connection, for another process to read.
 */
#ifndef TRANSPORT_PUBLISH_H
#define TRANSPORT_PUBLISH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <talloc.h>

#include "figures.h"
#include "util/address.h"

/** Between the names of a list; no name has it. */
#define URING_STATUS_SEPARATOR '\n'

/** The last name of a list that was cut. */
#define URING_STATUS_MORE "..."

/**
 * A connection and its last sample.
 *
 * Strings are terminated, and empty where nothing is known.  Times are of
 * CLOCK_MONOTONIC, in nanoseconds.
 */
struct uring_status_row {
	/** "tcp", "quic" */
	char transport[8];
	/** address and port */
	char client[ADDRESS_TEXT_SIZE];
	/** what smbd takes for them, if there is a relay in between */
	char relay[ADDRESS_TEXT_SIZE];
	/* lists */
	char users[128];
	char shares[240];

	/** the process; filled in by uring_status_read() */
	uint64_t pid;
	uint64_t started;
	/** when the kernel was asked; 0: not yet */
	uint64_t sampled;
	/** how many queries of the sample were answered by the ring; or unknown
	 */
	uint64_t ring;
	/** and by system call; or unknown */
	uint64_t syscall;

	/* limits of the shares, the strictest; 0: none */
	uint64_t limit_rtt_us;
	uint64_t limit_loss_ppm;
	uint64_t limit_stall_ms;

	/** by enum figure_index; FIGURE_UNKNOWN: the transport does not tell */
	uint64_t figures[FIGURES_COUNT];
};

/** Make a row of which nothing is known. */
void uring_status_row_init(struct uring_status_row *row);

/** The rows that this process publishes. */
struct uring_status;

/**
 * @brief Start to publish: make a file in directory.
 *
 * The directory is made, for its owner alone, if it is not there.  The file
 * goes when the structure is freed; that of a process that was killed goes
 * with the next uring_status_read() that may write to the directory.
 *
 * Setting a row makes no system call and takes no lock.  All of these
 * functions do nothing in a child of fork().
 *
 * @param[in] max_rows  how many connections there can be.
 *
 * @return 0 or an errno: of mkdir(2), open(2), fcntl(2), mmap(2) or
 *         fallocate(2), or EPERM if the directory is another user's.
 */
int uring_status_create(TALLOC_CTX *mem_ctx,
			const char *directory,
			size_t max_rows,
			struct uring_status **status);

/**
 * @brief Publish one more row.
 *
 * @param[out] index  its number, for the two below.
 *
 * @return 0, ENOSPC if there are max_rows or the file system is full, or
 *         ESRCH in a child of fork().
 */
int uring_status_add(struct uring_status *status,
		     const struct uring_status_row *row,
		     size_t *index);

/** @brief Publish the row anew. */
void uring_status_set(struct uring_status *status,
		      size_t index,
		      const struct uring_status_row *row);

/** @brief The connection is gone. */
void uring_status_remove(struct uring_status *status, size_t index);

/**
 * @brief Read the rows of all processes that live.
 *
 * Each row is as one uring_status_set() left it, whatever the writer does
 * meanwhile.  The directory may belong to a user who is not trusted: its
 * contents may be wrong, but cannot harm the reader.
 *
 * @param[out] rows  a talloc array of num_rows.
 *
 * @return 0, or an errno: of opening the directory, or ENOMEM.
 */
int uring_status_read(TALLOC_CTX *mem_ctx,
		      const char *directory,
		      struct uring_status_row **rows,
		      size_t *num_rows);

/** A row of another process, to be read again and again. */
struct uring_status_follower;

/**
 * @brief Find the row of who relays this connection.
 *
 * Costs system calls for each row that is there; reading it again costs four.
 *
 * @param[in]  relay     what the row has as relay.
 * @param[out] follower  holds a descriptor.
 *
 * @return 0, ENOENT if there is none, or an errno: of opening the directory,
 *         or ENOMEM.
 */
int uring_status_follow(TALLOC_CTX *mem_ctx,
			const char *directory,
			const char *relay,
			struct uring_status_follower **follower);

/** @brief Read it; false if it is gone, and then for good. */
bool uring_status_follow_read(const struct uring_status_follower *follower,
			      struct uring_status_row *row);

#endif /* TRANSPORT_PUBLISH_H */
