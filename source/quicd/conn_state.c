/* SPDX-License-Identifier: LGPL-3.0-or-later */
/*
 * The state of a connection, its deadline, and what happens if it is missed.
 *
 * state.c has the table of states and deadlines.  The deadline of QUICD_OPEN is
 * not in it: it is a setting, and holds only while bytes wait for the client.
 */

#include "config.h"

#include <stdio.h>
#include <stdlib.h>

#include "conn_internal.h"
#include "util/clock.h"

void quicd_conn_set_state(struct quicd_conn *conn, enum quicd_state state)
{
	const struct quicd_deadline *deadline = quicd_deadline(state);

	if (!quicd_state_may_follow(conn->state, state)) {
		abort();
	}
	conn->context->conns[conn->state]--;
	conn->context->conns[state]++;
	conn->state = state;
	conn->deadline = QUICD_TIMER_NEVER;
	if (deadline->seconds > 0 && state != QUICD_HANDSHAKE) {
		conn->deadline = clock_monotonic_ns() +
				 deadline->seconds * CLOCK_NS_PER_S;
	}
	conn->changed = true;
}

void quicd_conn_fail(struct quicd_conn *conn,
		     enum quicd_error error,
		     const char *reason)
{
	if (conn->state >= QUICD_FAILED) {
		return;
	}
	quicd_conn_set_state(conn, QUICD_FAILED);
	conn->error = error;
	(void)snprintf(conn->reason, sizeof(conn->reason), "%s", reason);
}

void quicd_conn_deadline_missed(struct quicd_conn *conn)
{
	const struct quicd_deadline *deadline = quicd_deadline(conn->state);
	const char *reason = deadline->reason;
	enum quicd_error error = QUICD_ERROR_TIMEOUT;

	if (conn->state == QUICD_ENDING) {
		error = QUICD_ERROR_SMBD;
	} else if (conn->state == QUICD_OPEN) {
		reason = "client takes nothing (smbd_uring:quic stall timeout)";
		conn->reset = true;
	} else if (conn->transparent && deadline->reason_transparent != NULL) {
		reason = deadline->reason_transparent;
	}
	quicd_conn_fail(conn, error, reason);
}

/*
 * A client may answer our keep-alives, but acknowledge none of the bytes that
 * wait for it.  Such a client holds memory and an smbd, so there is a deadline.
 */
void quicd_conn_watch_stall(struct quicd_conn *conn, uint64_t now)
{
	if (conn->state != QUICD_OPEN) {
		return;
	}
	if (quicd_relay_unacked(conn->relay) == 0) {
		conn->deadline = QUICD_TIMER_NEVER;
	} else if (conn->deadline == QUICD_TIMER_NEVER ||
		   conn->bytes_acked != conn->stall_acked)
	{
		conn->stall_acked = conn->bytes_acked;
		conn->deadline = now + conn->stall_timeout;
	}
}
