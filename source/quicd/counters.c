/* SPDX-License-Identifier: LGPL-3.0-or-later */
/* What has happened, see counters.h. */

#include <stdatomic.h>
#include <sys/mman.h>

#include "counters.h"

struct quicd_counters {
	_Atomic uint64_t values[QUICD_COUNTERS];
};

static const char *const quicd_counter_names[QUICD_COUNTERS] = {
	[QUICD_COUNT_ACCEPTED] = "accepted",
	[QUICD_COUNT_REFUSED_HOSTS] = "refused by hosts lists",
	[QUICD_COUNT_REFUSED_LIMITS] = "refused by limits",
	[QUICD_COUNT_REFUSED_TLS] = "refused by TLS",
	[QUICD_COUNT_RETRIES] = "Retry sent",
	[QUICD_COUNT_WRONG_TOKENS] = "wrong tokens",
	[QUICD_COUNT_RESETS] = "resets sent",
	[QUICD_COUNT_HANDSHAKE_TIMEOUT] = "handshakes timed out",
};

/* What talloc frees. */
struct quicd_counters_owner {
	struct quicd_counters *counters;
};

static int quicd_counters_destructor(struct quicd_counters_owner *owner)
{
	munmap(owner->counters, sizeof(*owner->counters));
	return 0;
}

struct quicd_counters *quicd_counters_create(TALLOC_CTX *mem_ctx)
{
	struct quicd_counters_owner *owner = talloc(
		mem_ctx, struct quicd_counters_owner);

	if (owner == NULL) {
		return NULL;
	}
	owner->counters = mmap(NULL,
			       sizeof(*owner->counters),
			       PROT_READ | PROT_WRITE,
			       MAP_SHARED | MAP_ANONYMOUS,
			       -1,
			       0);
	if (owner->counters == MAP_FAILED) {
		talloc_free(owner);
		return NULL;
	}
	talloc_set_destructor(owner, quicd_counters_destructor);
	return owner->counters;
}

void quicd_count(struct quicd_counters *counters, enum quicd_counter counter)
{
	if (counters != NULL) {
		atomic_fetch_add_explicit(&counters->values[counter],
					  1,
					  memory_order_relaxed);
	}
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
