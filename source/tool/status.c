/* SPDX-License-Identifier: LGPL-3.0-or-later */
/*
 * uring-sockopt status: the connections that smbd samples.
 *
 * What there is to be shown is one table; text, JSON and OpenMetrics go
 * through it.
 *
 * A connection over QUIC has two rows: smbd-quicd's, of the client's network,
 * and smbd's, of the TCP connection between the two.  The address that smbd
 * has for its client joins them.
 */

#include "config.h"

#include <ctype.h>
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <termios.h>
#include <time.h>
#include <unistd.h>
#include <sys/ioctl.h>

#include "tool.h"
#include "transport/publish.h"

#define NANOSECONDS UINT64_C(1000000000)

enum column_kind {
	COLUMN_STRING,
	/* known without a sample; 0: not */
	COLUMN_PROCESS,
	COLUMN_NUMBER,
	/* microseconds, shown as milliseconds, exported as seconds */
	COLUMN_TIME,
	COLUMN_BYTES,
	/* seconds since then */
	COLUMN_AGE,
	/* how many of the queries the ring answered */
	COLUMN_VIA,
};

/* A row as published, and what another one tells about it. */
struct status_row {
	struct uring_status_row published; /* first: columns have its offsets */
	/* the smbd that a connection over QUIC is relayed to, 0: not known */
	uint64_t smbd_pid;
};

/* name: in JSON.  metric: in OpenMetrics, if it is there, without _total. */
struct column {
	const char *name;
	const char *heading;
	int width;
	enum column_kind kind;
	size_t offset;
	const char *metric;
	bool counter;
	const char *help;
};

#define ROW(_field) offsetof(struct uring_status_row, _field)
static const struct column columns[] = {
	{"pid", "PID", 7, COLUMN_PROCESS, ROW(pid), NULL, false, NULL},
	{"client",
	 "CLIENT",
	 -21,
	 COLUMN_STRING,
	 ROW(client),
	 NULL,
	 false,
	 NULL},
	{"user", "USER", -12, COLUMN_STRING, ROW(user), NULL, false, NULL},
	{"shares",
	 "SHARES",
	 -14,
	 COLUMN_STRING,
	 ROW(shares),
	 NULL,
	 false,
	 NULL},
	{"transport",
	 "VIA",
	 -4,
	 COLUMN_STRING,
	 ROW(transport),
	 NULL,
	 false,
	 NULL},
	{"rtt_us",
	 "RTT",
	 8,
	 COLUMN_TIME,
	 ROW(rtt_us),
	 "rtt_seconds",
	 false,
	 "Smoothed round-trip time."},
	{"rttvar_us",
	 "RTTVAR",
	 8,
	 COLUMN_TIME,
	 ROW(rttvar_us),
	 "rttvar_seconds",
	 false,
	 "Variation of the round-trip time."},
	{"rto_us",
	 "RTO",
	 8,
	 COLUMN_TIME,
	 ROW(rto_us),
	 "rto_seconds",
	 false,
	 "Retransmission time-out."},
	{"cwnd",
	 "CWND",
	 5,
	 COLUMN_NUMBER,
	 ROW(cwnd),
	 "congestion_window_segments",
	 false,
	 "Congestion window."},
	{"unacked",
	 "UNACKED",
	 7,
	 COLUMN_BYTES,
	 ROW(unacked),
	 "unacked_bytes",
	 false,
	 "Sent or waiting to be sent, and not acknowledged."},
	{"retrans",
	 "RETRANS",
	 7,
	 COLUMN_NUMBER,
	 ROW(retrans),
	 "retransmitted_segments",
	 true,
	 "Segments that were sent again."},
	{"segments",
	 "SEGS",
	 8,
	 COLUMN_NUMBER,
	 ROW(segments),
	 "sent_segments",
	 true,
	 "Segments with data that were sent."},
	{"delivery_rate",
	 "RATE/s",
	 7,
	 COLUMN_BYTES,
	 ROW(delivery_rate),
	 "delivery_rate_bytes_per_second",
	 false,
	 "Rate at which data arrived at the client, last measured."},
	{"pacing_rate",
	 "PACING/s",
	 8,
	 COLUMN_BYTES,
	 ROW(pacing_rate),
	 "pacing_rate_bytes_per_second",
	 false,
	 "Rate at which the kernel sends at most."},
	{"mss",
	 "MSS",
	 5,
	 COLUMN_NUMBER,
	 ROW(mss),
	 "mss_bytes",
	 false,
	 "Maximum segment size."},
	{"mtu",
	 "MTU",
	 5,
	 COLUMN_NUMBER,
	 ROW(mtu),
	 "mtu_bytes",
	 false,
	 "Path MTU."},
	{"dscp",
	 "DSCP",
	 4,
	 COLUMN_NUMBER,
	 ROW(dscp),
	 "dscp",
	 false,
	 "Differentiated services code point of what is sent."},
	{"bytes_acked",
	 "SENT",
	 7,
	 COLUMN_BYTES,
	 ROW(bytes_acked),
	 "sent_bytes",
	 true,
	 "Bytes sent to the client and acknowledged."},
	{"bytes_received",
	 "RECVD",
	 7,
	 COLUMN_BYTES,
	 ROW(bytes_received),
	 "received_bytes",
	 true,
	 "Bytes received from the client."},
	{"age_s",
	 "AGE",
	 6,
	 COLUMN_AGE,
	 ROW(sampled),
	 "sample_age_seconds",
	 false,
	 "Time since the kernel was asked for all of these."},
	{"ring", "RING", 5, COLUMN_VIA, ROW(ring), NULL, false, NULL},
	{"relay", "RELAY", -21, COLUMN_STRING, ROW(relay), NULL, false, NULL},
	{"smbd_pid",
	 "SMBD",
	 7,
	 COLUMN_PROCESS,
	 offsetof(struct status_row, smbd_pid),
	 NULL,
	 false,
	 NULL},
};
#undef ROW
#define NUM_COLUMNS (sizeof(columns) / sizeof(columns[0]))

