/* SPDX-License-Identifier: LGPL-3.0-or-later */
/*
 * Description: the loop samples connections, and the watch reports a stall
 * once.  tests/smbd/test_status tests slow and lossy networks.
 */

#include "config.h"

#include <errno.h>
#include <sched.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <sys/mount.h>
#include <netinet/in.h>
#include <cmocka.h>

#include "smbd_uring_backend.h"
#include "transport/publish.h"
#include "transport/publish_read.h"
#include "transport/tcp.h"
#include "transport/watch.h"
#include "util/macros.h"
#include "own_process.h"

static char top[] = "/tmp/test_uring_watch.XXXXXX";
static char directory[sizeof(top) + 24];

static char lines[8][1024];
static size_t num_lines;

static void log_line(const char *line)
{
	CHECK(num_lines < 8);
	snprintf(lines[num_lines], sizeof(lines[0]), "%s", line);
	num_lines += 1;
}

/* The two ends of a TCP connection; ours, and the client's. */
static void connect_pair(int fds[2])
{
	struct sockaddr_in addr = {
		.sin_family = AF_INET,
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK),
	};
	socklen_t len = sizeof(addr);
	int buffer = 4096;
	int tos = 46 << 2;
	int fd = socket(AF_INET, SOCK_STREAM, 0);

	CHECK(bind(fd, (struct sockaddr *)&addr, len) == 0);
	CHECK(listen(fd, 1) == 0);
	CHECK(getsockname(fd, (struct sockaddr *)&addr, &len) == 0);
	fds[1] = socket(AF_INET, SOCK_STREAM, 0);
	/* a small buffer, so that a client that does not read fills it soon */
	setsockopt(fds[1], SOL_SOCKET, SO_RCVBUF, &buffer, sizeof(buffer));
	CHECK(connect(fds[1], (struct sockaddr *)&addr, len) == 0);
	fds[0] = accept(fd, NULL, NULL);
	CHECK(fds[0] != -1);
	CHECK(setsockopt(fds[0], IPPROTO_IP, IP_TOS, &tos, sizeof(tos)) == 0);
	setsockopt(fds[0], SOL_SOCKET, SO_SNDBUF, &buffer, sizeof(buffer));
	close(fd);
}

struct client {
	struct tevent_context *ev;
	struct uring_watch *watch;
	struct uring_watch_channel *channel;
	struct uring_watch_share *share;
	struct uring_watch_settings settings;
	int fds[2];
};

static void settings_fn(struct uring_watch_settings *settings,
			void *private_data)
{
	*settings = *(const struct uring_watch_settings *)private_data;
}

static struct client *client_start(struct uring_watch_settings settings)
{
	struct client *client = talloc_zero(NULL, struct client);
	struct uring_socket sock;

	client->settings = settings;
	client->ev = tevent_context_init_byname(client, "io_uring");
	CHECK(client->ev != NULL);
	client->watch = uring_watch_create(client->ev,
					   client->ev,
					   directory,
					   log_line);
	CHECK(client->watch != NULL);
	connect_pair(client->fds);
	CHECK(uring_socket_init(client->fds[0], &sock) == 0);
	client->channel = uring_watch_add_channel(client,
						  client->watch,
						  &sock,
						  "192.0.2.1:1000");
	client->share = uring_watch_add_share(client,
					      client->watch,
					      "data \"1\"",
					      "alice",
					      settings_fn,
					      &client->settings);
	CHECK(client->channel != NULL && client->share != NULL);
	return client;
}

static size_t read_rows(struct uring_status_row *row)
{
	struct uring_status_row *rows = NULL;
	size_t num_rows = 0;
	int ret;

	ret = uring_status_read(NULL, directory, &rows, &num_rows);
	CHECK(ret == 0 || ret == ENOENT);
	if (num_rows > 0) {
		*row = rows[0];
	}
	talloc_free(rows);
	return num_rows;
}

static void ended(struct tevent_context *ev,
		  struct tevent_timer *te,
		  struct timeval now,
		  void *private_data)
{
	*(bool *)private_data = true;
}

/* Run the loop for so long; returns the number of iterations. */
static unsigned turn(struct client *client, unsigned milliseconds)
{
	unsigned turns = 0;
	bool end = false;

	CHECK(tevent_add_timer(client->ev,
			       client,
			       tevent_timeval_current_ofs(0,
							  milliseconds * 1000),
			       ended,
			       &end) != NULL);
	while (!end) {
		CHECK(tevent_loop_once(client->ev) == 0);
		turns += 1;
	}
	return turns;
}

