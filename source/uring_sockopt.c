/* SPDX-License-Identifier: LGPL-3.0-or-later */
/*
 * Socket queries: one, many; now, with the loop, or again and again.
 *
 * Queries travel in batches, and a list of batches is answered together:
 * compat_getsockopt.c says which way each query can go, and the number of
 * those that the ring may take decides which way is cheaper.  The batches
 * that were asked on a tevent context wait in its queue until the loop
 * flushes it or carries it along with its wait, so that all of one loop
 * iteration are one list, and one io_uring_enter(2).
 *
 * A batch owns what the ring writes to.  Beside it stand the caller's bytes
 * (an option that reads its buffer starts from them, and so does the system
 * call if it has to be asked after all) and a spare: if a ring dies with a
 * command in flight, the kernel may still write to the buffers, so they are
 * given up and the spare takes their place.
 *
 * Asking a batch allocates nothing, takes no lock and looks nothing up that
 * it has looked up before: a query through the ring has about 200 ns to
 * lose before it is slower than the system call.
 *
 * There are two kinds of rings: one per tevent context that has asked
 * enough to be worth it, and one per thread for queries that are answered
 * at once.  They are not the same one because the loop's ring carries its
 * wait as well, and a query inside a handler must not reap that.
 */

#include "config.h"

#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>
#include <string.h>
#include <unistd.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <netinet/in.h>
#include <linux/sockios.h>

#include "uring_ring.h"
#include "uring_sockopt.h"

/*
 * From how many queries on an enter of their own is cheaper than as many
 * system calls.  SO_RCVBUF, Linux 6.18, time of getsockopt(2) divided by
 * that of the ring: 0.56 for 1 query, 0.91 for 4, 1.11 for 8, 1.45 for 32.
 */
#define URING_BREAK_EVEN 6

/* include/uapi/asm-generic/mman-common.h, Linux 5.14 */
#ifndef MADV_POPULATE_WRITE
#define MADV_POPULATE_WRITE 23
#endif

/* No option reads more than this of its buffer. */
#define URING_INPUT_MAX 65536

/* Where a buffer in a block begins. */
#define URING_ALIGN 8

struct uring_item {
	struct uring_op op;
	struct uring_batch *batch;
	struct uring_query *query;
	/* of the buffer, before an answer changes optlen */
	socklen_t size;
	/* in the blocks of the batch */
	size_t offset;
	/* whether the ring may be asked, as of batch->generation */
	enum uring_reason route;
	/*
	 * getsockopt(2) may write past the buffer, so a copy of it must not be
	 * asked into
	 */
	bool overruns;
};

struct uring_list {
	struct uring_batch *first;
	struct uring_batch *last;
};

struct uring_batch {
	/* while it is in a queue */
	struct uring_batch *prev;
	struct uring_batch *next;
	struct uring_list *list;
	enum uring_urgency urgency;

	/* answered: the handler is about to be called */
	enum { BATCH_IDLE, BATCH_ASKED, BATCH_ANSWERED } state;
	struct tevent_context *ev;
	struct tevent_immediate *im;
	uring_batch_handler_t handler;
	void *private_data;

	struct uring_socket sock;
	struct uring_query *queries;
	struct uring_item *items;
	size_t num_items;

	/* of the items' routes: when they were found, and how many are NONE */
	bool routed;
	unsigned generation;
	size_t candidates;

	/* the queries' buffers; what they start from; see above */
	uint8_t *answers;
	uint8_t *input;
	uint8_t *spare;
	size_t size;
};

struct uring_queue {
	struct uring_queue *prev;
	struct uring_queue *next;
	struct tevent_context *ev;
	struct uring_ring *ring;
	struct uring_list asked;
	/* the handler is yet to be called */
	struct uring_list answered;
	void (*turn)(void *private_data);
	void *turn_private_data;

