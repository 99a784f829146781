/* SPDX-License-Identifier: LGPL-3.0-or-later */
/*
 * Load a configuration, see configuration.h.
 */

#include "config.h"

#include "configuration.h"
#include "qlog.h"
#include "relay.h"

bool quicd_configuration_load(TALLOC_CTX *mem_ctx,
			      const struct quicd_bundle *bundle,
			      struct quicd_configuration *configuration)
{
	struct quicd_report report = {.errors_only = true};
	struct quicd_settings *settings = quicd_settings_parse(mem_ctx,
							       &report,
							       bundle);

	*configuration = (struct quicd_configuration){.settings = settings};
	if (settings != NULL && quicd_qlog_possible(&report, settings) &&
	    quicd_relay_possible(settings))
	{
		configuration->tls = quicd_tls_load(&report, settings);
	}
	if (configuration->tls == NULL) {
		quicd_configuration_release(configuration);
		return false;
	}
	return true;
}

void quicd_configuration_release(struct quicd_configuration *configuration)
{
	TALLOC_FREE(configuration->settings);
	if (configuration->tls != NULL) {
		quicd_tls_release(configuration->tls);
		configuration->tls = NULL;
	}
}
