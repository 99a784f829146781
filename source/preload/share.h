/* SPDX-License-Identifier: LGPL-3.0-or-later */
/**
 * @file share.h
 * The shares that the client of this process uses, and its users.
 */

#ifndef PRELOAD_SHARE_H
#define PRELOAD_SHARE_H

#include <stdbool.h>

#include "transport/watch.h"

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

struct preload_share;

/**
 * The client connected to a share.
 *
 * @param[in] name  the share, as smbd tells it
 * @param[in] user  the user of the connect
 *
 * @return what preload_share_disconnected() takes; NULL without memory
 */
struct preload_share *preload_share_connected(const char *name,
					      const char *user);

/** The end of one connect; the share may be gone afterwards. */
void preload_share_disconnected(struct preload_share *share);

#endif
