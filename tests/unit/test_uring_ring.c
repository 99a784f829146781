/* SPDX-License-Identifier: LGPL-3.0-or-later */
/*
 * Description: the ring accepts socket commands only, and gives back every
 * command after a failure at the liburing boundary.
 */

#include "config.h"

#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <setjmp.h>
#include <stdint.h>
#include <string.h>
#include <unistd.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <netinet/in.h>
#include <linux/sockios.h>
#include <liburing.h>
#include <cmocka.h>

#include "uring_explain.h"
#include "uring_ring.h"
#include "kernel.h"
#include "util/macros.h"
#include "wrapped.h"

#define MAX_OPS 80

/* The faults of the wrapped liburing functions; all zero: none. */
static struct {
	int init_errors[4];
	unsigned inits;
	unsigned init_flags[4];
	bool small_ring;
	int register_error[2];
	unsigned registers;
	int dontfork_error;
	int submit_error;
	unsigned submit_errors;
	uint8_t opcode;
	bool swallow;
	int wait_error;
	void (*after_submit)(void);
} fault;


int __wrap_io_uring_queue_init_params(unsigned entries,
				      struct io_uring *ring,
				      struct io_uring_params *p)
{
	unsigned i = fault.inits;

	fault.inits++;
	if (i < 4) {
		fault.init_flags[i] = p->flags;
		if (fault.init_errors[i] != 0) {
			return fault.init_errors[i];
		}
	}
	if (fault.small_ring) {
		entries = 4;
		p->flags |= IORING_SETUP_CQSIZE;
		p->cq_entries = 4;
	}
	return __real_io_uring_queue_init_params(entries, ring, p);
}

int __wrap_io_uring_register(unsigned fd,
			     unsigned opcode,
			     const void *arg,
			     unsigned nr_args)
{
	unsigned i = fault.registers;

	fault.registers++;
	if (i < 2 && fault.register_error[i] != 0) {
		return fault.register_error[i];
	}
	return __real_io_uring_register(fd, opcode, arg, nr_args);
}

int __wrap_io_uring_ring_dontfork(struct io_uring *ring)
{
	if (fault.dontfork_error != 0) {
		return fault.dontfork_error;
	}
	return __real_io_uring_ring_dontfork(ring);
}

int __wrap_io_uring_submit(struct io_uring *ring)
{
	int ret;

	if (fault.submit_errors > 0) {
		fault.submit_errors--;
		return fault.submit_error;
	}
	if (fault.opcode != 0) {
		unsigned tail = ring->sq.sqe_tail - 1;

		ring->sq.sqes[tail & *ring->sq.kring_mask]
			.opcode = fault.opcode;
	}
	ret = __real_io_uring_submit(ring);
	if (fault.swallow) {
		io_uring_cq_advance(ring, io_uring_cq_ready(ring));
	}
	if (fault.after_submit != NULL) {
		void (*fn)(void) = fault.after_submit;

		fault.after_submit = NULL;
		fn();
	}
	return ret;
}

int __wrap_io_uring_enter2(unsigned fd,
			   unsigned to_submit,
			   unsigned min_complete,
			   unsigned flags,
			   sigset_t *arg,
			   size_t size)
{
	if (fault.wait_error != 0) {
		return fault.wait_error;
	}
	return __real_io_uring_enter2(
		fd, to_submit, min_complete, flags, arg, size);
}

struct test_op {
	struct uring_op op;
	int value;
	int res;
	int calls;
	bool lost;
};

static struct test_op ops[MAX_OPS];
static struct uring_ring *ring;
static int fd;

static void op_done(struct uring_op *op, int res, bool lost)
{
	struct test_op *t = (struct test_op *)(void *)op;

	t->res = res;
	t->lost = lost;
	t->calls++;
}

static int ask(struct test_op *t)
{
	t->op.done = op_done;
	return uring_ring_getsockopt(ring,
				     &t->op,
				     fd,
				     SOL_SOCKET,
				     SO_TYPE,
				     &t->value,
				     sizeof(t->value));
}

static int setup(void **state)
{
	memset(&fault, 0, sizeof(fault));
	memset(ops, 0, sizeof(ops));
	ring = NULL;
	fd = socket(AF_INET, SOCK_STREAM, 0);
	return fd == -1;
}

static int teardown(void **state)
{
	talloc_free(ring);
	return close(fd);
}

static void assert_answered(const struct test_op *t)
{
	assert_int_equal(t->calls, 1);
	assert_false(t->lost);
	if (!kernel_has_ring_getsockopt()) {
		assert_int_equal(t->res, -EOPNOTSUPP);
		return;
	}
	assert_int_equal(t->res, sizeof(int));
	assert_int_equal(t->value, SOCK_STREAM);
}

static void assert_lost(const struct test_op *t)
{
	assert_int_equal(t->calls, 1);
	assert_true(t->lost);
	assert_int_equal(t->res, -ECANCELED);
}