	/* what the loop of this process waits on, or -1 */
	int epoll_fd;
	pid_t pid;
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

static void uring_fork_prepare(void)
{
	pthread_mutex_lock(&queues.mutex);
	compat_fork_prepare();
}

static void uring_fork_done(void)
{
	compat_fork_done();
	pthread_mutex_unlock(&queues.mutex);
}

/* A mutex that another thread holds at fork() nobody would give back. */
static void __attribute__((constructor)) uring_fork_init(void)
{
	(void)pthread_atfork(uring_fork_prepare,
			     uring_fork_done,
			     uring_fork_done);
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

/* What the kernel may still write to is not used again. */
static void uring_batch_give_up(struct uring_batch *batch)
{
	uint8_t *answers = batch->answers;
	size_t i;

	if (batch->spare == NULL) {
		return;
	}
	memcpy(batch->spare, answers, batch->size);
	for (i = 0; i < batch->num_items; i++) {
		batch->queries[i].optval = batch->spare +
					   batch->items[i].offset;
	}
	batch->answers = batch->spare;
	batch->spare = NULL;
	uring_give_up(answers);
}

static void uring_item_done(struct uring_op *op, int res, bool lost)
{
	struct uring_item *item =
		(struct uring_item *)(void *)((char *)op -
					      offsetof(struct uring_item, op));
	struct uring_batch *batch = item->batch;
	struct uring_query *query = item->query;

	if (lost) {
		uring_batch_give_up(batch);
	}
	if (res < 0 && batch->input != NULL && item->size > 0) {
		/* a handler may have begun to write before it failed */
		memcpy(query->optval, batch->input + item->offset, item->size);
	}
	if (lost) {
		compat_query_syscall(&batch->sock, query, URING_REASON_NORING);
	} else {
		compat_query_result(&batch->sock, query, res);
	}
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
				     query->optval,
				     query->optlen);
}

/* Put an item into the ring; the reason why that is not possible. */
static enum uring_reason uring_item_submit(struct uring_ring *ring,
					   struct uring_item *item)
{
	int ret = ENOBUFS;

	if (!uring_ring_usable(ring)) {
		return URING_REASON_NORING;
	}
	ret = uring_item_queue(ring, item);
	if (ret == ENOBUFS && uring_ring_run(ring) == 0) {
		ret = uring_item_queue(ring, item);
	}
	return ret == 0 ? URING_REASON_NONE : URING_REASON_NORING;
}

/* Find out what the ring may be asked; how many queries that are. */
static size_t uring_route(struct uring_batch *batches)
{
	unsigned generation = compat_generation();
	struct uring_batch *batch = NULL;
	size_t candidates = 0;
	size_t i;

	for (batch = batches; batch != NULL; batch = batch->next) {
		if (batch->routed && batch->generation == generation) {
			candidates += batch->candidates;
			continue;
		}
		batch->candidates = 0;
		for (i = 0; i < batch->num_items; i++) {
			struct uring_item *item = &batch->items[i];

			item->route = URING_REASON_SHAPE;
			if (!item->overruns) {
				item->route = compat_query_route(&batch->sock,
								 item->query);
			}
			batch->candidates += item->route == URING_REASON_NONE;
		}
		batch->routed = true;
		batch->generation = generation;
		candidates += batch->candidates;
	}
	return candidates;
}

/*
 * Put into the ring what it may be asked, unless there is a reason not to,
 * and answer the rest.
 */
static void uring_submit(struct uring_ring *ring,
			 struct uring_batch *batches,
			 enum uring_reason no_ring)
{
	struct uring_batch *batch = NULL;
	size_t i;

	for (batch = batches; batch != NULL; batch = batch->next) {
		for (i = 0; i < batch->num_items; i++) {
			struct uring_item *item = &batch->items[i];
			enum uring_reason reason = item->route;

			if (item->overruns) {
				item->query->error = EINVAL;
				item->query->reason = URING_REASON_SHAPE;
				continue;
			}
			if (reason == URING_REASON_NONE) {
				reason = no_ring;
			}
			if (reason == URING_REASON_NONE) {
				reason = uring_item_submit(ring, item);
			}
			if (reason != URING_REASON_NONE) {
				compat_query_syscall(&batch->sock,
						     item->query,
						     reason);
			}
		}
	}
}

/* All is answered; ring may be NULL, enters is what it had counted before. */
static void uring_account(const struct uring_ring *ring,
			  size_t enters,
			  const struct uring_batch *batches)
{
	const struct uring_batch *batch = NULL;
	size_t queries[URING_REASON_COUNT] = {};
	size_t i;

	for (batch = batches; batch != NULL; batch = batch->next) {
		for (i = 0; i < batch->num_items; i++) {
			queries[batch->items[i].query->reason]++;
		}
	}
	if (ring != NULL) {
		enters = uring_ring_enters(ring) - enters;
		if (uring_ring_errno(ring) != 0 && compat_ring_error() == 0) {
			compat_ring_failed(uring_ring_errno(ring));
		}
	}
	compat_count(queries, enters);
}

/*
 * Answer the batches of a list; all items are answered when it returns.
 * ring is where the ring for them is, or is to be.
 */
static void uring_answer(TALLOC_CTX *mem_ctx,
			 struct uring_ring **ring,
			 struct uring_batch *batches)
{
	enum uring_reason reason = URING_REASON_NONE;
	size_t candidates = uring_route(batches);
	size_t enters = 0;

