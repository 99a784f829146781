/* SPDX-License-Identifier: LGPL-3.0-or-later */
/*
 * "hosts allow" and "hosts deny" of a bundle, and whether the two together mean
 * what their author may expect.
 */
#ifndef QUICD_HOSTS_H
#define QUICD_HOSTS_H

#include <stdbool.h>

#include "settings.h"

/**
 * @brief Set hosts_allow and hosts_deny of the settings.
 *
 * There is a warning if smbd lets in clients that no list names, on an address
 * of "quic listen", which has to be set.
 *
 * @return false after an error in the report.
 */
bool quicd_hosts_parse(struct quicd_settings *settings,
		       struct quicd_report *report,
		       const struct quicd_bundle *bundle);

#endif /* QUICD_HOSTS_H */
