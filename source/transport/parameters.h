/* SPDX-License-Identifier: LGPL-3.0-or-later */
/**
 * @file parameters.h
 * The "smbd_uring:" parameters of smb.conf that concern smbd.  Those of
 * smbd-quicd begin with "quic".
 */

#ifndef TRANSPORT_PARAMETERS_H
#define TRANSPORT_PARAMETERS_H

#include <stdbool.h>
#include <stddef.h>

/** A parameter, "smbd_uring:NAME". */
struct uring_parameter {
	const char *name;
	/** the allowed values, in words */
	const char *allowed;
	/** only [global] can have it */
	bool global_only;
};

/**
 * @brief All parameters, by number from 0 on.
 *
 * @return false after the last one; then it sets nothing.
 */
bool uring_parameter_get(size_t number, struct uring_parameter *parameter);

#endif /* TRANSPORT_PARAMETERS_H */
