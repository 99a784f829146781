/* SPDX-License-Identifier: LGPL-3.0-or-later */
/*
 * Whether this process may try to create a ring.  Internal.
 */
#ifndef URING_RING_TRY_H
#define URING_RING_TRY_H

/*
 * In place of an errno: a system-call filter kills whoever uses io_uring.  No
 * errno is as large.
 */
#define URING_RING_KILLED 4096

/**
 * @brief Let a child process find out whether a system-call filter kills it.
 *
 * The function does this once.  A process that is forked later inherits the
 * verdict.  uring_ring_create() calls this function first.
 *
 * @return 0 if no filter kills; URING_RING_KILLED; or an errno if there can be
 *         no child.
 */
int uring_ring_try(void);

#endif /* URING_RING_TRY_H */
