/* SPDX-License-Identifier: LGPL-3.0-or-later */
/*
 * The samples of a day, by client, in a directory: hour-00.jsonl to
 * hour-23.jsonl (UTC), one line of JSON for each sample.  An hour replaces the
 * same hour of the day before, so that the directory is bounded without a clean
 * up.  totals.json has the totals of clients_count().
 */
#ifndef TOOL_HISTORY_H
#define TOOL_HISTORY_H

#include <stdint.h>
#include <jansson.h>

/** The directory of smbd-uring-metrics.service. */
#define HISTORY_DIRECTORY "/var/lib/smbd-uring"

/** @brief The totals that were kept, {} if there are none; NULL: no memory. */
json_t *history_totals(const char *directory);

/** @brief Keep the totals; 0 or an errno. */
int history_keep_totals(const char *directory, const json_t *totals);

/**
 * @brief Append a sample: at most CLIENTS_MAX clients, the first ones.
 *
 * @param[in] clients  see clients_collect().
 * @param[in] now      seconds since 1970.
 *
 * @return 0 or an errno; EFBIG if somebody takes samples too often.
 */
int history_append(const char *directory, const json_t *clients, int64_t now);

/**
 * @brief Read the samples of the last day, the oldest first.
 *
 * The function skips lines that are not samples, as the last line is after a
 * crash.
 *
 * @param[in]  now      seconds since 1970.
 * @param[out] samples  an array of {"time": seconds, "clients": [...]}, which
 *                      the caller releases.
 *
 * @return 0 or an errno: of opening the directory, ENOMEM, or ENODATA if there
 *         is no sample.
 */
int history_read(const char *directory, int64_t now, json_t **samples);

#endif /* TOOL_HISTORY_H */
