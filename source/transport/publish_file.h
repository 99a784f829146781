/* SPDX-License-Identifier: LGPL-3.0-or-later */
/*
 * A file that a process publishes in a directory, and others read.
 *
 * The writer locks its file only to show that it lives.  The kernel drops the
 * lock however the process ends, so a reused process ID does not look alive.
 *
 * The reader is root, and the writer need not be (smbd-quicd).  The writer
 * could truncate a file that the reader has mapped.  So the reader reads the
 * file, and expects a foreign or endless file.
 */
#ifndef TRANSPORT_PUBLISH_FILE_H
#define TRANSPORT_PUBLISH_FILE_H

#include <stdbool.h>
#include <stddef.h>

/**
 * @brief Open the directory in which we publish, and create it if necessary.
 *
 * @param[out] fd  on an error it may be open, too.
 *
 * @return 0, an errno, or EPERM if the directory is another user's.
 */
int uring_publish_open_directory(const char *directory, int *fd);

/** @brief Lock the file of this process; 0 or an errno. */
int uring_publish_lock(int fd);

/** @brief Open a file to read it; -1 on error. */
int uring_publish_open(int directory_fd, const char *name);

/** @brief Whether the writer lives: its descriptor holds the lock. */
bool uring_publish_is_locked(int fd);

/** @brief Read; false if the file does not have all len bytes. */
bool uring_publish_pread(int fd, size_t offset, void *data, size_t len);

#endif /* TRANSPORT_PUBLISH_FILE_H */
