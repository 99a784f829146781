/* SPDX-License-Identifier: LGPL-3.0-or-later */
/*
 * One io_uring that carries socket commands and nothing else.
 *
 * smbd changes its effective user between requests, and a ring acts with
 * the credentials of whoever submits: so the ring is created disabled, is
 * restricted to IORING_OP_URING_CMD and IORING_OP_EPOLL_WAIT without any SQE
 * flag, and only then enabled.  No file operation can ever pass, whatever a bug
 * above us does. IOSQE_ASYNC and links stay out as well: before 2554b855a2f8
 * (Linux 6.11) a socket command that ran on a worker thread lost its result,
 * and its submitter waited forever.
 *
 * Socket commands complete inline, while io_uring_enter() submits them.
 * uring_ring_run() is built on that: it submits, reaps and returns with
 * nothing in flight.  Two exceptions are handled, neither is expected: a
 * command that answers -EAGAIN (a BPF program can) is moved to a worker by
 * the kernel and waited for; a ring that reports an error is dead from then
 * on, and what it had not answered is given back to its owners.
 *
 * The one command that waits is IORING_OP_EPOLL_WAIT, one at a time, armed
 * by uring_ring_epoll_wait() and never reaped for anybody else: an event
 * that turns up in another call is dropped, since what it says may be over
 * by the time that somebody could act on it.  Level-triggered epoll reports
 * it again if it is not.
 *
 * Decided against: SQPOLL (a thread with the creator's credentials, and
 * slower here: 0.74 of the system call at a batch of 32), and one ring for
 * several threads (IORING_SETUP_DEFER_TASKRUN wants a single issuer).
 *
 * A ring does not survive fork: its mappings are not copied
 * (MADV_DONTFORK), and the child only closes the descriptor.
 */

#include "config.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <linux/sockios.h>
#include <liburing.h>
#include <tevent.h>

#include "uring_ring.h"
#include "util/clock.h"
#include "util/dlinklist.h"
#include "util/macros.h"

/*
 * Commands that one io_uring_enter() can submit.  A transport snapshot has
 * 12; 64 leave room for five of them in one enter, and keep the SQEs in one
 * page.
 */
#define URING_RING_ENTRIES 64

/* How often a submission that made no progress is repeated. */
#define URING_RING_RETRIES 3

/* The sub-operations: include/uapi/linux/io_uring.h, Linux 6.5 and 6.7. */
#define URING_CMD_SIOCINQ 0
#define URING_CMD_SIOCOUTQ 1
#define URING_CMD_GETSOCKOPT 2

/* include/uapi/linux/io_uring.h, Linux 6.15; liburing has them since 2.10. */
#define URING_OP_EPOLL_WAIT 59
#define URING_FEAT_NO_IOWAIT (1U << 17)
#define URING_ENTER_NO_IOWAIT (1U << 7)

struct uring_ring {
	struct io_uring ring;

	/* the process that may use it */
	pid_t pid;

	/* the errno it died of */
	int error;

	/* submitted or queued, done() not yet called */
	struct uring_op *ops;
	size_t num_ops;

	size_t enters;

	struct {
		/* the kernel has the operation */
		bool possible;
		/* in flight: the kernel writes to event and completes it */
		bool armed;
		/* completed since somebody looked: what epoll_wait() returns */
		bool completed;
		int res;
		/*
		 * Only the enters of this thread harvest events
		 * (IORING_SETUP_DEFER_TASKRUN); a ring that is closed
		 * cancels.  So the memory may go with the ring.
		 */
		struct epoll_event event;
	} wait;
};

/*
 * The best set of flags first; -EINVAL peels to the next.
 * DEFER_TASKRUN is of Linux 6.1, COOP_TASKRUN of 5.19, SUBMIT_ALL of 5.18.
 */
static const unsigned setup_flags[] = {
	IORING_SETUP_R_DISABLED | IORING_SETUP_SUBMIT_ALL |
		IORING_SETUP_SINGLE_ISSUER | IORING_SETUP_DEFER_TASKRUN,
	IORING_SETUP_R_DISABLED | IORING_SETUP_SUBMIT_ALL |
		IORING_SETUP_COOP_TASKRUN,
	IORING_SETUP_R_DISABLED,
};

