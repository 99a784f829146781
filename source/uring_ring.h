/* SPDX-License-Identifier: LGPL-3.0-or-later */
/*
 * One io_uring that carries socket commands and the loop's wait, and nothing
 * else.
 *
 * Internal.  uring_batch.c, uring_queue.c and uring_probe.c use it.
 */
#ifndef URING_RING_H
#define URING_RING_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/epoll.h>
#include <talloc.h>

struct uring_ring;

/*
 * A command that is queued or in flight.
 *
 * The owner embeds this structure.  It keeps the structure and the memory that
 * the command writes to until done() has been called.
 *
 * done() is called exactly once.  res is the kernel's result: >= 0, or a
 * negative errno.  If lost is true, the ring died before it saw the completion,
 * and res is -ECANCELED.  The kernel may still write to the command's memory,
 * so the owner must never free or use that memory again.
 */
struct uring_op {
	struct uring_op *prev;
	struct uring_op *next;
	void (*done)(struct uring_op *op, int res, bool lost);
};

/**
 * @brief Create a ring that accepts only IORING_OP_URING_CMD and, where the
 * kernel has it (6.15), IORING_OP_EPOLL_WAIT.
 *
 * The ring belongs to the calling process and, where the kernel has
 * IORING_SETUP_SINGLE_ISSUER (6.0), to the calling thread.
 *
 * @return 0, or an errno: ENOSYS, EPERM, ENOMEM, EMFILE, ... as
 *         io_uring_setup(2) says, or what uring_ring_try() returns;
 *         uring_ring_explain() puts it into words.
 */
int uring_ring_create(TALLOC_CTX *mem_ctx, struct uring_ring **_ring);

/**
 * @brief Whether the ring accepts commands: it is alive, and this process
 * created it.
 */
bool uring_ring_usable(const struct uring_ring *ring);

/** @brief The errno that the ring died of, 0 while it lives. */
int uring_ring_errno(const struct uring_ring *ring);

/** @brief The IORING_SETUP_* flags that the kernel accepted. */
unsigned uring_ring_setup_flags(const struct uring_ring *ring);

/** @brief Number of io_uring_enter(2) calls that submitted a command. */
size_t uring_ring_enters(const struct uring_ring *ring);

/**
 * @brief Queue SOCKET_URING_OP_GETSOCKOPT (Linux 6.7, io_uring/uring_cmd.c).
 *
 * On success done() gets the length as res.
 *
 * @return 0, or ENOBUFS if the submission queue is full; uring_ring_run()
 *         empties it.
 */
int uring_ring_getsockopt(struct uring_ring *ring,
			  struct uring_op *op,
			  int fd,
			  int level,
			  int optname,
			  void *optval,
			  int optlen);

/**
 * @brief Queue SOCKET_URING_OP_SIOCINQ or SOCKET_URING_OP_SIOCOUTQ
 * (Linux 6.5); done() gets the number of bytes as res.
 *
 * @param[in] request  SIOCINQ or SIOCOUTQ.
 *
 * @return 0, or ENOBUFS as above.
 */
int uring_ring_ioctl(struct uring_ring *ring,
		     struct uring_op *op,
		     int fd,
		     unsigned long request);

/**
 * @brief Submit the queued commands and call done() of each.
 *
 * Socket commands complete during submission, so this is one system call.  If
 * the kernel moved a command to a worker thread, the function waits for it.
 * After a second it declares the ring dead.
 *
 * @return 0, or the errno that the ring died of.
 */
int uring_ring_run(struct uring_ring *ring);

/** @brief Whether the kernel has what uring_ring_epoll_wait() needs. */
bool uring_ring_can_wait(const struct uring_ring *ring);

/**
 * @brief Submit the queued commands and wait as epoll_wait(2) does with
 * maxevents 1, in one system call.
 *
 * The kernel collected the event during this call.  All queued commands have
 * been answered when the function returns.  If no event came, the wait stays
 * armed in the ring.  The ring then holds a reference to the epoll file, but
 * to none of the files in its set.
 *
 * @param[in] timeout  in milliseconds, not 0; -1 waits without a limit.
 *
 * @return 1; or 0 after the time-out; or -1 with errno EINTR; or -1 with the
 *         errno that the ring died of, in which case it did not wait.
 */
int uring_ring_epoll_wait(struct uring_ring *ring,
			  int epoll_fd,
			  struct epoll_event *event,
			  int timeout);

#endif /* URING_RING_H */
