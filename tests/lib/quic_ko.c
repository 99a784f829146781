/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Description: preloaded before Samba's quic_ko_wrapper, answers TCP_INFO as
 * Linux's QUIC module does, which passes all but SOL_QUIC on to IP.
 *
 * The wrapper would pass the query on to socket_wrapper, which invents a
 * TCP_INFO.  With this library every socket gets the module's answer, so use it
 * only for programs without TCP.
 */

#include <dlfcn.h>
#include <errno.h>
#include <netinet/in.h>
#include <stddef.h>
#include <sys/socket.h>

__attribute__((visibility("default"))) int getsockopt(
	int fd,
	int level,
	int optname,
	void *restrict optval,
	socklen_t *restrict optlen)
{
	static __typeof__(getsockopt) *next;

	if (level == IPPROTO_TCP) {
		errno = ENOPROTOOPT;
		return -1;
	}
	if (next == NULL) {
		next = (__typeof__(next))dlsym(RTLD_NEXT, "getsockopt");
	}
	return next(fd, level, optname, optval, optlen);
}
