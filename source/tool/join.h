/* SPDX-License-Identifier: LGPL-3.0-or-later */
/*
 * Joins the two rows of a connection over QUIC: smbd-quicd's and smbd's.
 */
#ifndef TOOL_JOIN_H
#define TOOL_JOIN_H

#include "rows.h"

/**
 * @brief Join the rows after all were added, and set their states.
 *
 * A connection over QUIC has two rows.  The row of smbd-quicd has the client's
 * network, and the row of smbd has the TCP connection between the two.  The
 * address that smbd sees as its client's joins the rows, so that the first gets
 * users, shares and limits.
 *
 * @return 0 or ENOMEM.
 */
int rows_finish(struct status_rows *rows);

#endif /* TOOL_JOIN_H */
