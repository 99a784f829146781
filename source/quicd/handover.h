/* SPDX-License-Identifier: LGPL-3.0-or-later */
/*
 * How processes of smbd-quicd hand over a bundle of settings.  At the start of
 * the service the bundle is a file in the runtime directory.  A reload sends it
 * through a socket.
 */
#ifndef QUICD_HANDOVER_H
#define QUICD_HANDOVER_H

#include <stdbool.h>

#include "bundle.h"
#include "log.h"

/**
 * @brief Leave a bundle in the runtime directory, for its owner only.
 *
 * @return false after an error in the report.
 */
bool quicd_handover_leave(struct quicd_report *report,
			  const struct quicd_bundle *bundle);

/**
 * @brief Load the bundle in the runtime directory, and remove its file.
 *
 * @return NULL after an error in the report.
 */
struct quicd_bundle *quicd_handover_take(TALLOC_CTX *mem_ctx,
					 struct quicd_report *report);

/* A message: its kind, and the request to which it belongs. */
struct quicd_message {
	uint32_t what;	 /* a letter; 0: the other end is gone, or silent */
	uint32_t number; /* of the request; its answer has the same */
};

/**
 * @brief Send a message through a SOCK_SEQPACKET socket.
 *
 * @param[in] fd  a descriptor to send along, or -1
 */
bool quicd_handover_send(int sock, struct quicd_message message, int fd);

/**
 * @brief Receive a message.
 *
 * @param[out] fd        the descriptor, which is the caller's then, or -1
 * @param[in]  deadline  by clock_monotonic_ns()
 */
struct quicd_message quicd_handover_recv(int sock, int *fd, uint64_t deadline);

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
 * @return a socket for the answer, 'Y' or 'N' by quicd_handover_send(); -1 if
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

#endif /* QUICD_HANDOVER_H */
