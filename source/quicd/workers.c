/* SPDX-License-Identifier: LGPL-3.0-or-later */
/*
 * The processes of all workers, see workers.h.
 */

#include "config.h"

#include <errno.h>
#include <signal.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "log.h"
#include "util/clock.h"
#include "workers.h"

/* A worker that does not live longer is not replaced at once. */
#define WORKERS_RESTART CLOCK_NS_PER_S

/* If a worker does not answer in time, no worker gets the new settings. */
#define WORKERS_ANSWER (10 * CLOCK_NS_PER_S)

struct workers_process {
	pid_t pid; /* 0: to be started */
	int fd;	   /* the socket to the worker */
	uint64_t started;
	uint64_t start_at;
	bool asked;  /* we await the answer that its event loop turns */
	bool silent; /* we have logged that it does not answer */
};

struct quicd_workers {
	const struct quicd_shared *shared;
	quicd_workers_fn become;
	quicd_heard_fn heard;
	void *private_data;
	uint32_t num;
	struct workers_process *processes;
};

struct quicd_workers *quicd_workers_create(TALLOC_CTX *mem_ctx,
					   const struct quicd_shared *shared,
					   quicd_workers_fn become,
					   quicd_heard_fn heard,
					   void *private_data)
{
	struct quicd_workers *workers = talloc_zero(mem_ctx,
						    struct quicd_workers);
	uint32_t i;

	if (workers == NULL) {
		return NULL;
	}
	workers->shared = shared;
	workers->become = become;
	workers->heard = heard;
	workers->private_data = private_data;
	workers->num = shared->workers;
	workers->processes = talloc_zero_array(workers,
					       struct workers_process,
					       workers->num);
	if (workers->processes == NULL) {
		TALLOC_FREE(workers);
		return NULL;
	}
	for (i = 0; i < workers->num; i++) {
		workers->processes[i].fd = -1;
	}
	return workers;
}

/* In the new process; never returns. */
static void workers_become(const struct quicd_workers *workers,
			   uint32_t number,
			   pid_t parent_pid,
			   int fd)
{
	uint32_t i;

	for (i = 0; i < workers->num; i++) {
		if (workers->processes[i].fd >= 0) {
			close(workers->processes[i].fd);
		}
	}
	workers->become(workers->private_data, number, parent_pid, fd);
	_exit(1);
}

static bool workers_start_one(struct quicd_workers *workers, uint32_t number)
{
	struct workers_process *process = &workers->processes[number];
	const pid_t pid = getpid();
	int fds[2];

	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, fds) != 0) {
		quicd_log_at(QUICD_LOG_ERROR,
			     "socketpair: %s",
			     strerror(errno));
		return false;
	}
	process->started = clock_monotonic_ns();
	process->asked = false;
	process->silent = false;
	process->pid = fork();
	if (process->pid == 0) {
		close(fds[0]);
		workers_become(workers, number, pid, fds[1]);
	}
	close(fds[1]);
	process->fd = fds[0];
	if (process->pid < 0) {
		quicd_log_at(QUICD_LOG_ERROR, "fork: %s", strerror(errno));
		close(process->fd);
		process->fd = -1;
		process->pid = 0;
		return false;
	}
	return true;
}

uint64_t quicd_workers_start(struct quicd_workers *workers)
{
	const uint64_t now = clock_monotonic_ns();
	uint64_t wait = UINT64_MAX;
	uint32_t i;

	for (i = 0; i < workers->num; i++) {
		struct workers_process *process = &workers->processes[i];

		if (process->pid == 0 && process->start_at <= now &&
		    !workers_start_one(workers, i))
		{
			process->start_at = now + WORKERS_RESTART;
		}
		if (process->pid == 0 && process->start_at - now < wait) {
			wait = process->start_at - now;
		}
	}
	return wait;
}

void quicd_workers_tell(const struct quicd_workers *workers,
			struct quicd_message message,
			int fd)
{
	uint32_t i;

	for (i = 0; i < workers->num; i++) {
		if (workers->processes[i].pid > 0) {
			(void)quicd_message_send(workers->processes[i].fd,
						 message,
						 fd);
		}
	}
}

void quicd_workers_give(const struct quicd_workers *workers,
			struct quicd_message message,
			const int *fds)
{
	uint32_t i;

	for (i = 0; i < workers->num; i++) {
		if (workers->processes[i].pid > 0) {
			(void)quicd_message_send(workers->processes[i].fd,
						 message,
						 fds[i]);
		}
	}
}

bool quicd_workers_runs(const struct quicd_workers *workers, uint32_t number)
{
	return workers->processes[number].pid > 0;
}

int quicd_workers_fd(const struct quicd_workers *workers, uint32_t number)
{
	return workers->processes[number].fd;
}

