/* SPDX-License-Identifier: LGPL-3.0-or-later */
/*
 * How connections are to be watched: values of smb.conf.
 */
#ifndef TRANSPORT_WATCH_SETTINGS_H
#define TRANSPORT_WATCH_SETTINGS_H

#include <stdbool.h>
#include <stddef.h>

/** How a share wants its client's connections to be watched. */
struct uring_watch_settings {
	/** seconds between two samples; 0: none, and no warnings either */
	unsigned interval;
	/* the limits from which on there is a warning; 0: none */
	/** round-trip time, milliseconds */
	unsigned warn_rtt;
	/** segments that were retransmitted, percent of those sent */
	double warn_retrans;
	/** seconds without an acknowledgement for what was sent */
	unsigned warn_stall;
};

/** Names of the settings in smb.conf, "smbd_uring:NAME". */
#define URING_WATCH_PARAMETERS 4
struct uring_watch_parameter {
	const char *name;
	/** the values that are allowed, in words */
	const char *allowed;
};
extern const struct uring_watch_parameter
	uring_watch_parameters[URING_WATCH_PARAMETERS];

/**
 * @brief Set what the parameter of this number stands for.
 *
 * @return false if the value is not allowed; nothing is set then.
 */
bool uring_watch_set(struct uring_watch_settings *settings,
		     size_t parameter,
		     const char *value);

#endif /* TRANSPORT_WATCH_SETTINGS_H */
