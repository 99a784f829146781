/* SPDX-License-Identifier: LGPL-3.0-or-later */
/*
 * Executes other programs and reads their output.
 */
#ifndef TOOL_COMMAND_H
#define TOOL_COMMAND_H

/**
 * @brief Execute a program of PATH, and read its output.
 *
 * Its standard error goes to /dev/null.
 *
 * @param[in]  argv    ends with NULL.
 * @param[out] output  the caller frees it; NULL on failure.
 *
 * @return 0, the errno of its start, ENOENT if its exit status was 127, which
 *         says that it did not find a program, or EIO if it was another.
 */
int command_output(const char *const *argv, char **output);

/**
 * @brief As command_output(), whatever the exit status is.
 *
 * testparm(1) exits with 1 after a fault that does not keep smbd from running,
 * such as a program that is missing; it has printed all the same.
 *
 * @return 0, the errno of its start, ENOENT as above, or EIO if a signal ended
 *         it.
 */
int command_output_anyway(const char *const *argv, char **output);

#endif /* TOOL_COMMAND_H */
