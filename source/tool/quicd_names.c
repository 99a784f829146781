/* SPDX-License-Identifier: LGPL-3.0-or-later */
/*
 * The names of the counters of smbd-quicd, see quicd_names.h.
 */

#include "config.h"

#include <string.h>

#include "quicd_names.h"
#include "util/macros.h"

const struct quicd_metric quicd_metrics[] = {
#define QUICD_COUNTER(_index, _words, _name, _metric, _reason, _help) \
	{QUICD_COUNT_##_index, _name, _metric, _reason, _help},
#include "transport/quicd_counters.def"
};

const struct quicd_gauge quicd_gauges[] = {
	{offsetof(struct quicd_counters_read, memory_used),
	 "memory_used",
	 "memory_used_bytes",
	 "Memory of connections that is in use."},
	{offsetof(struct quicd_counters_read, memory_max),
	 "memory_limit",
	 "memory_limit_bytes",
	 "Memory that connections may use."},
};

_Static_assert(ARRAY_SIZE(quicd_metrics) == QUICD_COUNTERS, "all of them");
_Static_assert(ARRAY_SIZE(quicd_gauges) == QUICD_GAUGES, "all of them");

uint64_t quicd_gauge(const struct quicd_counters_read *read, size_t number)
{
	uint64_t value;

	memcpy(&value,
	       (const char *)read + quicd_gauges[number].offset,
	       sizeof(value));
	return value;
}
