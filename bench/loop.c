/* SPDX-License-Identifier: LGPL-3.0-or-later */
/*
 * Compares two event loops: one program runs tevent's epoll backend and ours
 * in alternating rounds.
 *
 * loop --list names the measures.
 * loop NAME [ROUNDS] prints two lines for a measure: time and CPU time.  ratio
 * is the median of epoll divided by our median; above 1, ours is faster.
 * spread is the larger of the two distances between quartiles, as a part of
 * the median; low and high are the ratios of single rounds.
 * loop NAME EVENTS BACKEND runs without printing, for strace.
 */

#include "config.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>
#include <sys/resource.h>
#include <sys/socket.h>

#include "smbd_uring_backend.h"
#include "uring_sockopt.h"

#define MAX_FDS 1000
#define MAX_QUERIES 128
#define MAX_ROUNDS 101

struct measure {
	const char *name;
	/* how many of the fds are readable at any time */
	unsigned fds;
	unsigned active;
	/* queries that the program asks at each event */
	unsigned queries;
	enum uring_urgency urgency;
	/* whether each event switches TEVENT_FD_WRITE on and off */
	bool toggle;
	unsigned events;
};

static const struct measure measures[] = {
	{"active_1_of_1000", 1000, 1, 0, 0, false, 40000},
	{"active_10_of_1000", 1000, 10, 0, 0, false, 40000},
	{"active_100_of_1000", 1000, 100, 0, 0, false, 40000},
	{"active_1000_of_1000", 1000, 1000, 0, 0, false, 40000},
	{"toggle_write", 10, 1, 0, 0, true, 40000},
	{"lazy_1", 10, 1, 1, URING_LAZY, false, 20000},
	{"lazy_8", 10, 1, 8, URING_LAZY, false, 20000},
	{"lazy_32", 10, 1, 32, URING_LAZY, false, 10000},
	{"lazy_128", 10, 1, 128, URING_LAZY, false, 4000},
	{"prompt_1", 10, 1, 1, URING_PROMPT, false, 20000},
	{"prompt_8", 10, 1, 8, URING_PROMPT, false, 20000},
	{"prompt_32", 10, 1, 32, URING_PROMPT, false, 10000},
	{"prompt_128", 10, 1, 128, URING_PROMPT, false, 4000},
};

struct loop {
	const struct measure *m;
	struct tevent_context *ev;
	struct tevent_fd *fdes[MAX_FDS];
	int fds[MAX_FDS][2];
	struct uring_socket sock;
	/* two batches: the loop delivers an answer after the next event */
	struct uring_batch *batches[2];
	unsigned next;
	unsigned events;
	unsigned answers;
	unsigned asked;
};

static void die(const char *what)
{
	fprintf(stderr, "loop: %s: %s\n", what, strerror(errno));
	exit(1);
}

static void answered(struct uring_batch *batch,
		     const struct uring_query *queries,
		     void *private_data)
{
	struct loop *loop = private_data;

	if (queries[loop->m->queries - 1].error != 0) {
		die("a query");
	}
	loop->answers++;
}

static void ask(struct loop *loop)
{
	unsigned i;

	if (loop->batches[0] != NULL) {
		if (uring_batch_ask(loop->batches[loop->asked % 2],
				    loop->m->urgency) != 0) {
			die("uring_batch_ask");
		}
		loop->asked++;
		return;
	}
	for (i = 0; i < loop->m->queries; i++) {
		int value;
		socklen_t len = sizeof(value);

		if (getsockopt(loop->sock.fd,
			       SOL_SOCKET,
			       SO_RCVBUF,
			       &value,
			       &len) != 0) {
			die("getsockopt");
		}
	}
}

