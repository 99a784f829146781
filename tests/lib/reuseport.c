/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Description: preloaded before socket_wrapper, grants SO_REUSEPORT.  Linux refuses
 * it for UNIX sockets since 6.14, and socket_wrapper 1.3 does not know that.
 */

#include <dlfcn.h>
#include <stddef.h>
#include <sys/socket.h>

__attribute__((visibility("default"))) int setsockopt(int fd,
						      int level,
						      int optname,
						      const void *optval,
						      socklen_t optlen)
{
	static int (*next)(int, int, int, const void *, socklen_t);

	if (level == SOL_SOCKET && optname == SO_REUSEPORT) {
		return 0;
	}
	if (next == NULL) {
		next = dlsym(RTLD_NEXT, "setsockopt");
	}
	return next(fd, level, optname, optval, optlen);
}
