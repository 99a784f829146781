/* SPDX-License-Identifier: LGPL-3.0-or-later */
/*
 * The row of a connection in the worker's published table
 * (transport/publish.h).
 */
#ifndef QUICD_PUBLISH_H
#define QUICD_PUBLISH_H

#include <stdint.h>

#include "transport/publish.h"

struct quicd_conn;

/**
 * @brief Publish a connection's row anew, if it is due.
 *
 * The row is removed when the connection is freed.
 *
 * @param[in] status  NULL: nothing is published.
 * @param[in] now     Of clock_monotonic_ns().
 */
void quicd_publish(struct uring_status *status,
		   struct quicd_conn *conn,
		   uint64_t now);

#endif /* QUICD_PUBLISH_H */
