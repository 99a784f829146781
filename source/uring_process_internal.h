/* SPDX-License-Identifier: LGPL-3.0-or-later */
/*
 * State of the process, as opposed to a context or a thread.  Internal.
 */
#ifndef URING_PROCESS_INTERNAL_H
#define URING_PROCESS_INTERNAL_H

#include "uring_process.h"

#define URING_NUM_REASONS (URING_REASON_ERROR + 1)

/**
 * The one mutex of all state that the library keeps for the process.  fork()
 * waits for the mutex, so that a child never finds it locked.
 */
void uring_process_lock(void);
void uring_process_unlock(void);

/**
 * A number that changes whenever a query's route may change: when the mode
 * changes, and in uring_routing_changed().  A caller may keep a route while
 * the number stays the same.
 */
unsigned uring_routing_generation(void);
void uring_routing_changed(void);

/** Count answered queries by reason, and the enters that they needed. */
void uring_process_count(const size_t queries[URING_NUM_REASONS],
			 size_t enters);

/** Count a ring that was created. */
void uring_process_ring_created(void);

/** Count a ring that died or could not be created, and log the first one. */
void uring_process_ring_failed(int error);

/** The errno of this process' last uring_process_ring_failed(), or 0. */
int uring_process_ring_error(void);

/**
 * Leak memory on purpose because the kernel may still write to it.  The memory
 * stays reachable, so that no leak checker reports it.
 *
 * @param[in] p  a talloc chunk
 */
void uring_leak_on_purpose(void *p);

#endif /* URING_PROCESS_INTERNAL_H */
