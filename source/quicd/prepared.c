/* SPDX-License-Identifier: LGPL-3.0-or-later */
/*
 * The file of "smbd-quicd --prepare", see prepared.h.
 *
 * The privileged step of the unit cannot pass a descriptor to the service.  So
 * it leaves a file, which the service reads and removes.
 */

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "prepared.h"
#include "service.h"

#define PREPARED_FILE "settings"
#define PREPARED_FILE_NEW "settings.new"

static bool prepared_error(struct quicd_report *report, const char *file)
{
	return quicd_report_error(report,
				  "%s/%s: %s",
				  quicd_runtime_directory(),
				  file,
				  strerror(errno));
}

static bool prepared_write(int dir, const uint8_t *data, size_t len)
{
	struct stat st;
	int fd;
	bool good;

	/* the directory is another user's, so follow no symbolic link */
	(void)unlinkat(dir, PREPARED_FILE_NEW, 0);
	fd = openat(dir,
		    PREPARED_FILE_NEW,
		    O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC,
		    0600);
	if (fd < 0) {
		return false;
	}
	good = fstat(dir, &st) == 0 && fchown(fd, st.st_uid, st.st_gid) == 0;
	while (good && len > 0) {
		const ssize_t n = write(fd, data, len);

		good = n >= 0 || errno == EINTR;
		data += n > 0 ? n : 0;
		len -= n > 0 ? (size_t)n : 0;
	}
	good = close(fd) == 0 && good;
	return good &&
	       renameat(dir, PREPARED_FILE_NEW, dir, PREPARED_FILE) == 0;
}

static int prepared_open_directory(void)
{
	return open(quicd_runtime_directory(),
		    O_RDONLY | O_DIRECTORY | O_CLOEXEC);
}

bool quicd_prepared_leave(struct quicd_report *report,
			  const struct quicd_bundle *bundle)
{
	uint8_t *data = quicd_bundle_pack(NULL, bundle);
	const int dir = prepared_open_directory();
	bool good;

	if (data == NULL) {
		good = quicd_report_error(report, "no memory");
	} else {
		good = (dir >= 0 &&
			prepared_write(dir, data, talloc_get_size(data))) ||
		       prepared_error(report, PREPARED_FILE);
	}
	if (dir >= 0) {
		close(dir);
	}
	talloc_free(data);
	return good;
}

struct quicd_bundle *quicd_prepared_take(TALLOC_CTX *mem_ctx,
					 struct quicd_report *report)
{
	struct quicd_bundle *bundle = NULL;
	const int dir = prepared_open_directory();
	int fd = -1;

	if (dir >= 0) {
		fd = openat(dir,
			    PREPARED_FILE,
			    O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
	}
	if (fd >= 0) {
		bundle = quicd_bundle_load(mem_ctx, fd);
	}
	if (bundle == NULL) {
		(void)prepared_error(report, PREPARED_FILE);
	}
	if (fd >= 0) {
		close(fd);
		(void)unlinkat(dir, PREPARED_FILE, 0);
	}
	if (dir >= 0) {
		close(dir);
	}
	return bundle;
}
