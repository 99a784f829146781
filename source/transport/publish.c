/* SPDX-License-Identifier: LGPL-3.0-or-later */
/*
 * The last sample of each connection, for another process to read.
 *
 * We considered Samba's ways to publish:
 * - tdb takes a chain lock for each store.  With mutexes the lock is no system
 *   call, but a traversing reader blocks the writers, and a killed writer
 *   leaves the chain to the next process.
 * - smbprofile's sections are counters summed over processes, and some builds
 *   lack them.
 * - Messages would wake each smbd for each question, even an idle one.
 */

#include "config.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <tevent.h>

#include "publish.h"
#include "publish_file.h"
#include "publish_format.h"
#include "util/clock.h"

struct uring_status {
	pid_t pid;
	int fd;
	int directory_fd;
	char name[64];
	struct uring_status_file *file;
	size_t max_rows;
	/* slots that the file system has allocated */
	size_t num_slots;
};

static bool status_is_ours(const struct uring_status *status)
{
	return status->pid == tevent_cached_getpid();
}

static int uring_status_destructor(struct uring_status *status)
{
	if (status->file != NULL) {
		munmap(status->file, uring_status_file_size(status->max_rows));
	}
	if (status->name[0] != '\0' && status_is_ours(status)) {
		unlinkat(status->directory_fd, status->name, 0);
	}
	if (status->fd != -1) {
		close(status->fd);
	}
	if (status->directory_fd != -1) {
		close(status->directory_fd);
	}
	return 0;
}

/* Whether a killed process of our user left this file. */
static bool status_is_left(int fd)
{
	uint64_t magic = 0;
	struct stat st;

	return fstat(fd, &st) == 0 && S_ISREG(st.st_mode) &&
	       st.st_uid == geteuid() &&
	       uring_publish_pread(fd, 0, &magic, sizeof(magic)) &&
	       magic == STATUS_MAGIC && !uring_publish_is_locked(fd);
}

/*
 * Remove the files of killed processes.  Only a writer does this, in the
 * directory of its own user.  A reader can be given any directory.
 */
static void status_clean(int directory_fd)
{
	const struct dirent *entry = NULL;
	int fd = openat(directory_fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *dir = fd != -1 ? fdopendir(fd) : NULL;
	pid_t pid;

	if (dir == NULL) {
		if (fd != -1) {
			close(fd);
		}
		return;
	}
	while ((entry = readdir(dir)) != NULL) {
		/* one system call for each process that lives */
		if (!uring_status_parse_name(entry->d_name, &pid) ||
		    kill(pid, 0) == 0 || errno != ESRCH)
		{
			continue;
		}
		fd = uring_status_open_process(directory_fd, entry->d_name);
		if (fd == -1) {
			continue;
		}
		/* nobody reuses the name */
		if (status_is_left(fd)) {
			unlinkat(directory_fd, entry->d_name, 0);
		}
		close(fd);
	}
	closedir(dir);
}

/* Allocate the page: to write to a page without storage raises SIGBUS. */
static int status_allocate(struct uring_status *status, size_t num_slots)
{
	int ret;

	ret = posix_fallocate(status->fd,
			      0,
			      (off_t)uring_status_file_size(num_slots));
	if (ret == 0) {
		status->num_slots = num_slots;
	}
	return ret;
}

/*
 * Create the file under another name, so that readers see it only when it is
 * locked and complete.
 */
static int status_make_file(struct uring_status *status)
{
	char name[sizeof(status->name)] = "";
	int ret;

	snprintf(status->name,
		 sizeof(status->name),
		 ".%d-%ju",
		 (int)status->pid,
		 (uintmax_t)clock_monotonic_ns());
	status->fd = openat(status->directory_fd,
			    status->name,
			    O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC,
			    0600);
	if (status->fd == -1) {
		ret = errno;
		status->name[0] = '\0';
		return ret;
	}
	ret = uring_publish_lock(status->fd);
	if (ret == 0) {
		ret = status_allocate(status, 1);
	}
	if (ret != 0) {
		return ret;
	}

	status->file = mmap(NULL,
			    uring_status_file_size(status->max_rows),
			    PROT_READ | PROT_WRITE,
			    MAP_SHARED,
			    status->fd,
			    0);
	if (status->file == MAP_FAILED) {
		status->file = NULL;
		return errno;
	}
	status->file->header = (struct uring_status_header){
		.magic = STATUS_MAGIC,
		.slot_size = sizeof(struct uring_status_slot),
		.pid = status->pid,
		.max_rows = status->max_rows,
	};

	memcpy(name, status->name + 1, sizeof(name) - 1);
	if (renameat(status->directory_fd,
		     status->name,
		     status->directory_fd,
		     name) != 0)
	{
		return errno;
	}
	memcpy(status->name, name, sizeof(name));
	return 0;
}

int uring_status_create(TALLOC_CTX *mem_ctx,
			const char *directory,
			size_t max_rows,
			struct uring_status **_status)
{
	struct uring_status *status = NULL;
	int ret;

	status = talloc_zero(mem_ctx, struct uring_status);
	if (status == NULL) {
		return ENOMEM;
	}
	status->pid = tevent_cached_getpid();
	status->fd = -1;
	status->directory_fd = -1;
	status->max_rows = max_rows;
	talloc_set_destructor(status, uring_status_destructor);

	ret = uring_publish_open_directory(directory, &status->directory_fd);
	if (ret == 0) {
		status_clean(status->directory_fd);
		ret = status_make_file(status);
	}
	if (ret != 0) {
		TALLOC_FREE(status);
		return ret;
	}
	*_status = status;
	return 0;
}

int uring_status_add(struct uring_status *status,
		     const struct uring_status_row *row,
		     size_t *index)
{
	size_t i = 0;
	int ret;

	if (!status_is_ours(status)) {
		return ESRCH;
	}
	while (i < status->num_slots && status->file->slots[i].used) {
		i += 1;
	}
	if (i == status->max_rows) {
		return ENOSPC;
	}
	if (i == status->num_slots) {
		ret = status_allocate(status, i + 1);
		if (ret != 0) {
			return ret;
		}
	}
	uring_status_set(status, i, row);
	atomic_store_explicit(&status->file->slots[i].used,
			      1,
			      memory_order_release);
	*index = i;
	return 0;
}

void uring_status_set(struct uring_status *status,
		      size_t index,
		      const struct uring_status_row *row)
{
	if (status_is_ours(status)) {
		uring_status_write_row(&status->file->slots[index], row);
	}
}

void uring_status_remove(struct uring_status *status, size_t index)
{
	if (status_is_ours(status)) {
		atomic_store_explicit(&status->file->slots[index].used,
				      0,
				      memory_order_release);
	}
}