static void uring_ring_close(struct uring_ring *ring)
{
	if (ring->ring.ring_fd == -1) {
		return;
	}

	if (ring->pid == tevent_cached_getpid()) {
		io_uring_queue_exit(&ring->ring);
	} else {
		close(ring->ring.ring_fd);
	}
	ring->ring.ring_fd = -1;
}

static void uring_ring_remove(struct uring_ring *ring, struct uring_op *op)
{
	DLIST_REMOVE(ring->ops, op);
	ring->num_ops--;
}

/* The one place where a ring dies. */
static int uring_ring_die(struct uring_ring *ring, int error)
{
	ring->error = error;
	uring_ring_close(ring);

	while (ring->ops != NULL) {
		struct uring_op *op = ring->ops;

		uring_ring_remove(ring, op);
		op->done(op, -ECANCELED, true);
	}
	return error;
}

static int uring_ring_destructor(struct uring_ring *ring)
{
	uring_ring_close(ring);
	return 0;
}

static int uring_ring_restrict(struct uring_ring *ring)
{
	/*
	 * Unregistering the ring's own descriptor is what liburing does at
	 * the end; refused, the slot would keep the ring alive until the
	 * thread exits.
	 */
	struct io_uring_restriction allowed[] = {
		{
			.opcode = IORING_RESTRICTION_SQE_OP,
			.sqe_op = IORING_OP_URING_CMD,
		},
		{
			.opcode = IORING_RESTRICTION_REGISTER_OP,
			.register_op = IORING_UNREGISTER_RING_FDS,
		},
		{
			.opcode = IORING_RESTRICTION_SQE_OP,
			.sqe_op = URING_OP_EPOLL_WAIT,
		},
	};
	unsigned num_allowed = ARRAY_SIZE(allowed);
	int ret;

	/*
	 * A thread has 16 slots for registered rings; without one each
	 * enter looks the descriptor up, and all else is the same.
	 */
	(void)io_uring_register_ring_fd(&ring->ring);

	/*
	 * io_uring_register_restrictions() and io_uring_enable_rings() are
	 * in liburing 2.3's header, but its library does not export them.
	 */
	ring->wait.possible = (ring->ring.flags & IORING_SETUP_DEFER_TASKRUN) !=
			      0;
	ret = -EINVAL;
	if (ring->wait.possible) {
		ret = io_uring_register(ring->ring.ring_fd,
					IORING_REGISTER_RESTRICTIONS,
					allowed,
					num_allowed);
	}
	if (ret == -EINVAL) {
		/* an operation that the kernel does not know is refused */
		ring->wait.possible = false;
		ret = io_uring_register(ring->ring.ring_fd,
					IORING_REGISTER_RESTRICTIONS,
					allowed,
					num_allowed - 1);
	}
	if (ret < 0) {
		return -ret;
	}

	ret = io_uring_register(ring->ring.ring_fd,
				IORING_REGISTER_ENABLE_RINGS,
				NULL,
				0);
	if (ret < 0) {
		return -ret;
	}
	return 0;
}

/* All three system calls of a ring, by a process that may die of them. */
static void __attribute__((noreturn)) uring_ring_trial(void)
{
	const struct rlimit no_core = {};
	struct io_uring_params params = {
		.flags = IORING_SETUP_R_DISABLED,
	};
	long fd;

	(void)setrlimit(RLIMIT_CORE, &no_core);
	(void)prctl(PR_SET_DUMPABLE, 0, 0, 0, 0);
	(void)signal(SIGSYS, SIG_DFL);

	fd = syscall(SYS_io_uring_setup, 1, &params);
	(void)syscall(SYS_io_uring_register,
		      fd,
		      IORING_REGISTER_ENABLE_RINGS,
		      NULL,
		      0);
	(void)syscall(SYS_io_uring_enter, fd, 0, 0, 0, NULL, 0);
	(void)syscall(SYS_exit_group, 0);
	__builtin_unreachable();
}

