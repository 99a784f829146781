/* SPDX-License-Identifier: LGPL-3.0-or-later */
/*
 * Publishes the last sample of each connection, for another process to read
 * (publish_read.h).
 */
#ifndef TRANSPORT_PUBLISH_H
#define TRANSPORT_PUBLISH_H

#include <stddef.h>
#include <talloc.h>

#include "publish_row.h"

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

#endif /* TRANSPORT_PUBLISH_H */
