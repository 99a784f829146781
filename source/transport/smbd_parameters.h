/* SPDX-License-Identifier: LGPL-3.0-or-later */
/**
 * @file smbd_parameters.h
 * The "smbd_uring:" parameters of smb.conf that concern smbd.  Those of
 * smbd-quicd begin with "quic".
 */

#ifndef TRANSPORT_SMBD_PARAMETERS_H
#define TRANSPORT_SMBD_PARAMETERS_H

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

/**
 * @brief The parameter of this name, without the prefix.
 *
 * @return false if there is none; then it sets nothing.
 */
bool uring_parameter_find(const char *name, struct uring_parameter *parameter);

enum uring_parameter_verdict {
	/** without our prefix, or for smbd-quicd to judge */
	URING_PARAMETER_FOREIGN,
	URING_PARAMETER_KNOWN,
	URING_PARAMETER_UNKNOWN,
	/** only [global] can have it */
	URING_PARAMETER_MISPLACED,
};

/**
 * @brief Judge a name of smb.conf.
 *
 * @param[in]  section  without brackets; "global" in any case is [global].
 * @param[in]  name     "PREFIX:NAME"; case and blanks do not count.
 * @param[out] nearest  the parameter with the most similar name; the function
 *                      does not set it if the name is foreign.
 */
enum uring_parameter_verdict uring_parameter_judge(
	const char *section,
	const char *name,
	struct uring_parameter *nearest);

/**
 * @brief Which of the words "A, B, C" a value is; case does not count.
 *
 * @return its number, from 0 on; -1 if it is none of them.
 */
int uring_parameter_word(const char *allowed, const char *value);

/** @brief Whether a parameter, without the prefix, can have this value. */
bool uring_parameter_allows(const char *name, const char *value);

#endif /* TRANSPORT_SMBD_PARAMETERS_H */
