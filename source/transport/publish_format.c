/* SPDX-License-Identifier: LGPL-3.0-or-later */
/*
 * The file of a process that publishes rows, see publish_format.h.
 */

#include "config.h"

#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "publish_file.h"
#include "publish_format.h"

#define STATUS_DIGITS "0123456789"

/* The most rows of a file that are read, and how often a reader tries each. */
#define STATUS_MAX_SLOTS 65536
#define STATUS_TRIES 100000

size_t uring_status_file_size(size_t num_slots)
{
	return sizeof(struct uring_status_file) +
	       num_slots * sizeof(struct uring_status_slot);
}

bool uring_status_parse_name(const char *name, pid_t *pid)
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

int uring_status_open_process(int directory_fd, const char *name)
{
	pid_t pid;

	if (!uring_status_parse_name(name, &pid)) {
		return -1;
	}
	return uring_publish_open(directory_fd, name);
}

size_t uring_status_count_slots(int fd, uint64_t *pid)
{
	struct uring_status_header header;
	struct stat st;
	size_t num_slots;

	/* many links to a large file would cost the reader much memory */
	if (fstat(fd, &st) != 0 || !S_ISREG(st.st_mode) || st.st_nlink > 1 ||
	    !uring_publish_pread(fd, 0, &header, sizeof(header)) ||
	    header.magic != STATUS_MAGIC ||
	    header.slot_size != sizeof(struct uring_status_slot))
	{
		return 0;
	}
	*pid = header.pid;
	num_slots = ((size_t)st.st_size - sizeof(header)) /
		    sizeof(struct uring_status_slot);
	return num_slots <= STATUS_MAX_SLOTS ? num_slots : STATUS_MAX_SLOTS;
}

void uring_status_write_row(struct uring_status_slot *slot,
			    const struct uring_status_row *row)
{
	uint64_t words[STATUS_ROW_WORDS];
	uint64_t sequence;
	size_t i;

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

/*
 * The kernel makes the loads of these calls in the order of the calls: each
 * call takes a reference to the page, and an atomic operation that returns a
 * value is a full barrier in the kernel.
 */
bool uring_status_read_row(int fd, size_t number, struct uring_status_row *row)
{
	const size_t slot = uring_status_file_size(number);
	struct {
		uint64_t used;
		uint64_t sequence;
	} before, after;
	unsigned i;

	_Static_assert(offsetof(struct uring_status_slot, copies) ==
			       sizeof(before),
		       "read in one");
	if (!uring_publish_pread(fd, slot, &after, sizeof(after))) {
		return false;
	}
	for (i = 0; i < STATUS_TRIES; i++) {
		before = after;
		if (before.used == 0 ||
		    !uring_publish_pread(fd,
					 slot + sizeof(before) +
						 (before.sequence & 1) *
							 sizeof(*row),
					 row,
					 sizeof(*row)) ||
		    !uring_publish_pread(fd, slot, &after, sizeof(after)))
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
	uring_status_row_terminate(row);
	return true;
}
