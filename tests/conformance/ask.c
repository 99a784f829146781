/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Asks the same question in different ways.
 *
 * Memory: each slot has pages of a memfd that are mapped twice.  The kernel
 * gets the first mapping.  It is below 4 GiB, so that 32-bit callers can
 * address it; some of its pages are read-only and some are inaccessible.  The
 * second mapping is writable everywhere.  The test fills and compares the
 * second one, also the bytes that the kernel must not touch.
 *
 * Rings: we use a few lines in place of liburing, because the test enters one
 * ring with the system calls of a 32-bit program.  x86-64 lets any program make
 * those calls (int 0x80).  The kernel then sees a compat caller, and the test
 * needs no second binary.  A ring remembers the kind of its creator
 * (ctx->compat), and the command must use that kind for every submitter.
 *
 * The thread of WAY_THREAD has a descriptor table of its own.  It submits with
 * a registered file, and an answer installs its descriptor in that table.
 */

#include "config.h"

#include <errno.h>
#include <pthread.h>
#include <sched.h>
#include <semaphore.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <liburing.h>

#include "ask.h"
#include "sockets.h"

#define PAGE 4096
/* of a slot: its pages, and the beginning of the special ones */
#define GOOD_PAGES 18
#define READONLY_PAGE 19
#define UNMAPPED_PAGE 21
#define SLOT_PAGES 24
#define SLOT_SIZE (SLOT_PAGES * PAGE)

#define RING_ENTRIES ASK_SLOTS
/* include/uapi/linux/io_uring.h, Linux 6.7 */
#define CMD_GETSOCKOPT 2

const char *const way_names[NUM_WAYS] = {
	[WAY_SYSCALL] = "syscall",
	[WAY_RING] = "ring",
	[WAY_DEFER] = "ring-defer-taskrun",
	[WAY_FIXED] = "ring-registered-file",
	[WAY_THREAD] = "ring-other-task",
	[WAY_WORKER] = "ring-worker",
	[WAY_ROUTER] = "uring_getsockopt",
	[WAY_BATCH] = "uring_query_batch",
	[WAY_SYSCALL32] = "syscall-32",
	[WAY_RING32] = "ring-32",
	[WAY_RING_BY_32] = "ring-submitted-by-32",
	[WAY_RING32_BY_64] = "ring-32-submitted-by-64",
	[WAY_WORKER32] = "ring-32-worker",
};

const char *const place_names[NUM_PLACES] = {
	[PLACE_GOOD] = "good",
	[PLACE_READONLY_START] = "readonly-start",
	[PLACE_READONLY_MIDDLE] = "readonly-middle",
	[PLACE_READONLY_END] = "readonly-end",
	[PLACE_UNMAPPED_START] = "unmapped-start",
	[PLACE_UNMAPPED_MIDDLE] = "unmapped-middle",
	[PLACE_UNMAPPED_END] = "unmapped-end",
	[PLACE_NULL] = "null",
};

struct ring {
	int fd;
	unsigned *sq_tail;
	unsigned *sq_array;
	unsigned sq_mask;
	unsigned *cq_head;
	unsigned *cq_tail;
	unsigned cq_mask;
	struct io_uring_sqe *sqes;
	struct io_uring_cqe *cqes;
};

static struct {
	unsigned ways;
	const char *no_32;

	/* the mapping for the kernel, and ours */
	uint8_t *given;
	uint8_t *seen;
	/* lengths of the system calls, and a ring's parameters, below 4 GiB */
	int *lengths;
	struct io_uring_params *params;

	int fd;
	/* for batches, or the reason why there is none */
	struct uring_socket sock;
	int no_socket;
	struct ring plain;
	struct ring defer;
	struct ring compat;

	/* WAY_THREAD: its next task */
	pthread_t thread;
	sem_t wanted;
	sem_t done;
	size_t num_wanted;
	int to_close;
	bool closed;
} me;

static void die(const char *what)
{
	printf("Bail out! %s: %s\n", what, strerror(errno));
	fflush(stdout);
	exit(1);
}

/* The registers that int 0x80 does not preserve are r8 to r11. */
long call_32(long nr, long a, long b, long c, long d, long e)
{
	long ret = -ENOSYS;

#ifdef __x86_64__
	__asm__ volatile("int $0x80"
			 : "=a"(ret)
			 : "a"(nr), "b"(a), "c"(b), "d"(c), "S"(d), "D"(e)
			 : "memory", "r8", "r9", "r10", "r11");
#endif
	return (int)ret;
}

