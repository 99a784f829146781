/* SPDX-License-Identifier: LGPL-3.0-or-later */
/*
 * The settings of the watch: values of smb.conf.
 */
#ifndef TRANSPORT_WATCH_SETTINGS_H
#define TRANSPORT_WATCH_SETTINGS_H

#include <stdbool.h>
#include <stddef.h>

/** The settings of a share for the connections of its clients. */
struct uring_watch_settings {
	/** seconds between two samples; 0: neither samples nor warnings */
	unsigned interval;
	/* the limits at which a warning begins; 0: no warning */
	/** round-trip time, milliseconds */
	unsigned warn_rtt;
	/** retransmitted segments, percent of those sent */
	double warn_retrans;
	/** seconds without an acknowledgement of sent data */
	unsigned warn_stall;
};

/** Names of the settings in smb.conf, "smbd_uring:NAME". */
#define URING_WATCH_PARAMETERS 4
struct uring_watch_parameter {
	const char *name;
	/** the allowed values, in words */
	const char *allowed;
};
extern const struct uring_watch_parameter
	uring_watch_parameters[URING_WATCH_PARAMETERS];

/**
 * @brief Set the setting of the parameter with this number.
 *
 * @return false if the value is not allowed; then it sets nothing.
 */
bool uring_watch_set(struct uring_watch_settings *settings,
		     size_t parameter,
		     const char *value);

#endif /* TRANSPORT_WATCH_SETTINGS_H */
