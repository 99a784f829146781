/* SPDX-License-Identifier: LGPL-3.0-or-later */
/*
 * Socket queries: one, many, a transport snapshot; now or with the loop.
 *
 * Queries travel in batches, and uring_answer() is the one place where
 * batches are answered: it asks compat_getsockopt.c which way each query
 * can go, counts those that the ring may take, and picks the cheaper way
 * for them together.  The asynchronous requests of a tevent context wait in
 * its queue until the loop flushes it, so that all requests of one loop
 * iteration are one set of batches, and one io_uring_enter(2).
 *
 * What the ring writes to is a copy (the bounce buffer) that belongs to the
 * batch: an option that reads its buffer finds the caller's bytes there,
 * and the caller's own are still there if the system call has to be asked
 * after all.  If a ring dies with a command in flight the bounce buffer is
 * given up, and nothing else.
 *
 * There are two kinds of rings: one per tevent context that has asked
 * enough to be worth it, and one per thread for queries that are answered
 * at once.  They are not the same one because the loop's ring will carry
 * events as well, and a query inside a handler must not reap those.
 */

#include "config.h"

#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>
#include <sys/ioctl.h>
#include <netinet/in.h>
#include <linux/sockios.h>
#include <linux/tcp.h>

#include "uring_ring.h"
#include "uring_sockopt.h"

/*
 * From how many queries on an enter of their own is cheaper than as many
 * system calls.  SO_RCVBUF, Linux 6.18, time of getsockopt(2) divided by
 * that of the ring: 0.56 for 1 query, 0.91 for 4, 1.11 for 8, 1.45 for 32.
 */
#define URING_BREAK_EVEN 6

#define URING_BOUNCE_ALIGN 8

struct uring_item {
	struct uring_op op;
	struct uring_batch *batch;
	struct uring_query *query;
	/* where the ring writes; query->optval itself if nothing is copied */
	void *bounce;
	enum uring_reason reason;
};

struct uring_batch {
	/* while it waits in a queue */
	struct uring_batch *prev;
	struct uring_batch *next;
	struct uring_queue *queue;
	struct tevent_req *req;
	enum uring_urgency urgency;

	struct uring_socket sock;
	struct uring_item *items;
	size_t num_items;

	/* all bounce buffers in one chunk */
	uint8_t *bounce;
};

struct uring_queue {
	struct uring_queue *prev;
	struct uring_queue *next;
	struct tevent_context *ev;
	struct uring_ring *ring;
	struct uring_batch *batches;
	struct uring_batch *last;
};

/*
 * The queues of all contexts: tevent keeps no place for a plugin's data in
 * its context.  generation changes with each change of the list, so that a
 * thread can remember the queue that it found last.
 */
static struct {
	pthread_mutex_t mutex;
	struct uring_queue *list;
	atomic_uint generation;
} queues = {
	.mutex = PTHREAD_MUTEX_INITIALIZER,
};

static __thread struct {
	const struct tevent_context *ev;
	struct uring_queue *queue;
	unsigned generation;
} last_found;

static pthread_key_t thread_ring_key;
static pthread_once_t thread_ring_once = PTHREAD_ONCE_INIT;
static int thread_ring_error;

/* Holds the ring of a thread, so that a dead one can be replaced. */
struct uring_thread {
	struct uring_ring *ring;
};

static void uring_thread_free(void *p)
{
	talloc_free(p);
}

static void uring_thread_init(void)
{
	thread_ring_error = pthread_key_create(&thread_ring_key,
					       uring_thread_free);
}

static struct uring_thread *uring_thread_get(void)
{
	struct uring_thread *thread = NULL;

	pthread_once(&thread_ring_once, uring_thread_init);
	if (thread_ring_error != 0) {
		return NULL;
	}

	thread = pthread_getspecific(thread_ring_key);
	if (thread != NULL) {
		return thread;
	}
	thread = talloc_zero(NULL, struct uring_thread);
	if (thread == NULL) {
		return NULL;
	}
	if (pthread_setspecific(thread_ring_key, thread) != 0) {
		TALLOC_FREE(thread);
	}
	return thread;
}

/*
 * Keep for good what the kernel may still write to.  It stays reachable, so
 * that a leak checker does not mistake it for a mistake.
 */
static void uring_give_up(void *p)
{
	static TALLOC_CTX *given_up;

	pthread_mutex_lock(&queues.mutex);
	if (given_up == NULL) {
		given_up = talloc_named_const(NULL, 0, "given up to a ring");
	}
	(void)talloc_steal(given_up, p);
	pthread_mutex_unlock(&queues.mutex);
}

/*
 * The ring of a context or of a thread, created at its first use.
 *
 * A ring acts with the credentials of whoever created it where the kernel
 * checks that (kernel.io_uring_disabled = 1, memlock accounting).  smbd
 * takes on a client's user with seteuid and its like; until it is itself
 * again there is no new ring.
 */
