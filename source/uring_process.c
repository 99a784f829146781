/* SPDX-License-Identifier: LGPL-3.0-or-later */
/*
 * State for all queries of this process: the mode, the counters, the last error
 * of a ring, and the log function.
 *
 * One mutex protects all state that the library keeps for the process, also
 * the state of other files.  So fork() has one mutex to wait for.  To ask a
 * query takes no mutex: the mode and the generation of the routes are atomic,
 * and the library counts whole batches.
 */

#include "config.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>
#include <talloc.h>
#include <tevent.h>

#include "uring_explain.h"
#include "uring_process_internal.h"
#include "util/macros.h"

static struct {
	pthread_mutex_t mutex;
	pid_t pid;
	atomic_uint generation;
	_Atomic enum uring_mode mode;
	void (*log_fn)(const char *line);
	struct uring_counters counters;
	uint64_t reasons[URING_NUM_REASONS];
	int ring_error;
	bool logged;
	TALLOC_CTX *leaked;
} process = {
	.mutex = PTHREAD_MUTEX_INITIALIZER,
	.mode = URING_MODE_AUTO,
};

static void process_fork_prepare(void)
{
	pthread_mutex_lock(&process.mutex);
}

static void process_fork_done(void)
{
	pthread_mutex_unlock(&process.mutex);
}

/* If another thread held the mutex at fork(), the child could never lock it. */
static void __attribute__((constructor)) process_fork_init(void)
{
	(void)pthread_atfork(process_fork_prepare,
			     process_fork_done,
			     process_fork_done);
}

/*
 * A child starts with counters of zero.  It forgets its parent's error, because
 * the kernel may allow the child a ring that it refused the parent.
 */
void uring_process_lock(void)
{
	pid_t pid = tevent_cached_getpid();

	pthread_mutex_lock(&process.mutex);
	if (process.pid != pid) {
		process.pid = pid;
		process.counters = (struct uring_counters){};
		memset(process.reasons, 0, sizeof(process.reasons));
		process.ring_error = 0;
		process.logged = false;
	}
}

void uring_process_unlock(void)
{
	pthread_mutex_unlock(&process.mutex);
}

unsigned uring_routing_generation(void)
{
	return atomic_load_explicit(&process.generation, memory_order_acquire);
}

void uring_routing_changed(void)
{
	atomic_fetch_add(&process.generation, 1);
}

void uring_set_mode(enum uring_mode mode)
{
	/* programs set the mode each time they reload their settings */
	if (atomic_exchange(&process.mode, mode) != mode) {
		uring_routing_changed();
	}
}

enum uring_mode uring_get_mode(void)
{
	return atomic_load_explicit(&process.mode, memory_order_relaxed);
}

static const char *const mode_names[] = {
	[URING_MODE_SYSCALL] = "syscall",
	[URING_MODE_AUTO] = "auto",
	[URING_MODE_RING] = "ring",
};

bool uring_mode_parse(const char *name, enum uring_mode *mode)
{
	size_t i;

	for (i = 0; i < ARRAY_SIZE(mode_names); i++) {
		if (strcasecmp(name, mode_names[i]) == 0) {
			*mode = i;
			return true;
		}
	}
	return false;
}

const char *uring_mode_name(enum uring_mode mode)
{
	return mode_names[mode];
}

const char *uring_reason_name(enum uring_reason reason)
{
	static const char *const names[URING_NUM_REASONS] = {
		[URING_REASON_NONE] = "ring",
		[URING_REASON_MODE] = "mode",
		[URING_REASON_FEW] = "few",
		[URING_REASON_LEVEL] = "level",
		[URING_REASON_DENIED] = "denied",
		[URING_REASON_NORING] = "noring",
		[URING_REASON_EUID] = "euid",
		[URING_REASON_WRAPPED] = "wrapped",
		[URING_REASON_SHAPE] = "shape",
		[URING_REASON_ERROR] = "error",
	};

	return (size_t)reason < ARRAY_SIZE(names) ? names[reason] : NULL;
}

void uring_counters_get(struct uring_counters *counters, size_t size)
{
	size_t known = size;

	if (known > sizeof(process.counters)) {
		known = sizeof(process.counters);
	}
	memset(counters, 0, size);
	uring_process_lock();
	memcpy(counters, &process.counters, known);
	uring_process_unlock();
}

uint64_t uring_counters_reason(enum uring_reason reason)
{
	uint64_t count = 0;

	uring_process_lock();
	if ((size_t)reason < ARRAY_SIZE(process.reasons)) {
		count = process.reasons[reason];
	}
	uring_process_unlock();
	return count;
}

void uring_set_log_fn(void (*log_fn)(const char *line))
{
	uring_process_lock();
	process.log_fn = log_fn;
	uring_process_unlock();
}

void uring_process_count(const size_t queries[URING_NUM_REASONS], size_t enters)
{
	size_t i;

	uring_process_lock();
	for (i = 0; i < URING_NUM_REASONS; i++) {
		process.reasons[i] += queries[i];
		if (i == URING_REASON_NONE) {
			process.counters.ring += queries[i];
		} else {
			process.counters.syscall += queries[i];
		}
	}
	process.counters.enters += enters;
	uring_process_unlock();
}

void uring_process_ring_created(void)
{
	uring_process_lock();
	process.counters.rings_created++;
	uring_process_unlock();
}

void uring_process_ring_failed(int error)
{
	void (*log_fn)(const char *line) = NULL;
	char line[320];
	bool logged;

	uring_process_lock();
	process.counters.rings_failed++;
	process.ring_error = error;
	logged = process.logged;
	process.logged = true;
	log_fn = process.log_fn;
	uring_process_unlock();

	if (logged) {
		return;
	}
	uring_explain_fallback(error, line, sizeof(line));
	if (log_fn != NULL) {
		log_fn(line);
	} else {
		fprintf(stderr, "tevent-uring: %s\n", line);
	}
}

int uring_process_ring_error(void)
{
	int error;

	uring_process_lock();
	error = process.ring_error;
	uring_process_unlock();
	return error;
}

void uring_leak_on_purpose(void *p)
{
	uring_process_lock();
	if (process.leaked == NULL) {
		process.leaked = talloc_named_const(NULL,
						    0,
						    "left to a dead ring");
	}
	(void)talloc_steal(process.leaked, p);
	uring_process_unlock();
}
