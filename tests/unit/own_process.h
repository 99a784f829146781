/* SPDX-License-Identifier: LGPL-3.0-or-later */
/*
 * Runs a test in a process of its own, since learned refusals, a ring's death
 * and the counters last as long as the process.
 *
 * Include it after the headers that cmocka.h requires.
 */
#ifndef OWN_PROCESS_H
#define OWN_PROCESS_H

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>
#include <sys/wait.h>

#define EXIT_SKIP 77

static inline void check(bool ok, int line)
{
	if (!ok) {
		fprintf(stderr, "line %d\n", line);
		_exit(1);
	}
}
#define CHECK(_ok) check(_ok, __LINE__)

/* To be called in the process: skip the whole test. */
static inline void skip_test(const char *reason)
{
	printf("# %s\n", reason);
	fflush(stdout);
	_exit(EXIT_SKIP);
}

/*
 * SIGALRM ends a process that waits for an event that never comes.  The tests
 * take seconds, so neither load nor a slow kernel reaches this limit.
 */
#define PATIENCE_SECONDS 600

static inline pid_t fork_for_a_while(void)
{
	pid_t pid = fork();

	if (pid == 0) {
		alarm(PATIENCE_SECONDS);
	}
	return pid;
}

/* Start fn() in a process of its own. */
static inline pid_t own_process_start(void (*fn)(void))
{
	pid_t pid = fork_for_a_while();

	if (pid == 0) {
		fn();
		_exit(0);
	}
	return pid;
}

/* The exit status of a process that own_process_start() started. */
static inline int own_process_wait(pid_t pid)
{
	int status = -1;

	assert_int_equal(waitpid(pid, &status, 0), pid);
	if (WIFEXITED(status) && WEXITSTATUS(status) == EXIT_SKIP) {
		skip();
	}
	return status;
}

/* The exit status of fn() in a process of its own. */
static inline int own_process(void (*fn)(void))
{
	return own_process_wait(own_process_start(fn));
}

#endif /* OWN_PROCESS_H */