static enum uring_reason uring_ring_obtain(TALLOC_CTX *mem_ctx,
					   struct uring_ring **ring)
{
	int ret;

	if (*ring != NULL && uring_ring_usable(*ring)) {
		return URING_REASON_NONE;
	}
	TALLOC_FREE(*ring);

	if (compat_ring_error() != 0) {
		return URING_REASON_NORING;
	}
	if (geteuid() != getuid()) {
		return URING_REASON_EUID;
	}

	ret = uring_ring_create(mem_ctx, ring);
	if (ret != 0) {
		compat_ring_failed(ret);
		return URING_REASON_NORING;
	}
	compat_ring_created();
	return URING_REASON_NONE;
}

static void uring_item_done(struct uring_op *op, int res, bool lost)
{
	struct uring_item *item = (struct uring_item *)(void *)(
		(char *)op - offsetof(struct uring_item, op));
	struct uring_batch *batch = item->batch;
	struct uring_query *query = item->query;

	if (lost) {
		uring_give_up(batch->bounce);
		compat_query_syscall(&batch->sock, query, URING_REASON_NORING);
		return;
	}
	if (res >= 0 && item->bounce != query->optval &&
	    query->type == URING_QUERY_GETSOCKOPT && query->optlen > 0)
	{
		memcpy(query->optval, item->bounce, query->optlen);
	}
	compat_query_result(&batch->sock, query, res);
}

static int uring_item_queue(struct uring_ring *ring, struct uring_item *item)
{
	const struct uring_query *query = item->query;
	int fd = item->batch->sock.fd;

	item->op.done = uring_item_done;
	switch (query->type) {
	case URING_QUERY_SIOCINQ:
		return uring_ring_ioctl(ring, &item->op, fd, SIOCINQ);
	case URING_QUERY_SIOCOUTQ:
		return uring_ring_ioctl(ring, &item->op, fd, SIOCOUTQ);
	case URING_QUERY_GETSOCKOPT:
		break;
	}
	return uring_ring_getsockopt(ring,
				     &item->op,
				     fd,
				     query->level,
				     query->optname,
				     item->bounce,
				     query->optlen);
}

/* Put an item into the ring, or answer it by system call. */
static void uring_item_submit(struct uring_ring *ring, struct uring_item *item)
{
	int ret = ENOBUFS;

	if (item->reason == URING_REASON_NONE && !uring_ring_usable(ring)) {
		item->reason = URING_REASON_NORING;
	}
	if (item->reason == URING_REASON_NONE) {
		ret = uring_item_queue(ring, item);
		if (ret == ENOBUFS && uring_ring_run(ring) == 0) {
			ret = uring_item_queue(ring, item);
		}
		if (ret == 0) {
			return;
		}
		item->reason = URING_REASON_NORING;
	}
	compat_query_syscall(&item->batch->sock, item->query, item->reason);
}

/*
 * Answer the batches of a list; all items are answered when it returns.
 * ring is where the ring for them is, or is to be.
 */
static void uring_answer(TALLOC_CTX *mem_ctx,
			 struct uring_ring **ring,
			 struct uring_batch *batches)
{
	struct uring_batch *batch = NULL;
	enum uring_reason reason = URING_REASON_NONE;
	size_t candidates = 0;
	size_t enters;
	size_t i;

	for (batch = batches; batch != NULL; batch = batch->next) {
		for (i = 0; i < batch->num_items; i++) {
			struct uring_item *item = &batch->items[i];

			item->reason = compat_query_route(&batch->sock,
							  item->query);
			if (item->reason == URING_REASON_NONE) {
				candidates++;
			}
		}
	}

	if (uring_get_mode() == URING_MODE_AUTO &&
	    candidates < URING_BREAK_EVEN)
	{
		reason = URING_REASON_FEW;
	} else if (candidates > 0) {
		reason = uring_ring_obtain(mem_ctx, ring);
	}

	enters = *ring != NULL ? uring_ring_enters(*ring) : 0;
	for (batch = batches; batch != NULL; batch = batch->next) {
		for (i = 0; i < batch->num_items; i++) {
			struct uring_item *item = &batch->items[i];

			if (item->reason == URING_REASON_NONE) {
				item->reason = reason;
			}
			uring_item_submit(*ring, item);
		}
	}
	if (reason != URING_REASON_NONE || candidates == 0) {
		return;
	}

	(void)uring_ring_run(*ring);
	compat_count_enters(uring_ring_enters(*ring) - enters);
	if (uring_ring_errno(*ring) != 0) {
		compat_ring_failed(uring_ring_errno(*ring));
	}
}

