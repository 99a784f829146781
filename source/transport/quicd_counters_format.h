/* SPDX-License-Identifier: LGPL-3.0-or-later */
/*
 * The file of the counters of smbd-quicd.
 *
 * The memory that the workers share is a file.  So a reader sees the counters
 * as they are, and no process wakes up to publish them.  How the reader trusts
 * the file, and sees that the writer lives, is in publish_file.h.
 */
#ifndef TRANSPORT_QUICD_COUNTERS_FORMAT_H
#define TRANSPORT_QUICD_COUNTERS_FORMAT_H

#include <stdatomic.h>
#include <stdint.h>

#include "quicd_counters.h"

#define COUNTERS_MAGIC 0x32646369757175 /* "uquicd2" */
#define COUNTERS_FILE "counters"

struct quicd_counters {
	uint64_t magic;
	/* odd while the certificates change */
	_Atomic uint64_t sequence;
	_Atomic uint64_t values[QUICD_COUNTERS];
	struct quicd_counters_memory memory;
	uint64_t num_certificates;
	struct quicd_counters_certificate
		certificates[QUICD_COUNTERS_CERTIFICATES];
};

#endif /* TRANSPORT_QUICD_COUNTERS_FORMAT_H */
