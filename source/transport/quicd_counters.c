/* SPDX-License-Identifier: LGPL-3.0-or-later */
/*
 * What has happened in smbd-quicd, see quicd_counters.h.
 */

#include "config.h"

#include <errno.h>
#include <fcntl.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>
#include <sys/mman.h>

#include "publish_file.h"
#include "quicd_counters_format.h"

#define COUNTERS_NEW ".counters"

/* The part that talloc frees. */
struct quicd_counters_owner {
	struct quicd_counters *counters;
	pid_t pid;
	int directory_fd;
	int fd;
	bool published;
};

static int quicd_counters_destructor(struct quicd_counters_owner *owner)
{
	if (owner->counters != MAP_FAILED) {
		munmap(owner->counters, sizeof(*owner->counters));
	}
	if (owner->published && owner->pid == getpid()) {
		unlinkat(owner->directory_fd, COUNTERS_FILE, 0);
	}
	if (owner->fd != -1) {
		close(owner->fd);
	}
	if (owner->directory_fd != -1) {
		close(owner->directory_fd);
	}
	return 0;
}

static bool quicd_counters_map(struct quicd_counters_owner *owner, int fd)
{
	owner->counters = mmap(NULL,
			       sizeof(*owner->counters),
			       PROT_READ | PROT_WRITE,
			       fd != -1 ? MAP_SHARED
					: MAP_SHARED | MAP_ANONYMOUS,
			       fd,
			       0);
	return owner->counters != MAP_FAILED;
}

/* Only a file that is locked and complete gets its name. */
static int quicd_counters_make_file(struct quicd_counters_owner *owner)
{
	int ret;

	(void)unlinkat(owner->directory_fd, COUNTERS_NEW, 0);
	owner->fd = openat(owner->directory_fd,
			   COUNTERS_NEW,
			   O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC,
			   0600);
	if (owner->fd == -1) {
		return errno;
	}
	ret = uring_publish_lock(owner->fd);
	if (ret != 0) {
		return ret;
	}
	/* to write to a page without storage raises SIGBUS */
	ret = posix_fallocate(owner->fd,
			      0,
			      (off_t)sizeof(*owner->counters));
	if (ret != 0) {
		return ret;
	}
	if (!quicd_counters_map(owner, owner->fd)) {
		return errno;
	}
	owner->counters->magic = COUNTERS_MAGIC;
	if (renameat(owner->directory_fd,
		     COUNTERS_NEW,
		     owner->directory_fd,
		     COUNTERS_FILE) != 0)
	{
		return errno;
	}
	owner->published = true;
	return 0;
}

struct quicd_counters *quicd_counters_create(TALLOC_CTX *mem_ctx,
					     const char *directory,
					     int *error)
{
	struct quicd_counters_owner *owner = talloc(
		mem_ctx, struct quicd_counters_owner);

	*error = ENOMEM;
	if (owner == NULL) {
		return NULL;
	}
	*owner = (struct quicd_counters_owner){
		.counters = MAP_FAILED,
		.pid = getpid(),
		.directory_fd = -1,
		.fd = -1,
	};
	talloc_set_destructor(owner, quicd_counters_destructor);
	*error = uring_publish_open_directory(directory,
					      &owner->directory_fd);
	if (*error == 0) {
		*error = quicd_counters_make_file(owner);
	}
	if (owner->counters == MAP_FAILED && !quicd_counters_map(owner, -1)) {
		talloc_free(owner);
		return NULL;
	}
	return owner->counters;
}

void quicd_count(struct quicd_counters *counters, enum quicd_counter counter)
{
	quicd_count_add(counters, counter, 1);
}

void quicd_count_add(struct quicd_counters *counters,
		     enum quicd_counter counter,
		     uint64_t number)
{
	if (counters != NULL) {
		atomic_fetch_add_explicit(&counters->values[counter],
					  number,
					  memory_order_relaxed);
	}
}

struct quicd_counters_memory *quicd_counters_memory(
	struct quicd_counters *counters)
{
	return &counters->memory;
}

void quicd_counters_certificates(
	struct quicd_counters *counters,
	const struct quicd_counters_certificate *certificates,
	size_t num)
{
	if (num > QUICD_COUNTERS_CERTIFICATES) {
		num = QUICD_COUNTERS_CERTIFICATES;
	}
	atomic_fetch_add(&counters->sequence, 1);
	memcpy(counters->certificates,
	       certificates,
	       num * sizeof(*certificates));
	counters->num_certificates = num;
	atomic_fetch_add(&counters->sequence, 1);
}