static int uring_ring_verdict;

/*
 * A child without an exit signal: the program's handler of SIGCHLD, and who
 * waits for any child, does not see it.  It is not fork(): handlers of
 * pthread_atfork() do not run, and the child makes system calls only.
 */
static void uring_ring_try_once(void)
{
	int status = 0;
	pid_t pid;
	pid_t waited;

	pid = (pid_t)syscall(SYS_clone, 0UL, NULL, NULL, NULL, 0UL);
	if (pid == 0) {
		uring_ring_trial();
	}
	if (pid == -1) {
		uring_ring_verdict = errno;
		return;
	}
	do {
		waited = waitpid(pid, &status, __WALL);
	} while (waited == -1 && errno == EINTR);
	if (waited == -1) {
		uring_ring_verdict = errno;
	} else if (WIFSIGNALED(status)) {
		uring_ring_verdict = URING_RING_KILLED;
	}
}

int uring_ring_try(void)
{
	static pthread_once_t once = PTHREAD_ONCE_INIT;

	(void)pthread_once(&once, uring_ring_try_once);
	return uring_ring_verdict;
}

int uring_ring_create(TALLOC_CTX *mem_ctx, struct uring_ring **_ring)
{
	struct uring_ring *ring = NULL;
	size_t i;
	int ret;

	ret = uring_ring_try();
	if (ret != 0) {
		return ret;
	}

	ring = talloc_zero(mem_ctx, struct uring_ring);
	if (ring == NULL) {
		return ENOMEM;
	}
	ring->pid = tevent_cached_getpid();

	for (i = 0; i < ARRAY_SIZE(setup_flags); i++) {
		struct io_uring_params params = {
			.flags = setup_flags[i],
		};

		ret = io_uring_queue_init_params(URING_RING_ENTRIES,
						 &ring->ring,
						 &params);
		if (ret != -EINVAL) {
			break;
		}
	}
	if (ret < 0) {
		ring->ring.ring_fd = -1;
		talloc_free(ring);
		return -ret;
	}
	talloc_set_destructor(ring, uring_ring_destructor);

	/*
	 * Waiting with a time limit without it (before Linux 5.11) takes a
	 * timeout operation, which is not on the allow-list; such a kernel
	 * has no socket commands either.
	 */
	if (!(ring->ring.features & IORING_FEAT_EXT_ARG)) {
		talloc_free(ring);
		return EOPNOTSUPP;
	}

	ret = io_uring_ring_dontfork(&ring->ring);
	if (ret < 0) {
		talloc_free(ring);
		return -ret;
	}

	ret = uring_ring_restrict(ring);
	if (ret != 0) {
		talloc_free(ring);
		return ret;
	}

	*_ring = ring;
	return 0;
}

bool uring_ring_usable(const struct uring_ring *ring)
{
	return ring->error == 0 && ring->pid == tevent_cached_getpid();
}

int uring_ring_errno(const struct uring_ring *ring)
{
	return ring->error;
}

unsigned uring_ring_setup_flags(const struct uring_ring *ring)
{
	return ring->ring.flags;
}

size_t uring_ring_enters(const struct uring_ring *ring)
{
	return ring->enters;
}

#ifdef HAVE_IO_URING_PREP_CMD_SOCK

static void uring_prep_cmd_sock(struct io_uring_sqe *sqe,
				int cmd,
				int fd,
				int level,
				int optname,
				void *optval,
				int optlen)
{
	io_uring_prep_cmd_sock(sqe, cmd, fd, level, optname, optval, optlen);
}

#else

/*
 * liburing before 2.6 knows nothing of socket options.  This is struct
 * io_uring_sqe as include/uapi/linux/io_uring.h has it since Linux 6.7.
 */
