/* SPDX-License-Identifier: LGPL-3.0-or-later */
/*
 * Reads the counters that smbd-quicd publishes.
 */
#ifndef TRANSPORT_QUICD_COUNTERS_READ_H
#define TRANSPORT_QUICD_COUNTERS_READ_H

#include <stdbool.h>
#include <stdint.h>

#include "quicd_counters.h"

/** What another process reads. */
struct quicd_counters_read {
	uint64_t values[QUICD_COUNTERS];
	uint64_t memory_used;
	uint64_t memory_max;
	uint64_t num_certificates;
	struct quicd_counters_certificate
		certificates[QUICD_COUNTERS_CERTIFICATES];
};

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

#endif /* TRANSPORT_QUICD_COUNTERS_READ_H */
