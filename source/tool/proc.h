/* SPDX-License-Identifier: LGPL-3.0-or-later */
/*
 * Reads files of /proc and /sys, whose size nobody knows before.
 */
#ifndef TOOL_PROC_H
#define TOOL_PROC_H

#include <sys/types.h>
#include <talloc.h>

/**
 * @brief Read a whole file.
 *
 * @return a talloc array with a terminator; zero bytes may precede it.  NULL
 *         sets errno.
 */
char *proc_read_file(TALLOC_CTX *mem_ctx, const char *path);

/** @brief As proc_read_file(), for a file of a process, /proc/PID/NAME. */
char *proc_read(TALLOC_CTX *mem_ctx, pid_t pid, const char *name);

#endif /* TOOL_PROC_H */
