/* SPDX-License-Identifier: LGPL-3.0-or-later */
/*
 * The nodes of a CTDB cluster, and their connections.
 */
#ifndef TOOL_CLUSTER_H
#define TOOL_CLUSTER_H

#include <stdbool.h>

#include "rows.h"

/**
 * @brief Add the rows of all nodes.
 *
 * ctdb(1) knows the nodes, and onnode(1) executes "smbd-uring status --json" on
 * each of them, by ssh.  A node that cannot be read is in rows->nodes.  Its
 * rows are missing.
 *
 * @param[in] kernel  with the option --kernel.
 *
 * @return 0, or the errno of ctdb; rows->failed is "ctdb status" then.
 */
int cluster_add_rows(bool kernel, struct status_rows *rows);

/**
 * @brief Set rows->own_node to the number that this machine has in CTDB.
 *
 * It stays "" if ctdbd does not run, or does not answer within two seconds.
 * Without a socket of ctdbd the function starts no program.
 */
void cluster_own_node(struct status_rows *rows);

#endif /* TOOL_CLUSTER_H */
