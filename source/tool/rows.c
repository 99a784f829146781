/* SPDX-License-Identifier: LGPL-3.0-or-later */
/*
 * Reads the connections for a table.
 */

#include "config.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <talloc.h>
#include <sys/stat.h>

#include "rows.h"
#include "transport/publish_read.h"
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

bool row_is_quic(const struct uring_status_row *row)
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

		if (row_is_quic(row)) {
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

void rows_free(struct status_rows *rows)
{
	TALLOC_FREE(rows->rows);
	TALLOC_FREE(rows->nodes);
	TALLOC_FREE(rows->quicd);
	rows->num_rows = 0;
	rows->num_nodes = 0;
}
