/* SPDX-License-Identifier: LGPL-3.0-or-later */
/*
 * Description: runs an unmodified program, mostly smbtorture, on the backend,
 * by LD_PRELOAD.
 *
 * A loop without queries never needs the ring.  So one iteration in a hundred,
 * and the first of each context, asks a batch of queries that is worth an
 * enter.  The library compares each answer with getsockopt(2), and ends the
 * program if they differ.  At exit it writes the counts to the file that
 * REGISTER_BACKEND_REPORT names.
 */

#include "config.h"

#include <errno.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "smbd_uring_backend.h"
#include "uring_sockopt.h"

#define NUM_QUERIES 16
#define LOOPS_PER_BATCH 100

static const struct tevent_ops *uring_ops;
static struct tevent_ops ops;
static atomic_uint contexts;
static atomic_uint loops;
static atomic_uint batches;
static int sockets[2];

static void batch_done(struct tevent_req *req)
{
	struct uring_query *queries = NULL;
	int ret;
	int i;

	ret = uring_query_batch_recv(req, req, &queries);
	for (i = 0; ret == 0 && i < NUM_QUERIES; i++) {
		int expected = 0;
		socklen_t len = sizeof(expected);

		getsockopt(sockets[0], SOL_SOCKET, SO_TYPE, &expected, &len);
		if (queries[i].error != 0 || queries[i].optlen != len ||
		    memcmp(queries[i].optval, &expected, len) != 0)
		{
			ret = EIO;
		}
	}
	if (ret != 0) {
		fprintf(stderr, "register-backend: wrong answer (%d)\n", ret);
		abort();
	}
	talloc_free(req);
	atomic_fetch_add(&batches, 1);
}

static void batch_ask(struct tevent_context *ev)
{
	struct uring_query queries[NUM_QUERIES];
	struct uring_socket sock;
	struct tevent_req *req = NULL;
	int value = 0;
	int i;

	for (i = 0; i < NUM_QUERIES; i++) {
		queries[i] = (struct uring_query){
			.level = SOL_SOCKET,
			.optname = SO_TYPE,
			.optval = &value,
			.optlen = sizeof(value),
		};
	}
	if (uring_socket_init(sockets[0], &sock) != 0) {
		abort();
	}
	req = uring_query_batch_send(
		ev, ev, &sock, queries, NUM_QUERIES, URING_LAZY);
	if (req == NULL) {
		abort();
	}
	tevent_req_set_callback(req, batch_done, NULL);
}

static int context_init(struct tevent_context *ev)
{
	atomic_fetch_add(&contexts, 1);
	return uring_ops->context_init(ev);
}

static int loop_once(struct tevent_context *ev, const char *location)
{
	if (atomic_fetch_add(&loops, 1) % LOOPS_PER_BATCH == 0) {
		batch_ask(ev);
	}
	return uring_ops->loop_once(ev, location);
}

static void __attribute__((constructor)) register_backend(void)
{
	uring_ops = smbd_uring_backend_ops();
	if (uring_ops == NULL ||
	    socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, sockets) != 0)
	{
		abort();
	}
	ops = *uring_ops;
	ops.context_init = context_init;
	ops.loop_once = loop_once;
	if (!tevent_register_backend(SMBD_URING_BACKEND_NAME, &ops)) {
		abort();
	}
	tevent_set_default_backend(SMBD_URING_BACKEND_NAME);
}

static void __attribute__((destructor)) report(void)
{
	const char *path = getenv("REGISTER_BACKEND_REPORT");
	struct uring_counters c;
	FILE *f = NULL;

	if (path == NULL) {
		return;
	}
	f = fopen(path, "ae");
	if (f == NULL) {
		return;
	}
	uring_counters_get(&c, sizeof(c));
	fprintf(f,
		"register-backend: contexts=%u loops=%u batches=%u "
		"queries_ring=%llu queries_syscall=%llu\n",
		atomic_load(&contexts),
		atomic_load(&loops),
		atomic_load(&batches),
		(unsigned long long)c.ring,
		(unsigned long long)c.syscall);
	fclose(f);
}
