/* SPDX-License-Identifier: LGPL-3.0-or-later */
/*
 * What belongs to the process and not to a context or a thread.  Internal.
 */
#ifndef URING_PROCESS_INTERNAL_H
#define URING_PROCESS_INTERNAL_H

#include "uring_process.h"

#define URING_NUM_REASONS (URING_REASON_ERROR + 1)

/**
 * The one mutex of what the library keeps for the process.  fork() waits for
 * it, so that a child never finds it locked.
 */
void uring_process_lock(void);
void uring_process_unlock(void);

/**
 * Changes whenever a query may be routed in another way than before, so that
 * a route can be kept: after a change of the mode, and after
 * uring_routing_changed().
 */
unsigned uring_routing_generation(void);
void uring_routing_changed(void);

/** Count queries by how they were answered, and enters for them. */
void uring_process_count(const size_t queries[URING_NUM_REASONS],
			 size_t enters);

/** Count a ring that was created. */
void uring_process_ring_created(void);

/** Count a ring that cannot be had or died, and say so once. */
void uring_process_ring_failed(int error);

/** The errno of this process' last uring_process_ring_failed(), or 0. */
int uring_process_ring_error(void);

/**
 * Leak on purpose what the kernel may still write to.  It stays reachable, so
 * that no leak checker reports it.
 *
 * @param[in] p  a talloc chunk
 */
void uring_leak_on_purpose(void *p);

#endif /* URING_PROCESS_INTERNAL_H */