/* Numbers of i386. */
#define NR32_GETPID 20
#define NR32_GETSOCKOPT 365
#define NR32_IO_URING_SETUP 425
#define NR32_IO_URING_ENTER 426

/* A kernel without them lets int 0x80 fault. */
static bool has_32(void)
{
	int status = -1;
	pid_t pid = fork();

	if (pid == 0) {
		/* replace the handler of a sanitizer */
		signal(SIGSEGV, SIG_DFL);
		_exit(call_32(NR32_GETPID, 0, 0, 0, 0, 0) == getpid() ? 0 : 1);
	}
	return pid > 0 && waitpid(pid, &status, 0) == pid && status == 0;
}

static int ring_create(struct ring *ring, unsigned flags, bool by_32)
{
	struct io_uring_params *p = me.params;
	uint8_t *sq = NULL;
	uint8_t *cq = NULL;
	size_t size;

	memset(p, 0, sizeof(*p));
	p->flags = flags;
	if (by_32) {
		ring->fd = call_32(
			NR32_IO_URING_SETUP, RING_ENTRIES, (long)p, 0, 0, 0);
		if (ring->fd < 0) {
			return ring->fd;
		}
	} else {
		ring->fd = syscall(SYS_io_uring_setup, RING_ENTRIES, p);
		if (ring->fd < 0) {
			return -errno;
		}
	}

	size = p->sq_off.array + p->sq_entries * sizeof(unsigned);
	sq = mmap(NULL,
		  size,
		  PROT_READ | PROT_WRITE,
		  MAP_SHARED,
		  ring->fd,
		  IORING_OFF_SQ_RING);
	size = p->cq_off.cqes + p->cq_entries * sizeof(struct io_uring_cqe);
	cq = mmap(NULL,
		  size,
		  PROT_READ | PROT_WRITE,
		  MAP_SHARED,
		  ring->fd,
		  IORING_OFF_CQ_RING);
	ring->sqes = mmap(NULL,
			  p->sq_entries * sizeof(struct io_uring_sqe),
			  PROT_READ | PROT_WRITE,
			  MAP_SHARED,
			  ring->fd,
			  IORING_OFF_SQES);
	if (sq == MAP_FAILED || cq == MAP_FAILED || ring->sqes == MAP_FAILED) {
		die("mmap of a ring");
	}
	ring->sq_tail = (unsigned *)(void *)(sq + p->sq_off.tail);
	ring->sq_array = (unsigned *)(void *)(sq + p->sq_off.array);
	ring->sq_mask = *(unsigned *)(void *)(sq + p->sq_off.ring_mask);
	ring->cq_head = (unsigned *)(void *)(cq + p->cq_off.head);
	ring->cq_tail = (unsigned *)(void *)(cq + p->cq_off.tail);
	ring->cq_mask = *(unsigned *)(void *)(cq + p->cq_off.ring_mask);
	ring->cqes = (struct io_uring_cqe *)(void *)(cq + p->cq_off.cqes);
	return 0;
}

static void ring_push(struct ring *ring,
		      const struct ask *a,
		      unsigned sqe_flags,
		      size_t user_data)
{
	unsigned tail = *ring->sq_tail;
	struct io_uring_sqe *sqe = &ring->sqes[tail & ring->sq_mask];

	/* liburing 2.3 has no names for the fields of a socket command */
	memset(sqe, 0, sizeof(*sqe));
	sqe->opcode = IORING_OP_URING_CMD;
	sqe->flags = sqe_flags;
	sqe->fd = (sqe_flags & IOSQE_FIXED_FILE) ? 0 : me.fd;
	sqe->off = CMD_GETSOCKOPT;
	sqe->addr = (uint32_t)a->level | (uint64_t)(uint32_t)a->optname << 32;
	sqe->splice_fd_in = a->length;
	sqe->addr3 = (uintptr_t)ask_buffer(a);
	sqe->user_data = user_data;
	ring->sq_array[tail & ring->sq_mask] = tail & ring->sq_mask;
	__atomic_store_n(ring->sq_tail, tail + 1, __ATOMIC_RELEASE);
}

