/* SPDX-License-Identifier: LGPL-3.0-or-later */
/**
 * @file connection.h
 * The SMB connections of this process.
 */

#ifndef PRELOAD_CONNECTION_H
#define PRELOAD_CONNECTION_H

#include <tevent.h>

/**
 * smbd watches an SMB connection from now on.
 *
 * @param[in] backend  the name of the loop's backend
 */
void preload_connection_start(struct tevent_context *ev,
			      struct tevent_fd *fde,
			      int fd,
			      const char *backend);

/**
 * smbd sets the function that closes a descriptor.
 *
 * @return what to set in its place; close_fn if it is no SMB connection
 */
tevent_fd_close_fn_t preload_connection_set_close_fn(
	struct tevent_fd *fde,
	tevent_fd_close_fn_t close_fn);

#endif
