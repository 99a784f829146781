/* SPDX-License-Identifier: LGPL-3.0-or-later */
/*
 * The socket by which "smbd-quicd --reload" hands the running smbd-quicd a
 * bundle of settings.
 */
#ifndef QUICD_CONTROL_H
#define QUICD_CONTROL_H

#include <stdbool.h>

#include "bundle.h"
#include "log.h"

/**
 * @brief Listen for "smbd-quicd --reload" in the runtime directory.
 *
 * @return a descriptor, or -1 after a log line.
 */
int quicd_control_listen(void);

/** @brief Whether an smbd-quicd runs that would take a request. */
bool quicd_control_is_there(void);

/** @brief Remove the socket of quicd_control_listen(). */
void quicd_control_remove(void);

/**
 * @brief Accept a request.
 *
 * @param[out] bundle_fd  what it has brought
 *
 * @return a socket for the answer, 'Y' or 'N' by quicd_message_send(); -1 if
 * neither root nor our own user has sent a request.
 */
int quicd_control_accept(int listening, int *bundle_fd);

/**
 * @brief Have the running smbd-quicd take a bundle.
 *
 * @return false after an error in the report.
 */
bool quicd_control_request(struct quicd_report *report,
			   const struct quicd_bundle *bundle);

#endif /* QUICD_CONTROL_H */
