/* SPDX-License-Identifier: LGPL-3.0-or-later */
/*
 * The file of the secret, see secret_file.h.
 */

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "secret.h"
#include "secret_file.h"

static int secret_file_write(int fd)
{
	struct quicd_secrets secrets;
	char line[2 * QUICD_SECRET_LEN + 2];
	size_t i;

	quicd_secrets_random(&secrets);
	for (i = 0; i < QUICD_SECRET_LEN; i++) {
		(void)snprintf(line + 2 * i,
			       4,
			       "%02x\n",
			       secrets.list[0].key[i]);
	}
	if (write(fd, line, sizeof(line) - 1) != sizeof(line) - 1) {
		return errno != 0 ? errno : EIO;
	}
	/* or the file may be empty after a loss of power */
	return fsync(fd) == 0 ? 0 : errno;
}

int quicd_secret_file_make(TALLOC_CTX *mem_ctx, const char *path)
{
	char *new = NULL;
	int error;
	int fd;

	if (access(path, F_OK) == 0) {
		return 0;
	}
	if (errno != ENOENT) {
		return errno;
	}
	/* a PID would not do: a killed process may have left its file */
	new = talloc_asprintf(mem_ctx, "%s.XXXXXX", path);
	if (new == NULL) {
		return ENOMEM;
	}
	fd = mkostemp(new, O_CLOEXEC);
	if (fd < 0) {
		error = errno;
		talloc_free(new);
		return error;
	}
	errno = 0;
	error = secret_file_write(fd);
	close(fd);
	/* if another process was faster, its secret counts */
	if (error == 0 && link(new, path) != 0 && errno != EEXIST) {
		error = errno;
	}
	(void)unlink(new);
	talloc_free(new);
	return error;
}
