/* SPDX-License-Identifier: LGPL-3.0-or-later */
/*
 * The states of a connection, and how long each may last.
 *
 *     HANDSHAKE -> WAIT_SMB -> CONNECTING -> OPEN -> ENDING
 *         |           |            |           |       |
 *         +-----------+------------+-----------+-------+--> FAILED -> CLOSED
 *
 * FAILED is short.  ngtcp2's callbacks must not write, so they note the reason,
 * and quicd_conn_work() closes the connection when ngtcp2 has returned.  After
 * CLOSED the connection is freed; close_wait.h has the rest.
 */
#ifndef QUICD_STATE_H
#define QUICD_STATE_H

#include <stdbool.h>
#include <stdint.h>

enum quicd_state {
	QUICD_HANDSHAKE,  /* TLS, and then the limits */
	QUICD_WAIT_SMB,	  /* the client may send its first message */
	QUICD_CONNECTING, /* the relay connects to smbd */
	QUICD_OPEN,
	QUICD_ENDING, /* smbd's end was sent, and is not acknowledged yet */
	QUICD_FAILED, /* to be closed, see above */
	QUICD_CLOSED,
};

#define QUICD_STATES (QUICD_CLOSED + 1)

/* How long a state may last, and why the connection is closed then. */
struct quicd_deadline {
	const char *name;		/* of the state */
	unsigned seconds;		/* 0: as long as it likes */
	const char *reason;		/* in the line "closed" of the log */
	const char *reason_transparent; /* in its place, or NULL */
};

/** @brief A state's row of the table; smbd-quicd(8) has the same table. */
const struct quicd_deadline *quicd_deadline(enum quicd_state state);

/** @brief Whether a connection may go from one state to another. */
bool quicd_state_may_follow(enum quicd_state from, enum quicd_state to);

#endif /* QUICD_STATE_H */
