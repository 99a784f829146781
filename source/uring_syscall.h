/* SPDX-License-Identifier: LGPL-3.0-or-later */
/*
 * Asks by system call, and knows who answers it.  Internal; uring_sockopt.h
 * declares what programs may call.
 */
#ifndef URING_SYSCALL_H
#define URING_SYSCALL_H

#include "uring_sockopt.h"

/** getsockopt(2) of libc, or what uring_set_libc_getsockopt() set. */
int uring_syscall_getsockopt(int fd,
			     int level,
			     int optname,
			     void *optval,
			     socklen_t *optlen);

/** Answer a query by system call; the reason is why it is no other way. */
void uring_syscall_query(const struct uring_socket *sock,
			 struct uring_query *query,
			 enum uring_reason reason);

/** Whether socket_wrapper or quic_ko_wrapper is loaded. */
bool uring_syscall_wrapped(void);

#endif /* URING_SYSCALL_H */