	if (uring_get_mode() == URING_MODE_AUTO &&
	    candidates < URING_BREAK_EVEN) {
		reason = URING_REASON_FEW;
	} else if (candidates > 0) {
		reason = uring_ring_obtain(mem_ctx, ring);
	}

	if (reason != URING_REASON_NONE || candidates == 0) {
		uring_submit(NULL, batches, reason);
		uring_account(NULL, 0, batches);
		return;
	}
	enters = uring_ring_enters(*ring);
	uring_submit(*ring, batches, URING_REASON_NONE);
	(void)uring_ring_run(*ring);
	uring_account(*ring, enters, batches);
}

/*
 * A file that is no socket may have commands of its own under the same
 * numbers; /dev/null has one that says yes to everything.
 */
static bool uring_is_socket(int fd)
{
	struct stat st;

	return fstat(fd, &st) == 0 && S_ISSOCK(st.st_mode);
}

/*
 * A handler that fails late, or whose answer a BPF program denies, has written
 * over what it reads, and the system call would be asked something else.  So
 * the caller's bytes are kept, which takes memory that can be read and written:
 * MADV_POPULATE_WRITE (Linux 5.14) finds out, and changes nothing.
 */
static bool uring_can_write(void *buffer, size_t size)
{
	uintptr_t page = (uintptr_t)sysconf(_SC_PAGESIZE);
	uintptr_t start = (uintptr_t)buffer & ~(page - 1);
	uintptr_t end = ((uintptr_t)buffer + size + page - 1) & ~(page - 1);

	return size == 0 ||
	       madvise((void *)start, end - start, MADV_POPULATE_WRITE) == 0;
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
	};
	struct uring_batch batch = {
		.sock =
			{
				.fd = fd,
				.family = -1,
			},
		.queries = &query,
		.items = &item,
		.num_items = 1,
	};
	struct uring_thread *thread = NULL;
	enum uring_mode mode = uring_get_mode();
	int saved_errno = errno;
	int ret;

	item.batch = &batch;
	if (mode == URING_MODE_RING && !compat_query_once(&query) &&
	    uring_is_socket(fd) && query.optlen <= INT32_MAX &&
	    uring_can_write(optval, query.optlen))
	{
		thread = uring_thread_get();
		item.size = query.optlen;
		if (item.size > URING_INPUT_MAX) {
			item.size = URING_INPUT_MAX;
		}
		batch.input = talloc_memdup(thread, optval, item.size);
	}
	if (optlen != NULL && thread != NULL && batch.input != NULL) {
		uring_answer(thread, &thread->ring, &batch);
		*optlen = query.optlen;
	} else {
		query.reason = URING_REASON_FEW;
		if (optlen == NULL || mode == URING_MODE_RING) {
			query.reason = URING_REASON_SHAPE;
		} else if (mode == URING_MODE_SYSCALL) {
			query.reason = URING_REASON_MODE;
		}
		ret = compat_libc_getsockopt(
			fd, level, optname, optval, optlen);
		query.error = ret != 0 ? errno : 0;
		uring_account(NULL, 0, &batch);
	}

