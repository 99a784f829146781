/* SPDX-License-Identifier: LGPL-3.0-or-later */
/*
 * Converts TCP_INFO and IP_TOS to figures.
 */
#ifndef TRANSPORT_TCP_H
#define TRANSPORT_TCP_H

#include <stdint.h>
#include <linux/tcp.h>

#include "figures.h"

/**
 * @brief Set the figures that TCP_INFO has; the others become unknown.
 *
 * @param[in] info  zeroes in fields that the kernel is too old to fill.
 */
void tcp_figures(const struct tcp_info *info, uint64_t values[FIGURES_COUNT]);

/**
 * @brief The number of bytes that are sent or wait to be sent, and are not
 * acknowledged: SIOCOUTQ, computed from TCP_INFO.
 *
 * The bytes in flight are those sent, minus those retransmitted, minus those
 * acknowledged.  On some connections this is wrong by a few bytes: the kernel
 * counts data that the queueing discipline refuses as sent, and sends it again,
 * and the peer acknowledges a SYN or a FIN.  So the function corrects the error
 * whenever nothing is in flight.
 *
 * @param[in,out] off  the error in bytes, for the next call; 0 at first.
 */
uint64_t tcp_unacked_bytes(const struct tcp_info *info, int64_t *off);

/** The differentiated services code point of IP_TOS or IPV6_TCLASS. */
uint64_t tcp_dscp(int tos);

#endif /* TRANSPORT_TCP_H */
