/* SPDX-License-Identifier: LGPL-3.0-or-later */
/*
 * Watch the connections of a client: samples, published; and warnings.
 */
#ifndef TRANSPORT_WATCH_H
#define TRANSPORT_WATCH_H

#include <talloc.h>
#include <tevent.h>

#include "uring_sockopt.h"
#include "watch_settings.h"

/** What is watched in one loop: the channels of a client, and its shares. */
struct uring_watch;

/** A connection. */
struct uring_watch_channel;

/** What the client does with it: a share that it uses. */
struct uring_watch_share;

/**
 * @brief Tell what the settings are now; called about once a second while the
 * loop turns, so that a reload takes effect.
 */
typedef void (*uring_watch_settings_fn_t)(struct uring_watch_settings *settings,
					  void *private_data);

/**
 * @brief Start to watch.
 *
 * Samples are lazy queries of the loop, asked while it turns: one that is idle
 * is not woken.  Only a limit for stalls sets a timer, as long as something
 * moves or is not acknowledged.
 *
 * @param[in] directory  where the samples are published, see publish.h.
 *                       Before the first of them, and as the user that calls
 *                       this.
 * @param[in] log_fn  gets lines about warnings that begin and end.
 *
 * @return NULL without memory, or if the context is not of the io_uring
 *         backend or is watched already.
 */
struct uring_watch *uring_watch_create(TALLOC_CTX *mem_ctx,
				       struct tevent_context *ev,
				       const char *directory,
				       void (*log_fn)(const char *line));

/**
 * @brief One more connection, until it is freed.
 *
 * Free it before the descriptor is closed.
 *
 * @param[in] client  its address and port.
 *
 * @return NULL without memory.
 */
struct uring_watch_channel *uring_watch_add_channel(
	TALLOC_CTX *mem_ctx,
	struct uring_watch *watch,
	const struct uring_socket *sock,
	const char *client);

/**
 * @brief One more share, until it is freed.
 *
 * All channels are sampled at the shortest interval that a share asks for.
 * There are no samples without a share.
 *
 * @param[in] name  "" if it is not known; the same for user.
 *
 * @return NULL without memory.
 */
struct uring_watch_share *uring_watch_add_share(
	TALLOC_CTX *mem_ctx,
	struct uring_watch *watch,
	const char *name,
	const char *user,
	uring_watch_settings_fn_t settings_fn,
	void *private_data);

#endif /* TRANSPORT_WATCH_H */