	TALLOC_FREE(batch.input);
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

static void uring_batch_link(struct uring_batch *batch, struct uring_list *list)
{
	batch->list = list;
	batch->prev = list->last;
	if (list->last != NULL) {
		list->last->next = batch;
	} else {
		list->first = batch;
	}
	list->last = batch;
}

static void uring_batch_unlink(struct uring_batch *batch)
{
	struct uring_list *list = batch->list;

	if (list == NULL) {
		return;
	}
	if (batch->prev != NULL) {
		batch->prev->next = batch->next;
	} else {
		list->first = batch->next;
	}
	if (batch->next != NULL) {
		batch->next->prev = batch->prev;
	} else {
		list->last = batch->prev;
	}
	batch->prev = NULL;
	batch->next = NULL;
	batch->list = NULL;
}

static int uring_batch_destructor(struct uring_batch *batch)
{
	uring_batch_unlink(batch);
	return 0;
}

struct uring_batch *uring_batch_create(TALLOC_CTX *mem_ctx,
				       struct tevent_context *ev,
				       const struct uring_socket *sock,
				       const struct uring_query *queries,
				       size_t num_queries,
				       uring_batch_handler_t handler,
				       void *private_data)
{
	struct uring_batch *batch = NULL;
	size_t size = 0;
	size_t i;

	batch = talloc_zero(mem_ctx, struct uring_batch);
	if (batch == NULL) {
		return NULL;
	}
	batch->ev = ev;
	batch->sock = *sock;
	batch->num_items = num_queries;
	batch->handler = handler;
	batch->private_data = private_data;

	for (i = 0; i < num_queries; i++) {
		size += queries[i].optlen + URING_ALIGN;
		size &= ~(size_t)(URING_ALIGN - 1);
	}
	batch->size = size;
	batch->queries = talloc_array(batch, struct uring_query, num_queries);
	batch->items = talloc_zero_array(batch, struct uring_item, num_queries);
	batch->input = talloc_zero_array(batch, uint8_t, size);
	if (batch->queries != NULL) {
		/* uring_query_batch_recv() hands both over together */
		batch->answers = talloc_array(batch->queries, uint8_t, size);
		batch->spare = talloc_array(batch->queries, uint8_t, size);
	}
	if (ev != NULL) {
		batch->im = tevent_create_immediate(batch);
	}
	if (batch->items == NULL || batch->input == NULL ||
	    batch->answers == NULL || batch->spare == NULL ||
	    (ev != NULL && batch->im == NULL))
	{
		TALLOC_FREE(batch);
		return NULL;
	}
	talloc_set_destructor(batch, uring_batch_destructor);

	size = 0;
	for (i = 0; i < num_queries; i++) {
		struct uring_item *item = &batch->items[i];
		struct uring_query *query = &batch->queries[i];

		*query = queries[i];
		query->optval = batch->answers + size;
		item->batch = batch;
		item->query = query;
		item->size = query->optlen;
		item->offset = size;
		item->overruns = compat_query_overruns(&queries[i]);
		if (item->size > 0) {
			memcpy(batch->input + size,
			       queries[i].optval,
			       item->size);
		}
		size += item->size + URING_ALIGN;
		size &= ~(size_t)(URING_ALIGN - 1);
	}
	return batch;
}

/* Start from the caller's bytes again. */
static void uring_batch_prepare(struct uring_batch *batch)
{
	size_t i;

	memcpy(batch->answers, batch->input, batch->size);
	for (i = 0; i < batch->num_items; i++) {
		batch->queries[i].optlen = batch->items[i].size;
	}
}

/* Answer at once, through the ring of this thread where that pays. */
static void uring_batch_answer(struct uring_batch *batch)
{
	struct uring_thread *thread = uring_thread_get();
	struct uring_thread none = {};

	uring_batch_prepare(batch);
	if (thread != NULL) {
		uring_answer(thread, &thread->ring, batch);
		return;
	}
	(void)uring_route(batch);
	uring_submit(none.ring, batch, URING_REASON_NORING);
	uring_account(NULL, 0, batch);
}

void uring_query_batch(const struct uring_socket *sock,
		       struct uring_query *queries,
		       size_t num_queries)
{
	struct uring_batch *batch = NULL;
	size_t i;

	batch = uring_batch_create(
		NULL, NULL, sock, queries, num_queries, NULL, NULL);
	if (batch == NULL) {
		for (i = 0; i < num_queries; i++) {
			compat_query_syscall(sock,
					     &queries[i],
					     URING_REASON_NORING);
		}
		return;
	}

	uring_batch_answer(batch);
	for (i = 0; i < num_queries; i++) {
		void *optval = queries[i].optval;

		if (batch->items[i].overruns) {
			compat_query_syscall(sock,
					     &queries[i],
					     URING_REASON_SHAPE);
			continue;
		}
		if (batch->items[i].size > 0) {
			memcpy(optval,
			       batch->queries[i].optval,
			       batch->items[i].size);
		}
		queries[i] = batch->queries[i];
		queries[i].optval = optval;
	}
	TALLOC_FREE(batch);
}

static void uring_batch_deliver(struct tevent_context *ev,
				struct tevent_immediate *im,
				void *private_data)
{
	struct uring_batch *batch = talloc_get_type_abort(private_data,
							  struct uring_batch);

	if (batch->state != BATCH_ANSWERED) {
		/* taken back, perhaps asked again since */
		return;
	}
	batch->state = BATCH_IDLE;
	uring_batch_unlink(batch);
	batch->handler(batch, batch->queries, batch->private_data);
}

/* The handler is called by the loop, like that of any other event. */
static void uring_batch_done(struct uring_batch *batch)
{
	batch->state = BATCH_ANSWERED;
	tevent_schedule_immediate(batch->im,
				  batch->ev,
				  uring_batch_deliver,
				  batch);
}

int uring_batch_ask(struct uring_batch *batch, enum uring_urgency urgency)
{
	struct uring_queue *queue = NULL;

	if (batch->state != BATCH_IDLE) {
		return EBUSY;
	}
	batch->state = BATCH_ASKED;

	queue = uring_queue_find(batch->ev);
	if (queue == NULL) {
		uring_batch_answer(batch);
		uring_batch_done(batch);
		return 0;
	}

	uring_batch_prepare(batch);
	batch->urgency = urgency;
	uring_batch_link(batch, &queue->asked);
	return 0;
}

bool uring_batch_cancel(struct uring_batch *batch)
{
	if (batch->state == BATCH_IDLE) {
		return false;
	}
	batch->state = BATCH_IDLE;
	uring_batch_unlink(batch);
	return true;
}

struct uring_query_batch_state {
	struct uring_batch *batch;
};

static bool uring_query_batch_cancel(struct tevent_req *req)
{
	struct uring_query_batch_state *state = tevent_req_data(
		req, struct uring_query_batch_state);

	if (!uring_batch_cancel(state->batch)) {
		return false;
	}
	tevent_req_error(req, ECANCELED);
	return true;
}

static void uring_query_batch_cleanup(struct tevent_req *req,
				      enum tevent_req_state req_state)
{
	struct uring_query_batch_state *state = tevent_req_data(
		req, struct uring_query_batch_state);

