/* SPDX-License-Identifier: LGPL-3.0-or-later */
/*
 * What the files of a connection share: conn.c (its work), conn_create.c (its
 * beginning), conn_callbacks.c (what ngtcp2, the relay and the timer report),
 * conn_admit.c (whether it comes in), conn_state.c (its state and deadline) and
 * conn_close.c (its end).
 */
#ifndef QUICD_CONN_INTERNAL_H
#define QUICD_CONN_INTERNAL_H

#include "conn.h"

/* conn_callbacks.c */

extern const ngtcp2_callbacks quicd_conn_callbacks;

/** @brief For the timer; owner is the connection. */
void quicd_conn_ready(void *owner);

/* conn_admit.c */

/**
 * @brief Decide about a client whose handshake is complete, and count it.
 *
 * A client that comes in has a slot of the limits and a share of the budget.
 *
 * @return false after quicd_conn_fail() with the reason.
 */
bool quicd_conn_admit(struct quicd_conn *conn);

/* conn_state.c */

/** @brief Change the state, and the deadline with it. */
void quicd_conn_set_state(struct quicd_conn *conn, enum quicd_state state);

/**
 * @brief Have quicd_conn_work() close the connection.
 *
 * ngtcp2's callbacks call this, as they must not close it.  The first reason
 * counts.
 */
void quicd_conn_fail(struct quicd_conn *conn,
		     enum quicd_error error,
		     const char *reason);

/** @brief Fail with the reason of the state's deadline. */
void quicd_conn_deadline_missed(struct quicd_conn *conn);

/** @brief Set the deadline of a client that acknowledges nothing. */
void quicd_conn_watch_stall(struct quicd_conn *conn, uint64_t now);

/* conn_close.c */

/** @brief Close the connection with one of our error codes. */
void quicd_conn_close_application(struct quicd_conn *conn,
				  enum quicd_error error,
				  const char *reason);

/** @brief Close the connection after an error of ngtcp2's. */
void quicd_conn_close_liberr(struct quicd_conn *conn, int error);

#endif /* QUICD_CONN_INTERNAL_H */
