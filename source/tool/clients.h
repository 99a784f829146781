/* SPDX-License-Identifier: LGPL-3.0-or-later */
/*
 * The connections by client: what metrics and report are about.
 *
 * A client has many connections in a day, each from another port.  An address
 * stays, so series by address are bounded.
 */
#ifndef TOOL_CLIENTS_H
#define TOOL_CLIENTS_H

#include <jansson.h>

#include "rows.h"

/** At most so many clients are in a sample, the worst of them. */
#define CLIENTS_MAX 100

/** The time for which totals and samples are kept, in seconds. */
#define CLIENTS_KEPT (24 * 3600)

/**
 * @brief Collect the rows by address and transport.
 *
 * The function leaves out connections that relay another row.  Of several
 * connections a gauge is the worst value, and a counter is their sum.
 *
 * @param[in] rows  sorted by state.
 *
 * @return an array of objects: client, transport, state, connections, age_s,
 *         ring, syscall, users, shares and each known figure by its name.
 *         NULL: no memory.
 */
json_t *clients_collect(const struct status_rows *rows);

#endif /* TOOL_CLIENTS_H */