	/* also when it timed out: the queue must not know it any longer */
	if (req_state != TEVENT_REQ_DONE) {
		TALLOC_FREE(state->batch);
	}
}

static void uring_query_batch_done(struct uring_batch *batch,
				   const struct uring_query *queries,
				   void *private_data)
{
	struct tevent_req *req = talloc_get_type_abort(private_data,
						       struct tevent_req);

	tevent_req_done(req);
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

	req = tevent_req_create(mem_ctx,
				&state,
				struct uring_query_batch_state);
	if (req == NULL) {
		return NULL;
	}
	state->batch = uring_batch_create(state,
					  ev,
					  sock,
					  queries,
					  num_queries,
					  uring_query_batch_done,
					  req);
	if (tevent_req_nomem(state->batch, req)) {
		return tevent_req_post(req, ev);
	}
	tevent_req_set_cleanup_fn(req, uring_query_batch_cleanup);
	tevent_req_set_cancel_fn(req, uring_query_batch_cancel);
	(void)uring_batch_ask(state->batch, urgency);
	return req;
}

int uring_req_errno(struct tevent_req *req)
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

bool uring_subreq_failed(int error, struct tevent_req *req)
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

int uring_query_batch_recv(struct tevent_req *req,
			   TALLOC_CTX *mem_ctx,
			   struct uring_query **queries)
{
	struct uring_query_batch_state *state = tevent_req_data(
		req, struct uring_query_batch_state);
	int ret;

	ret = uring_req_errno(req);
	if (ret == 0) {
		*queries = talloc_move(mem_ctx, &state->batch->queries);
	}
	tevent_req_received(req);
	return ret;
}

struct uring_getsockopt_state {
	struct uring_query *query;
	socklen_t optlen;
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

	state->optlen = optlen;
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
	struct tevent_req *req = tevent_req_callback_data(subreq,
							  struct tevent_req);
	struct uring_getsockopt_state *state = tevent_req_data(
		req, struct uring_getsockopt_state);
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
	struct uring_getsockopt_state *state = tevent_req_data(
		req, struct uring_getsockopt_state);
	int ret;

