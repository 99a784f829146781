/* SPDX-License-Identifier: LGPL-3.0-or-later */
/*
 * The UDP sockets of all workers: one for each address and worker.
 *
 * The parent opens them and keeps them, so that a worker that replaces another
 * one goes on with the same sockets.
 */
#ifndef QUICD_LISTENERS_H
#define QUICD_LISTENERS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <talloc.h>

#include "settings.h"

struct quicd_listeners;

/**
 * @brief Listen on all addresses of the settings.
 *
 * An address family that the machine does not have is skipped with a warning,
 * if there is another address.
 *
 * @return NULL after a log line.
 */
struct quicd_listeners *quicd_listeners_open(
	TALLOC_CTX *mem_ctx,
	const struct quicd_settings *settings);

/**
 * @brief In the process of a worker: close the sockets of all other workers.
 *
 * @param[out] num  how many sockets the worker has
 *
 * @return its sockets, which belong to the listeners; NULL without memory.
 */
const int *quicd_listeners_keep(struct quicd_listeners *listeners,
				uint32_t number,
				size_t *num);

#endif /* QUICD_LISTENERS_H */