int uring_getsockopt(int fd,
		     int level,
		     int optname,
		     void *optval,
		     socklen_t *optlen,
		     enum uring_reason *reason)
{
	struct uring_query query = {
		.type = URING_QUERY_GETSOCKOPT,
		.level = level,
		.optname = optname,
		.optval = optval,
		.optlen = optlen != NULL ? *optlen : 0,
	};
	struct uring_item item = {
		.query = &query,
		.bounce = optval,
	};
	struct uring_batch batch = {
		.sock = {
			.fd = fd,
			.family = -1,
		},
		.items = &item,
		.num_items = 1,
	};
	struct uring_thread *thread = NULL;
	enum uring_mode mode;
	int saved_errno = errno;
	int ret;

	item.batch = &batch;

	mode = uring_get_mode();
	if (mode == URING_MODE_RING) {
		thread = uring_thread_get();
	}
	if (optlen != NULL && thread != NULL) {
		uring_answer(thread, &thread->ring, &batch);
		*optlen = query.optlen;
	} else {
		enum uring_reason why = URING_REASON_FEW;

		if (optlen == NULL) {
			why = URING_REASON_SHAPE;
		} else if (mode == URING_MODE_SYSCALL) {
			why = URING_REASON_MODE;
		}
		ret = compat_libc_getsockopt(fd,
					     level,
					     optname,
					     optval,
					     optlen);
		query.error = ret != 0 ? errno : 0;
		compat_count(&query, why);
	}

	if (reason != NULL) {
		*reason = query.reason;
	}
	if (query.error != 0) {
		errno = query.error;
		return -1;
	}
	errno = saved_errno;
	return 0;
}

static int uring_batch_destructor(struct uring_batch *batch)
{
	struct uring_queue *queue = batch->queue;

	if (queue == NULL) {
		return 0;
	}
	if (batch->prev != NULL) {
		batch->prev->next = batch->next;
	} else {
		queue->batches = batch->next;
	}
	if (batch->next != NULL) {
		batch->next->prev = batch->prev;
	} else {
		queue->last = batch->prev;
	}
	batch->queue = NULL;
	return 0;
}

/* Items and bounce buffers for queries that stay where they are. */
static struct uring_batch *uring_batch_create(TALLOC_CTX *mem_ctx,
					      const struct uring_socket *sock,
					      struct uring_query *queries,
					      size_t num_queries)
{
	struct uring_batch *batch = NULL;
	size_t size = 0;
	size_t i;

	batch = talloc_zero(mem_ctx, struct uring_batch);
	if (batch == NULL) {
		return NULL;
	}
	batch->sock = *sock;
	batch->num_items = num_queries;
	batch->items = talloc_zero_array(batch, struct uring_item, num_queries);
	if (batch->items == NULL) {
		TALLOC_FREE(batch);
		return NULL;
	}

	for (i = 0; i < num_queries; i++) {
		size += queries[i].optlen + URING_BOUNCE_ALIGN;
		size &= ~(size_t)(URING_BOUNCE_ALIGN - 1);
	}
	batch->bounce = talloc_array(batch, uint8_t, size);
	if (batch->bounce == NULL) {
		TALLOC_FREE(batch);
		return NULL;
	}

	size = 0;
	for (i = 0; i < num_queries; i++) {
		struct uring_item *item = &batch->items[i];

		item->batch = batch;
		item->query = &queries[i];
		item->bounce = batch->bounce + size;
		if (queries[i].optlen > 0) {
			memcpy(item->bounce,
			       queries[i].optval,
			       queries[i].optlen);
		}
		size += queries[i].optlen + URING_BOUNCE_ALIGN;
		size &= ~(size_t)(URING_BOUNCE_ALIGN - 1);
	}
	return batch;
}

/* Answer at once, through the ring of this thread where that pays. */
static void uring_batch_answer(struct uring_batch *batch)
{
	struct uring_thread *thread = uring_thread_get();
	size_t i;

	if (thread != NULL) {
		uring_answer(thread, &thread->ring, batch);
		return;
	}
	for (i = 0; i < batch->num_items; i++) {
		compat_query_syscall(&batch->sock,
				     batch->items[i].query,
				     URING_REASON_NORING);
	}
}

void uring_query_batch(const struct uring_socket *sock,
		       struct uring_query *queries,
		       size_t num_queries)
{
	struct uring_batch *batch = NULL;
	size_t i;

	batch = uring_batch_create(NULL, sock, queries, num_queries);
	if (batch != NULL) {
		uring_batch_answer(batch);
		TALLOC_FREE(batch);
		return;
	}
	for (i = 0; i < num_queries; i++) {
		compat_query_syscall(sock, &queries[i], URING_REASON_NORING);
	}
}

struct uring_query_batch_state {
	struct uring_query *queries;
	struct uring_batch *batch;
};

