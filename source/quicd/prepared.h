/* SPDX-License-Identifier: LGPL-3.0-or-later */
/*
 * The file in the runtime directory by which "smbd-quicd --prepare" hands a
 * bundle of settings to "smbd-quicd --prepared".
 */
#ifndef QUICD_PREPARED_H
#define QUICD_PREPARED_H

#include <stdbool.h>

#include "bundle.h"
#include "log.h"

/**
 * @brief Leave a bundle in the runtime directory, for its owner only.
 *
 * @return false after an error in the report.
 */
bool quicd_prepared_leave(struct quicd_report *report,
			  const struct quicd_bundle *bundle);

/**
 * @brief Load the bundle in the runtime directory, and remove its file.
 *
 * @return NULL after an error in the report.
 */
struct quicd_bundle *quicd_prepared_take(TALLOC_CTX *mem_ctx,
					 struct quicd_report *report);

#endif /* QUICD_PREPARED_H */