static void test_answers(void **state)
{
	int pair[2];
	struct test_op *inq = &ops[1];
	struct test_op *outq = &ops[2];

	assert_int_equal(uring_ring_create(NULL, &ring), 0);
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, pair), 0);
	assert_int_equal(ask(&ops[0]), 0);
	inq->op.done = op_done;
	outq->op.done = op_done;
	assert_int_equal(uring_ring_ioctl(ring, &inq->op, fd, SIOCINQ), 0);
	assert_int_equal(uring_ring_ioctl(ring, &outq->op, pair[0], SIOCOUTQ),
			 0);

	assert_int_equal(uring_ring_run(ring), 0);
	assert_answered(&ops[0]);
	/* the socket commands came one by one */
	assert_true(inq->res == 0 ||
		    (inq->res == -EOPNOTSUPP && !kernel_has_ring_getsockopt()));
	/* AF_UNIX has no such command */
	assert_int_equal(outq->res, -EOPNOTSUPP);
	/* three commands, one system call */
	assert_int_equal(uring_ring_enters(ring), 1);
	close(pair[0]);
	close(pair[1]);
}

static void test_full_queue(void **state)
{
	int i;
	int ret = 0;

	assert_int_equal(uring_ring_create(NULL, &ring), 0);
	for (i = 0; i < MAX_OPS; i++) {
		ret = ask(&ops[i]);
		if (ret != 0) {
			break;
		}
	}
	assert_int_equal(ret, ENOBUFS);
	assert_int_equal(i, 64);
	assert_int_equal(uring_ring_run(ring), 0);
	assert_int_equal(ask(&ops[i]), 0);
	assert_int_equal(uring_ring_run(ring), 0);
	for (; i >= 0; i--) {
		assert_answered(&ops[i]);
	}
}

/* The restriction refuses all other operations. */
static void test_only_socket_commands(void **state)
{
	const uint8_t refused[] = {
		IORING_OP_OPENAT,
		IORING_OP_READ,
		IORING_OP_WRITE,
		IORING_OP_UNLINKAT,
		IORING_OP_FSETXATTR,
		IORING_OP_SEND,
		IORING_OP_RECVMSG,
		IORING_OP_CLOSE,
		IORING_OP_POLL_ADD,
	};
	size_t i;

	assert_int_equal(uring_ring_create(NULL, &ring), 0);
	for (i = 0; i < sizeof(refused); i++) {
		fault.opcode = refused[i];
		assert_int_equal(ask(&ops[i]), 0);
		assert_int_equal(uring_ring_run(ring), 0);
		assert_int_equal(ops[i].res, -EACCES);
	}
	fault.opcode = 0;
	assert_int_equal(ask(&ops[i]), 0);
	assert_int_equal(uring_ring_run(ring), 0);
	assert_answered(&ops[i]);
}

/* After -EINVAL the library tries fewer flags; other errors are final. */
static void test_setup_ladder(void **state)
{
	fault.init_errors[0] = -EINVAL;
	fault.init_errors[1] = -EINVAL;
	assert_int_equal(uring_ring_create(NULL, &ring), 0);
	assert_int_equal(fault.inits, 3);
	assert_int_equal(fault.init_flags[2], IORING_SETUP_R_DISABLED);
	assert_int_equal(uring_ring_setup_flags(ring) &
				 IORING_SETUP_DEFER_TASKRUN,
			 0);
	assert_int_equal(ask(&ops[0]), 0);
	assert_int_equal(uring_ring_run(ring), 0);
	assert_answered(&ops[0]);
}

static void test_setup_errors(void **state)
{
	const int errors[] = {ENOSYS, EPERM, ENOMEM, EMFILE};
	char text[256];
	size_t i;

	for (i = 0; i < ARRAY_SIZE(errors); i++) {
		memset(&fault, 0, sizeof(fault));
		fault.init_errors[0] = -errors[i];
		assert_int_equal(uring_ring_create(NULL, &ring), errors[i]);
		assert_int_equal(fault.inits, 1);
		assert_null(ring);
		uring_ring_explain(errors[i], text, sizeof(text));
		assert_non_null(strstr(text, strerrorname_np(errors[i])));
		assert_non_null(strstr(text, "; "));
	}

	memset(&fault, 0, sizeof(fault));
	fault.init_errors[0] = -EINVAL;
	fault.init_errors[1] = -EINVAL;
	fault.init_errors[2] = -EINVAL;
	assert_int_equal(uring_ring_create(NULL, &ring), EINVAL);

	memset(&fault, 0, sizeof(fault));
	fault.register_error[0] = -EACCES;
	assert_int_equal(uring_ring_create(NULL, &ring), EACCES);

	memset(&fault, 0, sizeof(fault));
	fault.register_error[1] = -EBADFD;
	assert_int_equal(uring_ring_create(NULL, &ring), EBADFD);

	memset(&fault, 0, sizeof(fault));
	fault.dontfork_error = -ENOMEM;
	assert_int_equal(uring_ring_create(NULL, &ring), ENOMEM);
}