static bool uring_query_batch_cancel(struct tevent_req *req)
{
	struct uring_query_batch_state *state =
		tevent_req_data(req, struct uring_query_batch_state);

	if (state->batch == NULL || state->batch->queue == NULL) {
		return false;
	}
	TALLOC_FREE(state->batch);
	tevent_req_error(req, ECANCELED);
	return true;
}

static void uring_query_batch_cleanup(struct tevent_req *req,
				      enum tevent_req_state req_state)
{
	struct uring_query_batch_state *state =
		tevent_req_data(req, struct uring_query_batch_state);

	/* also when it timed out: the queue must not know it any longer */
	TALLOC_FREE(state->batch);
}

struct tevent_req *uring_query_batch_send(TALLOC_CTX *mem_ctx,
					  struct tevent_context *ev,
					  const struct uring_socket *sock,
					  const struct uring_query *queries,
					  size_t num_queries,
					  enum uring_urgency urgency)
{
	struct tevent_req *req = NULL;
	struct uring_query_batch_state *state = NULL;
	struct uring_queue *queue = NULL;
	size_t i;

	req = tevent_req_create(mem_ctx,
				&state,
				struct uring_query_batch_state);
	if (req == NULL) {
		return NULL;
	}
	tevent_req_set_cleanup_fn(req, uring_query_batch_cleanup);

	state->queries = talloc_array(state, struct uring_query, num_queries);
	if (tevent_req_nomem(state->queries, req)) {
		return tevent_req_post(req, ev);
	}
	for (i = 0; i < num_queries; i++) {
		state->queries[i] = queries[i];
		state->queries[i].optval = talloc_memdup(state->queries,
							 queries[i].optval,
							 queries[i].optlen);
		if (tevent_req_nomem(state->queries[i].optval, req)) {
			return tevent_req_post(req, ev);
		}
	}

	state->batch = uring_batch_create(state,
					  sock,
					  state->queries,
					  num_queries);
	if (tevent_req_nomem(state->batch, req)) {
		return tevent_req_post(req, ev);
	}

	queue = uring_queue_find(ev);
	if (queue == NULL) {
		uring_batch_answer(state->batch);
		tevent_req_done(req);
		return tevent_req_post(req, ev);
	}

	state->batch->req = req;
	state->batch->urgency = urgency;
	state->batch->queue = queue;
	state->batch->prev = queue->last;
	if (queue->last != NULL) {
		queue->last->next = state->batch;
	} else {
		queue->batches = state->batch;
	}
	queue->last = state->batch;
	talloc_set_destructor(state->batch, uring_batch_destructor);

	tevent_req_set_cancel_fn(req, uring_query_batch_cancel);
	tevent_req_defer_callback(req, ev);
	return req;
}

static int uring_req_recv(struct tevent_req *req)
{
	enum tevent_req_state req_state;
	uint64_t error;

	if (!tevent_req_is_error(req, &req_state, &error)) {
		return 0;
	}
	switch (req_state) {
	case TEVENT_REQ_NO_MEMORY:
		return ENOMEM;
	case TEVENT_REQ_TIMED_OUT:
		return ETIMEDOUT;
	case TEVENT_REQ_USER_ERROR:
		return (int)error;
	default:
		return EIO;
	}
}

int uring_query_batch_recv(struct tevent_req *req,
			   TALLOC_CTX *mem_ctx,
			   struct uring_query **queries)
{
	struct uring_query_batch_state *state =
		tevent_req_data(req, struct uring_query_batch_state);
	int ret;

	ret = uring_req_recv(req);
	if (ret == 0) {
		*queries = talloc_move(mem_ctx, &state->queries);
	}
	tevent_req_received(req);
	return ret;
}

/* For requests that have only a batch below them. */
static bool uring_subreq_failed(int error, struct tevent_req *req)
{
	if (error == 0) {
		return false;
	}
	if (error == ENOMEM) {
		tevent_req_oom(req);
	} else {
		tevent_req_error(req, error);
	}
	return true;
}

struct uring_getsockopt_state {
	struct uring_query *query;
};

static void uring_getsockopt_done(struct tevent_req *subreq);

struct tevent_req *uring_getsockopt_send(TALLOC_CTX *mem_ctx,
					 struct tevent_context *ev,
					 const struct uring_socket *sock,
					 int level,
					 int optname,
					 const void *optval,
					 socklen_t optlen,
					 enum uring_urgency urgency)
{
	struct tevent_req *req = NULL;
	struct tevent_req *subreq = NULL;
	struct uring_getsockopt_state *state = NULL;
	struct uring_query query = {
		.type = URING_QUERY_GETSOCKOPT,
		.level = level,
		.optname = optname,
		.optlen = optlen,
	};

