/* SPDX-License-Identifier: LGPL-3.0-or-later */
/*
 * A connection and its last sample, see publish_row.h.
 */

#include "config.h"

#include <stddef.h>

#include "publish_row.h"

void uring_status_row_init(struct uring_status_row *row)
{
	size_t i;

	*row = (struct uring_status_row){
		.ring = FIGURE_UNKNOWN,
		.syscall = FIGURE_UNKNOWN,
	};
	for (i = 0; i < FIGURES_COUNT; i++) {
		row->figures[i] = FIGURE_UNKNOWN;
	}
}

void uring_status_row_terminate(struct uring_status_row *row)
{
	row->transport[sizeof(row->transport) - 1] = '\0';
	row->client[sizeof(row->client) - 1] = '\0';
	row->relay[sizeof(row->relay) - 1] = '\0';
	row->users[sizeof(row->users) - 1] = '\0';
	row->shares[sizeof(row->shares) - 1] = '\0';
}
