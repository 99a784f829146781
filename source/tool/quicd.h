/* SPDX-License-Identifier: LGPL-3.0-or-later */
/*
 * The smbd-quicd of this machine, or of each node of a cluster.
 */
#ifndef TOOL_QUICD_H
#define TOOL_QUICD_H

#include <stdbool.h>
#include <stddef.h>

#include "rows.h"

/** One smbd-quicd; in a cluster each node may have one. */
struct quicd_shown {
	const struct quicd_counters_read *read;
	const char *node; /* or NULL */
};

/**
 * @brief Get an smbd-quicd by number.
 *
 * @param[out] shown  its member read may be NULL: the node has no smbd-quicd.
 *
 * @return false after the last.
 */
bool quicd_get(const struct status_rows *rows,
	       size_t number,
	       struct quicd_shown *shown);

/** @brief Whether any is there. */
bool quicd_any(const struct status_rows *rows);

#endif /* TOOL_QUICD_H */