/*
 * Iterate until there is a younger sample.  If a timer expired before the loop
 * could wait, the loop submitted nothing.
 */
static void turn_to_sample(struct client *client,
			   uint64_t than,
			   struct uring_status_row *row)
{
	do {
		(void)turn(client, 10);
	} while (read_rows(row) != 1 || row->sampled <= than);
}

static void samples(void)
{
	struct client *client = client_start(
		(struct uring_watch_settings){.interval = 1});
	struct uring_watch_share *second = NULL;
	struct uring_watch_share *third = NULL;
	struct uring_status_row row = {};
	uint64_t first;
	unsigned turns;

	/* known before the first sample */
	CHECK(read_rows(&row) == 1 && row.sampled == 0);
	CHECK(strcmp(row.client, "192.0.2.1:1000") == 0);
	CHECK(strcmp(row.transport, "tcp") == 0);
	turn_to_sample(client, 0, &row);
	CHECK(row.figures[FIGURE_rtt_us] > 0 && row.figures[FIGURE_mss] > 0 &&
	      row.figures[FIGURE_mtu] > 0 && row.figures[FIGURE_stall_ms] == 0);
	CHECK(row.figures[FIGURE_dscp] == 46);
	/* too few segments give no rate */
	CHECK(row.figures[FIGURE_loss_ppm] == FIGURE_UNKNOWN);
	CHECK(row.ring + row.syscall == 1);
	CHECK(strcmp(row.shares, "data \"1\"") == 0);
	CHECK(strcmp(row.users, "alice") == 0);

	/* an idle loop does not wake up: the timer, and perhaps one answer */
	first = row.sampled;
	(void)turn(client, 1);
	turns = turn(client, 1500);
	CHECK(turns <= 2);
	turn_to_sample(client, first, &row);

	second = uring_watch_add_share(client,
				       client->watch,
				       "more",
				       "alice",
				       settings_fn,
				       &client->settings);
	CHECK(read_rows(&row) == 1);
	CHECK(strcmp(row.shares, "more\ndata \"1\"") == 0);
	CHECK(strcmp(row.users, "alice") == 0);
	talloc_free(second);
	/* between them a share without a name, as the preload library has it */
	second = uring_watch_add_share(
		client, client->watch, "", "", settings_fn, &client->settings);
	third = uring_watch_add_share(client,
				      client->watch,
				      "more",
				      "bob",
				      settings_fn,
				      &client->settings);
	CHECK(read_rows(&row) == 1);
	CHECK(strcmp(row.shares, "more\ndata \"1\"") == 0);
	CHECK(strcmp(row.users, "bob\nalice") == 0);
	talloc_free(second);
	talloc_free(third);
	CHECK(read_rows(&row) == 1);
	CHECK(strcmp(row.shares, "data \"1\"") == 0);

	/* switched off and on again while connected */
	client->settings.interval = 0;
	(void)turn(client, 1100);
	(void)turn(client, 1);
	CHECK(read_rows(&row) == 0);
	client->settings.interval = 1;
	(void)turn(client, 1100);
	(void)turn(client, 1);
	CHECK(read_rows(&row) == 1);

	talloc_free(client->channel);
	CHECK(read_rows(&row) == 0);
	talloc_free(client);
	CHECK(num_lines == 0);
	CHECK(rmdir(directory) == 0);
}

/* More names than a row has room for, and one that is cut in the middle. */
static void long_lists(void)
{
	struct client *client = client_start(
		(struct uring_watch_settings){.interval = 1});
	struct uring_status_row row = {};
	char name[400] = "";
	const char *last = NULL;
	size_t i;

	for (i = 0; i < 40; i++) {
		snprintf(name, sizeof(name), "share,%zu\xc3\xa4\n", i);
		CHECK(uring_watch_add_share(client,
					    client->watch,
					    name,
					    i % 2 == 0 ? "" : "bob",
					    settings_fn,
					    &client->settings) != NULL);
	}
	CHECK(read_rows(&row) == 1);
	CHECK(strcmp(row.users, "bob\nalice") == 0);
	last = strrchr(row.shares, URING_STATUS_SEPARATOR);
	CHECK(last != NULL && strcmp(last + 1, URING_STATUS_MORE) == 0);
	/* complete names only, each filtered: none contains a separator */
	CHECK(strncmp(row.shares,
		      "share,39\xc3\xa4?\nshare,38\xc3\xa4?\n",
		      24) == 0);
	CHECK(strlen(row.shares) > sizeof(row.shares) - 24);

	/* all characters have two bytes, from an odd offset on */
	talloc_free(client);
	client = client_start((struct uring_watch_settings){.interval = 1});
	name[0] = 'x';
	for (i = 1; i + 1 < sizeof(name) - 1; i += 2) {
		memcpy(name + i, "\xc3\xa4", 3);
	}
	CHECK(uring_watch_add_share(client,
				    client->watch,
				    name,
				    name,
				    settings_fn,
				    &client->settings) != NULL);
	CHECK(read_rows(&row) == 1);
	CHECK(strcmp(row.shares, URING_STATUS_MORE) == 0);
	CHECK(strcmp(row.users, URING_STATUS_MORE) == 0);
	talloc_free(client);
	CHECK(rmdir(directory) == 0);
}

