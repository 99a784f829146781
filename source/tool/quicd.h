/* SPDX-License-Identifier: LGPL-3.0-or-later */
/*
 * The counters of smbd-quicd by their names, for each format.
 */
#ifndef TOOL_QUICD_H
#define TOOL_QUICD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "rows.h"

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

/** One smbd-quicd; in a cluster each node may have one. */
struct quicd_shown {
	const struct quicd_counters_read *read;
	const char *node; /* or NULL */
};

/**
 * @brief Get an smbd-quicd by number.
 *
 * @param[out] shown  its member read may be NULL: the node has no smbd-quicd.
 *
 * @return false after the last.
 */
bool quicd_get(const struct status_rows *rows,
	       size_t number,
	       struct quicd_shown *shown);

/** @brief Whether any is there. */
bool quicd_any(const struct status_rows *rows);

/** @brief The value of a row of quicd_gauges. */
uint64_t quicd_gauge(const struct quicd_counters_read *read, size_t number);

#endif /* TOOL_QUICD_H */
