/* SPDX-License-Identifier: LGPL-3.0-or-later */
/*
 * The counters of smbd-quicd in words.
 */
#ifndef TRANSPORT_QUICD_COUNTERS_TEXT_H
#define TRANSPORT_QUICD_COUNTERS_TEXT_H

#include <talloc.h>

#include "quicd_counters.h"

/** @brief The name of a counter, in words. */
const char *quicd_counter_name(enum quicd_counter counter);

/** @brief A line of all that is not zero; a child of mem_ctx, or NULL. */
char *quicd_counters_print(TALLOC_CTX *mem_ctx,
			   const struct quicd_counters *counters);

#endif /* TRANSPORT_QUICD_COUNTERS_TEXT_H */
