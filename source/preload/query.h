/* SPDX-License-Identifier: LGPL-3.0-or-later */
/**
 * @file query.h
 * How this process asks about its sockets, and smbd's own getsockopt() calls.
 */

#ifndef PRELOAD_QUERY_H
#define PRELOAD_QUERY_H

#include "shim.h"
#include "uring_process.h"

void preload_query_init(struct preload_functions *hooks);

/** Set the mode of all queries.  The present mode again changes nothing. */
void preload_query_set_mode(enum uring_mode mode);

/** Write a line about the queries of this process. */
void preload_query_report(void);

#endif