/* Submit the pushed commands and wait for all of them. */
static void ring_enter(struct ring *ring, size_t num, bool by_32)
{
	unsigned head = *ring->cq_head;
	size_t submit = num;
	unsigned tries = 0;
	long ret;

	while (__atomic_load_n(ring->cq_tail, __ATOMIC_ACQUIRE) - head < num) {
		if (by_32) {
			ret = call_32(NR32_IO_URING_ENTER,
				      ring->fd,
				      submit,
				      num,
				      IORING_ENTER_GETEVENTS,
				      0);
		} else {
			ret = syscall(SYS_io_uring_enter,
				      ring->fd,
				      submit,
				      num,
				      IORING_ENTER_GETEVENTS,
				      NULL,
				      0);
			ret = ret < 0 ? -errno : ret;
		}
		if (ret >= 0) {
			submit -= ret;
		} else if ((ret == -EAGAIN || ret == -ENOMEM) &&
			   tries < 1000) {
			/*
			 * No memory for a request, or for a task that enters
			 * for the first time: the kernel took no command.
			 */
			tries++;
		} else if (ret != -EINTR) {
			errno = -ret;
			die("io_uring_enter");
		}
	}
}

static void ring_reap(struct ring *ring, size_t num, struct answer *out)
{
	unsigned head = *ring->cq_head;
	size_t i;

	for (i = 0; i < num; i++, head++) {
		struct io_uring_cqe *cqe = &ring->cqes[head & ring->cq_mask];

		out[cqe->user_data].result = cqe->res < 0 ? cqe->res : 0;
		out[cqe->user_data].length = cqe->res;
	}
	__atomic_store_n(ring->cq_head, head, __ATOMIC_RELEASE);
}

static void *thread_main(void *private_data)
{
	if (unshare(CLONE_FILES) != 0) {
		die("unshare(CLONE_FILES)");
	}
	for (;;) {
		while (sem_wait(&me.wanted) != 0) {
		}
		if (me.to_close != -1) {
			me.closed = close(me.to_close) == 0;
			me.to_close = -1;
		} else {
			ring_enter(&me.plain, me.num_wanted, false);
		}
		sem_post(&me.done);
	}
	return NULL;
}

static void thread_run(void)
{
	sem_post(&me.wanted);
	while (sem_wait(&me.done) != 0) {
	}
}

static void map_memory(void)
{
	const size_t size = ASK_SLOTS * SLOT_SIZE;
	int fd = memfd_create("slots", MFD_CLOEXEC);
	size_t i;

	if (fd == -1 || ftruncate(fd, size) != 0) {
		die("memfd");
	}
	me.given = mmap(NULL,
			size,
			PROT_READ | PROT_WRITE,
			MAP_SHARED | MAP_32BIT,
			fd,
			0);
	me.seen = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	me.lengths = mmap(NULL,
			  PAGE,
			  PROT_READ | PROT_WRITE,
			  MAP_PRIVATE | MAP_ANONYMOUS | MAP_32BIT,
			  -1,
			  0);
	if (me.given == MAP_FAILED || me.seen == MAP_FAILED ||
	    me.lengths == MAP_FAILED) {
		die("mmap");
	}
	close(fd);
	me.params = (struct io_uring_params *)(void *)(me.lengths + ASK_SLOTS);
	for (i = 0; i < ASK_SLOTS; i++) {
		uint8_t *slot = me.given + i * SLOT_SIZE;

		if (mprotect(slot + READONLY_PAGE * PAGE, PAGE, PROT_READ) !=
			    0 ||
		    mprotect(slot + UNMAPPED_PAGE * PAGE, PAGE, PROT_NONE) != 0)
		{
			die("mprotect");
		}
	}
}

static void register_file(struct ring *ring)
{
	int fds[1] = {-1};

	if (syscall(SYS_io_uring_register,
		    ring->fd,
		    IORING_REGISTER_FILES,
		    fds,
		    1) != 0)
	{
		die("IORING_REGISTER_FILES");
	}
}

