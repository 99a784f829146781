/* SPDX-License-Identifier: LGPL-3.0-or-later */
/*
 * Messages between processes of smbd-quicd: the parent and a worker, or the
 * parent and "smbd-quicd --reload".  A message may bring a descriptor.
 */
#ifndef QUICD_MESSAGE_H
#define QUICD_MESSAGE_H

#include <stdbool.h>
#include <stdint.h>

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
bool quicd_message_send(int sock, struct quicd_message message, int fd);

/**
 * @brief Receive a message.
 *
 * @param[out] fd        the descriptor, which is the caller's then, or -1
 * @param[in]  deadline  by clock_monotonic_ns()
 */
struct quicd_message quicd_message_recv(int sock, int *fd, uint64_t deadline);

#endif /* QUICD_MESSAGE_H */
