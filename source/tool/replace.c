/* SPDX-License-Identifier: LGPL-3.0-or-later */
/*
 * Replaces a file in one step.
 */

#include "config.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <sys/stat.h>

#include "replace.h"

int replace_begin(const char *path, mode_t mode, struct replaced *file)
{
	int fd;
	int ret;

	/* the suffix: node_exporter reads only files that end with .prom */
	if (strlen(path) + sizeof(".XXXXXX") > sizeof(file->temporary)) {
		return ENAMETOOLONG;
	}
	snprintf(file->path, sizeof(file->path), "%s", path);
	strcpy(file->temporary, file->path);
	strcat(file->temporary, ".XXXXXX");
	fd = mkostemp(file->temporary, O_CLOEXEC);
	if (fd == -1) {
		return errno;
	}
	file->out = fchmod(fd, mode) == 0 ? fdopen(fd, "w") : NULL;
	if (file->out == NULL) {
		ret = errno;
		close(fd);
		(void)unlink(file->temporary);
		return ret;
	}
	return 0;
}

int replace_end(struct replaced *file)
{
	int ret = 0;

	if (ferror(file->out)) {
		ret = EIO;
	}
	if (fclose(file->out) != 0) {
		ret = errno;
	}
	if (ret == 0 && rename(file->temporary, file->path) != 0) {
		ret = errno;
	}
	if (ret != 0) {
		(void)unlink(file->temporary);
	}
	return ret;
}

void replace_cancel(struct replaced *file)
{
	fclose(file->out);
	(void)unlink(file->temporary);
}
