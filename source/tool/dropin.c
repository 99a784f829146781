/* SPDX-License-Identifier: LGPL-3.0-or-later */
/*
 * Our systemd drop-in of a unit.
 */

#include "config.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>
#include <sys/stat.h>

#include "dropin.h"

#define DROPIN_NAME "smbd-uring.conf"

static void dropin_directory(const char *unit, char path[PATH_MAX])
{
	snprintf(path, PATH_MAX, "/etc/systemd/system/%s.d", unit);
}

const char *dropin_path(const char *unit)
{
	static char path[PATH_MAX + sizeof("/" DROPIN_NAME)];
	char directory[PATH_MAX];

	dropin_directory(unit, directory);
	snprintf(path, sizeof(path), "%s/" DROPIN_NAME, directory);
	return path;
}

/* 0: our link; ENOENT: nothing; EEXIST: somebody else's file. */
static int dropin_look(const char *path)
{
	char target[PATH_MAX];
	ssize_t length = readlink(path, target, sizeof(target) - 1);

	if (length == -1) {
		return errno == EINVAL ? EEXIST : errno;
	}
	target[length] = '\0';
	return strcmp(target, SMBD_URING_DROPIN) == 0 ? 0 : EEXIST;
}

int dropin_create(const char *unit, bool *changed)
{
	const char *path = dropin_path(unit);
	char directory[PATH_MAX];
	bool made;
	int ret;

	*changed = false;
	if (access(SMBD_URING_DROPIN, R_OK) != 0) {
		return errno;
	}
	ret = dropin_look(path);
	if (ret != ENOENT) {
		return ret;
	}
	dropin_directory(unit, directory);
	made = mkdir(directory, 0755) == 0;
	if (!made && errno != EEXIST) {
		return errno;
	}
	if (symlink(SMBD_URING_DROPIN, path) != 0) {
		ret = errno;
		if (ret == EEXIST) {
			/* another enable was first */
			return dropin_look(path);
		}
		if (made) {
			(void)rmdir(directory);
		}
		return ret;
	}
	*changed = true;
	return 0;
}

int dropin_remove(const char *unit, bool *changed)
{
	const char *path = dropin_path(unit);
	char directory[PATH_MAX];
	int ret;

	*changed = false;
	ret = dropin_look(path);
	if (ret != 0) {
		return ret == ENOENT ? 0 : ret;
	}
	if (unlink(path) != 0) {
		/* another disable was first */
		return errno == ENOENT ? 0 : errno;
	}
	*changed = true;
	/* it may have more files, or be a link: then it stays */
	dropin_directory(unit, directory);
	(void)rmdir(directory);
	return 0;
}
