/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Description: preloaded before the preload library, makes its ring fail now and
 * then at the liburing boundary, as a kernel could.
 *
 * A kernel that refuses to submit takes no command, so this library then does not
 * make the call.  One table has the errors and their rates.  The preload library
 * must survive temporary errors (lack of memory) without a trace.  Other errors
 * cost the process its ring, and long-lived processes would soon have none.  So
 * those errors happen in one of two processes only.
 *
 * All processes share the counts in the file that FAULT_COUNTS names.
 */

#include "config.h"

#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <liburing.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#define PUBLIC __attribute__((visibility("default")))

enum fault_kind {
	FAULT_SETUP,
	FAULT_PASSING,
	FAULT_DEADLY,
	FAULT_KINDS,
};

/* One in so many calls. */
static const unsigned rarity[FAULT_KINDS] = {
	[FAULT_SETUP] = 10,
	[FAULT_PASSING] = 20,
	[FAULT_DEADLY] = 100,
};

static const int errors[FAULT_KINDS][4] = {
	[FAULT_SETUP] = {ENOMEM, EPERM, EMFILE, ENOSYS},
	[FAULT_PASSING] = {EAGAIN, EBUSY, EINTR, EAGAIN},
	[FAULT_DEADLY] = {EBADF, EFAULT, ENXIO, EBADFD},
};

/* The format that tests/smbd/soak reads. */
static struct {
	atomic_uint_fast64_t calls;
	atomic_uint_fast64_t faults[FAULT_KINDS];
} *counts;

/* The error to answer with, or 0. */
static int fault(enum fault_kind kind)
{
	unsigned chance;

	if (counts == NULL) {
		return 0;
	}
	if (kind == FAULT_DEADLY && getpid() % 2 == 0) {
		return 0;
	}
	chance = arc4random();
	if (chance % rarity[kind] != 0) {
		return 0;
	}
	atomic_fetch_add(&counts->faults[kind], 1);
	return -errors[kind][chance / rarity[kind] % 4];
}

static int fault_submit(void)
{
	int ret;

	if (counts != NULL) {
		atomic_fetch_add(&counts->calls, 1);
	}
	ret = fault(FAULT_DEADLY);
	if (ret == 0) {
		ret = fault(FAULT_PASSING);
	}
	return ret;
}

/* The function of liburing that has the name of one of ours. */
#define NEXT(_name)                                                  \
	static __typeof__(_name) *next;                              \
                                                                     \
	if (next == NULL) {                                          \
		next = (__typeof__(next))dlsym(RTLD_NEXT, #_name);   \
	}

PUBLIC int io_uring_queue_init_params(unsigned entries,
				      struct io_uring *ring,
				      struct io_uring_params *p)
{
	int ret = fault(FAULT_SETUP);

	NEXT(io_uring_queue_init_params);
	return ret != 0 ? ret : next(entries, ring, p);
}

PUBLIC int io_uring_ring_dontfork(struct io_uring *ring)
{
	int ret = fault(FAULT_SETUP);

	NEXT(io_uring_ring_dontfork);
	return ret != 0 ? ret : next(ring);
}

PUBLIC int io_uring_submit(struct io_uring *ring)
{
	int ret = fault_submit();

	NEXT(io_uring_submit);
	return ret != 0 ? ret : next(ring);
}

PUBLIC int io_uring_enter2(unsigned fd,
			   unsigned to_submit,
			   unsigned min_complete,
			   unsigned flags,
			   sigset_t *arg,
			   size_t size)
{
	int ret = fault_submit();

	NEXT(io_uring_enter2);
	return ret != 0 ? ret :
			  next(fd, to_submit, min_complete, flags, arg, size);
}

static void __attribute__((constructor)) fault_init(void)
{
	const char *path = getenv("FAULT_COUNTS");
	void *map = NULL;
	int fd;

	if (path == NULL) {
		return;
	}
	fd = open(path, O_RDWR | O_CLOEXEC);
	if (fd == -1) {
		abort();
	}
	map = mmap(NULL,
		   sizeof(*counts),
		   PROT_READ | PROT_WRITE,
		   MAP_SHARED,
		   fd,
		   0);
	close(fd);
	if (map == MAP_FAILED) {
		abort();
	}
	counts = map;
}
