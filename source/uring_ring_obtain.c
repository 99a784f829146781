/* SPDX-License-Identifier: LGPL-3.0-or-later */
/*
 * Whether this process may have a ring now, see uring_ring_obtain.h.
 *
 * Where the kernel checks credentials (kernel.io_uring_disabled = 1, memlock
 * accounting), it checks those of the ring's creator.  smbd impersonates the
 * client's user with seteuid() and similar calls.  Until smbd has its own user
 * again, the library creates no ring.
 */

#include "config.h"

#include <unistd.h>

#include "uring_process_internal.h"
#include "uring_ring_obtain.h"

enum uring_reason uring_ring_obtain(TALLOC_CTX *mem_ctx,
				    struct uring_ring **ring)
{
	int ret;

	if (*ring != NULL && uring_ring_usable(*ring)) {
		return URING_REASON_NONE;
	}
	TALLOC_FREE(*ring);

	if (uring_process_ring_error() != 0) {
		return URING_REASON_NORING;
	}
	if (geteuid() != getuid()) {
		return URING_REASON_EUID;
	}

	ret = uring_ring_create(mem_ctx, ring);
	if (ret != 0) {
		uring_process_ring_failed(ret);
		return URING_REASON_NORING;
	}
	uring_process_ring_created();
	return URING_REASON_NONE;
}
