/* SPDX-License-Identifier: LGPL-3.0-or-later */
/*
 * The last sample of each connection, for another process to read.
 *
 * Each process maps a file of its own shared.  So no two processes write to the
 * same memory, and no process can die with a lock that others need.  The file
 * has two copies of each row.  The writer fills the invalid copy and then
 * increments the sequence, whose lowest bit says which copy is valid.  A reader
 * reads the valid copy, and tries again if the sequence has changed since.  So
 * it gets a complete row even if the writer was stopped or killed while it
 * wrote.
 *
 * The writer locks its file only to show that it lives.  The kernel drops the
 * lock however the process ends, so a reused process ID does not look alive.
 *
 * The reader is root, and the writer need not be (smbd-quicd).  The writer
 * could truncate a file that the reader has mapped.  So the reader reads the
 * file, and expects a foreign or endless file.
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
#include <stdatomic.h>
#include <stdbool.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <tevent.h>

#include "publish.h"
#include "util/clock.h"

#define STATUS_MAGIC 0x32676e697275u /* "uring2" */
#define STATUS_DIGITS "0123456789"
#define STATUS_ROW_WORDS (sizeof(struct uring_status_row) / sizeof(uint64_t))

/* The most rows of a file that are read, and how often a reader tries each. */
#define STATUS_MAX_SLOTS 65536
#define STATUS_TRIES 100000

_Static_assert(sizeof(struct uring_status_row) % sizeof(uint64_t) == 0,
	       "copied in words");

/* The beginning of a file. */
struct status_header {
	uint64_t magic;
	uint64_t slot_size;
	uint64_t pid;
	uint64_t max_rows;
};

struct status_slot {
	_Atomic uint64_t used;
	_Atomic uint64_t sequence;
	_Atomic uint64_t copies[2][STATUS_ROW_WORDS];
};

struct status_file {
	struct status_header header;
	struct status_slot slots[];
};

struct uring_status {
	pid_t pid;
	int fd;
	int directory_fd;
	char name[64];
	struct status_file *file;
	size_t max_rows;
	/* slots that the file system has allocated */
	size_t num_slots;
};

static size_t status_file_size(size_t num_slots)
{
	return sizeof(struct status_file) +
	       num_slots * sizeof(struct status_slot);
}

static bool status_is_ours(const struct uring_status *status)
{
	return status->pid == tevent_cached_getpid();
}

