/* SPDX-License-Identifier: LGPL-3.0-or-later */
/*
 * Reads the connections for a table.
 */
#ifndef TOOL_ROWS_H
#define TOOL_ROWS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "state.h"
#include "transport/publish_row.h"
#include "transport/quicd_counters_read.h"

/** The directory of smbd, in Debian's lock directory. */
#define ROWS_SMBD "/run/samba/smbd_uring"

/** The directory of smbd-quicd. */
#define ROWS_QUICD "/run/smbd-quicd"

/** A node of a CTDB cluster. */
struct status_node {
	/** its number */
	char name[16];
	/** why its rows could not be read; or NULL */
	const char *error;
	/** what its smbd-quicd counts (talloc), or NULL */
	struct quicd_counters_read *quicd;
};

/** A published row, and data from the row that is joined to it. */
struct status_row {
	struct uring_status_row published; /* first: columns have its offsets */
	/** the name of the node, if the rows are those of a cluster */
	char node[sizeof(((struct status_node *)NULL)->name)];
	/** of a connection over QUIC: the smbd behind the relay; 0: unknown */
	uint64_t smbd_pid;
	/** retransmitted segments of all, in parts per million; or unknown */
	uint64_t whole_loss_ppm;
	/** this connection relays another row, of smbd-quicd */
	bool relayed;
	enum status_state state;
};

struct status_rows {
	/** a talloc array, of which num_rows are used */
	struct status_row *rows;
	size_t num_rows;
	/** the time of reading, CLOCK_MONOTONIC in nanoseconds */
	uint64_t now;
	/** the rows are those of a cluster, with these nodes (talloc) */
	bool cluster;
	struct status_node *nodes;
	size_t num_nodes;
	/** the name of this node, or "" */
	char own_node[sizeof(((struct status_node *)NULL)->name)];
	/** what smbd-quicd counts (talloc), or NULL; names are printable */
	struct quicd_counters_read *quicd;
	/** the name of the source that could not be read */
	const char *failed;
};

/**
 * @brief Add the published rows; strings become printable.
 *
 * The user of smbd-quicd need not be trusted.  So of its directory the function
 * adds only rows of QUIC, and a row of QUIC has no users, shares and limits.
 *
 * @param[in] directories  ends with NULL; one directory must exist.
 * @param[in] quic_only    add only rows of QUIC.
 *
 * @return 0 or an errno; rows->failed is the directory.
 */
int rows_add_published(const char *const *directories,
		       bool quic_only,
		       struct status_rows *rows);

/** @brief Whether the row is of a connection over QUIC. */
bool row_is_quic(const struct uring_status_row *row);

/** @brief Add one row unchanged; 0 or ENOMEM. */
int rows_add(const struct uring_status_row *row, struct status_rows *rows);

/** @brief Make the names of certificates printable. */
void rows_clean_quicd(struct quicd_counters_read *read);

void rows_free(struct status_rows *rows);

#endif /* TOOL_ROWS_H */