struct status_table {
	struct status_row *rows;
	size_t num_rows;
	uint64_t now;
	const char *failed; /* the directory that could not be read */
};

static const char *row_string(const struct status_row *row,
			      const struct column *column)
{
	return (const char *)row + column->offset;
}

static uint64_t row_number(const struct status_row *row,
			   const struct column *column)
{
	uint64_t number;

	memcpy(&number, (const char *)row + column->offset, sizeof(number));
	return number;
}

/* Whether the row has something in this column, which is no string. */
static bool row_has(const struct status_row *row, const struct column *column)
{
	const uint64_t number = row_number(row, column);

	if (column->kind == COLUMN_PROCESS) {
		return number != 0;
	}
	return row->published.sampled != 0 && number != URING_STATUS_UNKNOWN;
}

static double row_age(const struct status_table *table,
		      const struct status_row *row)
{
	const uint64_t sampled = row->published.sampled;

	if (sampled == 0 || table->now < sampled) {
		return 0;
	}
	return (double)(table->now - sampled) / NANOSECONDS;
}

/*
 * A client has chosen its user's name: nothing of it may steer a terminal or
 * break a format.
 */
static void clean(char *s)
{
	json_t *json = json_string(s);
	bool utf8 = json != NULL;

	json_decref(json);
	for (; *s != '\0'; s++) {
		unsigned char c = *s;

		if (iscntrl(c) || (c >= 0x80 && !utf8)) {
			*s = '?';
		}
	}
}

static const struct column *sort_column;

static int compare_rows(const void *a, const void *b)
{
	uint64_t na = row_has(a, sort_column) ? row_number(a, sort_column) : 0;
	uint64_t nb = row_has(b, sort_column) ? row_number(b, sort_column) : 0;

	if (sort_column->kind == COLUMN_STRING) {
		return strcmp(row_string(a, sort_column),
			      row_string(b, sort_column));
	}
	if (na == nb) {
		return 0;
	}
	/* the largest first, but of processes and ages the smallest */
	return (na < nb) == (sort_column->kind != COLUMN_PROCESS) ? 1 : -1;
}

