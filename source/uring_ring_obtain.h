/* SPDX-License-Identifier: LGPL-3.0-or-later */
/*
 * Whether this process may have a ring now.  Internal.
 */
#ifndef URING_RING_OBTAIN_H
#define URING_RING_OBTAIN_H

#include <talloc.h>

#include "uring_ring.h"
#include "uring_sockopt.h"

/**
 * The ring of a context or of a thread, created at its first use.
 *
 * A failure counts for the whole process; the log gets it once.
 *
 * @return URING_REASON_NONE if *ring is usable now, else why there is none.
 */
enum uring_reason uring_ring_obtain(TALLOC_CTX *mem_ctx,
				    struct uring_ring **ring);

#endif /* URING_RING_OBTAIN_H */
