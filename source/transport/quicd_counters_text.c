/* SPDX-License-Identifier: LGPL-3.0-or-later */
/*
 * The counters of smbd-quicd in words, see quicd_counters_text.h.
 */

#include "config.h"

#include <stdatomic.h>
#include <stdint.h>

#include "quicd_counters_format.h"
#include "quicd_counters_text.h"

static const char *const quicd_counter_names[QUICD_COUNTERS] = {
#define QUICD_COUNTER(_index, _words, ...) [QUICD_COUNT_##_index] = (_words),
#include "quicd_counters.def"
};

const char *quicd_counter_name(enum quicd_counter counter)
{
	return quicd_counter_names[counter];
}

char *quicd_counters_print(TALLOC_CTX *mem_ctx,
			   const struct quicd_counters *counters)
{
	char *line = talloc_strdup(mem_ctx, "");
	unsigned i;

	for (i = 0; i < QUICD_COUNTERS && line != NULL; i++) {
		const uint64_t value = atomic_load(&counters->values[i]);

		if (value != 0) {
			line = talloc_asprintf_append(line,
						      ", %llu %s",
						      (unsigned long long)value,
						      quicd_counter_names[i]);
		}
	}
	return line;
}
