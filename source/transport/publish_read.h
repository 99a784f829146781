/* SPDX-License-Identifier: LGPL-3.0-or-later */
/*
 * Reads the rows that other processes publish.
 */
#ifndef TRANSPORT_PUBLISH_READ_H
#define TRANSPORT_PUBLISH_READ_H

#include <stdbool.h>
#include <stddef.h>
#include <talloc.h>

#include "publish_row.h"

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

#endif /* TRANSPORT_PUBLISH_READ_H */
