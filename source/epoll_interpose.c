/* SPDX-License-Identifier: LGPL-3.0-or-later */
/*
 * Interposes epoll_wait(2), epoll_create(2) and epoll_create1(2): the loop's
 * own wait goes to the backend, all other calls go to libc.
 *
 * This file is an archive of its own and not part of the shared library.  So
 * the library interposes epoll_wait() only in a program that links the archive.
 */

#include "config.h"

#include <dlfcn.h>
#include <pthread.h>

#include "epoll_interpose.h"

static struct {
	pthread_once_t once;
	int (*epoll_create)(int size);
	int (*epoll_create1)(int flags);
	int (*epoll_wait)(int epfd,
			  struct epoll_event *events,
			  int maxevents,
			  int timeout);
} libc = {
	.once = PTHREAD_ONCE_INIT,
};

static void libc_init(void)
{
	libc.epoll_create = dlsym(RTLD_NEXT, "epoll_create");
	libc.epoll_create1 = dlsym(RTLD_NEXT, "epoll_create1");
	libc.epoll_wait = dlsym(RTLD_NEXT, "epoll_wait");
}

/* tevent up to 0.15 */
URING_PUBLIC int epoll_create(int size)
{
	int fd;

	pthread_once(&libc.once, libc_init);
	fd = libc.epoll_create(size);
	uring_epoll_created(fd);
	return fd;
}

/* tevent from 0.16 on */
URING_PUBLIC int epoll_create1(int flags)
{
	int fd;

	pthread_once(&libc.once, libc_init);
	fd = libc.epoll_create1(flags);
	uring_epoll_created(fd);
	return fd;
}

URING_PUBLIC int epoll_wait(int epfd,
			    struct epoll_event *events,
			    int maxevents,
			    int timeout)
{
	int ret;

	if (uring_epoll_wait(epfd, events, maxevents, timeout, &ret)) {
		return ret;
	}
	pthread_once(&libc.once, libc_init);
	return libc.epoll_wait(epfd, events, maxevents, timeout);
}
