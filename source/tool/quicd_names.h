/* SPDX-License-Identifier: LGPL-3.0-or-later */
/*
 * The names of the counters of smbd-quicd in JSON and OpenMetrics.
 */
#ifndef TOOL_QUICD_NAMES_H
#define TOOL_QUICD_NAMES_H

#include <stddef.h>
#include <stdint.h>

#include "transport/quicd_counters_read.h"

/** A metric has one series, or one by the value of a label. */
struct quicd_metric {
	enum quicd_counter counter;
	const char *name; /* in JSON */
	const char *metric;
	const char *reason; /* the label, or NULL */
	const char *help;
};

/** All counters, QUICD_COUNTERS of them. */
extern const struct quicd_metric quicd_metrics[];

/** A value that goes up and down. */
struct quicd_gauge {
	size_t offset; /* in struct quicd_counters_read */
	const char *name; /* in JSON */
	const char *metric;
	const char *help;
};

#define QUICD_GAUGES 2
extern const struct quicd_gauge quicd_gauges[];

/** @brief The value of a row of quicd_gauges. */
uint64_t quicd_gauge(const struct quicd_counters_read *read, size_t number);

#endif /* TOOL_QUICD_NAMES_H */
