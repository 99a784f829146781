/* SPDX-License-Identifier: LGPL-3.0-or-later */
/* What the service manager gives smbd-quicd, see service.h. */

#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "service.h"

const char *quicd_runtime_directory(void)
{
	const char *directory = getenv("RUNTIME_DIRECTORY");

	return directory != NULL ? directory : "/run/smbd-quicd";
}

void quicd_notify(const char *state)
{
	const char *path = getenv("NOTIFY_SOCKET");
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	const size_t len = path != NULL ? strlen(path) : 0;
	int fd;

	if (len == 0 || len >= sizeof(address.sun_path)) {
		return;
	}
	memcpy(address.sun_path, path, len);
	if (path[0] == '@') {
		address.sun_path[0] = '\0'; /* an abstract address */
	}
	fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (fd >= 0) {
		(void)sendto(fd,
			     state,
			     strlen(state),
			     MSG_NOSIGNAL,
			     (const struct sockaddr *)&address,
			     (socklen_t)(offsetof(struct sockaddr_un,
						  sun_path) +
					 len));
		close(fd);
	}
}