static void prepare(struct loop *loop)
{
	struct uring_query queries[MAX_QUERIES];
	int value = 0;
	unsigned i;

	for (i = 0; i < loop->m->queries; i++) {
		queries[i] = (struct uring_query){
			.level = SOL_SOCKET,
			.optname = SO_RCVBUF,
			.optval = &value,
			.optlen = sizeof(value),
		};
	}
	for (i = 0; i < 2; i++) {
		loop->batches[i] = uring_batch_create(loop,
						      loop->ev,
						      &loop->sock,
						      queries,
						      loop->m->queries,
						      answered,
						      loop);
		if (loop->batches[i] == NULL) {
			die("a batch");
		}
	}
}

static void pass_on(struct loop *loop)
{
	if (write(loop->fds[loop->next % loop->m->fds][1], "", 1) != 1) {
		die("write");
	}
	loop->next++;
}

static void handler(struct tevent_context *ev,
		    struct tevent_fd *fde,
		    uint16_t flags,
		    void *private_data)
{
	struct loop *loop = private_data;
	unsigned i;
	char c;

	if (flags & TEVENT_FD_WRITE) {
		tevent_fd_set_flags(fde, TEVENT_FD_READ);
	}
	if (!(flags & TEVENT_FD_READ)) {
		return;
	}
	for (i = 0; loop->fdes[i] != fde; i++) {
	}
	if (read(loop->fds[i][0], &c, 1) != 1) {
		die("read");
	}
	loop->events++;
	if (loop->m->toggle) {
		tevent_fd_set_flags(fde, TEVENT_FD_READ | TEVENT_FD_WRITE);
	}
	if (loop->m->queries > 0) {
		ask(loop);
	}
	pass_on(loop);
}

static struct loop *start(const struct measure *m, const char *backend)
{
	struct loop *loop = talloc_zero(NULL, struct loop);
	unsigned i;

	loop->m = m;
	loop->ev = tevent_context_init_byname(loop, backend);
	if (loop->ev == NULL) {
		die(backend);
	}
	for (i = 0; i < m->fds; i++) {
		if (socketpair(AF_UNIX, SOCK_STREAM, 0, loop->fds[i]) != 0) {
			die("socketpair");
		}
		loop->fdes[i] = tevent_add_fd(loop->ev,
					      loop,
					      loop->fds[i][0],
					      TEVENT_FD_READ,
					      handler,
					      loop);
		if (loop->fdes[i] == NULL) {
			die("tevent_add_fd");
		}
	}
	if (uring_socket_init(socket(AF_INET, SOCK_STREAM, 0), &loop->sock) !=
	    0) {
		die("a socket");
	}
	if (m->queries > 0 && strcmp(backend, SMBD_URING_BACKEND_NAME) == 0) {
		prepare(loop);
	}
	for (i = 0; i < m->active; i++) {
		pass_on(loop);
	}
	return loop;
}

static double clock_ns(clockid_t clock)
{
	struct timespec ts;

	clock_gettime(clock, &ts);
	return ts.tv_sec * 1e9 + ts.tv_nsec;
}

/* Nanoseconds per event: time and CPU time. */
struct cost {
	double time[MAX_ROUNDS];
	double cpu[MAX_ROUNDS];
};

static void run(struct loop *loop,
		unsigned events,
		struct cost *cost,
		unsigned i)
{
	double begin = clock_ns(CLOCK_MONOTONIC);
	double begin_cpu = clock_ns(CLOCK_PROCESS_CPUTIME_ID);

	loop->events = 0;
	while (loop->events < events) {
		if (tevent_loop_once(loop->ev) != 0) {
			die("tevent_loop_once");
		}
	}
	cost->time[i] = (clock_ns(CLOCK_MONOTONIC) - begin) / events;
	cost->cpu[i] = (clock_ns(CLOCK_PROCESS_CPUTIME_ID) - begin_cpu) /
		       events;
}

static int compare(const void *a, const void *b)
{
	double x = *(const double *)a;
	double y = *(const double *)b;

	return (x > y) - (x < y);
}

