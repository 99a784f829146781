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

/** Separates the names of a list; no name contains it. */
#define URING_STATUS_SEPARATOR '\n'

/** The last name of a list that was cut. */
#define URING_STATUS_MORE "..."

/**
 * A connection and its last sample.
 *
 * Strings are terminated, and empty if unknown.  Times are of CLOCK_MONOTONIC,
 * in nanoseconds.
 */
struct uring_status_row {
	/** "tcp", "quic" */
	char transport[8];
	/** address and port */
	char client[ADDRESS_TEXT_SIZE];
	/** the client's address as smbd sees it, if a relay is in between */
	char relay[ADDRESS_TEXT_SIZE];
	/* lists */
	char users[128];
	char shares[240];

	/** the process; uring_status_read() sets it */
	uint64_t pid;
	uint64_t started;
	/** the time of the sample; 0: none yet */
	uint64_t sampled;
	/** the number of the sample's queries that the ring answered; or
	 * unknown */
	uint64_t ring;
	/** and that the system call answered; or unknown */
	uint64_t syscall;

	/* limits of the shares, the strictest; 0: none */
	uint64_t limit_rtt_us;
	uint64_t limit_loss_ppm;
	uint64_t limit_stall_ms;

	/** by enum figure_index; FIGURE_UNKNOWN if the transport has none */
	uint64_t figures[FIGURES_COUNT];
};

/** Initialise a row in which everything is unknown. */
void uring_status_row_init(struct uring_status_row *row);

/** The rows that this process publishes. */
struct uring_status;

/**
 * @brief Start to publish: create a file in directory.
 *
 * The function creates the directory, for its owner alone, if there is none.
 * To free the structure removes the file.  If a process is killed, the next
 * uring_status_create() in this directory by the same user removes its file.
 *
 * To set a row makes no system call and takes no lock.  All of these functions
 * do nothing in a child of fork().
 *
 * @param[in] max_rows  the largest number of connections.
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
 * @param[out] index  the number of the row, for the next two functions.
 *
 * @return 0, ENOSPC if there are max_rows or the file system is full, or
 *         ESRCH in a child of fork().
 */
int uring_status_add(struct uring_status *status,
		     const struct uring_status_row *row,
		     size_t *index);

/** @brief Publish new values of the row. */
void uring_status_set(struct uring_status *status,
		      size_t index,
		      const struct uring_status_row *row);

/** @brief Remove the row: the connection is closed. */
void uring_status_remove(struct uring_status *status, size_t index);

/**
 * @brief Read the rows of all live processes.
 *
 * The function changes nothing in the directory.
 *
 * Each row is as one uring_status_set() left it, whatever the writer does
 * meanwhile.  The directory may belong to an untrusted user.  Its contents may
 * be wrong, but cannot harm the reader.
 *
 * @param[out] rows  a talloc array of num_rows.
 *
 * @return 0, or an errno: of opening the directory, or ENOMEM.
 */
int uring_status_read(TALLOC_CTX *mem_ctx,
		      const char *directory,
		      struct uring_status_row **rows,
		      size_t *num_rows);

/** A row of another process that the caller reads repeatedly. */
struct uring_status_follower;

/**
 * @brief Find the row of the process that relays this connection.
 *
 * This makes system calls for each published row; to read the found row again
 * makes four.
 *
 * @param[in]  relay     the value of relay in the row.
 * @param[out] follower  holds a descriptor.
 *
 * @return 0, ENOENT if there is none, or an errno: of opening the directory,
 *         or ENOMEM.
 */
int uring_status_follow(TALLOC_CTX *mem_ctx,
			const char *directory,
			const char *relay,
			struct uring_status_follower **follower);

/** @brief Read the row; false if it was removed, which is final. */
bool uring_status_follow_read(const struct uring_status_follower *follower,
			      struct uring_status_row *row);

#endif /* TRANSPORT_PUBLISH_H */
