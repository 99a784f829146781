/* SPDX-License-Identifier: LGPL-3.0-or-later */
/*
 * The figures of a connection of any transport, see figures.def.
 */
#ifndef TRANSPORT_FIGURES_H
#define TRANSPORT_FIGURES_H

#include <stdbool.h>
#include <stdint.h>

/** A number that the transport does not have. */
#define FIGURE_UNKNOWN UINT64_MAX

/** FIGURE_rtt_us and so on: the index of a figure. */
enum figure_index {
#define FIGURE(_name, ...) FIGURE_##_name,
#define SAMPLE_FIGURE(_name, ...) FIGURE_##_name,
#define SNAPSHOT_FIGURE(_name, ...) FIGURE_##_name,
#include "figures.def"
	FIGURES_COUNT,
};

enum figure_unit {
	FIGURE_UNIT_NUMBER,
	FIGURE_UNIT_MICROSECONDS,
	FIGURE_UNIT_MILLISECONDS,
	FIGURE_UNIT_PARTS_PER_MILLION,
	FIGURE_UNIT_BYTES,
	FIGURE_UNIT_BYTES_PER_SECOND,
	/** a word, not a number */
	FIGURE_UNIT_TEXT,
};

/** The query of a TCP socket that has the figure. */
enum figure_query {
	FIGURE_QUERY_TCP_INFO,
	FIGURE_QUERY_SIOCOUTQ,
	FIGURE_QUERY_SIOCINQ,
	FIGURE_QUERY_SO_SNDBUF,
	FIGURE_QUERY_SO_RCVBUF,
	FIGURE_QUERY_SO_PRIORITY,
	FIGURE_QUERY_SO_MARK,
	FIGURE_QUERY_TCP_MAXSEG,
	FIGURE_QUERY_TCP_CONGESTION,
	/** IP_TOS or IPV6_TCLASS */
	FIGURE_QUERY_TOS,
	/** IP_MTU or IPV6_MTU */
	FIGURE_QUERY_MTU,
	FIGURE_QUERIES_COUNT,
	/** none: computed from several samples */
	FIGURE_QUERY_NONE = FIGURE_QUERIES_COUNT,
};

/** The constant properties of a figure. */
struct figure {
	const char *name;
	enum figure_unit unit;
	enum figure_query query;
	/** NULL: the figure is not published; the same for metric */
	const char *heading;
	const char *metric;
	bool counter;
	const char *help;
};

extern const struct figure figures[FIGURES_COUNT];

/** "microseconds", "bytes", ...; "" for a plain number and for text. */
const char *figure_unit_name(enum figure_unit unit);

/** "TCP_INFO", "IP_MTU", ...: the name of the query for this family. */
const char *figure_query_name(enum figure_query query, bool ipv6);

#endif /* TRANSPORT_FIGURES_H */