	if (reason != NULL) {
		*reason = URING_REASON_ERROR;
		if (state->query != NULL) {
			*reason = state->query->reason;
		}
	}
	ret = uring_req_errno(req);
	if (ret == 0) {
		*optval = talloc_memdup(mem_ctx,
					state->query->optval,
					state->optlen);
		if (*optval == NULL) {
			ret = ENOMEM;
		}
		*optlen = state->query->optlen;
	}
	tevent_req_received(req);
	return ret;
}

static int uring_queue_destructor(struct uring_queue *queue)
{
	/* like any event whose context is gone: they never happen */
	while (queue->asked.first != NULL) {
		uring_batch_unlink(queue->asked.first);
	}
	while (queue->answered.first != NULL) {
		uring_batch_unlink(queue->answered.first);
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
	queue->epoll_fd = -1;

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

enum uring_reason uring_prepare(struct tevent_context *ev, size_t num_queries)
{
	struct uring_queue *queue = uring_queue_find(ev);
	enum uring_mode mode = uring_get_mode();

	if (mode == URING_MODE_SYSCALL) {
		return URING_REASON_MODE;
	}
	if (queue == NULL) {
		return URING_REASON_NORING;
	}
	if (num_queries == 0 ||
	    (mode == URING_MODE_AUTO && num_queries < URING_BREAK_EVEN))
	{
		return URING_REASON_FEW;
	}
	return uring_ring_obtain(queue, &queue->ring);
}

bool uring_queue_set_turn(struct uring_queue *queue,
			  void (*turn)(void *private_data),
			  void *private_data)
{
	if (turn != NULL && queue->turn != NULL) {
		return false;
	}
	queue->turn = turn;
	queue->turn_private_data = private_data;
	return true;
}

void uring_queue_turn(const struct uring_queue *queue)
{
	if (queue->turn != NULL) {
		queue->turn(queue->turn_private_data);
	}
}

bool uring_queue_pending(const struct uring_queue *queue)
{
	const struct uring_batch *batch = NULL;

	for (batch = queue->asked.first; batch != NULL; batch = batch->next) {
		if (batch->urgency == URING_PROMPT) {
			return true;
		}
	}
	return false;
}

static void uring_queue_done(struct uring_queue *queue)
{
	while (queue->asked.first != NULL) {
		struct uring_batch *batch = queue->asked.first;

		uring_batch_unlink(batch);
		uring_batch_link(batch, &queue->answered);
		uring_batch_done(batch);
	}
}

void uring_queue_flush(struct uring_queue *queue)
{
	if (queue->asked.first == NULL) {
		return;
	}
	uring_answer(queue, &queue->ring, queue->asked.first);
	uring_queue_done(queue);
}

void uring_queue_restart(struct uring_queue *queue, int epoll_fd)
{
	struct uring_batch *batch = NULL;

	/* a wait that is armed there would be for another epoll set */
	TALLOC_FREE(queue->ring);
	queue->epoll_fd = epoll_fd;
	queue->pid = tevent_cached_getpid();

	/* tevent_re_initialise() drops all immediate events */
	for (batch = queue->answered.first; batch != NULL; batch = batch->next)
	{
		uring_batch_done(batch);
	}
}

bool uring_queue_can_ride(struct uring_queue *queue)
{
	if (queue->asked.first == NULL || uring_queue_pending(queue) ||
	    queue->epoll_fd == -1 || queue->pid != tevent_cached_getpid())
	{
		return false;
	}
	if (uring_route(queue->asked.first) == 0) {
		return false;
	}
	return uring_ring_obtain(queue, &queue->ring) == URING_REASON_NONE &&
	       uring_ring_can_wait(queue->ring);
}

int uring_queue_epoll_wait(struct uring_queue *queue,
			   int epoll_fd,
			   struct epoll_event *event,
			   int timeout)
{
	size_t enters = uring_ring_enters(queue->ring);
	int ret;

	uring_submit(queue->ring, queue->asked.first, URING_REASON_NONE);
	ret = -1;
	if (uring_ring_usable(queue->ring)) {
		ret = uring_ring_epoll_wait(queue->ring,
					    epoll_fd,
					    event,
					    timeout);
	}
	uring_account(queue->ring, enters, queue->asked.first);
	uring_queue_done(queue);
	if (ret == -1) {
		/* also when the ring died: the loop comes back, without it */
		errno = EINTR;
	}
	return ret;
}

int uring_queue_epoll_fd(const struct uring_queue *queue)
{
	return queue->epoll_fd;
}