/* SIOCOUTQ, computed from TCP_INFO. */
static void unacked(void)
{
	struct tcp_info info = {};
	int64_t off = 0;

	info.tcpi_bytes_sent = 1000;
	info.tcpi_bytes_retrans = 200;
	info.tcpi_bytes_acked = 800;
	info.tcpi_notsent_bytes = 30;
	CHECK(tcp_unacked_bytes(&info, &off) == 30);

	info.tcpi_bytes_sent = 1500;
	info.tcpi_unacked = 1;
	CHECK(tcp_unacked_bytes(&info, &off) == 530);

	/* the queueing discipline refused 100 bytes, which are sent again */
	info.tcpi_bytes_sent = 1600;
	info.tcpi_bytes_acked = 1300;
	info.tcpi_unacked = 0;
	info.tcpi_notsent_bytes = 0;
	CHECK(tcp_unacked_bytes(&info, &off) == 0 && off == 100);
	info.tcpi_bytes_sent = 1610;
	info.tcpi_unacked = 1;
	CHECK(tcp_unacked_bytes(&info, &off) == 10);

	/* a FIN is acknowledged like a byte */
	info.tcpi_bytes_acked = 1311;
	CHECK(tcp_unacked_bytes(&info, &off) == 1);

	CHECK(tcp_dscp(46 << 2 | 1) == 46 && tcp_dscp(-1) == 63);
}

/*
 * smbd has answered, and the client does not read the answer: only the watch
 * wakes the loop.
 */
static void stall(void)
{
	struct client *client = client_start((struct uring_watch_settings){
		.interval = 1,
		.warn_stall = 2,
	});
	struct uring_status_row row = {};
	static char buffer[65536];

	(void)turn(client, 100);
	CHECK(num_lines == 0);
	/* as a handler of the loop would send it */
	while (send(client->fds[0], buffer, sizeof(buffer), MSG_DONTWAIT) > 0) {
	}
	(void)turn(client, 1);
	while (num_lines == 0) {
		(void)turn(client, 1000);
	}
	CHECK(num_lines == 1);
	CHECK(strstr(lines[0],
		     "warning stall=begins share=\"data ?1?\" "
		     "user=\"alice\" client=192.0.2.1:1000 ") != NULL);
	CHECK(read_rows(&row) == 1 && row.figures[FIGURE_unacked_bytes] > 0);
	CHECK(row.figures[FIGURE_stall_ms] >= 2000);
	CHECK(row.limit_stall_ms == 2000 && row.limit_rtt_us == 0);

	/* logged once */
	(void)turn(client, 2200);
	CHECK(num_lines == 1);

	while (num_lines == 1) {
		while (recv(client->fds[1],
			    buffer,
			    sizeof(buffer),
			    MSG_DONTWAIT) > 0) {
		}
		(void)turn(client, 100);
	}
	CHECK(num_lines == 2);
	while (recv(client->fds[1], buffer, sizeof(buffer), MSG_DONTWAIT) > 0) {
		(void)turn(client, 100);
	}
	CHECK(strstr(lines[1], "warning stall=ends ") != NULL);

	/* then the connection is idle: one last sample, and none after it */
	(void)turn(client, 2200);
	CHECK(turn(client, 1500) <= 2);
	CHECK(read_rows(&row) == 1 && row.figures[FIGURE_unacked_bytes] == 0);
	talloc_free(client);
	CHECK(rmdir(directory) == 0);
}

/* A row like smbd-quicd's, for the connection of client_start(). */
static void make_quic_row(struct uring_status_row *row, uint64_t rtt_us)
{
	uring_status_row_init(row);
	strcpy(row->transport, "quic");
	strcpy(row->client, "198.51.100.7:4433");
	strcpy(row->relay, "192.0.2.1:1000");
	row->sampled = 1;
	row->figures[FIGURE_rtt_us] = rtt_us;
	row->figures[FIGURE_unacked_bytes] = 0;
	row->figures[FIGURE_retrans_total] = 0;
	row->figures[FIGURE_segments_total] = 0;
	row->figures[FIGURE_bytes_acked] = 0;
	row->figures[FIGURE_bytes_received] = 0;
}

