/* SPDX-License-Identifier: LGPL-3.0-or-later */
/*
 * A worker: the process that serves connections.
 */
#ifndef QUICD_WORKER_H
#define QUICD_WORKER_H

#include "context.h"
#include "listeners.h"
#include "rights.h"

struct quicd_worker_start {
	const struct quicd_rights *rights;
	const struct quicd_shared *shared;
	uint32_t number;
	struct quicd_settings *settings;
	struct quicd_tls *tls;
	struct quicd_listeners *listeners; /* with its own UDP sockets alone */
	/*
	 * New settings: 'P' with a bundle, answered with 'Y' or 'N', and then
	 * 'C' (use them) or 'A' (forget them).  An address: 'L' with a socket;
	 * 'G': drain its connections, answered with 'D' when there are none;
	 * 'K': keep it, after all; 'R': close it.  'E': end at once.
	 */
	int parent;
	pid_t parent_pid;
};

/** @brief Serve; never returns. */
void quicd_worker_main(TALLOC_CTX *mem_ctx,
		       const struct quicd_worker_start *start)
	__attribute__((noreturn));

#endif /* QUICD_WORKER_H */
