/* SPDX-License-Identifier: LGPL-3.0-or-later */
/*
 * What has happened in smbd-quicd, see quicd_counters.h.
 *
 * The memory that the workers share is a file.  So a reader sees the counters
 * as they are, and no process wakes up to publish them.  How the reader trusts
 * the file, and sees that the writer lives, is in publish_file.h.
 */

#include "config.h"

#include <errno.h>
#include <fcntl.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>
#include <sys/mman.h>
#include <sys/stat.h>

#include "publish_file.h"
#include "quicd_counters.h"

#define COUNTERS_MAGIC 0x32646369757175 /* "uquicd2" */
#define COUNTERS_FILE "counters"
#define COUNTERS_NEW ".counters"
#define COUNTERS_TRIES 1000

struct quicd_counters {
	uint64_t magic;
	/* odd while the certificates change */
	_Atomic uint64_t sequence;
	_Atomic uint64_t values[QUICD_COUNTERS];
	struct quicd_counters_memory memory;
	uint64_t num_certificates;
	struct quicd_counters_certificate
		certificates[QUICD_COUNTERS_CERTIFICATES];
};

_Static_assert(sizeof(struct quicd_counters) -
			       offsetof(struct quicd_counters, values) ==
		       sizeof(struct quicd_counters_read),
	       "read in one");

static const char *const quicd_counter_names[QUICD_COUNTERS] = {
	[QUICD_COUNT_ACCEPTED] = "accepted",
	[QUICD_COUNT_REFUSED_HOSTS] = "refused by hosts lists",
	[QUICD_COUNT_REFUSED_LIMITS] = "refused by limits",
	[QUICD_COUNT_REFUSED_TLS] = "refused by TLS",
	[QUICD_COUNT_RETRIES] = "Retry sent",
	[QUICD_COUNT_WRONG_TOKENS] = "wrong tokens",
	[QUICD_COUNT_RESETS] = "resets sent",
	[QUICD_COUNT_HANDSHAKE_TIMEOUT] = "handshakes timed out",
	[QUICD_COUNT_DROPPED] = "datagrams dropped by full sockets",
	[QUICD_COUNT_SEGMENTATION_OFF] = "sockets without segmentation",
	[QUICD_COUNT_BYTES_RECEIVED] = "bytes received",
	[QUICD_COUNT_BYTES_ACKED] = "bytes sent",
};

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

const char *quicd_counter_name(enum quicd_counter counter)
{
	return quicd_counter_names[counter];
}

char *quicd_counters_print(TALLOC_CTX *mem_ctx,
			   const struct quicd_counters *counters)
{
	char *line = talloc_strdup(mem_ctx, "");
	unsigned i;

	for (i = 0; i < QUICD_COUNTERS && line != NULL; i++) {
		const uint64_t value = atomic_load(&counters->values[i]);

		if (value != 0) {
			line = talloc_asprintf_append(line,
						      ", %llu %s",
						      (unsigned long long)value,
						      quicd_counter_names[i]);
		}
	}
	return line;
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

static bool quicd_counters_read_fd(int fd, struct quicd_counters_read *data)
{
	struct {
		uint64_t magic;
		uint64_t sequence;
	} before, after;
	struct stat st;
	unsigned i;

	if (fstat(fd, &st) != 0 || !S_ISREG(st.st_mode) ||
	    !uring_publish_is_locked(fd))
	{
		return false;
	}
	for (i = 0; i < COUNTERS_TRIES; i++) {
		if (!uring_publish_pread(fd, 0, &before, sizeof(before)) ||
		    before.magic != COUNTERS_MAGIC ||
		    !uring_publish_pread(fd,
					 offsetof(struct quicd_counters,
						  values),
					 data,
					 sizeof(*data)) ||
		    !uring_publish_pread(fd, 0, &after, sizeof(after)))
		{
			return false;
		}
		if (before.sequence == after.sequence &&
		    before.sequence % 2 == 0)
		{
			return data->num_certificates <=
			       QUICD_COUNTERS_CERTIFICATES;
		}
	}
	return false;
}

bool quicd_counters_read(const char *directory,
			 struct quicd_counters_read *data)
{
	int dir = open(directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	int fd = -1;
	bool found;
	size_t i;

	if (dir != -1) {
		fd = uring_publish_open(dir, COUNTERS_FILE);
		close(dir);
	}
	if (fd == -1) {
		return false;
	}
	found = quicd_counters_read_fd(fd, data);
	close(fd);
	for (i = 0; found && i < data->num_certificates; i++) {
		char *name = data->certificates[i].name;

		name[sizeof(data->certificates[i].name) - 1] = '\0';
	}
	return found;
}