	req = tevent_req_create(mem_ctx, &state, struct uring_getsockopt_state);
	if (req == NULL) {
		return NULL;
	}
	if (optlen > INT32_MAX) {
		/* what getsockopt(2) says of a negative length */
		tevent_req_error(req, EINVAL);
		return tevent_req_post(req, ev);
	}

	query.optval = talloc_zero_size(state, optlen);
	if (tevent_req_nomem(query.optval, req)) {
		return tevent_req_post(req, ev);
	}
	if (optval != NULL) {
		memcpy(query.optval, optval, optlen);
	}

	subreq = uring_query_batch_send(state, ev, sock, &query, 1, urgency);
	if (tevent_req_nomem(subreq, req)) {
		return tevent_req_post(req, ev);
	}
	tevent_req_set_callback(subreq, uring_getsockopt_done, req);
	return req;
}

static void uring_getsockopt_done(struct tevent_req *subreq)
{
	struct tevent_req *req =
		tevent_req_callback_data(subreq, struct tevent_req);
	struct uring_getsockopt_state *state =
		tevent_req_data(req, struct uring_getsockopt_state);
	int ret;

	ret = uring_query_batch_recv(subreq, state, &state->query);
	TALLOC_FREE(subreq);
	if (uring_subreq_failed(ret, req)) {
		return;
	}
	if (state->query->error != 0) {
		tevent_req_error(req, state->query->error);
		return;
	}
	tevent_req_done(req);
}

int uring_getsockopt_recv(struct tevent_req *req,
			  TALLOC_CTX *mem_ctx,
			  void **optval,
			  socklen_t *optlen,
			  enum uring_reason *reason)
{
	struct uring_getsockopt_state *state =
		tevent_req_data(req, struct uring_getsockopt_state);
	int ret;

	if (reason != NULL) {
		*reason = URING_REASON_ERROR;
		if (state->query != NULL) {
			*reason = state->query->reason;
		}
	}
	ret = uring_req_recv(req);
	if (ret == 0) {
		*optval = talloc_move(mem_ctx, &state->query->optval);
		*optlen = state->query->optlen;
	}
	tevent_req_received(req);
	return ret;
}

/* What a snapshot asks, for IPv4 and for IPv6. */
static const struct {
	const char *name;
	const char *name6;
	enum uring_query_type type;
	int level;
	int optname;
	int level6;
	int optname6;
} snapshot_items[URING_SNAPSHOT_ITEMS] = {
#define SNAPSHOT_OPTION(_level, _optname) \
	{ \
		.name = #_optname, .name6 = #_optname, .level = _level, \
		.optname = _optname, .level6 = _level, .optname6 = _optname, \
	}
	[URING_SNAPSHOT_TCP_INFO] = SNAPSHOT_OPTION(IPPROTO_TCP, TCP_INFO),
	[URING_SNAPSHOT_SIOCOUTQ] = {
		.name = "SIOCOUTQ",
		.name6 = "SIOCOUTQ",
		.type = URING_QUERY_SIOCOUTQ,
	},
	[URING_SNAPSHOT_SIOCINQ] = {
		.name = "SIOCINQ",
		.name6 = "SIOCINQ",
		.type = URING_QUERY_SIOCINQ,
	},
	[URING_SNAPSHOT_SO_SNDBUF] = SNAPSHOT_OPTION(SOL_SOCKET, SO_SNDBUF),
	[URING_SNAPSHOT_SO_RCVBUF] = SNAPSHOT_OPTION(SOL_SOCKET, SO_RCVBUF),
	[URING_SNAPSHOT_SO_PRIORITY] = SNAPSHOT_OPTION(SOL_SOCKET, SO_PRIORITY),
	[URING_SNAPSHOT_SO_MARK] = SNAPSHOT_OPTION(SOL_SOCKET, SO_MARK),
	[URING_SNAPSHOT_TCP_MAXSEG] = SNAPSHOT_OPTION(IPPROTO_TCP, TCP_MAXSEG),
	[URING_SNAPSHOT_TCP_CONGESTION] = SNAPSHOT_OPTION(IPPROTO_TCP,
							  TCP_CONGESTION),
#undef SNAPSHOT_OPTION
	[URING_SNAPSHOT_TOS] = {
		.name = "IP_TOS",
		.name6 = "IPV6_TCLASS",
		.level = IPPROTO_IP,
		.optname = IP_TOS,
		.level6 = IPPROTO_IPV6,
		.optname6 = IPV6_TCLASS,
	},
	[URING_SNAPSHOT_MTU] = {
		.name = "IP_MTU",
		.name6 = "IPV6_MTU",
		.level = IPPROTO_IP,
		.optname = IP_MTU,
		.level6 = IPPROTO_IPV6,
		.optname6 = IPV6_MTU,
	},
};

/* The buffers of a snapshot's queries. */
struct snapshot_buffers {
	struct tcp_info info;
	char congestion[16];
	int numbers[URING_SNAPSHOT_ITEMS];
};