void quicd_workers_hear(struct quicd_workers *workers, uint32_t number)
{
	const uint64_t now = clock_monotonic_ns();
	struct workers_process *process = &workers->processes[number];
	int fd = -1;
	const struct quicd_message message = quicd_message_recv(
		process->fd, &fd, now + CLOCK_NS_PER_MS);

	if (fd >= 0) {
		close(fd);
	}
	/* any message shows that its event loop turns */
	process->asked = process->asked && message.what == 0;
	if (message.what == 'D') {
		workers->heard(workers->private_data, number, &message);
	}
}

/* It does not reap a dead worker: quicd_workers_reap() does. */
static bool workers_lives(const struct workers_process *process)
{
	siginfo_t info = {};

	return waitid(P_PID,
		      (id_t)process->pid,
		      &info,
		      WEXITED | WNOHANG | WNOWAIT) == 0 &&
	       info.si_pid == 0;
}

bool quicd_workers_agree(const struct quicd_workers *workers, uint32_t number)
{
	const uint64_t deadline = clock_monotonic_ns() + WORKERS_ANSWER;
	bool agree = true;
	uint32_t i;

	for (i = 0; i < workers->num; i++) {
		struct workers_process *process = &workers->processes[i];
		struct quicd_message answer;
		int fd = -1;

		if (process->pid == 0) {
			continue;
		}
		do { /* a late answer to an earlier request does not count */
			answer = quicd_message_recv(process->fd, &fd, deadline);
			if (fd >= 0) {
				close(fd);
			}
			process->asked = process->asked && answer.what == 0;
			if (answer.what == 'D') {
				workers->heard(
					workers->private_data, i, &answer);
			}
		} while (answer.what == 'D' ||
			 (answer.what != 0 && answer.number != number));
		if (answer.what != 'Y' && workers_lives(process)) {
			quicd_log_at(QUICD_LOG_ERROR,
				     "worker %u cannot use the new settings%s",
				     i,
				     answer.what == 0 ? ": no answer" : "");
			agree = false;
		}
	}
	return agree;
}

/*
 * Whether a worker's event loop has turned since the last time, and ask it
 * again.  One that does not answer gets no second question: the socket to it
 * would be full one day, and we would wait.
 */
static bool workers_turns(struct workers_process *process)
{
	const struct quicd_message question = {.what = 'W'};

	if (process->asked) {
		return false;
	}
	process->asked = quicd_message_send(process->fd, question, -1);
	return true;
}

bool quicd_workers_turn(struct quicd_workers *workers)
{
	bool all = true;
	uint32_t i;

	for (i = 0; i < workers->num; i++) {
		struct workers_process *process = &workers->processes[i];

		if (process->pid == 0 || workers_turns(process)) {
			process->silent = false;
			continue;
		}
		all = false;
		if (!process->silent) {
			process->silent = true;
			quicd_log_at(QUICD_LOG_ERROR,
				     "worker %u (pid %d) does not answer",
				     i,
				     (int)process->pid);
		}
	}
	return all;
}

static void workers_say_death(uint32_t number, pid_t pid, int status)
{
	quicd_log_at(QUICD_LOG_ERROR,
		     "worker %u (pid %d) has died: %s %d",
		     number,
		     (int)pid,
		     WIFSIGNALED(status) ? "signal" : "status",
		     WIFSIGNALED(status) ? WTERMSIG(status)
					 : WEXITSTATUS(status));
}

void quicd_workers_reap(struct quicd_workers *workers, bool stopping)
{
	int status;
	pid_t pid;
	uint32_t i;

	while ((pid = waitpid(-1, &status, WNOHANG)) > 0) {
		for (i = 0; i < workers->num; i++) {
			struct workers_process *process =
				&workers->processes[i];

			if (process->pid != pid) {
				continue;
			}
			if (!stopping || status != 0) {
				workers_say_death(i, pid, status);
			}
			quicd_limits_release_worker(workers->shared->limits, i);
			quicd_budget_release_worker(workers->shared->budget, i);
			close(process->fd);
			process->fd = -1;
			process->pid = 0;
			process->start_at = process->started + WORKERS_RESTART;
			workers->heard(workers->private_data, i, NULL);
		}
	}
}

void quicd_workers_stop(const struct quicd_workers *workers)
{
	uint32_t i;

	for (i = 0; i < workers->num; i++) {
		if (workers->processes[i].pid > 0) {
			kill(workers->processes[i].pid, SIGTERM);
		}
	}
}

bool quicd_workers_left(const struct quicd_workers *workers)
{
	uint32_t i;

	for (i = 0; i < workers->num; i++) {
		if (workers->processes[i].pid > 0) {
			return true;
		}
	}
	return false;
}