/* 0 or an errno. */
static int read_directory(const char *directory, struct status_table *table)
{
	struct uring_status_row *published = NULL;
	struct status_row *rows = NULL;
	size_t num_rows = 0;
	size_t i;
	int ret;

	ret = uring_status_read(NULL, directory, &published, &num_rows);
	if (ret != 0) {
		return ret;
	}
	rows = talloc_realloc(NULL,
			      table->rows,
			      struct status_row,
			      table->num_rows + num_rows + 1);
	if (rows == NULL) {
		talloc_free(published);
		return ENOMEM;
	}
	table->rows = rows;
	for (i = 0; i < num_rows; i++) {
		struct status_row *row = &rows[table->num_rows + i];

		*row = (struct status_row){.published = published[i]};
		clean(row->published.transport);
		clean(row->published.client);
		clean(row->published.relay);
		clean(row->published.user);
		clean(row->published.shares);
	}
	table->num_rows += num_rows;
	talloc_free(published);
	return 0;
}

static int compare_clients(const void *a, const void *b)
{
	const struct status_row *const *one = a;
	const struct status_row *const *other = b;

	return strcmp((*one)->published.client, (*other)->published.client);
}

/* What smbd knows of the connections that are relayed to it. */
static int join_rows(struct status_table *table)
{
	const size_t size = sizeof(struct status_row *);
	struct status_row **by_client = talloc_array(
		NULL, struct status_row *, table->num_rows + 1);
	size_t num_clients = 0;
	size_t i;

	if (by_client == NULL) {
		return ENOMEM;
	}
	for (i = 0; i < table->num_rows; i++) {
		if (table->rows[i].published.relay[0] == '\0') {
			by_client[num_clients] = &table->rows[i];
			num_clients += 1;
		}
	}
	qsort(by_client, num_clients, size, compare_clients);
	for (i = 0; i < table->num_rows; i++) {
		struct uring_status_row *row = &table->rows[i].published;
		struct status_row key = {};
		const struct status_row *key_pointer = &key;
		struct status_row *const *found = NULL;

		if (row->relay[0] == '\0') {
			continue;
		}
		memcpy(key.published.client,
		       row->relay,
		       sizeof(key.published.client));
		found = bsearch(&key_pointer,
				by_client,
				num_clients,
				size,
				compare_clients);
		if (found != NULL) {
			const struct uring_status_row *smbd =
				&(*found)->published;

			table->rows[i].smbd_pid = smbd->pid;
			memcpy(row->user, smbd->user, sizeof(row->user));
			memcpy(row->shares, smbd->shares, sizeof(row->shares));
		}
	}
	talloc_free(by_client);
	return 0;
}

static int read_failed(const struct status_table *table, int error)
{
	const char *hint = "";

	if (error == ENOENT) {
		hint = " (no smbd with smbd_uring:sample interval has run, or "
		       "its lock directory is another, see --directory)";
	}
	fprintf(stderr,
		"uring-sockopt: %s: %s%s\n",
		table->failed,
		strerror(error),
		hint);
	return EXIT_FAILURE;
}

/* 0 or an errno.  Of the directories, one has to be there. */
static int read_table(const char *const *directories,
		      struct status_table *table)
{
	const char *const *directory = NULL;
	struct timespec now;
	bool there = false;
	int ret;

	*table = (struct status_table){};
	for (directory = directories; *directory != NULL; directory++) {
		ret = read_directory(*directory, table);
		if (ret != 0 && ret != ENOENT) {
			table->failed = *directory;
			TALLOC_FREE(table->rows);
			return ret;
		}
		there = there || ret == 0;
	}
	ret = there ? join_rows(table) : ENOENT;
	if (ret != 0) {
		table->failed = directories[0];
		TALLOC_FREE(table->rows);
		return ret;
	}
	/* after the rows: none is from the future */
	clock_gettime(CLOCK_MONOTONIC, &now);
	table->now = now.tv_sec * NANOSECONDS + now.tv_nsec;
	qsort(table->rows,
	      table->num_rows,
	      sizeof(table->rows[0]),
	      compare_rows);
	return 0;
}

