/* SPDX-License-Identifier: LGPL-3.0-or-later */
/*
 * Reads the JSON that "smbd-uring status --json" printed on another node.
 */
#ifndef TOOL_JSON_READ_H
#define TOOL_JSON_READ_H

#include "rows.h"

/**
 * @brief Add the rows of a node, and what its smbd-quicd counts.
 *
 * @param[in]     text  "": the node has no rows.
 * @param[in,out] node  The function sets error if the text is something else,
 *                      and quicd (talloc).
 *
 * @return 0 or ENOMEM.
 */
int json_read(const char *text,
	      struct status_node *node,
	      struct status_rows *rows);

#endif /* TOOL_JSON_READ_H */