/* Send data until there are so many lines. */
static void turn_to_lines(struct client *client, size_t count)
{
	unsigned turns = 0;

	while (num_lines < count) {
		(void)turn(client, 100);
		CHECK(turns++ < 10 * PATIENCE_SECONDS);
	}
	CHECK(num_lines == count);
}

/* Give the test a /run of its own, where smbd-quicd's rows are. */
static void own_run(void)
{
	if (unshare(CLONE_NEWNS) != 0 ||
	    mount("none", "/", "", MS_REC | MS_PRIVATE, "") != 0 ||
	    mount("none", "/run", "tmpfs", 0, "") != 0)
	{
		skip_test("a /run of its own: needs root");
	}
}

/* The warning is about the client's network, not about the relay's. */
static void relayed(void)
{
	struct client *client = NULL;
	struct uring_status *quicd = NULL;
	struct uring_status_row row;
	size_t index;

	own_run();
	CHECK(uring_status_create(NULL, "/run/smbd-quicd", 2, &quicd) == 0);
	make_quic_row(&row, 1000);
	strcpy(row.relay, "192.0.2.1:1001");
	CHECK(uring_status_add(quicd, &row, &index) == 0);
	make_quic_row(&row, 80000);
	CHECK(uring_status_add(quicd, &row, &index) == 0);

	client = client_start((struct uring_watch_settings){
		.interval = 1,
		.warn_rtt = 50,
	});
	turn_to_lines(client, 1);
	CHECK(strstr(lines[0],
		     "warning rtt=begins share=\"data ?1?\" user=\"alice\" "
		     "client=198.51.100.7:4433 value=80ms limit=50ms "
		     "rtt_us=80000 ") != NULL);
	/* which QUIC does not have */
	CHECK(strstr(lines[0], "delivery_rate") == NULL);
	make_quic_row(&row, 2000);
	uring_status_set(quicd, index, &row);
	turn_to_lines(client, 2);
	CHECK(strstr(lines[1], "warning rtt=ends ") != NULL);

	/* smbd-quicd has ended: the figures are the kernel's */
	make_quic_row(&row, 80000);
	uring_status_set(quicd, index, &row);
	turn_to_lines(client, 3);
	talloc_free(quicd);
	turn_to_lines(client, 4);
	CHECK(strstr(lines[3], "warning rtt=ends ") != NULL &&
	      strstr(lines[3], "client=192.0.2.1:1000 ") != NULL);
	talloc_free(client);
	CHECK(rmdir(directory) == 0);
}

/*
 * The share of retransmitted segments is of recent ones: too few of them end a
 * warning, and a later share does not begin with an old value.
 */
static void old_loss(void)
{
	struct client *client = NULL;
	struct uring_status *quicd = NULL;
	struct uring_status_row row;
	size_t index;

	own_run();
	CHECK(uring_status_create(NULL, "/run/smbd-quicd", 1, &quicd) == 0);
	make_quic_row(&row, 1000);
	row.figures[FIGURE_segments_total] = 60;
	row.figures[FIGURE_retrans_total] = 6;
	CHECK(uring_status_add(quicd, &row, &index) == 0);
	client = client_start((struct uring_watch_settings){
		.interval = 1,
		.warn_retrans = 5,
	});
	turn_to_lines(client, 1);
	CHECK(strstr(lines[0], "warning retrans=begins ") != NULL &&
	      strstr(lines[0], " value=10% limit=5% ") != NULL);

	/* 60 become 45, and this is less than 50 */
	row.figures[FIGURE_segments_total] += 1;
	uring_status_set(quicd, index, &row);
	turn_to_lines(client, 2);
	CHECK(strstr(lines[1], "warning retrans=ends ") != NULL &&
	      strstr(lines[1], " value=none limit=5% ") != NULL);

	CHECK(uring_watch_add_share(client,
				    client->watch,
				    "later",
				    "alice",
				    settings_fn,
				    &client->settings) != NULL);
	(void)turn(client, 1500);
	CHECK(num_lines == 2);
	talloc_free(client);
	talloc_free(quicd);
	CHECK(rmdir(directory) == 0);
}

