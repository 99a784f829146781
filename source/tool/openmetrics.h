/* SPDX-License-Identifier: LGPL-3.0-or-later */
/*
 * Lines in the text format of OpenMetrics.
 */
#ifndef TOOL_OPENMETRICS_H
#define TOOL_OPENMETRICS_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <jansson.h>

#include "rows.h"

/** @brief Print a label; the last one ends the list. */
void openmetrics_label(FILE *out,
		       const char *name,
		       const char *value,
		       bool last);

/** @brief Print the lines before the series of a metric. */
void openmetrics_head(FILE *out,
		      const char *metric,
		      bool counter,
		      const char *help);

/** @brief Print the value of a figure, in base units, and a newline. */
void openmetrics_value(FILE *out, enum figure_index figure, uint64_t number);

/**
 * @brief Print the figures of each connection, without the end.
 *
 * Of rows with the same process and client the function prints the first: no
 * two series are alike.
 *
 * @return false without memory.
 */
bool openmetrics_connections(FILE *out, const struct status_rows *rows);

/** @brief Print the name of this node; nothing if it is "". */
void openmetrics_own_node(FILE *out, const struct status_rows *rows);

/** @brief Print what smbd-quicd counts, where it runs. */
void openmetrics_quicd(FILE *out, const struct status_rows *rows);

/** @brief Print the figures of each client, of clients_collect(). */
void openmetrics_clients(FILE *out, const json_t *clients);

#endif /* TOOL_OPENMETRICS_H */
