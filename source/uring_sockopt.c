/* SPDX-License-Identifier: LGPL-3.0-or-later */
/*
 * Socket queries that are answered at once: one, or a batch.
 *
 * There are two kinds of rings: one per tevent context, created once a batch
 * is worth it, and one per thread for the queries of this file.  They must
 * differ: the ring of a context also carries the loop's wait, and a query in a
 * handler must not reap the completion of that wait.
 */

#include "config.h"

#include <errno.h>
#include <pthread.h>
#include <string.h>
#include <unistd.h>
#include <sys/mman.h>
#include <sys/stat.h>

#include "uring_batch.h"
#include "uring_options.h"
#include "uring_sockopt_internal.h"
#include "uring_syscall.h"

/* include/uapi/asm-generic/mman-common.h, Linux 5.14 */
#ifndef MADV_POPULATE_WRITE
#define MADV_POPULATE_WRITE 23
#endif

/* No option reads more bytes of its buffer. */
#define URING_INPUT_MAX 65536

static pthread_key_t thread_ring_key;
static pthread_once_t thread_ring_once = PTHREAD_ONCE_INIT;
static int thread_ring_error;

/* Holds the ring of a thread, so that the library can replace a dead one. */
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
 * Other files may have commands of their own under the same numbers; the
 * command of /dev/null succeeds for every number.
 */
static bool uring_is_socket(int fd)
{
	struct stat st;

	return fstat(fd, &st) == 0 && S_ISSOCK(st.st_mode);
}

/*
 * The kernel may overwrite an option's input before it fails, or before a BPF
 * program denies the answer.  The system call would then read other input.  So
 * the library saves the caller's bytes and restores them.  That needs memory
 * that can be read and written.  MADV_POPULATE_WRITE (Linux 5.14) checks this
 * and changes nothing.
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
	if (mode == URING_MODE_RING && !uring_option_once(&query) &&
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
		uring_batches_answer(thread, &thread->ring, &batch);
		*optlen = query.optlen;
	} else {
		query.reason = URING_REASON_FEW;
		if (optlen == NULL || mode == URING_MODE_RING) {
			query.reason = URING_REASON_SHAPE;
		} else if (mode == URING_MODE_SYSCALL) {
			query.reason = URING_REASON_MODE;
		}
		ret = uring_syscall_getsockopt(
			fd, level, optname, optval, optlen);
		query.error = ret != 0 ? errno : 0;
		uring_batches_account(NULL, 0, &batch);
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

void uring_batch_answer_now(struct uring_batch *batch)
{
	struct uring_thread *thread = uring_thread_get();

	uring_batch_prepare(batch);
	if (thread != NULL) {
		uring_batches_answer(thread, &thread->ring, batch);
		return;
	}
	(void)uring_batches_route(batch);
	uring_batches_submit(NULL, batch, URING_REASON_NORING);
	uring_batches_account(NULL, 0, batch);
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
			uring_syscall_query(sock,
					    &queries[i],
					    URING_REASON_NORING);
		}
		return;
	}

	uring_batch_answer_now(batch);
	for (i = 0; i < num_queries; i++) {
		void *optval = queries[i].optval;

		if (batch->items[i].overruns) {
			uring_syscall_query(sock,
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
