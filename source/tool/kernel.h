/* SPDX-License-Identifier: LGPL-3.0-or-later */
/*
 * The connections of an smbd that publishes nothing: figures by sock_diag(7),
 * names by smbstatus.
 */
#ifndef TOOL_KERNEL_H
#define TOOL_KERNEL_H

#include "rows.h"

/**
 * @brief Add the TCP connections to smbd's ports, with what is known of them.
 *
 * Where smbstatus cannot be had, standard error says so, and names and
 * processes are missing.
 *
 * @param[in] configfile  smb.conf, or NULL: the standard one.
 *
 * @return 0 or an errno; rows->failed is what could not be done.
 */
int kernel_add_rows(const char *configfile, struct status_rows *rows);

#endif /* TOOL_KERNEL_H */
