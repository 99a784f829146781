/* SPDX-License-Identifier: LGPL-3.0-or-later */
/*
 * Whether the smbd behind smbd-quicd would serve clients that come through
 * smbd-quicd, according to its smb.conf.
 */
#ifndef QUICD_BEHIND_H
#define QUICD_BEHIND_H

#include <stdbool.h>

#include "settings.h"

/* Settings of smbd in smb.conf; strings are as testparm prints them. */
struct quicd_behind {
	bool default_server; /* "quic server" is not set */
	const char *ports;   /* "smb ports" or "server smb transports" */
	const char *interfaces;
	const char *bind_interfaces_only;
	const char *map_to_guest;
	/* the names of shares with a "hosts allow" or "hosts deny" */
	const char **shares;
	unsigned num_shares;
	/* the number of shares with "guest ok", and the name of the first */
	unsigned num_guest_shares;
	const char *guest_share;
	bool usershare_guests; /* users may make shares with "guest ok" */
	/* a program that is told the client's address, or NULL */
	const char *told_address;
};

/** @brief Check smbd's settings; false after an error in the report. */
bool quicd_behind_check(struct quicd_report *report,
			const struct quicd_behind *behind,
			const struct quicd_settings *settings);

/** @brief Connect to smbd: an obstacle if it does not answer. */
void quicd_behind_try(struct quicd_report *report,
		      const struct quicd_settings *settings);

#endif /* QUICD_BEHIND_H */