/*
 * Text
 */

/* With a suffix from ten thousand on. */
static void format_bytes(uint64_t bytes, char *buf, size_t buflen)
{
	const char *suffixes = "kMGTPE";
	double scaled = (double)bytes;

	if (bytes < 10000) {
		snprintf(buf, buflen, "%ju", (uintmax_t)bytes);
		return;
	}
	scaled /= 1000;
	while (scaled >= 1000 && suffixes[1] != '\0') {
		scaled /= 1000;
		suffixes += 1;
	}
	snprintf(buf,
		 buflen,
		 "%.*f%c",
		 scaled < 10	? 2
		 : scaled < 100 ? 1
				: 0,
		 scaled,
		 *suffixes);
}

static void format_cell(const struct status_table *table,
			const struct status_row *row,
			const struct column *column,
			char *buf,
			size_t buflen)
{
	uint64_t number = 0;

	if (column->kind == COLUMN_STRING) {
		const char *s = row_string(row, column);

		snprintf(buf, buflen, "%s", *s != '\0' ? s : "-");
		return;
	}
	number = row_number(row, column);
	if (!row_has(row, column)) {
		snprintf(buf, buflen, "-");
		return;
	}
	switch (column->kind) {
	case COLUMN_STRING:
	case COLUMN_PROCESS:
	case COLUMN_NUMBER:
		snprintf(buf, buflen, "%ju", (uintmax_t)number);
		break;
	case COLUMN_TIME:
		snprintf(buf, buflen, "%.2fms", (double)number / 1000);
		break;
	case COLUMN_BYTES:
		format_bytes(number, buf, buflen);
		break;
	case COLUMN_AGE:
		snprintf(buf, buflen, "%.0fs", row_age(table, row));
		break;
	case COLUMN_VIA:
		snprintf(buf,
			 buflen,
			 "%ju/%ju",
			 (uintmax_t)number,
			 (uintmax_t)(number + row->published.syscall));
		break;
	}
}

/* One line, cut at width (0: not) columns of the terminal. */
static void print_line(char *line, size_t width)
{
	size_t seen = 0;
	char *p = line;

	for (; *p != '\0' && width > 0; p++) {
		/* not in the middle of a character of UTF-8 */
		if ((*p & 0xc0) != 0x80 && seen++ == width) {
			break;
		}
	}
	if (*p != '\0' && width > 0) {
		*p = '\0';
	}
	printf("%s\n", line);
}

static int print_text(const struct status_table *table,
		      size_t width,
		      size_t height)
{
	size_t shown = table->num_rows;
	char *line = talloc_strdup(NULL, "");
	char cell[256];
	size_t i;
	size_t j;

	for (j = 0; j < NUM_COLUMNS; j++) {
		line = talloc_asprintf_append_buffer(line,
						     "%*s ",
						     columns[j].width,
						     columns[j].heading);
	}
	if (line == NULL) {
		return EXIT_FAILURE;
	}
	print_line(line, width);
	TALLOC_FREE(line);

	/* a line for the headings, one for what is left out */
	if (height > 2 && shown > height - 2) {
		shown = height - 2;
	}
	for (i = 0; i < shown; i++) {
		line = talloc_strdup(NULL, "");
		for (j = 0; j < NUM_COLUMNS; j++) {
			format_cell(table,
				    &table->rows[i],
				    &columns[j],
				    cell,
				    sizeof(cell));
			line = talloc_asprintf_append_buffer(line,
							     "%*s ",
							     columns[j].width,
							     cell);
		}
		if (line == NULL) {
			return EXIT_FAILURE;
		}
		print_line(line, width);
		TALLOC_FREE(line);
	}
	if (shown < table->num_rows) {
		printf("and %zu more", table->num_rows - shown);
	}
	return fflush(stdout) == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}

