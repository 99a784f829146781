/* SPDX-License-Identifier: LGPL-3.0-or-later */
/*
 * Functions for a program that interposes epoll_wait(2) by itself.
 *
 * A program that links libtevent-uring-epoll.a does not need this header: the
 * archive interposes epoll_wait(2) and calls these functions.
 */
#ifndef EPOLL_INTERPOSE_H
#define EPOLL_INTERPOSE_H

#include <stdbool.h>
#include <sys/epoll.h>

#include "uring_process.h"

/**
 * @brief Tell the backend that epoll_create(2) or epoll_create1(2) returned fd.
 */
URING_PUBLIC void uring_epoll_created(int fd);

/**
 * @brief Wait, and submit queries with the wait, if epfd belongs to a loop
 * whose queries piggyback on this wait.
 *
 * @param[out] ret  the result that epoll_wait(2) is to return, with errno.
 *
 * @return false for any other wait; then call epoll_wait(2).
 */
URING_PUBLIC bool uring_epoll_wait(int epfd,
				   struct epoll_event *events,
				   int maxevents,
				   int timeout,
				   int *ret);

#endif /* EPOLL_INTERPOSE_H */
