/* SPDX-License-Identifier: LGPL-3.0-or-later */
/*
 * What has happened in all workers of smbd-quicd since its start, the memory of
 * its connections, and when its certificates end.  parent_status.c shows it to
 * systemd (STATUS=), and smbd-uring to administrators.
 */
#ifndef TRANSPORT_QUICD_COUNTERS_H
#define TRANSPORT_QUICD_COUNTERS_H

#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>
#include <talloc.h>

/** QUICD_COUNT_ACCEPTED and so on, see quicd_counters.def. */
enum quicd_counter {
#define QUICD_COUNTER(_index, ...) QUICD_COUNT_##_index,
#include "quicd_counters.def"
	QUICD_COUNTERS,
};

/**
 * The memory of connections, in bytes: what is in use, and the limit.
 *
 * The functions of budget.h change it in place, so nobody has to publish it.
 */
struct quicd_counters_memory {
	_Atomic uint64_t used;
	_Atomic uint64_t max;
};

/** The largest number of certificates whose end is published. */
#define QUICD_COUNTERS_CERTIFICATES 64

/** A certificate of the server. */
struct quicd_counters_certificate {
	int64_t ends; /* seconds since 1970 */
	char name[248];
};

struct quicd_counters;

/**
 * @brief Create counters, all zero, to be shared by fork().
 *
 * They are in a file of the directory.  The process that calls this removes the
 * file when it frees mem_ctx.  The function creates the directory if there is
 * none.
 *
 * @param[out] error  0, or the errno why nobody else can read them: there is
 *                    no file.
 *
 * @return NULL without memory.
 */
struct quicd_counters *quicd_counters_create(TALLOC_CTX *mem_ctx,
					     const char *directory,
					     int *error);

/** @brief Count one; nothing happens without counters. */
void quicd_count(struct quicd_counters *counters, enum quicd_counter counter);

/** @brief Count so many. */
void quicd_count_add(struct quicd_counters *counters,
		     enum quicd_counter counter,
		     uint64_t number);

/** @brief Where the memory of connections is counted, for all processes. */
struct quicd_counters_memory *quicd_counters_memory(
	struct quicd_counters *counters);

/** @brief Publish the end of these; only the creator calls it. */
void quicd_counters_certificates(
	struct quicd_counters *counters,
	const struct quicd_counters_certificate *certificates,
	size_t num);

#endif /* TRANSPORT_QUICD_COUNTERS_H */
