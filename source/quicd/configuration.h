/* SPDX-License-Identifier: LGPL-3.0-or-later */
/*
 * A configuration that a process can serve with: the settings of a bundle, and
 * the certificates that belong to them.
 */
#ifndef QUICD_CONFIGURATION_H
#define QUICD_CONFIGURATION_H

#include "bundle.h"
#include "settings.h"
#include "tls.h"

struct quicd_configuration {
	struct quicd_settings *settings; /* NULL: nothing was loaded */
	struct quicd_tls *tls;
};

/**
 * @brief Parse a bundle, and check what each process has to check by itself.
 *
 * Processes have different rights, so one may refuse what another one takes.
 *
 * @param[in]  mem_ctx        the parent of the settings
 * @param[out] configuration  empty after a failure
 *
 * @return false after log lines.
 */
bool quicd_configuration_load(TALLOC_CTX *mem_ctx,
			      const struct quicd_bundle *bundle,
			      struct quicd_configuration *configuration);

/** @brief Free it, or do nothing if it is empty; it is empty afterwards. */
void quicd_configuration_release(struct quicd_configuration *configuration);

#endif /* QUICD_CONFIGURATION_H */
