/* SPDX-License-Identifier: LGPL-3.0-or-later */
/*
 * Replaces a file in one step: readers see the old one or the new one.
 */
#ifndef TOOL_REPLACE_H
#define TOOL_REPLACE_H

#include <limits.h>
#include <stdio.h>
#include <sys/types.h>

struct replaced {
	/** where the caller writes */
	FILE *out;
	char path[PATH_MAX];
	char temporary[PATH_MAX];
};

/**
 * @brief Open a temporary file beside path; 0 or an errno.
 *
 * EEXIST: path is a device, a symbolic link or the like, which would be lost.
 * The caller must call replace_end() or replace_cancel().
 */
int replace_begin(const char *path, mode_t mode, struct replaced *file);

/** @brief Rename the temporary file to path; 0 or an errno. */
int replace_end(struct replaced *file);

/** @brief Remove the temporary file. */
void replace_cancel(struct replaced *file);

/** @brief Remove a file that may be missing; errors as of replace_begin(). */
int replace_remove(const char *path);

/** @brief The text of an error of these functions. */
const char *replace_strerror(int error);

#endif /* TOOL_REPLACE_H */
