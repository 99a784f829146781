/* SPDX-License-Identifier: LGPL-3.0-or-later */
/*
 * Joins the two rows of a connection over QUIC, see join.h.
 */

#include "config.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <talloc.h>

#include "join.h"
#include "util/clock.h"

static int compare_clients(const void *a, const void *b)
{
	const struct status_row *const *one = a;
	const struct status_row *const *other = b;

	return strcmp((*one)->published.client, (*other)->published.client);
}

static void row_join(struct status_row *quic, struct status_row *smbd)
{
	struct uring_status_row *row = &quic->published;
	uint64_t *stall = &row->figures[FIGURE_stall_ms];

	quic->smbd_pid = smbd->published.pid;
	smbd->relayed = true;
	memcpy(row->users, smbd->published.users, sizeof(row->users));
	memcpy(row->shares, smbd->published.shares, sizeof(row->shares));
	/* a client that does not read also stalls the relay */
	if (*stall == FIGURE_UNKNOWN) {
		*stall = smbd->published.figures[FIGURE_stall_ms];
	}
	row->limit_rtt_us = smbd->published.limit_rtt_us;
	row->limit_loss_ppm = smbd->published.limit_loss_ppm;
	row->limit_stall_ms = smbd->published.limit_stall_ms;
}

/* Add the data of smbd to the connections that smbd-quicd relays to it. */
static int rows_join(struct status_rows *rows)
{
	const size_t size = sizeof(struct status_row *);
	struct status_row **by_client = talloc_array(NULL,
						     struct status_row *,
						     rows->num_rows + 1);
	size_t num_clients = 0;
	size_t i;

	if (by_client == NULL) {
		return ENOMEM;
	}
	for (i = 0; i < rows->num_rows; i++) {
		if (!row_is_quic(&rows->rows[i].published)) {
			by_client[num_clients] = &rows->rows[i];
			num_clients += 1;
		}
	}
	qsort(by_client, num_clients, size, compare_clients);
	for (i = 0; i < rows->num_rows; i++) {
		struct status_row *row = &rows->rows[i];
		struct status_row key = {};
		const struct status_row *key_pointer = &key;
		struct status_row *const *found = NULL;

		if (!row_is_quic(&row->published) ||
		    row->published.relay[0] == '\0')
		{
			continue;
		}
		memcpy(key.published.client,
		       row->published.relay,
		       sizeof(key.published.client));
		found = bsearch(&key_pointer,
				by_client,
				num_clients,
				size,
				compare_clients);
		if (found != NULL) {
			row_join(row, *found);
		}
	}
	talloc_free(by_client);
	return 0;
}

int rows_finish(struct status_rows *rows)
{
	size_t i;
	int ret;

	ret = rows_join(rows);
	if (ret != 0) {
		return ret;
	}
	for (i = 0; i < rows->num_rows; i++) {
		rows->rows[i].state = state_judge(&rows->rows[i].published);
	}
	/* read the clock after the rows, so that no age is negative */
	rows->now = clock_monotonic_ns();
	return 0;
}