struct __attribute__((may_alias)) uring_sqe_sock {
	uint8_t opcode;
	uint8_t flags;
	uint16_t ioprio;
	int32_t fd;
	uint32_t cmd_op;
	uint32_t pad1;
	uint32_t level;
	uint32_t optname;
	uint32_t len;
	uint32_t uring_cmd_flags;
	uint64_t user_data;
	uint16_t buf_index;
	uint16_t personality;
	uint32_t optlen;
	uint64_t optval;
	uint64_t pad2;
};

#define URING_SQE_SAME(a, b)                                     \
	_Static_assert(offsetof(struct uring_sqe_sock, a) ==     \
			       offsetof(struct io_uring_sqe, b), \
		       "the kernel's layout is fixed")
URING_SQE_SAME(fd, fd);
URING_SQE_SAME(cmd_op, off);
URING_SQE_SAME(level, addr);
URING_SQE_SAME(len, len);
URING_SQE_SAME(uring_cmd_flags, rw_flags);
URING_SQE_SAME(user_data, user_data);
URING_SQE_SAME(optlen, splice_fd_in);
URING_SQE_SAME(optval, addr3);
_Static_assert(sizeof(struct uring_sqe_sock) == sizeof(struct io_uring_sqe),
	       "the kernel's layout is fixed");

static void uring_prep_cmd_sock(struct io_uring_sqe *sqe,
				int cmd,
				int fd,
				int level,
				int optname,
				void *optval,
				int optlen)
{
	struct uring_sqe_sock *sock = (struct uring_sqe_sock *)sqe;

	memset(sock, 0, sizeof(*sock));
	sock->opcode = IORING_OP_URING_CMD;
	sock->fd = fd;
	sock->cmd_op = cmd;
	sock->level = level;
	sock->optname = optname;
	sock->optlen = optlen;
	sock->optval = (uintptr_t)optval;
}

#endif /* HAVE_IO_URING_PREP_CMD_SOCK */

static int uring_ring_queue(struct uring_ring *ring,
			    struct uring_op *op,
			    int cmd,
			    int fd,
			    int level,
			    int optname,
			    void *optval,
			    int optlen)
{
	struct io_uring_sqe *sqe = NULL;

	sqe = io_uring_get_sqe(&ring->ring);
	if (sqe == NULL) {
		return ENOBUFS;
	}
	uring_prep_cmd_sock(sqe, cmd, fd, level, optname, optval, optlen);
	io_uring_sqe_set_data(sqe, op);

	DLIST_ADD(ring->ops, op);
	ring->num_ops++;
	return 0;
}

int uring_ring_getsockopt(struct uring_ring *ring,
			  struct uring_op *op,
			  int fd,
			  int level,
			  int optname,
			  void *optval,
			  int optlen)
{
	return uring_ring_queue(ring,
				op,
				URING_CMD_GETSOCKOPT,
				fd,
				level,
				optname,
				optval,
				optlen);
}

int uring_ring_ioctl(struct uring_ring *ring,
		     struct uring_op *op,
		     int fd,
		     unsigned long request)
{
	int cmd = URING_CMD_SIOCOUTQ;

	if (request == SIOCINQ) {
		cmd = URING_CMD_SIOCINQ;
	}
	return uring_ring_queue(ring, op, cmd, fd, 0, 0, NULL, 0);
}

static void uring_ring_reap(struct uring_ring *ring)
{
	struct io_uring_cqe *cqe = NULL;

	if (io_uring_cq_has_overflow(&ring->ring)) {
		(void)io_uring_get_events(&ring->ring);
	}

	while (io_uring_peek_cqe(&ring->ring, &cqe) == 0) {
		struct uring_op *op = io_uring_cqe_get_data(cqe);
		int res = cqe->res;

		io_uring_cqe_seen(&ring->ring, cqe);
		if (op == NULL) {
			ring->wait.armed = false;
			ring->wait.completed = true;
			ring->wait.res = res;
			continue;
		}
		uring_ring_remove(ring, op);
		op->done(op, res, false);
	}
}

