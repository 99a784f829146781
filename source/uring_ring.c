/* SPDX-License-Identifier: LGPL-3.0-or-later */
/*
 * One io_uring that carries socket commands and the loop's wait, and nothing
 * else.
 *
 * smbd changes its effective user between requests, and a ring acts with the
 * credentials of its submitter.  So the library creates the ring disabled,
 * restricts it to IORING_OP_URING_CMD and IORING_OP_EPOLL_WAIT without any SQE
 * flag, and only then enables it.  Even a bug in a caller cannot submit a file
 * operation.  The restriction also excludes IOSQE_ASYNC and links: before
 * 2554b855a2f8 (Linux 6.11) a socket command that ran on a worker thread lost
 * its result, and its submitter waited forever.
 *
 * Socket commands complete inline, while io_uring_enter() submits them.
 * uring_ring_run() relies on that: it submits, reaps and returns with nothing
 * in flight.  It handles two exceptions, which we do not expect:
 * - The kernel moves a command that answers -EAGAIN (a BPF program can make it)
 *   to a worker.  uring_ring_run() waits for that worker.
 * - A ring that reports an error is dead from then on.  The library gives
 *   unanswered commands back to their owners.
 *
 * One command waits: IORING_OP_EPOLL_WAIT.  uring_ring_epoll_wait() arms one at
 * a time and alone returns its event.  Another call that reaps the event drops
 * it, because the event may be outdated by the time a caller could act on it.
 * Level-triggered epoll reports the event again if it still holds.
 *
 * Alternatives that we decided against: SQPOLL (a thread with the creator's
 * credentials, and slower here: 0.74 of the system call at a batch of 32), and
 * one ring for several threads (IORING_SETUP_DEFER_TASKRUN requires a single
 * issuer).
 *
 * A ring does not survive fork(): the kernel does not copy its mappings
 * (MADV_DONTFORK), and the child only closes the descriptor.
 */

#include "config.h"

#include <errno.h>
#include <signal.h>
#include <stdint.h>
#include <string.h>
#include <unistd.h>
#include <sys/ioctl.h>
#include <linux/sockios.h>
#include <liburing.h>
#include <tevent.h>

#include "uring_ring.h"
#include "uring_ring_try.h"
#include "util/clock.h"
#include "util/dlinklist.h"
#include "util/macros.h"

/*
 * The number of commands that one io_uring_enter() can submit.  A transport
 * snapshot has 12 commands.  64 commands have room for five snapshots, and
 * their SQEs fit into one page.
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

	/* the process that may use the ring */
	pid_t pid;

	/* the errno that the ring died of */
	int error;

	/* commands that are queued or submitted and whose done() is pending */
	struct uring_op *ops;
	size_t num_ops;

	size_t enters;

	struct {
		/* the kernel has the operation */
		bool possible;
		/* in flight: the kernel will write to event */
		bool armed;
		/* completed: epoll_wait() is to return res */
		bool completed;
		int res;
		/*
		 * The kernel writes only during enters of this thread
		 * (IORING_SETUP_DEFER_TASKRUN), and closing the ring cancels
		 * the wait.  So this memory may be freed with the ring.
		 */
		struct epoll_event event;
	} wait;
};

/*
 * The best set of flags comes first; after -EINVAL the library tries the next.
 * DEFER_TASKRUN came with Linux 6.1, COOP_TASKRUN with 5.19, SUBMIT_ALL with
 * 5.18.
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
	 * liburing unregisters the ring's own descriptor at the end.  If the
	 * restriction refused that, the slot would keep the ring alive until
	 * the thread exits.
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
	 * A thread has 16 slots for registered rings.  Without a slot each
	 * enter looks the descriptor up; nothing else changes.
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
		/* the kernel refuses an operation that it does not know */
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
	 * Without this feature (before Linux 5.11) a wait with a time limit
	 * needs a timeout operation, which the restriction refuses.  Such a
	 * kernel has no socket commands either.
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
 * liburing before 2.6 does not know socket options.  This structure is struct
 * io_uring_sqe of include/uapi/linux/io_uring.h since Linux 6.7.
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
 * Call io_uring_enter(2) without liburing, which cannot pass
 * IORING_ENTER_NO_IOWAIT before 2.10.  Without that flag an idle wait counts as
 * iowait and as I/O pressure.
 *
 * @return the number of submitted commands, or a negative errno; -ETIME after
 *         the time limit
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
			 * The kernel took no command: -EAGAIN is lack of
			 * memory, -EBUSY an overflowed completion queue.
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

	/* drop old completions, so that the event is of this call */
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
		/* the kernel took no command, or moved one to a worker */
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
