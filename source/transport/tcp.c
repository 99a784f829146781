/* SPDX-License-Identifier: LGPL-3.0-or-later */
/*
 * Converts TCP_INFO and IP_TOS to figures.
 */

#include "tcp.h"

void tcp_figures(const struct tcp_info *info, uint64_t values[FIGURES_COUNT])
{
#define FIGURE(_name, _unit, _query, _value, ...) \
	values[FIGURE_##_name] = (_value);
#define SAMPLE_FIGURE(_name, ...) values[FIGURE_##_name] = FIGURE_UNKNOWN;
#define SNAPSHOT_FIGURE(_name, _unit, _query, _value, ...) \
	values[FIGURE_##_name] = (_value);
#include "figures.def"
}

uint64_t tcp_unacked_bytes(const struct tcp_info *info, int64_t *off)
{
	int64_t in_flight = (int64_t)(info->tcpi_bytes_sent -
				      info->tcpi_bytes_retrans -
				      info->tcpi_bytes_acked);

	if (info->tcpi_unacked == 0) {
		*off = in_flight;
		return info->tcpi_notsent_bytes;
	}
	in_flight -= *off;
	/* a segment in flight has at least one byte */
	if (in_flight < 1) {
		in_flight = 1;
	}
	return (uint64_t)in_flight + info->tcpi_notsent_bytes;
}

uint64_t tcp_dscp(int tos)
{
	return (tos & 0xff) >> 2;
}
