/* SPDX-License-Identifier: LGPL-3.0-or-later */
/*
 * For whoever interposes epoll_wait(2): what the backend does with a call.
 *
 * libtevent-uring-epoll.a interposes; a program that links it needs nothing
 * from here.
 */
#ifndef EPOLL_INTERPOSE_H
#define EPOLL_INTERPOSE_H

#include <stdbool.h>
#include <sys/epoll.h>

#include "uring_process.h"

/**
 * @brief epoll_create(2) or epoll_create1(2) returned fd: the backend may be
 * waiting for just that.
 */
URING_PUBLIC void uring_epoll_created(int fd);

/**
 * @brief Do the wait if it is the one of a loop that has queries to carry.
 *
 * @param[out] ret  what epoll_wait(2) returns, with errno.
 *
 * @return false if it is another wait: call epoll_wait(2) then.
 */
URING_PUBLIC bool uring_epoll_wait(int epfd,
				   struct epoll_event *events,
				   int maxevents,
				   int timeout,
				   int *ret);

#endif /* EPOLL_INTERPOSE_H */