/*
 * JSON and OpenMetrics
 */

static int print_rows_json(const struct status_table *table)
{
	json_t *connections = json_array();
	size_t i;
	size_t j;

	for (i = 0; i < table->num_rows; i++) {
		const struct status_row *row = &table->rows[i];
		json_t *json = json_object();

		for (j = 0; j < NUM_COLUMNS; j++) {
			const struct column *column = &columns[j];
			json_t *value = NULL;

			if (column->kind == COLUMN_STRING) {
				value = json_string(row_string(row, column));
			} else if (!row_has(row, column)) {
				value = json_null();
			} else if (column->kind == COLUMN_AGE) {
				value = json_real(row_age(table, row));
			} else {
				value = json_integer(
					(json_int_t)row_number(row, column));
			}
			json_object_set_new(json, column->name, value);
		}
		json_object_set_new(
			json,
			"syscall",
			row->published.sampled == 0 ||
					row->published.syscall ==
						URING_STATUS_UNKNOWN
				? json_null()
				: json_integer(
					  (json_int_t)row->published.syscall));
		json_array_append_new(connections, json);
	}
	return tool_print_json(json_pack("{s:o}", "connections", connections));
}

static void print_label(const char *name, const char *value, bool last)
{
	printf("%s=\"", name);
	for (; *value != '\0'; value++) {
		if (*value == '"' || *value == '\\') {
			putchar('\\');
		}
		putchar(*value);
	}
	printf("\"%s", last ? "} " : ",");
}

static void print_metric(const struct status_table *table,
			 const struct column *column)
{
	const char *suffix = column->counter ? "_total" : "";
	size_t i;

	/*
	 * A counter's type would be stated for a name without "_total" in
	 * OpenMetrics, and with it in Prometheus' own format, which the
	 * textfile collector reads.  Without a type it is right in both.
	 */
	printf("# HELP smbd_uring_%s%s %s\n",
	       column->metric,
	       suffix,
	       column->help);
	if (!column->counter) {
		printf("# TYPE smbd_uring_%s gauge\n", column->metric);
	}
	for (i = 0; i < table->num_rows; i++) {
		const struct status_row *row = &table->rows[i];
		uint64_t number = row_number(row, column);

		if (!row_has(row, column)) {
			continue;
		}
		printf("smbd_uring_%s%s{pid=\"%ju\",",
		       column->metric,
		       suffix,
		       (uintmax_t)row->published.pid);
		print_label("client", row->published.client, false);
		print_label("user", row->published.user, false);
		print_label("shares", row->published.shares, false);
		print_label("transport", row->published.transport, true);
		if (column->kind == COLUMN_TIME) {
			printf("%.6f\n", (double)number / 1e6);
		} else if (column->kind == COLUMN_AGE) {
			printf("%.3f\n", row_age(table, row));
		} else {
			printf("%ju\n", (uintmax_t)number);
		}
	}
}

/* Which smbd has a connection over QUIC: to join the metrics of both. */
static void print_relays(const struct status_table *table)
{
	size_t i;

	printf("# HELP smbd_uring_relay_info "
	       "The TCP connection to smbd that a QUIC client has.\n"
	       "# TYPE smbd_uring_relay_info gauge\n");
	for (i = 0; i < table->num_rows; i++) {
		const struct status_row *row = &table->rows[i];

		if (row->published.relay[0] == '\0') {
			continue;
		}
		printf("smbd_uring_relay_info{pid=\"%ju\",smbd_pid=\"%ju\",",
		       (uintmax_t)row->published.pid,
		       (uintmax_t)row->smbd_pid);
		print_label("client", row->published.client, false);
		print_label("relay", row->published.relay, true);
		printf("1\n");
	}
}

static int print_openmetrics(const struct status_table *table)
{
	size_t j;

	for (j = 0; j < NUM_COLUMNS; j++) {
		if (columns[j].metric != NULL) {
			print_metric(table, &columns[j]);
		}
	}
	print_relays(table);
	printf("# EOF\n");
	return fflush(stdout) == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}

