/* SPDX-License-Identifier: LGPL-3.0-or-later */
/**
 * @file share.h
 * The shares that the client of this process uses, and its users.
 */

#ifndef PRELOAD_SHARE_H
#define PRELOAD_SHARE_H

#include <stdbool.h>

#include "shim.h"
#include "transport/watch.h"

/** Hook tree connects of this process from now on. */
void preload_shares_init(const struct preload_functions *next,
			 struct preload_functions *hooks);

/**
 * Load the settings that hold while no share is in use; smb.conf is loaded.
 *
 * @param[in] use_backend  whether samples are possible
 */
void preload_shares_load(bool use_backend);

/**
 * The watch of this process, which judges the shares.
 *
 * It is made with the first connection: smbd is root then.
 *
 * @return NULL if there cannot be one, such as on epoll
 */
struct uring_watch *preload_shares_watch(struct tevent_context *ev);

/** Warn if this smbd has no functions that tell of tree connects. */
void preload_shares_check(void);

/**
 * A connection ends after so many bytes from the client.
 *
 * Warns if it used a share and smbd did not call us for that.
 */
void preload_shares_connection_end(uint64_t bytes_received);

#endif
