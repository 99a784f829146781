/* SPDX-License-Identifier: LGPL-3.0-or-later */
/* The states of a connection, see state.h. */

#include <stddef.h>

#include "state.h"

static const struct quicd_deadline quicd_deadlines[QUICD_STATES] = {
	/* ngtcp2's own; the client is not told */
	[QUICD_HANDSHAKE] = {"handshake", 10, "handshake timeout", NULL},
	[QUICD_WAIT_SMB] = {"wait for SMB", 30, "client sent no SMB", NULL},
	[QUICD_CONNECTING] = {"connect to smbd",
			      5,
			      "smbd does not answer",
			      "smbd does not answer; smbd_uring:quic "
			      "transparent needs a route back, see "
			      "smbd-quicd(8)"},
	/* ngtcp2 has the idle timeout, quicd_conn_watch_stall() the other */
	[QUICD_OPEN] = {"open", 0, NULL, NULL},
	[QUICD_ENDING] = {"end", 5, "smbd closed the connection", NULL},
	[QUICD_FAILED] = {"failed", 0, NULL, NULL},
	[QUICD_CLOSED] = {"closed", 0, NULL, NULL},
};

const struct quicd_deadline *quicd_deadline(enum quicd_state state)
{
	return &quicd_deadlines[state];
}

bool quicd_state_may_follow(enum quicd_state from, enum quicd_state to)
{
	if (from == QUICD_CLOSED) {
		return false;
	}
	if (from == QUICD_FAILED) {
		return to == QUICD_CLOSED;
	}
	/* one step at a time, or to the end */
	return to >= QUICD_FAILED || to == from + 1;
}