static int snapshot_prepare(const struct uring_socket *sock,
			    struct snapshot_buffers *buffers,
			    struct uring_query queries[URING_SNAPSHOT_ITEMS])
{
	bool ipv6 = sock->family == AF_INET6;
	size_t i;

	if ((sock->family != AF_INET && !ipv6) || sock->type != SOCK_STREAM ||
	    sock->protocol != IPPROTO_TCP)
	{
		return EPROTOTYPE;
	}

	*buffers = (struct snapshot_buffers){};
	for (i = 0; i < URING_SNAPSHOT_ITEMS; i++) {
		queries[i] = (struct uring_query){
			.type = snapshot_items[i].type,
			.level = ipv6 ? snapshot_items[i].level6
				      : snapshot_items[i].level,
			.optname = ipv6 ? snapshot_items[i].optname6
					: snapshot_items[i].optname,
			.optval = &buffers->numbers[i],
			.optlen = sizeof(buffers->numbers[i]),
		};
	}
	queries[URING_SNAPSHOT_TCP_INFO].optval = &buffers->info;
	queries[URING_SNAPSHOT_TCP_INFO].optlen = sizeof(buffers->info);
	queries[URING_SNAPSHOT_TCP_CONGESTION].optval = buffers->congestion;
	queries[URING_SNAPSHOT_TCP_CONGESTION].optlen =
		sizeof(buffers->congestion);
	return 0;
}

static void snapshot_finish(const struct uring_socket *sock,
			    const struct uring_query *queries,
			    struct uring_snapshot *snapshot)
{
	struct {
		enum uring_snapshot_item item;
		int *value;
	} numbers[] = {
		{URING_SNAPSHOT_SIOCOUTQ, &snapshot->outq},
		{URING_SNAPSHOT_SIOCINQ, &snapshot->inq},
		{URING_SNAPSHOT_SO_SNDBUF, &snapshot->sndbuf},
		{URING_SNAPSHOT_SO_RCVBUF, &snapshot->rcvbuf},
		{URING_SNAPSHOT_SO_PRIORITY, &snapshot->priority},
		{URING_SNAPSHOT_SO_MARK, &snapshot->mark},
		{URING_SNAPSHOT_TCP_MAXSEG, &snapshot->maxseg},
		{URING_SNAPSHOT_TOS, &snapshot->tos},
		{URING_SNAPSHOT_MTU, &snapshot->mtu},
	};
	struct tcp_info info = {};
	size_t i;

	*snapshot = (struct uring_snapshot){
		.sock = *sock,
	};
	for (i = 0; i < URING_SNAPSHOT_ITEMS; i++) {
		snapshot->items[i].error = queries[i].error;
		snapshot->items[i].reason = queries[i].reason;
	}
	for (i = 0; i < sizeof(numbers) / sizeof(numbers[0]); i++) {
		const struct uring_query *query = &queries[numbers[i].item];

		if (query->error == 0) {
			memcpy(numbers[i].value, query->optval, sizeof(int));
		}
	}
	if (queries[URING_SNAPSHOT_TCP_CONGESTION].error == 0) {
		snprintf(snapshot->congestion,
			 sizeof(snapshot->congestion),
			 "%.15s",
			 (const char *)queries[URING_SNAPSHOT_TCP_CONGESTION]
				 .optval);
	}
	if (queries[URING_SNAPSHOT_TCP_INFO].error == 0) {
		memcpy(&info,
		       queries[URING_SNAPSHOT_TCP_INFO].optval,
		       queries[URING_SNAPSHOT_TCP_INFO].optlen);
	}
	snapshot->rtt_us = info.tcpi_rtt;
	snapshot->rttvar_us = info.tcpi_rttvar;
	snapshot->rto_us = info.tcpi_rto;
	snapshot->snd_cwnd = info.tcpi_snd_cwnd;
	snapshot->unacked = info.tcpi_unacked;
	snapshot->retrans = info.tcpi_retrans;
	snapshot->total_retrans = info.tcpi_total_retrans;
	snapshot->snd_mss = info.tcpi_snd_mss;
	snapshot->delivery_rate = info.tcpi_delivery_rate;
	snapshot->pacing_rate = info.tcpi_pacing_rate;
	snapshot->bytes_acked = info.tcpi_bytes_acked;
	snapshot->bytes_received = info.tcpi_bytes_received;
}

int uring_snapshot(const struct uring_socket *sock,
		   struct uring_snapshot *snapshot)
{
	struct snapshot_buffers buffers;
	struct uring_query queries[URING_SNAPSHOT_ITEMS];
	int ret;

	ret = snapshot_prepare(sock, &buffers, queries);
	if (ret != 0) {
		return ret;
	}
	uring_query_batch(sock, queries, URING_SNAPSHOT_ITEMS);
	snapshot_finish(sock, queries, snapshot);
	return 0;
}

