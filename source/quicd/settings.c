/* SPDX-License-Identifier: LGPL-3.0-or-later */
/*
 * What follows from the settings, see settings.h.
 */

#include <unistd.h>

#include "settings.h"

uint64_t quicd_settings_memory(const struct quicd_settings *settings)
{
	const uint64_t pages = (uint64_t)sysconf(_SC_PHYS_PAGES);

	if (settings->memory != 0) {
		return (uint64_t)settings->memory << 20;
	}
	/* half of the unit's MemoryMax= */
	return pages * (uint64_t)sysconf(_SC_PAGESIZE) / 4;
}

const struct address *quicd_settings_server(
	const struct quicd_settings *settings,
	const struct address *client)
{
	unsigned i;

	if (!settings->transparent) {
		return &settings->servers[0];
	}
	for (i = 0; i < settings->num_servers; i++) {
		if (settings->servers[i].u.sa.sa_family ==
		    client->u.sa.sa_family) {
			return &settings->servers[i];
		}
	}
	return NULL;
}

bool quicd_settings_admit(const struct quicd_settings *settings,
			  const struct address *address)
{
	return quicd_access_admit(settings->hosts_allow,
				  settings->hosts_deny,
				  address);
}
