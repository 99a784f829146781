/* SPDX-License-Identifier: LGPL-3.0-or-later */
/*
 * The connections that a table shows: read, joined and sorted.
 */
#ifndef TOOL_ROWS_H
#define TOOL_ROWS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "transport/publish.h"

/** What a connection is, by the limits of its shares; the worst last. */
enum status_state {
	/** there are no limits, or there is no sample */
	STATE_UNKNOWN,
	STATE_OK,
	STATE_SLOW,
	STATE_LOSS,
	STATE_STALL,
};

/** A row as published, and what another one tells about it. */
struct status_row {
	struct uring_status_row published; /* first: columns have its offsets */
	/** the smbd that a connection over QUIC is relayed to, 0: not known */
	uint64_t smbd_pid;
	/** another row, of smbd-quicd, is relayed by this connection */
	bool relayed;
	enum status_state state;
};

struct status_rows {
	/** a talloc array, of which num_rows are used */
	struct status_row *rows;
	size_t num_rows;
	/** when they were read, CLOCK_MONOTONIC in nanoseconds */
	uint64_t now;
	/** what could not be read */
	const char *failed;
};

/**
 * @brief Add what is published; strings become printable.
 *
 * @param[in] directories  until NULL; one of them has to be there.
 * @param[in] transport    only rows of this one; NULL: all.
 *
 * @return 0 or an errno; rows->failed is the directory.
 */
int rows_add_published(const char *const *directories,
		       const char *transport,
		       struct status_rows *rows);

/** @brief Add one row as it is; 0 or ENOMEM. */
int rows_add(const struct uring_status_row *row, struct status_rows *rows);

/**
 * @brief All rows are there: join them, and judge them.
 *
 * A connection over QUIC has two rows: smbd-quicd's, of the client's network,
 * and smbd's, of the TCP connection between the two.  The address that smbd has
 * for its client joins them, so that the first has users, shares and limits.
 *
 * @return 0 or ENOMEM.
 */
int rows_finish(struct status_rows *rows);

void rows_free(struct status_rows *rows);

/** "ok", "SLOW", "LOSS", "STALL"; "" if it is not known. */
const char *state_name(enum status_state state);

#endif /* TOOL_ROWS_H */
