/* SPDX-License-Identifier: LGPL-3.0-or-later */
/*
 * A worker: the process that serves connections.
 */
#ifndef QUICD_WORKER_H
#define QUICD_WORKER_H

#include "context.h"
#include "rights.h"

struct quicd_worker_start {
	const struct quicd_rights *rights;
	const struct quicd_shared *shared;
	uint32_t number;
	struct quicd_settings *settings;
	struct quicd_tls *tls;
	const int *fds; /* its own UDP sockets */
	size_t num_fds;
	/* new settings: 'P' with a bundle, answered with 'Y' or 'N', and then
	 * 'C' (use them) or 'A' (forget them); 'E': end at once */
	int parent;
	pid_t parent_pid;
};

/** @brief Serve; never returns. */
void quicd_worker_main(TALLOC_CTX *mem_ctx,
		       const struct quicd_worker_start *start)
	__attribute__((noreturn));

#endif /* QUICD_WORKER_H */
