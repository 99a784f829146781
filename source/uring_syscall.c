/* SPDX-License-Identifier: LGPL-3.0-or-later */
/*
 * Asks by system call, and knows who answers it: libc and the kernel, or a
 * wrapper that stands between.
 */

#include "config.h"

#include <errno.h>
#include <link.h>
#include <pthread.h>
#include <string.h>
#include <sys/ioctl.h>
#include <linux/sockios.h>

#include "uring_process_internal.h"
#include "uring_syscall.h"
#include "util/macros.h"

static int (*libc_getsockopt)(int fd,
			      int level,
			      int optname,
			      void *optval,
			      socklen_t *optlen) = getsockopt;

void uring_set_libc_getsockopt(int (
	*fn)(int fd, int level, int optname, void *optval, socklen_t *optlen))
{
	uring_process_lock();
	libc_getsockopt = fn;
	uring_process_unlock();
}

int uring_syscall_getsockopt(int fd,
			     int level,
			     int optname,
			     void *optval,
			     socklen_t *optlen)
{
	/* no lock: the function is set before the first query */
	return libc_getsockopt(fd, level, optname, optval, optlen);
}

int uring_socket_init(int fd, struct uring_socket *sock)
{
	struct {
		int optname;
		int *value;
	} parts[] = {
		{SO_DOMAIN, &sock->family},
		{SO_TYPE, &sock->type},
		{SO_PROTOCOL, &sock->protocol},
	};
	size_t i;

	*sock = (struct uring_socket){
		.fd = fd,
	};
	for (i = 0; i < ARRAY_SIZE(parts); i++) {
		socklen_t len = sizeof(int);
		int ret;

		ret = uring_syscall_getsockopt(
			fd, SOL_SOCKET, parts[i].optname, parts[i].value, &len);
		if (ret != 0) {
			return errno;
		}
	}
	return 0;
}

static int syscall_find_wrapper(struct dl_phdr_info *info,
				size_t size,
				void *private_data)
{
	const char *names[] = {
		"libsocket_wrapper",
		"libsocket-wrapper",
		"libquic_ko_wrapper",
		"libquic-ko-wrapper",
	};
	size_t i;

	for (i = 0; i < ARRAY_SIZE(names); i++) {
		if (strstr(info->dlpi_name, names[i]) != NULL) {
			return 1;
		}
	}
	return 0;
}

static bool wrappers_loaded;

static void syscall_init_wrappers(void)
{
	wrappers_loaded = dl_iterate_phdr(syscall_find_wrapper, NULL) != 0;
}

/* LD_PRELOAD alone can load a wrapper, so one check lasts for the process. */
bool uring_syscall_wrapped(void)
{
	static pthread_once_t once = PTHREAD_ONCE_INIT;

	pthread_once(&once, syscall_init_wrappers);
	return wrappers_loaded;
}

void uring_syscall_query(const struct uring_socket *sock,
			 struct uring_query *query,
			 enum uring_reason reason)
{
	int ret = -1;

	switch (query->type) {
	case URING_QUERY_GETSOCKOPT:
		ret = uring_syscall_getsockopt(sock->fd,
					       query->level,
					       query->optname,
					       query->optval,
					       &query->optlen);
		break;
	case URING_QUERY_SIOCINQ:
		ret = ioctl(sock->fd, SIOCINQ, query->optval);
		break;
	case URING_QUERY_SIOCOUTQ:
		ret = ioctl(sock->fd, SIOCOUTQ, query->optval);
		break;
	}
	query->error = ret < 0 ? errno : 0;
	query->reason = reason;
}
