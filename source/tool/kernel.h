/* SPDX-License-Identifier: LGPL-3.0-or-later */
/*
 * The connections of an smbd that publishes nothing: figures from sock_diag(7),
 * names from smbstatus.
 */
#ifndef TOOL_KERNEL_H
#define TOOL_KERNEL_H

#include "rows.h"

/**
 * @brief Add the TCP connections to smbd's ports, with their figures and names.
 *
 * If smbstatus fails, the function prints the error to standard error, and
 * names and processes are missing.
 *
 * @param[in] configfile  smb.conf, or NULL: the standard one.
 *
 * @return 0 or an errno; rows->failed names the operation that failed.
 */
int kernel_add_rows(const char *configfile, struct status_rows *rows);

#endif /* TOOL_KERNEL_H */
