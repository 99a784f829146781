/* SPDX-License-Identifier: LGPL-3.0-or-later */
/*
 * Reads the counters of smbd-quicd, see quicd_counters_read.h.
 */

#include "config.h"

#include <fcntl.h>
#include <stddef.h>
#include <unistd.h>
#include <sys/stat.h>

#include "publish_file.h"
#include "quicd_counters_format.h"
#include "quicd_counters_read.h"

#define COUNTERS_TRIES 1000

_Static_assert(sizeof(struct quicd_counters) -
			       offsetof(struct quicd_counters, values) ==
		       sizeof(struct quicd_counters_read),
	       "read in one");

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
