/* SPDX-License-Identifier: LGPL-3.0-or-later */
/*
 * Routes a socket query to the ring or to the system call, and returns the
 * system call's answer where the two differ.  Internal.
 */
#ifndef COMPAT_GETSOCKOPT_H
#define COMPAT_GETSOCKOPT_H

#include "uring_sockopt.h"

/**
 * Whether a query may go through the ring.
 *
 * @return URING_REASON_NONE if it may, also if it is not yet known whether
 *         the ring can answer; else the reason for the system call.
 */
enum uring_reason compat_query_route(const struct uring_socket *sock,
				     const struct uring_query *query);

/**
 * Take the ring's result.  A result >= 0 is the answer.  On any error the
 * function makes the system call and returns its verdict.  If the system call
 * succeeds, it also remembers that the ring refuses this query.
 *
 * If res is an error, query->optval must hold the caller's original bytes,
 * because in/out options read them.
 */
void compat_query_result(const struct uring_socket *sock,
			 struct uring_query *query,
			 int res);

#endif /* COMPAT_GETSOCKOPT_H */
