/* SPDX-License-Identifier: LGPL-3.0-or-later */
/*
 * Watches the connections of a client: published samples, and warnings.
 */
#ifndef TRANSPORT_WATCH_H
#define TRANSPORT_WATCH_H

#include <talloc.h>
#include <tevent.h>

#include "uring_sockopt.h"
#include "watch_settings.h"

/** The watch of one loop: the channels of a client, and its shares. */
struct uring_watch;

/** A connection of the client. */
struct uring_watch_channel;

/** A share that the client uses. */
struct uring_watch_share;

/**
 * @brief Return the current settings.  The watch calls it about once a second
 * while the loop iterates, so that a reload takes effect.
 */
typedef void (*uring_watch_settings_fn_t)(struct uring_watch_settings *settings,
					  void *private_data);

/**
 * @brief Start to watch.
 *
 * Samples are lazy queries, asked while the loop iterates, and do not wake an
 * idle loop.  Only a limit for stalls sets a timer, as long as data moves or is
 * not acknowledged.
 *
 * @param[in] directory  where the watch publishes the samples, see publish.h.
 *                       It opens the directory before the first sample, as the
 *                       user that calls this function.
 * @param[in] log_fn  gets the lines about warnings that begin and end.
 *
 * @return NULL without memory, or if the context does not use the io_uring
 *         backend or already has a watch.
 */
struct uring_watch *uring_watch_create(TALLOC_CTX *mem_ctx,
				       struct tevent_context *ev,
				       const char *directory,
				       void (*log_fn)(const char *line));

/**
 * Log by this function what is the same in each process of the server, such
 * as a directory that cannot be written; without it log_fn does.
 */
void uring_watch_set_log_once_fn(struct uring_watch *watch,
				 void (*log_fn)(const char *line));

/**
 * @brief Watch a connection until the channel is freed.
 *
 * Free the channel before you close the descriptor.
 *
 * @param[in] client  the client's address and port.
 *
 * @return NULL without memory.
 */
struct uring_watch_channel *uring_watch_add_channel(
	TALLOC_CTX *mem_ctx,
	struct uring_watch *watch,
	const struct uring_socket *sock,
	const char *client);

/**
 * @brief Add a share until it is freed.
 *
 * The watch samples all channels at the shortest interval of all shares.
 * Without a share it takes no samples.
 *
 * @param[in] name  "" if unknown; the same for user.
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
