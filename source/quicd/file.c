/* SPDX-License-Identifier: LGPL-3.0-or-later */
/*
 * Files that smb.conf names, into a bundle.
 */

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "file.h"

/* Revocation lists can be long. */
#define FILE_MAX (64 << 20)

static bool file_error(struct quicd_report *report,
		       const char *source,
		       const char *why)
{
	return quicd_report_error(report, "%s: %s", source, why);
}

static bool file_add_fd(struct quicd_bundle *bundle,
			struct quicd_report *report,
			const char *item,
			const char *source,
			int fd,
			bool secret)
{
	struct stat st;
	char *data = NULL;
	size_t used = 0;
	ssize_t n = 1;
	bool good;

	if (fstat(fd, &st) != 0) {
		return file_error(report, source, strerror(errno));
	}
	if (!S_ISREG(st.st_mode) || st.st_size > FILE_MAX) {
		return file_error(report, source, "not a file, or too long");
	}
	if (secret && (st.st_mode & (S_IRWXO | S_IWGRP)) != 0) {
		return file_error(report,
				  source,
				  "accessible by others: chmod 600 is right");
	}
	data = talloc_array(bundle, char, (size_t)st.st_size + 1);
	if (data == NULL) {
		return file_error(report, source, "no memory");
	}
	while (n > 0 && used < (size_t)st.st_size) {
		n = read(fd, data + used, (size_t)st.st_size - used);
		used += n > 0 ? (size_t)n : 0;
	}
	if (n < 0) {
		talloc_free(data);
		return file_error(report, source, strerror(errno));
	}
	good = quicd_bundle_add(bundle, item, data, used);
	talloc_free(data);
	return good || file_error(report, source, "no memory");
}

bool quicd_file_add(struct quicd_bundle *bundle,
		    struct quicd_report *report,
		    const char *item_source,
		    const char *item,
		    const char *parameter,
		    const char *path,
		    bool secret)
{
	char *source = talloc_asprintf(bundle, "%s = %s", parameter, path);
	bool good;
	int fd;

	if (source == NULL ||
	    !quicd_bundle_add_string(bundle, item_source, source)) {
		return quicd_report_error(report, "no memory");
	}
	/* open() of a FIFO would wait for a writer */
	fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
	if (fd < 0) {
		return file_error(report, source, strerror(errno));
	}
	good = file_add_fd(bundle, report, item, source, fd, secret);
	close(fd);
	return good;
}