static unsigned count_fds(void)
{
	unsigned n = 0;
	int i;

	for (i = 0; i < 1024; i++) {
		n += fcntl(i, F_GETFD) != -1;
	}
	return n;
}

/* More rings than a thread has slots for registered ones. */
static void test_many_rings(void **state)
{
	TALLOC_CTX *mem_ctx = talloc_new(NULL);
	struct uring_ring *rings[40];
	unsigned before = count_fds();
	size_t round;
	size_t i;

	for (round = 0; round < 3; round++) {
		for (i = 0; i < 40; i++) {
			assert_int_equal(uring_ring_create(mem_ctx, &rings[i]),
					 0);
			ring = rings[i];
			memset(&ops[0], 0, sizeof(ops[0]));
			assert_int_equal(ask(&ops[0]), 0);
			assert_int_equal(uring_ring_run(ring), 0);
			assert_answered(&ops[0]);
		}
		talloc_free_children(mem_ctx);
		assert_int_equal(count_fds(), before);
	}
	ring = NULL;
	talloc_free(mem_ctx);
}

static void test_transient_submit_error(void **state)
{
	assert_int_equal(uring_ring_create(NULL, &ring), 0);
	fault.submit_error = -EAGAIN;
	fault.submit_errors = 3;
	assert_int_equal(ask(&ops[0]), 0);
	assert_int_equal(uring_ring_run(ring), 0);
	assert_answered(&ops[0]);
}

static void test_death_at_submit(void **state)
{
	const int errors[] = {EAGAIN, EBADF, EEXIST, ENOMEM};
	size_t i;
	size_t j;

	for (i = 0; i < ARRAY_SIZE(errors); i++) {
		memset(ops, 0, sizeof(ops));
		assert_int_equal(uring_ring_create(NULL, &ring), 0);
		for (j = 0; j < 10; j++) {
			assert_int_equal(ask(&ops[j]), 0);
		}
		fault.submit_error = -errors[i];
		fault.submit_errors = 100;
		assert_int_equal(uring_ring_run(ring), errors[i]);
		for (j = 0; j < 10; j++) {
			assert_lost(&ops[j]);
		}
		assert_false(uring_ring_usable(ring));
		assert_int_equal(uring_ring_errno(ring), errors[i]);
		fault.submit_errors = 0;
		TALLOC_FREE(ring);
	}
}

/* A command whose completion never comes: the bug of Linux 6.7 to 6.10. */
static void test_death_while_waiting(void **state)
{
	assert_int_equal(uring_ring_create(NULL, &ring), 0);
	fault.swallow = true;
	fault.wait_error = -ETIME;
	assert_int_equal(ask(&ops[0]), 0);
	assert_int_equal(uring_ring_run(ring), ETIME);
	assert_lost(&ops[0]);
	assert_false(uring_ring_usable(ring));
}

static void ask_four_more(void)
{
	int i;

	for (i = 4; i < 8; i++) {
		assert_int_equal(ask(&ops[i]), 0);
	}
	io_uring_submit((struct io_uring *)(void *)ring);
}

/* The kernel keeps overflowing completions until the ring fetches them. */
static void test_completion_queue_overflow(void **state)
{
	int i;

	fault.small_ring = true;
	assert_int_equal(uring_ring_create(NULL, &ring), 0);
	for (i = 0; i < 4; i++) {
		assert_int_equal(ask(&ops[i]), 0);
	}
	assert_int_equal(ask(&ops[i]), ENOBUFS);
	/* submit again before the ring reaps a completion */
	fault.after_submit = ask_four_more;
	assert_int_equal(uring_ring_run(ring), 0);
	for (i = 0; i < 8; i++) {
		assert_answered(&ops[i]);
	}
}

static void test_fork(void **state)
{
	pid_t pid;
	int status = -1;

	assert_int_equal(uring_ring_create(NULL, &ring), 0);
	assert_int_equal(ask(&ops[0]), 0);

	pid = fork();
	if (pid == 0) {
		bool usable = uring_ring_usable(ring);
		unsigned fds = count_fds();

		talloc_free(ring);
		/* the descriptor is closed, the parent's queue untouched */
		_exit(usable ? 1 : count_fds() == fds - 1 ? 0 : 2);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);

	assert_true(uring_ring_usable(ring));
	assert_int_equal(uring_ring_run(ring), 0);
	assert_answered(&ops[0]);
}

int main(void)
{
#define RING_TEST(_test) cmocka_unit_test_setup_teardown(_test, setup, teardown)
	const struct CMUnitTest tests[] = {
		RING_TEST(test_answers),
		RING_TEST(test_full_queue),
		RING_TEST(test_only_socket_commands),
		RING_TEST(test_setup_ladder),
		RING_TEST(test_setup_errors),
		RING_TEST(test_many_rings),
		RING_TEST(test_transient_submit_error),
		RING_TEST(test_death_at_submit),
		RING_TEST(test_death_while_waiting),
		RING_TEST(test_completion_queue_overflow),
		RING_TEST(test_fork),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
