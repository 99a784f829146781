/* SPDX-License-Identifier: LGPL-3.0-or-later */
/*
 * Reads and joins the connections for a table.
 */

#include "config.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <talloc.h>
#include <sys/stat.h>

#include "rows.h"
#include "transport/publish_read.h"
#include "util/clock.h"
#include "util/printable.h"

/* An untrusted writer could publish more lines than one with a separator. */
static void clean_one(char *s, size_t size)
{
	char text[sizeof(((struct quicd_counters_certificate *)NULL)->name)] =
		"";

	_Static_assert(sizeof(text) >= ADDRESS_TEXT_SIZE, "one for all");
	(void)printable_copy(text, size, s);
	memcpy(s, text, size);
}

/* The client chooses the user's name, which must not control a terminal. */
static void clean(char *s, size_t size)
{
	char text[sizeof(((struct uring_status_row *)NULL)->shares)];
	char *name = s;
	char *end = NULL;
	size_t used = 0;

	/* name by name: the filter would refuse the separator */
	while (name != NULL && used < size) {
		end = strchr(name, URING_STATUS_SEPARATOR);
		if (end != NULL) {
			*end = '\0';
		}
		(void)printable_copy(text + used, size - used, name);
		used += strlen(text + used);
		if (end != NULL && used + 1 < size) {
			text[used] = URING_STATUS_SEPARATOR;
			used += 1;
		}
		name = end != NULL ? end + 1 : NULL;
	}
	text[used < size ? used : size - 1] = '\0';
	memcpy(s, text, size);
}

/* The loss of the whole connection. */
static uint64_t row_whole_loss(const struct uring_status_row *row)
{
	const uint64_t *f = row->figures;
	double loss;

	if (f[FIGURE_retrans_total] == FIGURE_UNKNOWN ||
	    f[FIGURE_segments_total] == FIGURE_UNKNOWN ||
	    f[FIGURE_segments_total] == 0)
	{
		return FIGURE_UNKNOWN;
	}
	loss = (double)f[FIGURE_retrans_total] * 1e6 /
	       (double)f[FIGURE_segments_total];
	/* an untrusted writer may publish any number */
	return loss < 1e6 ? (uint64_t)loss : 1000000;
}

static void row_init(struct status_row *row,
		     const struct uring_status_row *published)
{
	struct uring_status_row *p = &row->published;

	*row = (struct status_row){.published = *published};
	clean_one(p->transport, sizeof(p->transport));
	clean_one(p->client, sizeof(p->client));
	clean_one(p->relay, sizeof(p->relay));
	clean(p->users, sizeof(p->users));
	clean(p->shares, sizeof(p->shares));
	row->whole_loss_ppm = row_whole_loss(p);
}

static bool reaches(const struct uring_status_row *row,
		    enum figure_index figure,
		    uint64_t limit)
{
	uint64_t value = row->figures[figure];

	return limit != 0 && value != FIGURE_UNKNOWN && value >= limit;
}

static enum status_state row_state(const struct uring_status_row *row)
{
	if (row->sampled == 0 ||
	    (row->limit_rtt_us == 0 && row->limit_loss_ppm == 0 &&
	     row->limit_stall_ms == 0))
	{
		return STATE_UNKNOWN;
	}
	if (reaches(row, FIGURE_stall_ms, row->limit_stall_ms)) {
		return STATE_STALL;
	}
	if (reaches(row, FIGURE_loss_ppm, row->limit_loss_ppm)) {
		return STATE_LOSS;
	}
	if (reaches(row, FIGURE_rtt_us, row->limit_rtt_us)) {
		return STATE_SLOW;
	}
	return STATE_OK;
}

const char *state_name(enum status_state state)
{
	switch (state) {
	case STATE_OK:
		return "ok";
	case STATE_SLOW:
		return "SLOW";
	case STATE_LOSS:
		return "LOSS";
	case STATE_STALL:
		return "STALL";
	case STATE_UNKNOWN:
		break;
	}
	return "";
}

int rows_add(const struct uring_status_row *row, struct status_rows *rows)
{
	size_t room = talloc_array_length(rows->rows);
	struct status_row *all = rows->rows;

	if (rows->num_rows == room) {
		all = talloc_realloc(NULL,
				     all,
				     struct status_row,
				     2 * room + 64);
		if (all == NULL) {
			return ENOMEM;
		}
		rows->rows = all;
	}
	row_init(&all[rows->num_rows], row);
	rows->num_rows += 1;
	return 0;
}

static bool is_quic(const struct uring_status_row *row)
{
	return strcmp(row->transport, "quic") == 0;
}

static bool is_quicd_directory(const char *directory)
{
	struct stat st;
	struct stat quicd;

	return stat(directory, &st) == 0 && stat(ROWS_QUICD, &quicd) == 0 &&
	       st.st_dev == quicd.st_dev && st.st_ino == quicd.st_ino;
}

void rows_clean_quicd(struct quicd_counters_read *read)
{
	size_t i;

	for (i = 0; i < read->num_certificates; i++) {
		char *name = read->certificates[i].name;

		clean_one(name, sizeof(read->certificates[i].name));
	}
}

/* Of several the first: more than one smbd-quicd is for tests. */
static int rows_add_counters(const char *directory, struct status_rows *rows)
{
	struct quicd_counters_read *read = NULL;

	if (rows->quicd != NULL) {
		return 0;
	}
	read = talloc(NULL, struct quicd_counters_read);
	if (read == NULL) {
		return ENOMEM;
	}
	if (!quicd_counters_read(directory, read)) {
		talloc_free(read);
		return 0;
	}
	rows_clean_quicd(read);
	rows->quicd = read;
	return 0;
}

static int rows_add_directory(const char *directory,
			      bool quic_only,
			      struct status_rows *rows)
{
	struct uring_status_row *published = NULL;
	size_t num_rows = 0;
	size_t i;
	int ret;

	if (is_quicd_directory(directory)) {
		quic_only = true;
	}
	ret = uring_status_read(NULL, directory, &published, &num_rows);
	for (i = 0; ret == 0 && i < num_rows; i++) {
		struct uring_status_row *row = &published[i];

		if (is_quic(row)) {
			/* only smbd knows these */
			row->users[0] = '\0';
			row->shares[0] = '\0';
			row->limit_rtt_us = 0;
			row->limit_loss_ppm = 0;
			row->limit_stall_ms = 0;
		} else if (quic_only) {
			continue;
		}
		ret = rows_add(row, rows);
	}
	talloc_free(published);
	return ret == 0 ? rows_add_counters(directory, rows) : ret;
}

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
		if (!is_quic(&rows->rows[i].published)) {
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

		if (!is_quic(&row->published) ||
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

int rows_add_published(const char *const *directories,
		       bool quic_only,
		       struct status_rows *rows)
{
	const char *const *directory = NULL;
	bool there = false;
	int ret;

	rows->failed = directories[0];
	for (directory = directories; *directory != NULL; directory++) {
		ret = rows_add_directory(*directory, quic_only, rows);
		if (ret != 0 && ret != ENOENT) {
			rows->failed = *directory;
			return ret;
		}
		there = there || ret == 0;
	}
	return there ? 0 : ENOENT;
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
		rows->rows[i].state = row_state(&rows->rows[i].published);
	}
	/* read the clock after the rows, so that no age is negative */
	rows->now = clock_monotonic_ns();
	return 0;
}

void rows_free(struct status_rows *rows)
{
	TALLOC_FREE(rows->rows);
	TALLOC_FREE(rows->nodes);
	TALLOC_FREE(rows->quicd);
	rows->num_rows = 0;
	rows->num_nodes = 0;
}