static double spread(const double *sorted, unsigned n)
{
	return (sorted[n * 3 / 4] - sorted[n / 4]) / sorted[n / 2];
}

static void report(const char *name,
		   const char *suffix,
		   double *epoll,
		   double *ours,
		   unsigned rounds)
{
	double low = epoll[0] / ours[0];
	double high = low;
	double s;
	unsigned i;

	for (i = 0; i < rounds; i++) {
		const double single = epoll[i] / ours[i];

		low = single < low ? single : low;
		high = single > high ? single : high;
	}
	qsort(epoll, rounds, sizeof(double), compare);
	qsort(ours, rounds, sizeof(double), compare);
	s = spread(epoll, rounds);
	if (spread(ours, rounds) > s) {
		s = spread(ours, rounds);
	}
	printf("bench %s%s ratio=%.3f (ours=%.0f other=%.0f unit=ns/event "
	       "spread=%.2f low=%.3f high=%.3f rounds=%u)\n",
	       name,
	       suffix,
	       epoll[rounds / 2] / ours[rounds / 2],
	       ours[rounds / 2],
	       epoll[rounds / 2],
	       s,
	       low,
	       high,
	       rounds);
}

static void check(const struct loop *loop)
{
	/* a benchmark without answers would look fast */
	if (loop->batches[0] != NULL && loop->asked > loop->answers + 2) {
		errno = ENODATA;
		die("queries without an answer");
	}
}

static void measure(const struct measure *m, unsigned rounds)
{
	static struct cost epoll_cost;
	static struct cost ours_cost;
	struct loop *epoll = start(m, "epoll");
	struct loop *ours = start(m, SMBD_URING_BACKEND_NAME);
	unsigned i;

	run(epoll, m->events / 10, &epoll_cost, 0);
	run(ours, m->events / 10, &ours_cost, 0);
	for (i = 0; i < rounds; i++) {
		if (i % 2 == 0) {
			run(epoll, m->events, &epoll_cost, i);
			run(ours, m->events, &ours_cost, i);
		} else {
			run(ours, m->events, &ours_cost, i);
			run(epoll, m->events, &epoll_cost, i);
		}
	}
	check(ours);
	report(m->name, "", epoll_cost.time, ours_cost.time, rounds);
	report(m->name, "_cpu", epoll_cost.cpu, ours_cost.cpu, rounds);
	talloc_free(ours);
	talloc_free(epoll);
}

static void only_run(const struct measure *m,
		     unsigned events,
		     const char *backend)
{
	struct loop *loop = start(m, backend);
	struct cost cost;

	run(loop, events, &cost, 0);
	check(loop);
	talloc_free(loop);
}

int main(int argc, const char *argv[])
{
	struct rlimit limit = {
		.rlim_cur = 3 * 2 * MAX_FDS,
		.rlim_max = 3 * 2 * MAX_FDS,
	};
	unsigned number = argc > 2 ? (unsigned)atoi(argv[2]) : 11;
	size_t i;

	if (argc < 2 || argc > 4 || number == 0 ||
	    (argc < 4 && number > MAX_ROUNDS)) {
		fprintf(stderr,
			"usage: loop --list\n"
			"       loop NAME [ROUNDS]\n"
			"       loop NAME EVENTS epoll|io_uring\n");
		return 2;
	}
	(void)setrlimit(RLIMIT_NOFILE, &limit);
	if (!smbd_uring_backend_register()) {
		die("the backend");
	}
	for (i = 0; i < sizeof(measures) / sizeof(measures[0]); i++) {
		if (strcmp(argv[1], "--list") == 0) {
			printf("%s\n", measures[i].name);
		} else if (strcmp(argv[1], measures[i].name) != 0) {
			continue;
		} else if (argc == 4) {
			only_run(&measures[i], number, argv[3]);
			return 0;
		} else {
			measure(&measures[i], number);
			return 0;
		}
	}
	return strcmp(argv[1], "--list") == 0 ? 0 : 2;
}