struct uring_snapshot_state {
	struct uring_socket sock;
	struct uring_snapshot snapshot;
};

static void uring_snapshot_done(struct tevent_req *subreq);

struct tevent_req *uring_snapshot_send(TALLOC_CTX *mem_ctx,
				       struct tevent_context *ev,
				       const struct uring_socket *sock,
				       enum uring_urgency urgency)
{
	struct tevent_req *req = NULL;
	struct tevent_req *subreq = NULL;
	struct uring_snapshot_state *state = NULL;
	struct snapshot_buffers buffers;
	struct uring_query queries[URING_SNAPSHOT_ITEMS];
	int ret;

	req = tevent_req_create(mem_ctx, &state, struct uring_snapshot_state);
	if (req == NULL) {
		return NULL;
	}
	state->sock = *sock;

	ret = snapshot_prepare(sock, &buffers, queries);
	if (ret != 0) {
		tevent_req_error(req, ret);
		return tevent_req_post(req, ev);
	}
	subreq = uring_query_batch_send(state,
					ev,
					sock,
					queries,
					URING_SNAPSHOT_ITEMS,
					urgency);
	if (tevent_req_nomem(subreq, req)) {
		return tevent_req_post(req, ev);
	}
	tevent_req_set_callback(subreq, uring_snapshot_done, req);
	return req;
}

static void uring_snapshot_done(struct tevent_req *subreq)
{
	struct tevent_req *req =
		tevent_req_callback_data(subreq, struct tevent_req);
	struct uring_snapshot_state *state =
		tevent_req_data(req, struct uring_snapshot_state);
	struct uring_query *queries = NULL;
	int ret;

	ret = uring_query_batch_recv(subreq, state, &queries);
	TALLOC_FREE(subreq);
	if (uring_subreq_failed(ret, req)) {
		return;
	}
	snapshot_finish(&state->sock, queries, &state->snapshot);
	tevent_req_done(req);
}

int uring_snapshot_recv(struct tevent_req *req, struct uring_snapshot *snapshot)
{
	const struct uring_snapshot_state *state =
		tevent_req_data(req, struct uring_snapshot_state);
	int ret;

	ret = uring_req_recv(req);
	if (ret == 0) {
		*snapshot = state->snapshot;
	}
	tevent_req_received(req);
	return ret;
}

const char *uring_snapshot_item_name(const struct uring_snapshot *snapshot,
				     enum uring_snapshot_item item)
{
	if (snapshot->sock.family == AF_INET6) {
		return snapshot_items[item].name6;
	}
	return snapshot_items[item].name;
}

void uring_snapshot_fields(
	const struct uring_snapshot *snapshot,
	struct uring_snapshot_field fields[URING_SNAPSHOT_FIELDS])
{
	const struct uring_snapshot *s = snapshot;
	const struct uring_snapshot_field all[] = {
		{"rtt_us", URING_SNAPSHOT_TCP_INFO, NULL, s->rtt_us},
		{"rttvar_us", URING_SNAPSHOT_TCP_INFO, NULL, s->rttvar_us},
		{"rto_us", URING_SNAPSHOT_TCP_INFO, NULL, s->rto_us},
		{"cwnd", URING_SNAPSHOT_TCP_INFO, NULL, s->snd_cwnd},
		{"unacked", URING_SNAPSHOT_TCP_INFO, NULL, s->unacked},
		{"retrans", URING_SNAPSHOT_TCP_INFO, NULL, s->retrans},
		{"total_retrans",
		 URING_SNAPSHOT_TCP_INFO,
		 NULL,
		 s->total_retrans},
		{"snd_mss", URING_SNAPSHOT_TCP_INFO, NULL, s->snd_mss},
		{"delivery_rate",
		 URING_SNAPSHOT_TCP_INFO,
		 NULL,
		 s->delivery_rate},
		{"pacing_rate", URING_SNAPSHOT_TCP_INFO, NULL, s->pacing_rate},
		{"bytes_acked", URING_SNAPSHOT_TCP_INFO, NULL, s->bytes_acked},
		{"bytes_received",
		 URING_SNAPSHOT_TCP_INFO,
		 NULL,
		 s->bytes_received},
		{"outq", URING_SNAPSHOT_SIOCOUTQ, NULL, s->outq},
		{"inq", URING_SNAPSHOT_SIOCINQ, NULL, s->inq},
		{"sndbuf", URING_SNAPSHOT_SO_SNDBUF, NULL, s->sndbuf},
		{"rcvbuf", URING_SNAPSHOT_SO_RCVBUF, NULL, s->rcvbuf},
		{"priority", URING_SNAPSHOT_SO_PRIORITY, NULL, s->priority},
		{"mark", URING_SNAPSHOT_SO_MARK, NULL, (uint32_t)s->mark},
		{"maxseg", URING_SNAPSHOT_TCP_MAXSEG, NULL, s->maxseg},
		{"congestion", URING_SNAPSHOT_TCP_CONGESTION, s->congestion, 0},
		{"tos", URING_SNAPSHOT_TOS, NULL, s->tos},
		{"mtu", URING_SNAPSHOT_MTU, NULL, s->mtu},
	};