void ask_init(bool with_worker)
{
	int ret;

	if (me.given == NULL) {
		map_memory();
		if (!has_32()) {
			me.no_32 = "no system calls of 32-bit programs "
				   "(CONFIG_IA32_EMULATION)";
		} else if (serves == SERVES_LTS && with_worker) {
			me.no_32 = "the worker of 6.12 confuses callers";
		}
	}
	me.to_close = -1;
	me.ways = WAY_BIT(WAY_SYSCALL) | WAY_BIT(WAY_ROUTER) |
		  WAY_BIT(WAY_BATCH);
	if (me.no_32 == NULL) {
		me.ways |= WAY_BIT(WAY_SYSCALL32);
	}

	ret = ring_create(&me.plain, 0, false);
	if (ret != 0) {
		errno = -ret;
		die("io_uring_setup");
	}
	register_file(&me.plain);
	me.ways |= WAY_BIT(WAY_RING) | WAY_BIT(WAY_FIXED) | WAY_BIT(WAY_THREAD);
	me.ways |= with_worker ? WAY_BIT(WAY_WORKER) : 0;
	if (ring_create(&me.defer,
			IORING_SETUP_SINGLE_ISSUER | IORING_SETUP_DEFER_TASKRUN,
			false) == 0)
	{
		me.ways |= WAY_BIT(WAY_DEFER);
	}
	if (me.no_32 == NULL) {
		ret = ring_create(&me.compat, 0, true);
		if (ret != 0) {
			errno = -ret;
			die("io_uring_setup by a 32-bit program");
		}
		me.ways |= WAYS_32;
		me.ways |= with_worker ? WAY_BIT(WAY_WORKER32) : 0;
	}

	if (sem_init(&me.wanted, 0, 0) != 0 || sem_init(&me.done, 0, 0) != 0 ||
	    pthread_create(&me.thread, NULL, thread_main, NULL) != 0)
	{
		die("a thread");
	}
}

unsigned ask_ways(void)
{
	return me.ways;
}

const char *ask_no_32(void)
{
	return me.no_32;
}

void ask_socket(int fd)
{
	struct {
		uint32_t offset;
		uint32_t resv;
		uint64_t fds;
	} update = {
		.fds = (uintptr_t)&fd,
	};

	me.fd = fd;
	me.no_socket = uring_socket_init(fd, &me.sock);
	/* a number without an open file is not registered: skip that way */
	(void)syscall(SYS_io_uring_register,
		      me.plain.fd,
		      IORING_REGISTER_FILES_UPDATE,
		      &update,
		      1);
}

/* The beginning of the buffer of a question in its slot. */
static size_t offset_of(const struct ask *a)
{
	size_t length = a->length < 0 ? 0 : a->length;
	size_t bad = READONLY_PAGE * PAGE;

	if (length > ASK_PLACED_MAX) {
		length = ASK_PLACED_MAX;
	}
	if (a->place >= PLACE_UNMAPPED_START) {
		bad = UNMAPPED_PAGE * PAGE;
	}
	switch (a->place) {
	case PLACE_READONLY_START:
	case PLACE_UNMAPPED_START:
		return bad + PAGE - (length + 3) / 4;
	case PLACE_READONLY_MIDDLE:
	case PLACE_UNMAPPED_MIDDLE:
		return bad - length / 2;
	case PLACE_READONLY_END:
	case PLACE_UNMAPPED_END:
		return bad - (length > 0 ? length - 1 : 0);
	default:
		return ASK_CANARY + a->misaligned;
	}
}

uint8_t *ask_buffer(const struct ask *a)
{
	if (a->place == PLACE_NULL) {
		return NULL;
	}
	return me.given + a->slot * SLOT_SIZE + offset_of(a);
}

uint8_t *ask_memory(const struct ask *a, size_t *size)
{
	size_t length = a->length < 0 ? 0 : a->length;
	size_t begin = offset_of(a) - ASK_CANARY;
	size_t end = GOOD_PAGES * PAGE;

	if (a->place == PLACE_NULL) {
		*size = 0;
		return me.seen + a->slot * SLOT_SIZE;
	}
	if (a->place != PLACE_GOOD) {
		end = SLOT_SIZE;
	}
	if (length > ASK_LENGTH_MAX) {
		/* longer than the slot: the kernel writes at the beginning */
		length = ASK_PLACED_MAX;
	}
	*size = ASK_CANARY + length + ASK_BEHIND;
	if (begin + *size > end) {
		*size = end - begin;
	}
	return me.seen + a->slot * SLOT_SIZE + begin;
}

static void ask_fill(const struct ask *a)
{
	size_t size;
	uint8_t *memory = ask_memory(a, &size);
	size_t input = a->input_size;

	if (size == 0) {
		return;
	}
	memset(memory, a->fill, size);
	if (a->length >= 0 && input > (size_t)a->length) {
		input = a->length;
	}
	if (input > 0) {
		memcpy(memory + ASK_CANARY, a->input, input);
	}
}

