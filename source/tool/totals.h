/* SPDX-License-Identifier: LGPL-3.0-or-later */
/*
 * What the clients have counted, kept from one call of metrics to the next.
 */
#ifndef TOOL_TOTALS_H
#define TOOL_TOTALS_H

#include <stdint.h>
#include <jansson.h>

#include "rows.h"

/** Totals of at most so many clients are kept. */
#define CLIENTS_TOTALS_MAX 1000

/**
 * @brief Add what the connections counted since the last call to the totals.
 *
 * The sum over connections falls when one ends.  A total never falls while it
 * is kept.
 *
 * @param[in,out] totals   an object; {} the first time.
 * @param[in,out] clients  of clients_collect(); the counters become totals.
 * @param[in]     now      seconds since 1970.
 *
 * @return 0 or ENOMEM.
 */
int clients_count(json_t *totals,
		  const struct status_rows *rows,
		  json_t *clients,
		  int64_t now);

#endif /* TOOL_TOTALS_H */
