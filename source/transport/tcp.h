/* SPDX-License-Identifier: LGPL-3.0-or-later */
/*
 * What TCP_INFO and IP_TOS say, as figures.
 */
#ifndef TRANSPORT_TCP_H
#define TRANSPORT_TCP_H

#include <stdint.h>
#include <linux/tcp.h>

#include "figures.h"

/**
 * @brief The figures that are in TCP_INFO; the others become unknown.
 *
 * @param[in] info  zeroes where the kernel is too old to fill it.
 */
void tcp_figures(const struct tcp_info *info, uint64_t values[FIGURES_COUNT]);

/**
 * @brief How many bytes are sent or wait to be sent, and are not acknowledged:
 * what SIOCOUTQ says, out of TCP_INFO.
 *
 * Sent less retransmitted less acknowledged is what is in flight, but it is off
 * by a few bytes of some connections: what the queueing discipline refuses is
 * counted as sent and is sent again, and a SYN or a FIN is acknowledged.  So
 * this is set right whenever nothing is in flight.
 *
 * @param[in,out] off  by how much, for the next time; 0 at first.
 */
uint64_t tcp_unacked_bytes(const struct tcp_info *info, int64_t *off);

/** The differentiated services code point of IP_TOS or IPV6_TCLASS. */
uint64_t tcp_dscp(int tos);

#endif /* TRANSPORT_TCP_H */
