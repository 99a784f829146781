/* SPDX-License-Identifier: LGPL-3.0-or-later */
/*
 * Measures the cost of sampling 200 busy connections once a second.
 *
 * One loop serves all connections.  (In smbd each connection has a process of
 * its own, with the same event-loop iteration.)  A "second" consists of four
 * requests on each connection and lasts as long as they take.  The program
 * counts CPU time only, without that of the requests' sender.  It asks for a
 * sample with the first of the four requests.  The ways are:
 *
 * epoll     tevent's epoll backend, without samples
 * io_uring  our backend, without samples
 * syscall   as epoll, and three system calls: TCP_INFO, SIOCOUTQ, IP_TOS
 * lazy      as io_uring, and the queries of transport/watch.c: TCP_INFO, which
 *           includes the unacknowledged bytes, and IP_TOS once in a run
 * round     as lazy, with all 200 samples in one event-loop iteration
 * ss        as epoll, and "ss -ti" for the listener's port; only the CPU time
 *           of ss counts
 *
 * sample ROUNDS prints lines "WAY NANOSECONDS", for a second each, in
 * alternating rounds, and at the end how the queries were answered.
 * sample WAY SECONDS runs without printing, for strace.
 */

#include "config.h"

#include <errno.h>
#include <fcntl.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>
#include <netinet/in.h>
#include <sys/ioctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <linux/sockios.h>
#include <linux/tcp.h>

#include "smbd_uring_backend.h"
#include "uring_sockopt.h"

#define CONNECTIONS 200
#define REQUESTS 4
#define SECONDS 25

enum way { NO_EPOLL, NO_URING, BY_SYSCALL, LAZY, ROUND, SS, NUM_WAYS };

static const char *const ways[NUM_WAYS] = {
	[NO_EPOLL] = "epoll",
	[NO_URING] = SMBD_URING_BACKEND_NAME,
	[BY_SYSCALL] = "syscall",
	[LAZY] = "lazy",
	[ROUND] = "round",
	[SS] = "ss",
};

struct connection {
	struct loop *loop;
	struct uring_batch *info_batch;
	struct uring_batch *tos_batch;
	int client;
	int server;
	bool to_ask;
	bool to_ask_tos;
};

struct loop {
	enum way way;
	struct tevent_context *ev;
	struct connection connections[CONNECTIONS];
	/* connections that are readable */
	unsigned waiting;
	/* the listener's, in network byte order */
	in_port_t port;
};

static unsigned asked;
static unsigned answered;
static unsigned by_ring;

static void die(const char *what)
{
	fprintf(stderr, "sample: %s: %s\n", what, strerror(errno));
	exit(1);
}

static void lazy_answer(struct uring_batch *batch,
			const struct uring_query *queries,
			void *private_data)
{
	if (queries[0].error != 0) {
		errno = queries[0].error;
		die("a query");
	}
	by_ring += queries[0].reason == URING_REASON_NONE;
	answered++;
}

static void ask_lazily(struct connection *c)
{
	if (c->to_ask_tos) {
		if (uring_batch_ask(c->tos_batch, URING_LAZY) != 0) {
			die("uring_batch_ask");
		}
		c->to_ask_tos = false;
		asked++;
	}
	if (uring_batch_ask(c->info_batch, URING_LAZY) != 0) {
		die("uring_batch_ask");
	}
	asked++;
}

static void ask_now(struct connection *c)
{
	struct tcp_info info;
	socklen_t len = sizeof(info);
	int value;

	if (getsockopt(c->server, IPPROTO_TCP, TCP_INFO, &info, &len) != 0 ||
	    ioctl(c->server, SIOCOUTQ, &value) != 0)
	{
		die("a query");
	}
	len = sizeof(value);
	if (getsockopt(c->server, IPPROTO_IP, IP_TOS, &value, &len) != 0) {
		die("a query");
	}
}

static void ask(struct connection *c)
{
	struct connection *all = c->loop->connections;
	unsigned i;

	switch (c->loop->way) {
	case BY_SYSCALL:
		ask_now(c);
		break;
	case LAZY:
		ask_lazily(c);
		break;
	case ROUND:
		for (i = 0; c == &all[0] && i < CONNECTIONS; i++) {
			ask_lazily(&all[i]);
		}
		break;
	default:
		break;
	}
}

static void handler(struct tevent_context *ev,
		    struct tevent_fd *fde,
		    uint16_t flags,
		    void *private_data)
{
	struct connection *c = private_data;
	char byte;

	if (read(c->server, &byte, 1) != 1) {
		die("read");
	}
	if (c->to_ask) {
		ask(c);
	}
	c->loop->waiting--;
}

static struct uring_batch *prepare_one(struct connection *c,
				       const struct uring_socket *sock,
				       const struct uring_query *query)
{
	struct uring_batch *batch = uring_batch_create(
		c->loop->ev, c->loop->ev, sock, query, 1, lazy_answer, c);

	if (batch == NULL) {
		die("a batch");
	}
	return batch;
}

static void prepare(struct connection *c)
{
	static struct tcp_info info;
	static int value;
	const struct uring_query ask_info = {
		.level = IPPROTO_TCP,
		.optname = TCP_INFO,
		.optval = &info,
		.optlen = sizeof(info),
	};
	const struct uring_query ask_tos = {
		.level = IPPROTO_IP,
		.optname = IP_TOS,
		.optval = &value,
		.optlen = sizeof(value),
	};
	struct uring_socket sock;

	if (uring_socket_init(c->server, &sock) != 0) {
		die("uring_socket_init");
	}
	c->info_batch = prepare_one(c, &sock, &ask_info);
	c->tos_batch = prepare_one(c, &sock, &ask_tos);
}

