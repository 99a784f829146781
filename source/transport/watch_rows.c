/* SPDX-License-Identifier: LGPL-3.0-or-later */
/*
 * What is watched, as published rows.
 */

#include "config.h"

#include <string.h>
#include <unistd.h>

#include "util/printable.h"
#include "watch_internal.h"

/* As many channels as Samba gives a client, twice. */
#define WATCH_MAX_CHANNELS 64

static bool watch_list_has(const char *list, const char *name)
{
	const char separator[] = {URING_STATUS_SEPARATOR, '\0'};
	const size_t length = strlen(name);

	while (*list != '\0') {
		size_t item = strcspn(list, separator);

		if (item == length && memcmp(list, name, length) == 0) {
			return true;
		}
		list += item;
		list += strspn(list, separator);
	}
	return false;
}

/*
 * Add a name to a list if it is not in it.  A list that has no room for
 * another ends with URING_STATUS_MORE, for which there always is.
 */
static void watch_list_add(char *list, size_t size, const char *name)
{
	const size_t room = size - sizeof(URING_STATUS_MORE) - 1;
	char item[sizeof(((struct uring_status_row *)NULL)->shares)];
	size_t used = strlen(list);
	size_t length = printable_copy(item, sizeof(item), name);

	if (length == 0 || watch_list_has(list, item) ||
	    watch_list_has(list, URING_STATUS_MORE))
	{
		return;
	}
	if (used > 0) {
		list[used] = URING_STATUS_SEPARATOR;
		used += 1;
	}
	if (used + length >= room) {
		memcpy(list + used,
		       URING_STATUS_MORE,
		       sizeof(URING_STATUS_MORE));
		return;
	}
	memcpy(list + used, item, length + 1);
}

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
			watch_list_add(row->users,
				       sizeof(row->users),
				       share->user);
			watch_list_add(row->shares,
				       sizeof(row->shares),
				       share->name);
		}
		watch_publish(channel);
	}
}

static void watch_status_failed(struct uring_watch *watch)
{
	char *line = talloc_asprintf(
		watch,
		"smbd_uring: cannot publish samples in %s: %s",
		watch->directory,
		strerror(watch->status_error));

	if (line != NULL) {
		watch->log_fn(line);
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
	/* smbd may act for a user just now */
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
