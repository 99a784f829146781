/* SPDX-License-Identifier: LGPL-3.0-or-later */
/*
 * A connection and its last sample, as it is published.
 */
#ifndef TRANSPORT_PUBLISH_ROW_H
#define TRANSPORT_PUBLISH_ROW_H

#include <stdint.h>

#include "figures.h"
#include "util/address.h"

/** Separates the names of a list; no name contains it. */
#define URING_STATUS_SEPARATOR '\n'

/** The last name of a list that was cut. */
#define URING_STATUS_MORE "..."

/**
 * A connection and its last sample.
 *
 * Strings are terminated, and empty if unknown.  Times are of CLOCK_MONOTONIC,
 * in nanoseconds.
 */
struct uring_status_row {
	/** "tcp", "quic" */
	char transport[8];
	/** address and port */
	char client[ADDRESS_TEXT_SIZE];
	/** the client's address as smbd sees it, if a relay is in between */
	char relay[ADDRESS_TEXT_SIZE];
	/* lists */
	char users[128];
	char shares[240];

	/** the process; uring_status_read() sets it */
	uint64_t pid;
	uint64_t started;
	/** the time of the sample; 0: none yet */
	uint64_t sampled;
	/** the number of the sample's queries that the ring answered; or
	 * unknown */
	uint64_t ring;
	/** and that the system call answered; or unknown */
	uint64_t syscall;

	/* limits of the shares, the strictest; 0: none */
	uint64_t limit_rtt_us;
	uint64_t limit_loss_ppm;
	uint64_t limit_stall_ms;

	/** by enum figure_index; FIGURE_UNKNOWN if the transport has none */
	uint64_t figures[FIGURES_COUNT];
};

/** Initialise a row in which everything is unknown. */
void uring_status_row_init(struct uring_status_row *row);

/** Terminate the strings of a row of a stranger. */
void uring_status_row_terminate(struct uring_status_row *row);

#endif /* TRANSPORT_PUBLISH_ROW_H */
