/* SPDX-License-Identifier: LGPL-3.0-or-later */
/**
 * @file tree.h
 * The tree connects of the client of this process.
 */

#ifndef PRELOAD_TREE_H
#define PRELOAD_TREE_H

#include <stdint.h>

#include "shim.h"

/** Hook tree connects of this process from now on. */
void preload_trees_init(const struct preload_functions *next,
			struct preload_functions *hooks);

/** Warn if this smbd has no functions that tell of tree connects. */
void preload_trees_check(void);

/**
 * A connection ends after so many bytes from the client.
 *
 * Warns if it used a share and smbd did not call us for that.
 */
void preload_trees_connection_end(uint64_t bytes_received);

#endif