/*
 * io_uring_enter(2) by hand.  liburing cannot pass IORING_ENTER_NO_IOWAIT
 * before 2.10, and without it an idle wait counts as iowait and as I/O
 * pressure.
 *
 * @return the commands that were submitted, or what ended the wait: 0, or a
 *         negative errno, among them -ETIME
 */
static int uring_ring_enter(struct uring_ring *ring,
			    unsigned min_complete,
			    struct __kernel_timespec *limit)
{
	struct io_uring_getevents_arg arg = {
		.sigmask_sz = _NSIG / 8,
		.ts = (uintptr_t)limit,
	};
	struct io_uring_sq *sq = &ring->ring.sq;
	unsigned flags = IORING_ENTER_GETEVENTS | IORING_ENTER_EXT_ARG;
	unsigned mask = *sq->kring_mask;
	unsigned submit = io_uring_sq_ready(&ring->ring);
	int ret;

	for (; sq->sqe_head != sq->sqe_tail; sq->sqe_head++) {
		/* without IORING_SETUP_NO_SQARRAY */
		if (sq->array != NULL) {
			sq->array[sq->sqe_head & mask] = sq->sqe_head & mask;
		}
	}
	io_uring_smp_store_release(sq->ktail, sq->sqe_tail);

	if (ring->ring.enter_ring_fd != ring->ring.ring_fd) {
		flags |= IORING_ENTER_REGISTERED_RING;
	}
	if (ring->ring.features & URING_FEAT_NO_IOWAIT) {
		flags |= URING_ENTER_NO_IOWAIT;
	}
	ret = io_uring_enter2(ring->ring.enter_ring_fd,
			      submit,
			      min_complete,
			      flags,
			      (sigset_t *)&arg,
			      sizeof(arg));
	return ret;
}

int uring_ring_run(struct uring_ring *ring)
{
	unsigned retries = 0;

	while (ring->ops != NULL) {
		struct __kernel_timespec limit = {
			.tv_sec = 1,
		};
		int ret;

		if (io_uring_sq_ready(&ring->ring) > 0) {
			ring->enters++;
			ret = io_uring_submit(&ring->ring);
			uring_ring_reap(ring);
			if (ret > 0) {
				continue;
			}
			/*
			 * Nothing was taken: -EAGAIN is want of memory,
			 * -EBUSY a completion queue that overflowed.
			 */
			retries++;
			if (retries > URING_RING_RETRIES ||
			    (ret != -EAGAIN && ret != -EBUSY && ret != -EINTR))
			{
				return uring_ring_die(ring,
						      ret == 0 ? EAGAIN : -ret);
			}
			continue;
		}

		ret = uring_ring_enter(ring, 1, &limit);
		if (ret == -EINTR) {
			continue;
		}
		if (ret < 0) {
			return uring_ring_die(ring, -ret);
		}
		uring_ring_reap(ring);
	}
	return 0;
}

bool uring_ring_can_wait(const struct uring_ring *ring)
{
	return ring->wait.possible;
}

int uring_ring_epoll_wait(struct uring_ring *ring,
			  int epoll_fd,
			  struct epoll_event *event,
			  int timeout)
{
	struct __kernel_timespec limit = {};
	uint64_t end = 0;
	int ret;

	/* so that all completions are of this call, and the event is fresh */
	uring_ring_reap(ring);
	ring->wait.completed = false;

	if (!ring->wait.armed) {
		struct io_uring_sqe *sqe = io_uring_get_sqe(&ring->ring);

		if (sqe == NULL) {
			ret = uring_ring_run(ring);
			if (ret != 0) {
				errno = ret;
				return -1;
			}
			sqe = io_uring_get_sqe(&ring->ring);
		}
		io_uring_prep_rw(URING_OP_EPOLL_WAIT,
				 sqe,
				 epoll_fd,
				 &ring->wait.event,
				 1,
				 0);
		io_uring_sqe_set_data(sqe, NULL);
		ring->wait.armed = true;
	}
	if (timeout > 0) {
		limit.tv_sec = timeout / 1000;
		limit.tv_nsec = (timeout % 1000) * INT64_C(1000000);
		end = clock_monotonic_ns() + timeout * CLOCK_NS_PER_MS;
	}

	ring->enters++;
	ret = uring_ring_enter(ring,
			       (unsigned)ring->num_ops + 1,
			       timeout > 0 ? &limit : NULL);
	uring_ring_reap(ring);
	if (ret < 0 && ret != -ETIME && ret != -EINTR && ret != -EAGAIN &&
	    ret != -EBUSY)
	{
		errno = uring_ring_die(ring, -ret);
		return -1;
	}
	if (ring->ops != NULL) {
		/* not taken, or on a worker thread */
		ret = uring_ring_run(ring);
		if (ret != 0) {
			errno = ret;
			return -1;
		}
	}

	if (ring->wait.completed) {
		ring->wait.completed = false;
		if (ring->wait.res < 0) {
			errno = uring_ring_die(ring, -ring->wait.res);
			return -1;
		}
		*event = ring->wait.event;
		return ring->wait.res;
	}
	if (timeout > 0 && clock_monotonic_ns() >= end) {
		return 0;
	}
	errno = EINTR;
	return -1;
}