	_Static_assert(sizeof(all) / sizeof(all[0]) == URING_SNAPSHOT_FIELDS,
		       "the header says how many there are");
	memcpy(fields, all, sizeof(all));
}

char *uring_snapshot_string(TALLOC_CTX *mem_ctx,
			    const struct uring_snapshot *snapshot)
{
	struct uring_snapshot_field fields[URING_SNAPSHOT_FIELDS];
	char *s = NULL;
	size_t i;

	uring_snapshot_fields(snapshot, fields);
	s = talloc_strdup(mem_ctx, "");
	for (i = 0; i < URING_SNAPSHOT_FIELDS; i++) {
		const struct uring_snapshot_field *f = &fields[i];

		if (snapshot->items[f->item].error != 0) {
			continue;
		}
		if (f->string != NULL) {
			s = talloc_asprintf_append_buffer(s,
							  "%s=%s ",
							  f->name,
							  f->string);
		} else {
			s = talloc_asprintf_append_buffer(s,
							  "%s=%ju ",
							  f->name,
							  (uintmax_t)f->number);
		}
	}
	s = talloc_strdup_append_buffer(s, "via");
	for (i = 0; i < URING_SNAPSHOT_ITEMS; i++) {
		const char *name = uring_snapshot_item_name(snapshot, i);
		enum uring_reason reason = snapshot->items[i].reason;
		int error = snapshot->items[i].error;

		if (error != 0) {
			s = talloc_asprintf_append_buffer(
				s, " %s=error(%s)", name, uring_errno_name(error));
		} else if (reason != URING_REASON_NONE) {
			s = talloc_asprintf_append_buffer(
				s,
				" %s=syscall(%s)",
				name,
				uring_reason_name(reason));
		} else {
			s = talloc_asprintf_append_buffer(s, " %s=ring", name);
		}
	}
	return s;
}

static int uring_queue_destructor(struct uring_queue *queue)
{
	while (queue->batches != NULL) {
		/* like any request whose context is gone: never answered */
		uring_batch_destructor(queue->batches);
	}

	pthread_mutex_lock(&queues.mutex);
	if (queue->prev != NULL) {
		queue->prev->next = queue->next;
	} else {
		queues.list = queue->next;
	}
	if (queue->next != NULL) {
		queue->next->prev = queue->prev;
	}
	atomic_fetch_add(&queues.generation, 1);
	pthread_mutex_unlock(&queues.mutex);
	return 0;
}

struct uring_queue *uring_queue_create(struct tevent_context *ev)
{
	struct uring_queue *queue = NULL;

	queue = talloc_zero(ev, struct uring_queue);
	if (queue == NULL) {
		return NULL;
	}
	queue->ev = ev;

	pthread_mutex_lock(&queues.mutex);
	queue->next = queues.list;
	if (queues.list != NULL) {
		queues.list->prev = queue;
	}
	queues.list = queue;
	atomic_fetch_add(&queues.generation, 1);
	pthread_mutex_unlock(&queues.mutex);

	talloc_set_destructor(queue, uring_queue_destructor);
	return queue;
}

struct uring_queue *uring_queue_find(struct tevent_context *ev)
{
	struct uring_queue *queue = NULL;
	unsigned generation = atomic_load(&queues.generation);

	if (last_found.ev == ev && last_found.generation == generation) {
		return last_found.queue;
	}

	pthread_mutex_lock(&queues.mutex);
	for (queue = queues.list; queue != NULL; queue = queue->next) {
		if (queue->ev == ev) {
			break;
		}
	}
	last_found.ev = ev;
	last_found.queue = queue;
	last_found.generation = atomic_load(&queues.generation);
	pthread_mutex_unlock(&queues.mutex);
	return queue;
}

bool uring_queue_pending(const struct uring_queue *queue)
{
	const struct uring_batch *batch = NULL;

	for (batch = queue->batches; batch != NULL; batch = batch->next) {
		if (batch->urgency == URING_PROMPT) {
			return true;
		}
	}
	return false;
}

void uring_queue_flush(struct uring_queue *queue)
{
	if (queue->batches == NULL) {
		return;
	}

	uring_answer(queue, &queue->ring, queue->batches);

	while (queue->batches != NULL) {
		struct uring_batch *batch = queue->batches;

		uring_batch_destructor(batch);
		tevent_req_done(batch->req);
	}
}