static int uring_status_destructor(struct uring_status *status)
{
	if (status->file != NULL) {
		munmap(status->file, status_file_size(status->max_rows));
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

static int status_open_directory(const char *directory, int *fd)
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

/* Whether the file has all len bytes. */
static bool status_pread(int fd, size_t offset, void *data, size_t len)
{
	return pread(fd, data, len, (off_t)offset) == (ssize_t)len;
}

/* Whether the writer lives: its descriptor holds the lock. */
static bool status_is_locked(int fd)
{
	struct flock lock = {
		.l_type = F_RDLCK,
	};

	return fcntl(fd, F_OFD_GETLK, &lock) != 0 || lock.l_type != F_UNLCK;
}

/* Parse the name of a file of a process: PID-NUMBER. */
static bool status_parse_name(const char *name, pid_t *pid)
{
	const size_t digits = strspn(name, STATUS_DIGITS);
	const char *number = name + digits;

	if (digits == 0 || digits > 9 || name[0] == '0' || *number != '-' ||
	    number[1 + strspn(number + 1, STATUS_DIGITS)] != '\0' ||
	    number[1] == '\0')
	{
		return false;
	}
	*pid = (pid_t)strtol(name, NULL, 10);
	return true;
}

/* Open the file of a process; -1 on error. */
static int status_open_process(int directory_fd, const char *name)
{
	pid_t pid;

	if (!status_parse_name(name, &pid)) {
		return -1;
	}
	/* a FIFO must not block us */
	return openat(directory_fd,
		      name,
		      O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
}

/* Whether a killed process of our user left this file. */
static bool status_is_left(int fd)
{
	uint64_t magic = 0;
	struct stat st;

	return fstat(fd, &st) == 0 && S_ISREG(st.st_mode) &&
	       st.st_uid == geteuid() &&
	       status_pread(fd, 0, &magic, sizeof(magic)) &&
	       magic == STATUS_MAGIC && !status_is_locked(fd);
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
		if (!status_parse_name(entry->d_name, &pid) ||
		    kill(pid, 0) == 0 || errno != ESRCH)
		{
			continue;
		}
		fd = status_open_process(directory_fd, entry->d_name);
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
			      (off_t)status_file_size(num_slots));
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
	struct flock lock = {
		.l_type = F_WRLCK,
	};
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
	if (fcntl(status->fd, F_OFD_SETLK, &lock) != 0) {
		return errno;
	}
	ret = status_allocate(status, 1);
	if (ret != 0) {
		return ret;
	}

	status->file = mmap(NULL,
			    status_file_size(status->max_rows),
			    PROT_READ | PROT_WRITE,
			    MAP_SHARED,
			    status->fd,
			    0);
	if (status->file == MAP_FAILED) {
		status->file = NULL;
		return errno;
	}
	status->file->header = (struct status_header){
		.magic = STATUS_MAGIC,
		.slot_size = sizeof(struct status_slot),
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

void uring_status_row_init(struct uring_status_row *row)
{
	size_t i;

	*row = (struct uring_status_row){
		.ring = FIGURE_UNKNOWN,
		.syscall = FIGURE_UNKNOWN,
	};
	for (i = 0; i < FIGURES_COUNT; i++) {
		row->figures[i] = FIGURE_UNKNOWN;
	}
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

	ret = status_open_directory(directory, &status->directory_fd);
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
	struct status_slot *slot = &status->file->slots[index];
	uint64_t words[STATUS_ROW_WORDS];
	uint64_t sequence;
	size_t i;

	if (!status_is_ours(status)) {
		return;
	}
	memcpy(words, row, sizeof(words));
	sequence = atomic_load_explicit(&slot->sequence, memory_order_relaxed);
	sequence += 1;
	/*
	 * Each store releases, so that this copy is overwritten only after the
	 * other has become the valid one.  ThreadSanitizer does not know
	 * fences.
	 */
	for (i = 0; i < STATUS_ROW_WORDS; i++) {
		atomic_store_explicit(&slot->copies[sequence & 1][i],
				      words[i],
				      memory_order_release);
	}
	atomic_store_explicit(&slot->sequence, sequence, memory_order_release);
}

void uring_status_remove(struct uring_status *status, size_t index)
{
	if (status_is_ours(status)) {
		atomic_store_explicit(&status->file->slots[index].used,
				      0,
				      memory_order_release);
	}
}

/*
 * Returns false if the connection does not exist or is closed.
 *
 * The kernel makes the loads of these calls in the order of the calls: each
 * call takes a reference to the page, and an atomic operation that returns a
 * value is a full barrier in the kernel.
 */
static bool status_read_row(int fd, size_t number, struct uring_status_row *row)
{
	const size_t slot = status_file_size(number);
	struct {
		uint64_t used;
		uint64_t sequence;
	} before, after;
	unsigned i;

	_Static_assert(offsetof(struct status_slot, copies) == sizeof(before),
		       "read in one");
	if (!status_pread(fd, slot, &after, sizeof(after))) {
		return false;
	}
	for (i = 0; i < STATUS_TRIES; i++) {
		before = after;
		if (before.used == 0 ||
		    !status_pread(fd,
				  slot + sizeof(before) +
					  (before.sequence & 1) * sizeof(*row),
				  row,
				  sizeof(*row)) ||
		    !status_pread(fd, slot, &after, sizeof(after)))
		{
			return false;
		}
		if (before.sequence == after.sequence) {
			break;
		}
	}
	if (i == STATUS_TRIES) {
		return false;
	}
	row->transport[sizeof(row->transport) - 1] = '\0';
	row->client[sizeof(row->client) - 1] = '\0';
	row->relay[sizeof(row->relay) - 1] = '\0';
	row->users[sizeof(row->users) - 1] = '\0';
	row->shares[sizeof(row->shares) - 1] = '\0';
	return true;
}

struct status_reader {
	struct uring_status_row *rows;
	size_t num_rows;
};

/* The number of slots of a file; 0 if it is not a file of ours. */
static size_t status_count_slots(int fd, uint64_t *pid)
{
	struct status_header header;
	struct stat st;
	size_t num_slots;

	/* many links to a large file would cost the reader much memory */
	if (fstat(fd, &st) != 0 || !S_ISREG(st.st_mode) || st.st_nlink > 1 ||
	    !status_pread(fd, 0, &header, sizeof(header)) ||
	    header.magic != STATUS_MAGIC ||
	    header.slot_size != sizeof(struct status_slot))
	{
		return 0;
	}
	*pid = header.pid;
	num_slots = ((size_t)st.st_size - sizeof(header)) /
		    sizeof(struct status_slot);
	return num_slots <= STATUS_MAX_SLOTS ? num_slots : STATUS_MAX_SLOTS;
}

static int status_read_file(int fd, struct status_reader *reader)
{
	uint64_t pid = 0;
	size_t num_slots = status_count_slots(fd, &pid);
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
		if (status_read_row(fd, i, row)) {
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
	int fd = status_open_process(directory_fd, name);
	int ret = 0;

	if (fd == -1) {
		return 0;
	}
	if (status_is_locked(fd)) {
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
	return status_is_locked(follower->fd) &&
	       status_read_row(follower->fd, follower->number, row) &&
	       strcmp(row->relay, follower->relay) == 0;
}

/* Whether the row is in this file. */
static bool status_find(struct uring_status_follower *follower)
{
	struct uring_status_row row;
	uint64_t pid;
	size_t num_slots = status_count_slots(follower->fd, &pid);

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
		follower->fd = status_open_process(dirfd(dir), entry->d_name);
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
