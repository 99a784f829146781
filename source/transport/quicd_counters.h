/* SPDX-License-Identifier: LGPL-3.0-or-later */
/*
 * What has happened in all workers of smbd-quicd since its start, the memory of
 * its connections, and when its certificates end.  parent_status.c shows it to
 * systemd (STATUS=), and smbd-uring to administrators.
 */
#ifndef TRANSPORT_QUICD_COUNTERS_H
#define TRANSPORT_QUICD_COUNTERS_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
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
	QUICD_COUNT_DROPPED,	      /* by the kernel: our socket was full */
	QUICD_COUNT_SEGMENTATION_OFF, /* sockets whose device refused GSO */
	QUICD_COUNT_BYTES_RECEIVED,   /* of SMB, from clients */
	QUICD_COUNT_BYTES_ACKED,      /* of SMB, by clients */
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

/** What another process reads. */
struct quicd_counters_read {
	uint64_t values[QUICD_COUNTERS];
	uint64_t memory_used;
	uint64_t memory_max;
	uint64_t num_certificates;
	struct quicd_counters_certificate
		certificates[QUICD_COUNTERS_CERTIFICATES];
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

/** @brief The name of a counter, in words. */
const char *quicd_counter_name(enum quicd_counter counter);

/** @brief A line of all that is not zero; a child of mem_ctx, or NULL. */
char *quicd_counters_print(TALLOC_CTX *mem_ctx,
			   const struct quicd_counters *counters);

/**
 * @brief Read the counters of a smbd-quicd that lives.
 *
 * The directory may belong to an untrusted user.  Names are terminated, and may
 * have any bytes before that.
 *
 * @return false if none publishes here.
 */
bool quicd_counters_read(const char *directory,
			 struct quicd_counters_read *data);

#endif /* TRANSPORT_QUICD_COUNTERS_H */
