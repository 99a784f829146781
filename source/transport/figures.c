/* SPDX-License-Identifier: LGPL-3.0-or-later */
/*
 * The figures of a connection, see figures.def.
 */

#include <stddef.h>

#include "figures.h"

#define GAUGE false
#define COUNTER true

const struct figure figures[FIGURES_COUNT] = {
#define FIGURE(_name, _unit, _query, _value, _heading, _metric, _type, _help) \
	[FIGURE_##_name] = {                                                  \
		.name = #_name,                                               \
		.unit = FIGURE_UNIT_##_unit,                                  \
		.query = FIGURE_QUERY_##_query,                               \
		.heading = _heading,                                          \
		.metric = _metric,                                            \
		.counter = _type,                                             \
		.help = _help,                                                \
	},
#define SAMPLE_FIGURE(_name, _unit, _heading, _metric, _type, _help) \
	[FIGURE_##_name] = {                                         \
		.name = #_name,                                      \
		.unit = FIGURE_UNIT_##_unit,                         \
		.query = FIGURE_QUERY_NONE,                          \
		.heading = _heading,                                 \
		.metric = _metric,                                   \
		.counter = _type,                                    \
		.help = _help,                                       \
	},
#define SNAPSHOT_FIGURE(_name, _unit, _query, _value, _help) \
	[FIGURE_##_name] = {                                 \
		.name = #_name,                              \
		.unit = FIGURE_UNIT_##_unit,                 \
		.query = FIGURE_QUERY_##_query,              \
		.help = _help,                               \
	},
#include "figures.def"
};

const char *figure_unit_name(enum figure_unit unit)
{
	switch (unit) {
	case FIGURE_UNIT_MICROSECONDS:
		return "microseconds";
	case FIGURE_UNIT_MILLISECONDS:
		return "milliseconds";
	case FIGURE_UNIT_PARTS_PER_MILLION:
		return "parts per million";
	case FIGURE_UNIT_BYTES:
		return "bytes";
	case FIGURE_UNIT_BYTES_PER_SECOND:
		return "bytes/s";
	case FIGURE_UNIT_NUMBER:
	case FIGURE_UNIT_TEXT:
		break;
	}
	return "";
}

const char *figure_query_name(enum figure_query query, bool ipv6)
{
	static const char *const names[FIGURE_QUERIES_COUNT] = {
		[FIGURE_QUERY_TCP_INFO] = "TCP_INFO",
		[FIGURE_QUERY_SIOCOUTQ] = "SIOCOUTQ",
		[FIGURE_QUERY_SIOCINQ] = "SIOCINQ",
		[FIGURE_QUERY_SO_SNDBUF] = "SO_SNDBUF",
		[FIGURE_QUERY_SO_RCVBUF] = "SO_RCVBUF",
		[FIGURE_QUERY_SO_PRIORITY] = "SO_PRIORITY",
		[FIGURE_QUERY_SO_MARK] = "SO_MARK",
		[FIGURE_QUERY_TCP_MAXSEG] = "TCP_MAXSEG",
		[FIGURE_QUERY_TCP_CONGESTION] = "TCP_CONGESTION",
		[FIGURE_QUERY_TOS] = "IP_TOS",
		[FIGURE_QUERY_MTU] = "IP_MTU",
	};

	if (ipv6 && query == FIGURE_QUERY_TOS) {
		return "IPV6_TCLASS";
	}
	if (ipv6 && query == FIGURE_QUERY_MTU) {
		return "IPV6_MTU";
	}
	return names[query];
}