static int io_uring_disabled_sysctl(void)
{
	FILE *f = NULL;
	int value = 0;

	f = fopen("/proc/sys/kernel/io_uring_disabled", "re");
	if (f == NULL) {
		return 0;
	}
	if (fscanf(f, "%d", &value) != 1) {
		value = 0;
	}
	fclose(f);
	return value;
}

const char *uring_ring_explain(int error, char *buf, size_t buflen)
{
	const char *cause = NULL;
	const char *remedy = NULL;
	const char *name = strerrorname_np(error);
	int disabled = 0;

	switch (error) {
	case ENOSYS:
		cause = "the kernel has no io_uring, or a seccomp filter "
			"hides it";
		remedy = "use a kernel with CONFIG_IO_URING, or allow "
			 "io_uring_setup, io_uring_enter and "
			 "io_uring_register in the filter";
		break;
	case EPERM:
		disabled = io_uring_disabled_sysctl();
		if (disabled == 2) {
			cause = "kernel.io_uring_disabled is 2";
			remedy = "set it to 0 with sysctl";
		} else if (disabled == 1) {
			cause = "kernel.io_uring_disabled is 1 and this "
				"process is not in kernel.io_uring_group";
			remedy = "set it to 0 with sysctl, or add the group";
		} else {
			cause = "a seccomp filter refuses io_uring";
			remedy = "allow io_uring_setup, io_uring_enter and "
				 "io_uring_register in the filter "
				 "(container or systemd unit)";
		}
		break;
	case EACCES:
		cause = "a security module refuses io_uring";
		remedy = "look for denials of io_uring in the audit log";
		break;
	case ENOMEM:
		cause = "no memory for a ring within RLIMIT_MEMLOCK";
		remedy = "raise it (LimitMEMLOCK= in the systemd unit)";
		break;
	case EMFILE:
	case ENFILE:
		cause = "no file descriptor left for a ring";
		remedy = "raise RLIMIT_NOFILE (LimitNOFILE= in the systemd "
			 "unit)";
		break;
	case EINVAL:
	case EOPNOTSUPP:
		cause = "the kernel's io_uring is too old";
		remedy = "use Linux 6.7 or newer";
		break;
	case URING_RING_KILLED:
		name = "SIGSYS";
		cause = "a seccomp filter kills a process that uses io_uring";
		remedy = "allow io_uring_setup, io_uring_enter and "
			 "io_uring_register in the filter "
			 "(SystemCallFilter= in the systemd unit)";
		break;
	case ETIME:
		cause = "a socket command did not complete within a second";
		remedy = "use a kernel with commit 2554b855a2f8 "
			 "(Linux 6.11)";
		break;
	default:
		cause = "the ring failed";
		remedy = "restart the service to try again";
		break;
	}
	snprintf(buf,
		 buflen,
		 "%s (%s); %s",
		 cause,
		 name != NULL ? name : "E?",
		 remedy);
	return buf;
}