static void start(struct loop *loop, enum way way)
{
	bool lazy = way == LAZY || way == ROUND;
	const char *backend = lazy || way == NO_URING ? SMBD_URING_BACKEND_NAME
						      : "epoll";
	struct sockaddr_in address = {
		.sin_family = AF_INET,
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK),
	};
	struct sockaddr *any = (struct sockaddr *)(void *)&address;
	socklen_t len = sizeof(address);
	int type = SOCK_STREAM | SOCK_CLOEXEC;
	int listener = socket(AF_INET, type, 0);
	unsigned i;

	if (bind(listener, any, len) != 0 || listen(listener, 1) != 0 ||
	    getsockname(listener, any, &len) != 0)
	{
		die("a listener");
	}
	loop->way = way;
	loop->port = address.sin_port;
	loop->ev = tevent_context_init_byname(NULL, backend);
	if (loop->ev == NULL) {
		die(backend);
	}
	for (i = 0; i < CONNECTIONS; i++) {
		struct connection *c = &loop->connections[i];

		c->loop = loop;
		c->client = socket(AF_INET, type, 0);
		if (connect(c->client, any, len) != 0) {
			die("connect");
		}
		c->server = accept4(listener, NULL, NULL, SOCK_CLOEXEC);
		if (c->server == -1 || tevent_add_fd(loop->ev,
						     loop->ev,
						     c->server,
						     TEVENT_FD_READ,
						     handler,
						     c) == NULL)
		{
			die("a connection");
		}
		if (lazy) {
			prepare(c);
		}
	}
	close(listener);
}

static double cpu_ns(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &ts);
	return ts.tv_sec * 1e9 + ts.tv_nsec;
}

/* CPU time of an ss, in ns */
static double ss(in_port_t port)
{
	extern char **environ;
	char sport[] = ":65535";
	char *const argv[] = {
		(char[]){"ss"},
		(char[]){"-ti"},
		(char[]){"sport"},
		(char[]){"="},
		sport,
		NULL,
	};
	posix_spawn_file_actions_t actions;
	struct rusage usage;
	int status;
	pid_t pid;

	snprintf(sport, sizeof(sport), ":%u", ntohs(port));
	posix_spawn_file_actions_init(&actions);
	posix_spawn_file_actions_addopen(
		&actions, STDOUT_FILENO, "/dev/null", O_WRONLY, 0);
	errno = posix_spawnp(&pid, "ss", &actions, NULL, argv, environ);
	posix_spawn_file_actions_destroy(&actions);
	if (errno != 0 || wait4(pid, &status, 0, &usage) != pid || status != 0)
	{
		die("ss");
	}
	return (usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) * 1e9 +
	       (usage.ru_utime.tv_usec + usage.ru_stime.tv_usec) * 1e3;
}

/* CPU time of a second, in ns */
static double run(struct loop *loop, unsigned seconds)
{
	double spent = 0;
	unsigned request;
	unsigned i;

	for (request = 0; request < seconds * REQUESTS; request++) {
		bool first = request % REQUESTS == 0;
		double begin;

		for (i = 0; i < CONNECTIONS; i++) {
			struct connection *c = &loop->connections[i];

			c->to_ask = first;
			c->to_ask_tos = c->to_ask_tos || request == 0;
			if (write(c->client, "", 1) != 1) {
				die("write");
			}
		}
		loop->waiting = CONNECTIONS;
		begin = cpu_ns();
		while (loop->waiting > 0) {
			if (tevent_loop_once(loop->ev) != 0) {
				die("tevent_loop_once");
			}
		}
		if (loop->way != SS) {
			spent += cpu_ns() - begin;
		} else if (first) {
			spent += ss(loop->port);
		}
	}
	return spent / seconds;
}

int main(int argc, const char *argv[])
{
	static struct loop loops[NUM_WAYS];
	struct rlimit limit = {
		.rlim_cur = 3 * NUM_WAYS * CONNECTIONS,
		.rlim_max = 3 * NUM_WAYS * CONNECTIONS,
	};
	int number = argc > 1 ? atoi(argv[argc - 1]) : 0;
	bool only = argc == 3;
	enum way way;
	int i;

	if (number <= 0 || argc > 3) {
		fprintf(stderr,
			"usage: sample ROUNDS\n"
			"       sample WAY SECONDS\n");
		return 2;
	}
	(void)setrlimit(RLIMIT_NOFILE, &limit);
	if (!smbd_uring_backend_register()) {
		die("the backend");
	}
	for (way = 0; way < NUM_WAYS; way++) {
		if (only && strcmp(argv[1], ways[way]) != 0) {
			continue;
		}
		start(&loops[way], way);
		run(&loops[way], only ? number : 1);
		if (only) {
			return 0;
		}
	}
	for (i = 0; !only && i < number; i++) {
		unsigned n;

		for (n = 0; n < NUM_WAYS; n++) {
			way = i % 2 == 0 ? n : NUM_WAYS - 1 - n;
			printf("%s %.0f\n",
			       ways[way],
			       run(&loops[way], SECONDS));
		}
	}
	if (only || asked == 0 || answered != asked) {
		errno = ENODATA;
		die("queries without an answer");
	}
	printf("by_ring %.2f of a query\n", (double)by_ring / answered);
	return 0;
}