/* Free the objects in each order. */
static void freed(void)
{
	struct client *client = client_start(
		(struct uring_watch_settings){.interval = 1});
	struct uring_watch *second = NULL;
	struct uring_status_row row = {};
	struct tevent_context *ev = NULL;

	second = uring_watch_create(NULL, client->ev, directory, log_line);
	CHECK(second == NULL);
	ev = tevent_context_init_byname(client, "epoll");
	CHECK(uring_watch_create(NULL, ev, directory, log_line) == NULL);

	(void)turn(client, 1);
	talloc_free(client->watch);
	CHECK(read_rows(&row) == 0);
	(void)turn(client, 1100);
	talloc_free(client);

	/* while a sample is answered and not delivered, if it piggybacks */
	client = client_start((struct uring_watch_settings){.interval = 1});
	(void)turn(client, 1);
	talloc_free(client->channel);
	(void)turn(client, 1100);
	talloc_free(client->share);
	CHECK(read_rows(&row) == 0);
	talloc_free(client);
	CHECK(num_lines == 0);
	CHECK(rmdir(directory) == 0);
}

/* The watch cannot publish: it logs this once, and changes nothing else. */
static void unpublished(void)
{
	struct client *client = NULL;
	int fd = open(directory, O_CREAT | O_WRONLY, 0600);

	CHECK(fd != -1);
	client = client_start((struct uring_watch_settings){.interval = 1});
	(void)turn(client, 1100);
	(void)turn(client, 1100);
	CHECK(num_lines == 1);
	CHECK(strstr(lines[0], "cannot publish samples in /tmp/") != NULL);
	talloc_free(client);
	CHECK(unlink(directory) == 0);
}

static void test_settings(void **state)
{
	static const struct {
		size_t parameter;
		const char *value;
		bool good;
	} cases[] = {
		{0, "0", true},
		{0, "60", true},
		{0, "-1", false},
		{0, "", false},
		{0, "1.5", false},
		{0, "yes", false},
		{0, " 5", false},
		{0, "5s", false},
		{0, "99999999999", false},
		{1, "40", true},
		{1, "4ms", false},
		{2, "0.5", true},
		{2, "0x10", false},
		{2, "1e1", false},
		{2, "1.", false},
		{2, ".5", false},
		{2, "1.5.5", false},
		{2, "", false},
		{2, "100", true},
		{2, "101", false},
		{2, "nan", false},
		{2, "-1", false},
		{2, "2%", false},
		{3, "5", true},
		{3, "five", false},
		{4, "1", false},
	};
	struct uring_watch_settings s = {};
	size_t i;

	for (i = 0; i < ARRAY_SIZE(cases); i++) {
		assert_int_equal(uring_watch_set(&s,
						 cases[i].parameter,
						 cases[i].value),
				 cases[i].good);
	}
	assert_int_equal(s.interval, 60);
	assert_int_equal(s.warn_rtt, 40);
	assert_true(s.warn_retrans == 100);
	assert_int_equal(s.warn_stall, 5);
}

/*
 * These tests wait for seconds to pass, so they run in parallel.  Each has a
 * process and a directory of its own.
 */
static struct process {
	const char *name;
	void (*fn)(void);
	pid_t pid;
} processes[] = {
	{.name = "test_samples", .fn = samples},
	{.name = "test_long_lists", .fn = long_lists},
	{.name = "test_unacked", .fn = unacked},
	{.name = "test_relayed", .fn = relayed},
	{.name = "test_old_loss", .fn = old_loss},
	{.name = "test_stall", .fn = stall},
	{.name = "test_freed", .fn = freed},
	{.name = "test_unpublished", .fn = unpublished},
};

static int start(void **state)
{
	size_t i;

	if (!smbd_uring_backend_register() || mkdtemp(top) == NULL) {
		return -1;
	}
	for (i = 0; i < ARRAY_SIZE(processes); i++) {
		snprintf(directory, sizeof(directory), "%s/%zu", top, i);
		processes[i].pid = own_process_start(processes[i].fn);
	}
	return 0;
}

static int stop(void **state)
{
	return rmdir(top);
}

static void finish(void **state)
{
	const struct process *process = *state;

	assert_int_equal(own_process_wait(process->pid), 0);
}

int main(void)
{
	struct CMUnitTest tests[1 + ARRAY_SIZE(processes)] = {
		cmocka_unit_test(test_settings),
	};
	size_t i;

	for (i = 0; i < ARRAY_SIZE(processes); i++) {
		tests[1 + i] = (struct CMUnitTest){
			.name = processes[i].name,
			.test_func = finish,
			.initial_state = &processes[i],
		};
	}
	return cmocka_run_group_tests(tests, start, stop);
}
