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

/* A rename would put a file in the place of /dev/null or /dev/stdout. */
static int replace_look(const char *path)
{
	struct stat st;

	if (lstat(path, &st) != 0) {
		return errno == ENOENT ? 0 : errno;
	}
	if (S_ISDIR(st.st_mode)) {
		return EISDIR;
	}
	return S_ISREG(st.st_mode) ? 0 : EEXIST;
}

const char *replace_strerror(int error)
{
	return error == EEXIST ? "there is something that is not a regular file"
			       : strerror(error);
}

int replace_begin(const char *path, mode_t mode, struct replaced *file)
{
	int fd;
	int ret = replace_look(path);

	if (ret != 0) {
		return ret;
	}
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

int replace_remove(const char *path)
{
	int ret = replace_look(path);

	if (ret != 0) {
		return ret;
	}
	return unlink(path) == 0 || errno == ENOENT ? 0 : errno;
}
