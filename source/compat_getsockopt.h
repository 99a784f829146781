/* SPDX-License-Identifier: LGPL-3.0-or-later */
/*
 * Which way a socket query goes on this machine, and the answer that is
 * always right.  Internal.
 */
#ifndef COMPAT_GETSOCKOPT_H
#define COMPAT_GETSOCKOPT_H

#include "uring_sockopt.h"

/** getsockopt(2) of libc, or what uring_set_libc_getsockopt() set. */
int compat_libc_getsockopt(int fd,
			   int level,
			   int optname,
			   void *optval,
			   socklen_t *optlen);

/** Whether socket_wrapper or quic_ko_wrapper is loaded. */
bool compat_wrapped(void);

/**
 * Whether the ring may be asked: URING_REASON_NONE, also when it is not yet
 * known whether it can answer; else why not.
 */
enum uring_reason compat_query_route(const struct uring_socket *sock,
				     const struct uring_query *query);

/** Answer by system call. */
void compat_query_syscall(const struct uring_socket *sock,
			  struct uring_query *query,
			  enum uring_reason reason);

/**
 * Take what the ring answered.  A result >= 0 is the answer; on any error
 * the system call is made, its verdict is the answer, and what the
 * difference tells about the ring is remembered.
 *
 * query->optval must hold the caller's original bytes for in/out options
 * when res is an error.
 */
void compat_query_result(const struct uring_socket *sock,
			 struct uring_query *query,
			 int res);

#endif /* COMPAT_GETSOCKOPT_H */