/*
 * On a terminal
 */

static volatile sig_atomic_t watch_ended;

static void watch_end(int sig)
{
	watch_ended = 1;
}

/* What was pressed within a second, or 0. */
static int watch_key(void)
{
	struct pollfd pfd = {
		.fd = STDIN_FILENO,
		.events = POLLIN,
	};
	char key = 0;

	if (poll(&pfd, 1, 1000) == 1 && read(STDIN_FILENO, &key, 1) != 1) {
		return 'q';
	}
	return key;
}

/* 0 or an errno. */
static int watch_table(const char *const *directories,
		       struct status_table *table)
{

	while (!watch_ended) {
		struct winsize size = {};
		size_t sorted = sort_column - columns;
		int ret;

		ret = read_table(directories, table);
		if (ret != 0) {
			return ret;
		}
		ioctl(STDOUT_FILENO, TIOCGWINSZ, &size);
		/* clear, and go home */
		printf("\033[H\033[2J%zu connections, by %s\n",
		       table->num_rows,
		       sort_column->name);
		ret = print_text(table,
				 size.ws_col,
				 size.ws_row > 1 ? size.ws_row - 1 : 0);
		TALLOC_FREE(table->rows);
		if (ret != EXIT_SUCCESS) {
			return EIO;
		}

		switch (watch_key()) {
		case 'q':
		case 3: /* ^C */
			return 0;
		case '<':
			sorted += NUM_COLUMNS - 1;
			break;
		case '>':
			sorted += 1;
			break;
		default:
			break;
		}
		sort_column = &columns[sorted % NUM_COLUMNS];
	}
	return 0;
}

static int watch_terminal(const char *const *directories)
{
	struct sigaction action = {
		.sa_handler = watch_end,
	};
	struct status_table table = {};
	struct termios before;
	struct termios raw;
	int ret;

	if (!isatty(STDOUT_FILENO) || tcgetattr(STDIN_FILENO, &before) != 0) {
		return tool_usage_error("needs a terminal", "--watch");
	}
	sigaction(SIGTERM, &action, NULL);
	sigaction(SIGHUP, &action, NULL);
	raw = before;
	raw.c_lflag &= ~(ICANON | ECHO | ISIG);
	tcsetattr(STDIN_FILENO, TCSANOW, &raw);
	/* the other screen, without a cursor */
	printf("\033[?1049h\033[?25l");
	ret = watch_table(directories, &table);
	printf("\033[?25h\033[?1049l");
	fflush(stdout);
	tcsetattr(STDIN_FILENO, TCSANOW, &before);
	return ret != 0 ? read_failed(&table, ret) : EXIT_SUCCESS;
}

int tool_status(const char *const *directories,
		enum tool_status_format format,
		const char *sort)
{
	struct status_table table = {};
	struct winsize size = {};
	size_t j;
	int ret;

	for (j = 0; sort != NULL && j < NUM_COLUMNS; j++) {
		if (strcmp(columns[j].name, sort) == 0) {
			break;
		}
	}
	if (j == NUM_COLUMNS) {
		return tool_usage_error("no such column, see status --json",
					sort);
	}
	sort_column = &columns[j];

	if (format == TOOL_STATUS_WATCH) {
		return watch_terminal(directories);
	}
	ret = read_table(directories, &table);
	if (ret != 0) {
		return read_failed(&table, ret);
	}
	switch (format) {
	case TOOL_STATUS_JSON:
		ret = print_rows_json(&table);
		break;
	case TOOL_STATUS_OPENMETRICS:
		ret = print_openmetrics(&table);
		break;
	default:
		if (isatty(STDOUT_FILENO)) {
			ioctl(STDOUT_FILENO, TIOCGWINSZ, &size);
		}
		ret = print_text(&table, size.ws_col, 0);
		break;
	}
	TALLOC_FREE(table.rows);
	return ret;
}
