/* SPDX-License-Identifier: LGPL-3.0-or-later */
/*
 * The published rows of the watch.
 */

#include "config.h"

#include <string.h>
#include <unistd.h>

#include "name_list.h"
#include "publish.h"
#include "util/message.h"
#include "watch_internal.h"

#define WATCH_STATUS_FAILED "smbd_uring: cannot publish samples in %s: %s"

/* Twice the number of channels that Samba allows a client. */
#define WATCH_MAX_CHANNELS 64

void watch_publish(struct uring_watch_channel *channel)
{
	struct uring_watch *watch = channel->watch;

	if (watch->status == NULL) {
		return;
	}
	if (channel->published) {
		uring_status_set(watch->status, channel->index, &channel->row);
		return;
	}
	channel->published = uring_status_add(watch->status,
					      &channel->row,
					      &channel->index) == 0;
}

void watch_unpublish(struct uring_watch_channel *channel)
{
	if (channel->published) {
		uring_status_remove(channel->watch->status, channel->index);
	}
	channel->published = false;
}

void watch_publish_shares(struct uring_watch *watch)
{
	struct uring_watch_channel *channel = NULL;
	const struct uring_watch_share *share = NULL;

	for (channel = watch->channels; channel != NULL;
	     channel = channel->next) {
		struct uring_status_row *row = &channel->row;

		row->users[0] = '\0';
		row->shares[0] = '\0';
		for (share = watch->shares; share != NULL; share = share->next)
		{
			name_list_add(row->users,
				      sizeof(row->users),
				      share->user);
			name_list_add(row->shares,
				      sizeof(row->shares),
				      share->name);
		}
		watch_publish(channel);
	}
}

static void watch_status_failed(struct uring_watch *watch)
{
	char *line = talloc_asprintf(watch,
				     WATCH_STATUS_FAILED,
				     watch->directory,
				     strerror(watch->status_error));

	MESSAGE_INDEX("warning", WATCH_STATUS_FAILED);
	if (line != NULL) {
		watch->log_once_fn(line);
	}
	TALLOC_FREE(line);
}

void watch_update_status(struct uring_watch *watch)
{
	struct uring_watch_channel *channel = NULL;

	if (watch->interval == 0) {
		if (watch->status == NULL) {
			return;
		}
		for (channel = watch->channels; channel != NULL;
		     channel = channel->next) {
			channel->published = false;
		}
		TALLOC_FREE(watch->status);
		return;
	}
	/* smbd may currently act for a user */
	if (watch->status != NULL || watch->status_error != 0 ||
	    geteuid() != watch->euid)
	{
		return;
	}
	watch->status_error = uring_status_create(watch,
						  watch->directory,
						  WATCH_MAX_CHANNELS,
						  &watch->status);
	if (watch->status_error != 0) {
		watch_status_failed(watch);
		return;
	}
	watch_publish_shares(watch);
}
