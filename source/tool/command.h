/* SPDX-License-Identifier: LGPL-3.0-or-later */
/*
 * Other programs, for what they know.
 */
#ifndef TOOL_COMMAND_H
#define TOOL_COMMAND_H

/**
 * @brief Execute a program of PATH, and take what it prints.
 *
 * Its standard error goes to /dev/null.
 *
 * @param[in]  argv    until NULL.
 * @param[out] output  to be freed; NULL on failure.
 *
 * @return 0, an errno of starting it, or EIO if it ended with another status
 *         than 0.
 */
int command_output(const char *const *argv, char **output);

#endif /* TOOL_COMMAND_H */
