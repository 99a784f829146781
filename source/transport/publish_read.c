/* SPDX-License-Identifier: LGPL-3.0-or-later */
/*
 * The rows that other processes publish, see publish_read.h.
 */

#include "config.h"

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "publish_file.h"
#include "publish_format.h"
#include "publish_read.h"

struct status_reader {
	struct uring_status_row *rows;
	size_t num_rows;
};

static int status_read_file(int fd, struct status_reader *reader)
{
	uint64_t pid = 0;
	size_t num_slots = uring_status_count_slots(fd, &pid);
	size_t i;

	for (i = 0; i < num_slots; i++) {
		size_t have = talloc_array_length(reader->rows);
		struct uring_status_row *row = NULL;

		if (reader->num_rows == have) {
			row = talloc_realloc(NULL,
					     reader->rows,
					     struct uring_status_row,
					     2 * have);
			if (row == NULL) {
				return ENOMEM;
			}
			reader->rows = row;
		}
		row = &reader->rows[reader->num_rows];
		if (uring_status_read_row(fd, i, row)) {
			row->pid = pid;
			reader->num_rows += 1;
		}
	}
	return 0;
}

static int status_read_process(int directory_fd,
			       const char *name,
			       struct status_reader *reader)
{
	int fd = uring_status_open_process(directory_fd, name);
	int ret = 0;

	if (fd == -1) {
		return 0;
	}
	if (uring_publish_is_locked(fd)) {
		ret = status_read_file(fd, reader);
	}
	close(fd);
	return ret;
}

int uring_status_read(TALLOC_CTX *mem_ctx,
		      const char *directory,
		      struct uring_status_row **rows,
		      size_t *num_rows)
{
	struct status_reader reader = {};
	const struct dirent *entry = NULL;
	DIR *dir = NULL;
	int ret = 0;

	dir = opendir(directory);
	if (dir == NULL) {
		return errno;
	}
	reader.rows = talloc_array(mem_ctx, struct uring_status_row, 64);
	if (reader.rows == NULL) {
		ret = ENOMEM;
	}
	while (ret == 0 && (entry = readdir(dir)) != NULL) {
		ret = status_read_process(dirfd(dir), entry->d_name, &reader);
	}
	closedir(dir);
	if (ret != 0) {
		TALLOC_FREE(reader.rows);
		return ret;
	}
	*rows = reader.rows;
	*num_rows = reader.num_rows;
	return 0;
}

struct uring_status_follower {
	int fd;
	size_t number;
	char relay[ADDRESS_TEXT_SIZE];
};

static int uring_status_follower_destructor(
	struct uring_status_follower *follower)
{
	if (follower->fd != -1) {
		close(follower->fd);
	}
	return 0;
}

bool uring_status_follow_read(const struct uring_status_follower *follower,
			      struct uring_status_row *row)
{
	return uring_publish_is_locked(follower->fd) &&
	       uring_status_read_row(follower->fd, follower->number, row) &&
	       strcmp(row->relay, follower->relay) == 0;
}

/* Whether the row is in this file. */
static bool status_find(struct uring_status_follower *follower)
{
	struct uring_status_row row;
	uint64_t pid;
	size_t num_slots = uring_status_count_slots(follower->fd, &pid);

	for (follower->number = 0; follower->number < num_slots;
	     follower->number++) {
		if (uring_status_follow_read(follower, &row)) {
			return true;
		}
	}
	return false;
}

int uring_status_follow(TALLOC_CTX *mem_ctx,
			const char *directory,
			const char *relay,
			struct uring_status_follower **_follower)
{
	struct uring_status_follower *follower = NULL;
	const struct dirent *entry = NULL;
	DIR *dir = opendir(directory);

	if (dir == NULL) {
		return errno;
	}
	follower = talloc_zero(mem_ctx, struct uring_status_follower);
	if (follower == NULL) {
		closedir(dir);
		return ENOMEM;
	}
	snprintf(follower->relay, sizeof(follower->relay), "%s", relay);
	follower->fd = -1;
	talloc_set_destructor(follower, uring_status_follower_destructor);
	while ((entry = readdir(dir)) != NULL) {
		follower->fd = uring_status_open_process(dirfd(dir),
							 entry->d_name);
		if (follower->fd == -1) {
			continue;
		}
		if (status_find(follower)) {
			closedir(dir);
			*_follower = follower;
			return 0;
		}
		close(follower->fd);
		follower->fd = -1;
	}
	closedir(dir);
	TALLOC_FREE(follower);
	return ENOENT;
}
