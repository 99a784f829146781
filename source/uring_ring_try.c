/* SPDX-License-Identifier: LGPL-3.0-or-later */
/*
 * Lets a child process try io_uring first.
 *
 * A system-call filter may answer with an errno, which the library handles, or
 * kill whoever makes the call.  Nobody can ask a filter what it does.
 */

#include "config.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <unistd.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <liburing.h>

#include "uring_ring_try.h"

/* Make all three system calls of a ring; they may kill this process. */
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
 * The child has no exit signal: neither the program's handler of SIGCHLD nor a
 * wait for any child sees it.  clone() in place of fork() runs no handlers of
 * pthread_atfork(), and the child makes system calls only.
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
