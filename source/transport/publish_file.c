/* SPDX-License-Identifier: LGPL-3.0-or-later */
/*
 * A file that a process publishes, see publish_file.h.
 */

#include "config.h"

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>
#include <sys/stat.h>

#include "publish_file.h"

int uring_publish_open_directory(const char *directory, int *fd)
{
	struct stat st;
	int ret;

	if (mkdir(directory, 0700) != 0 && errno != EEXIST) {
		return errno;
	}
	*fd = open(directory, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (*fd == -1) {
		return errno;
	}
	ret = fstat(*fd, &st);
	if (ret != 0) {
		return errno;
	}
	return st.st_uid == geteuid() ? 0 : EPERM;
}

int uring_publish_lock(int fd)
{
	struct flock lock = {
		.l_type = F_WRLCK,
	};

	return fcntl(fd, F_OFD_SETLK, &lock) != 0 ? errno : 0;
}

int uring_publish_open(int directory_fd, const char *name)
{
	/* a FIFO must not block us */
	return openat(directory_fd,
		      name,
		      O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
}

bool uring_publish_is_locked(int fd)
{
	struct flock lock = {
		.l_type = F_RDLCK,
	};

	return fcntl(fd, F_OFD_GETLK, &lock) != 0 || lock.l_type != F_UNLCK;
}

bool uring_publish_pread(int fd, size_t offset, void *data, size_t len)
{
	return pread(fd, data, len, (off_t)offset) == (ssize_t)len;
}
