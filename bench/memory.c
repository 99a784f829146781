/* SPDX-License-Identifier: LGPL-3.0-or-later */
/*
 * Measures the memory of an idle event context: on epoll, on io_uring before it
 * has a ring, and with a ring.
 *
 * The program prints a line for each kind of memory.  The kernel's part (slabs
 * and per-CPU memory) is that of the whole machine, so measure it on an idle
 * machine.  The other lines are exact.
 */

#include "config.h"

#include <errno.h>
#include <malloc.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <sys/resource.h>
#include <sys/socket.h>

#include "smbd_uring_backend.h"
#include "uring_sockopt.h"

#define CONTEXTS 1000
#define QUERIES 8

enum part { HEAP, MAPPED, KERNEL, FDS, NUM_PARTS };

static const struct {
	const char *name;
	const char *unit;
} parts[NUM_PARTS] = {
	[HEAP] = {"heap", "bytes"},
	[MAPPED] = {"ring_mapped", "bytes"},
	[KERNEL] = {"kernel", "bytes"},
	[FDS] = {"descriptors", "fds"},
};

static struct uring_socket sock;

static void die(const char *what)
{
	fprintf(stderr, "memory: %s: %s\n", what, strerror(errno));
	exit(1);
}

/* The sum of the numbers, in KiB, of the lines that begin with these words. */
static double sum_of(const char *path,
		     const char *const *words,
		     const char *section)
{
	FILE *f = fopen(path, "re");
	bool inside = section == NULL;
	char line[512];
	double sum = 0;

	if (f == NULL) {
		die(path);
	}
	while (fgets(line, sizeof(line), f) != NULL) {
		size_t i;

		if (section != NULL && strchr(line, '-') != NULL) {
			inside = strstr(line, section) != NULL;
		}
		for (i = 0; inside && words[i] != NULL; i++) {
			size_t len = strlen(words[i]);

			if (strncmp(line, words[i], len) == 0) {
				sum += strtod(line + len, NULL) * 1024;
			}
		}
	}
	fclose(f);
	return sum;
}

static void read_parts(double values[NUM_PARTS])
{
	static const char *const rss[] = {"Rss:", NULL};
	static const char *const kernel[] = {"Slab:", "Percpu:", NULL};
	int fd = dup(0);

	values[HEAP] = mallinfo2().uordblks;
	values[MAPPED] = sum_of("/proc/self/smaps", rss, "[io_uring]");
	values[KERNEL] = sum_of("/proc/meminfo", kernel, NULL);
	values[FDS] = fd;
	close(fd);
}

static void answered(struct uring_batch *batch,
		     const struct uring_query *queries,
		     void *private_data)
{
	if (queries[QUERIES - 1].reason != URING_REASON_NONE) {
		errno = ENODATA;
		die("no ring");
	}
}

static void make_ring(struct tevent_context *ev)
{
	struct uring_query queries[QUERIES];
	struct uring_batch *batch = NULL;
	int value = 0;
	size_t i;

	for (i = 0; i < QUERIES; i++) {
		queries[i] = (struct uring_query){
			.level = SOL_SOCKET,
			.optname = SO_TYPE,
			.optval = &value,
			.optlen = sizeof(value),
		};
	}
	batch = uring_batch_create(
		ev, ev, &sock, queries, QUERIES, answered, NULL);
	if (batch == NULL || uring_batch_ask(batch, URING_PROMPT) != 0 ||
	    tevent_loop_once(ev) != 0)
	{
		die("a batch");
	}
	talloc_free(batch);
}

static void measure(const char *backend, bool ring, double cost[NUM_PARTS])
{
	static struct tevent_context *contexts[CONTEXTS];
	double before[NUM_PARTS];
	size_t i;

	read_parts(before);
	for (i = 0; i < CONTEXTS; i++) {
		contexts[i] = tevent_context_init_byname(NULL, backend);
		if (contexts[i] == NULL) {
			die(backend);
		}
		if (ring) {
			make_ring(contexts[i]);
		}
	}
	read_parts(cost);
	for (i = 0; i < CONTEXTS; i++) {
		talloc_free(contexts[i]);
	}
	for (i = 0; i < NUM_PARTS; i++) {
		cost[i] = (cost[i] - before[i]) / CONTEXTS;
	}
}

int main(void)
{
	struct rlimit limit = {
		.rlim_cur = 4 * CONTEXTS,
		.rlim_max = 4 * CONTEXTS,
	};
	double epoll[NUM_PARTS];
	double idle[NUM_PARTS];
	double ring[NUM_PARTS];
	size_t i;

	(void)setrlimit(RLIMIT_NOFILE, &limit);
	if (!smbd_uring_backend_register() ||
	    uring_socket_init(socket(AF_INET, SOCK_STREAM, 0), &sock) != 0)
	{
		die("set-up");
	}
	/* allocate first what a process allocates only once */
	measure("epoll", false, epoll);
	measure(SMBD_URING_BACKEND_NAME, true, ring);

	measure("epoll", false, epoll);
	measure(SMBD_URING_BACKEND_NAME, false, idle);
	measure(SMBD_URING_BACKEND_NAME, true, ring);
	for (i = 0; i < NUM_PARTS; i++) {
		printf("bench context_%s ratio=%.2f (ours=%.0f other=%.0f "
		       "unit=%s without_ring=%.0f contexts=%d)\n",
		       parts[i].name,
		       ring[i] > 0 ? epoll[i] / ring[i] : 1,
		       ring[i],
		       epoll[i],
		       parts[i].unit,
		       idle[i],
		       CONTEXTS);
	}
	return 0;
}