static void ask_syscall(bool by_32, const struct ask *a, struct answer *out)
{
	int *length = &me.lengths[a->slot];
	int ret;

	*length = a->length;
	if (by_32) {
		ret = call_32(NR32_GETSOCKOPT,
			      me.fd,
			      a->level,
			      a->optname,
			      (long)ask_buffer(a),
			      (long)length);
	} else {
		ret = syscall(SYS_getsockopt,
			      me.fd,
			      a->level,
			      a->optname,
			      ask_buffer(a),
			      length);
		ret = ret < 0 ? -errno : 0;
	}
	out->result = ret;
	out->length = *length;
}

static void ask_router(const struct ask *a, struct answer *out)
{
	socklen_t length = a->length;
	int ret;

	ret = uring_getsockopt(me.fd,
			       a->level,
			       a->optname,
			       ask_buffer(a),
			       &length,
			       &out->reason);
	out->result = ret == 0 ? 0 : -errno;
	out->length = length;
}

static void ask_batch(const struct ask *asks, size_t num, struct answer *out)
{
	struct uring_query queries[ASK_SLOTS];
	size_t i;

	for (i = 0; i < num && me.no_socket != 0; i++) {
		out[i].result = -me.no_socket;
		out[i].length = asks[i].length;
		out[i].reason = URING_REASON_SHAPE;
	}
	if (me.no_socket != 0) {
		return;
	}
	for (i = 0; i < num; i++) {
		queries[i] = (struct uring_query){
			.type = URING_QUERY_GETSOCKOPT,
			.level = asks[i].level,
			.optname = asks[i].optname,
			.optval = ask_buffer(&asks[i]),
			.optlen = asks[i].length,
		};
	}
	uring_query_batch(&me.sock, queries, num);
	for (i = 0; i < num; i++) {
		out[i].result = -queries[i].error;
		out[i].length = queries[i].optlen;
		out[i].reason = queries[i].reason;
	}
}

static void ask_ring(struct ring *ring,
		     unsigned sqe_flags,
		     enum way way,
		     const struct ask *asks,
		     size_t num,
		     struct answer *out)
{
	size_t i;

	for (i = 0; i < num; i++) {
		ring_push(ring, &asks[i], sqe_flags, i);
	}
	if (way == WAY_THREAD) {
		me.num_wanted = num;
		thread_run();
	} else {
		ring_enter(ring,
			   num,
			   way == WAY_RING32 || way == WAY_RING_BY_32 ||
				   way == WAY_WORKER32);
	}
	ring_reap(ring, num, out);
}

void ask(enum way way, const struct ask *asks, size_t num, struct answer *out)
{
	size_t i;

	for (i = 0; i < num; i++) {
		ask_fill(&asks[i]);
	}
	switch (way) {
	case WAY_SYSCALL:
	case WAY_SYSCALL32:
		for (i = 0; i < num; i++) {
			ask_syscall(way == WAY_SYSCALL32, &asks[i], &out[i]);
		}
		return;
	case WAY_ROUTER:
		for (i = 0; i < num; i++) {
			ask_router(&asks[i], &out[i]);
		}
		return;
	case WAY_BATCH:
		ask_batch(asks, num, out);
		return;
	case WAY_RING:
	case WAY_RING_BY_32:
		ask_ring(&me.plain, 0, way, asks, num, out);
		return;
	case WAY_DEFER:
		ask_ring(&me.defer, 0, way, asks, num, out);
		return;
	case WAY_FIXED:
	case WAY_THREAD:
		ask_ring(&me.plain, IOSQE_FIXED_FILE, way, asks, num, out);
		return;
	case WAY_WORKER:
		ask_ring(&me.plain, IOSQE_ASYNC, way, asks, num, out);
		return;
	case WAY_RING32:
	case WAY_RING32_BY_64:
		ask_ring(&me.compat, 0, way, asks, num, out);
		return;
	case WAY_WORKER32:
		ask_ring(&me.compat, IOSQE_ASYNC, way, asks, num, out);
		return;
	}
}

bool ask_close(enum way way, int fd)
{
	if (way == WAY_THREAD) {
		me.to_close = fd;
		thread_run();
		return me.closed;
	}
	return close(fd) == 0;
}
