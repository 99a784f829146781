/* SPDX-License-Identifier: LGPL-3.0-or-later */
/*
 * What has happened since the start, in all workers; parent.c shows it to
 * systemd (STATUS=).
 */
#ifndef QUICD_COUNTERS_H
#define QUICD_COUNTERS_H

#include <stdint.h>
#include <talloc.h>

enum quicd_counter {
	QUICD_COUNT_ACCEPTED,
	QUICD_COUNT_REFUSED_HOSTS,    /* hosts allow, hosts deny */
	QUICD_COUNT_REFUSED_LIMITS,   /* of number or memory, or a drain */
	QUICD_COUNT_REFUSED_TLS,      /* certificates, names, protocols */
	QUICD_COUNT_RETRIES,	      /* clients that had to prove an address */
	QUICD_COUNT_WRONG_TOKENS,     /* of a Retry */
	QUICD_COUNT_RESETS,	      /* stateless ones that were sent */
	QUICD_COUNT_HANDSHAKE_TIMEOUT,
	QUICD_COUNTERS,
};

struct quicd_counters;

/** @brief All zero, to be shared by fork(); NULL without memory. */
struct quicd_counters *quicd_counters_create(TALLOC_CTX *mem_ctx);

/** @brief Count one; nothing happens without counters. */
void quicd_count(struct quicd_counters *counters, enum quicd_counter counter);

/** @brief A line of all that is not zero; a child of mem_ctx, or NULL. */
char *quicd_counters_print(TALLOC_CTX *mem_ctx,
			   const struct quicd_counters *counters);

#endif /* QUICD_COUNTERS_H */
