/* SPDX-License-Identifier: LGPL-3.0-or-later */
/*
 * Execute testparm(1), see testparm.h.
 *
 * A lost line may be a lost parameter.  So everything that keeps us from
 * reading a line is an error: no memory, a failed read, a line that does not
 * end.
 *
 * The tool has a reader of its own, tool/testparm.c.  It takes stdout as a
 * whole, as from every program that it executes.  This one needs the lines of
 * both streams, and limits for length and time.  Only a posix_spawn() would be
 * common to both, in source/util/.  But Samba's smbd compiles that directory,
 * and must not get code there that executes programs.
 */

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "testparm.h"
#include "util/clock.h"

/* 12,000 shares take 2 seconds. */
#define TESTPARM_DEADLINE (60 * CLOCK_NS_PER_S)

extern char **environ;

struct testparm_stream {
	int fd; /* -1 at its end */
	char *line;
	size_t used;
};

struct testparm {
	struct quicd_report *report;
	quicd_testparm_fn fn;
	void *private_data;
	pid_t pid;
	struct testparm_stream streams[QUICD_TESTPARM_STREAMS];
};

static bool testparm_append(struct testparm *testparm,
			    struct testparm_stream *stream,
			    char c)
{
	if (stream->used >= QUICD_TESTPARM_LINE) {
		return quicd_report_error(
			testparm->report,
			"testparm, which reads smb.conf, has "
			"printed a line of more than %d bytes",
			QUICD_TESTPARM_LINE);
	}
	if (stream->used + 1 >= talloc_get_size(stream->line)) {
		char *line = talloc_realloc(testparm,
					    stream->line,
					    char,
					    stream->used * 2 + 256);

		if (line == NULL) {
			return quicd_report_error(testparm->report,
						  "no memory");
		}
		stream->line = line;
	}
	stream->line[stream->used] = c;
	stream->used++;
	return true;
}

/* Pass the line on that is complete; it begins anew. */
static void testparm_line(struct testparm *testparm,
			  enum quicd_testparm_stream which)
{
	struct testparm_stream *stream = &testparm->streams[which];

	stream->line[stream->used - 1] = '\0';
	stream->used = 0;
	testparm->fn(testparm->private_data, which, stream->line);
}

/* Take what has come; at the end the descriptor is closed. */
static bool testparm_take(struct testparm *testparm,
			  enum quicd_testparm_stream which)
{
	struct testparm_stream *stream = &testparm->streams[which];
	char buf[16384];
	ssize_t n;
	ssize_t i;

	do {
		n = read(stream->fd, buf, sizeof(buf));
	} while (n < 0 && errno == EINTR);
	for (i = 0; i < n; i++) {
		if (!testparm_append(testparm, stream, buf[i])) {
			return false;
		}
		if (buf[i] == '\n') {
			testparm_line(testparm, which);
		}
	}
	if (n < 0) {
		return quicd_report_error(testparm->report,
					  "testparm, which reads smb.conf: %s",
					  strerror(errno));
	}
	if (n == 0) {
		close(stream->fd);
		stream->fd = -1;
	}
	if (n == 0 && stream->used > 0) { /* a last line without its end */
		if (!testparm_append(testparm, stream, '\n')) {
			return false;
		}
		testparm_line(testparm, which);
	}
	return true;
}

static bool testparm_take_all(struct testparm *testparm)
{
	const uint64_t deadline = clock_monotonic_ns() + TESTPARM_DEADLINE;

	while (true) {
		struct pollfd polled[QUICD_TESTPARM_STREAMS];
		const uint64_t now = clock_monotonic_ns();
		bool left = false;
		int i;

		for (i = 0; i < QUICD_TESTPARM_STREAMS; i++) {
			polled[i] = (struct pollfd){
				.fd = testparm->streams[i].fd,
				.events = POLLIN,
			};
			left = left || testparm->streams[i].fd >= 0;
		}
		if (!left) {
			return true;
		}
		if (now >= deadline) {
			return quicd_report_error(
				testparm->report,
				"testparm, which reads smb.conf, has not "
				"finished in %u seconds",
				(unsigned)(TESTPARM_DEADLINE / CLOCK_NS_PER_S));
		}
		if (poll(polled,
			 QUICD_TESTPARM_STREAMS,
			 (int)((deadline - now) / CLOCK_NS_PER_MS) + 1) <= 0)
		{
			continue;
		}
		/* what it says on the way comes before what it prints */
		i = polled[QUICD_TESTPARM_STDERR].revents != 0
			    ? QUICD_TESTPARM_STDERR
			    : QUICD_TESTPARM_STDOUT;
		if (!testparm_take(testparm, i)) {
			return false;
		}
	}
}

static int testparm_spawn_with(struct testparm *testparm,
			       const char *path,
			       const int to[QUICD_TESTPARM_STREAMS])
{
	char program[] = "testparm";
	char debug[] = "-d5";
	char how[] = "-sv";
	char *file = NULL;
	char *args[] = {program, debug, how, NULL, NULL};
	posix_spawn_file_actions_t actions;
	posix_spawnattr_t attributes;
	sigset_t none;
	int ret;

	if (path != NULL) {
		/* without it testparm would read another file */
		file = talloc_strdup(testparm, path);
		if (file == NULL) {
			return ENOMEM;
		}
		args[3] = file;
	}
	sigemptyset(&none);
	posix_spawnattr_init(&attributes);
	posix_spawnattr_setsigmask(&attributes, &none);
	posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSIGMASK);
	posix_spawn_file_actions_init(&actions);
	posix_spawn_file_actions_addopen(
		&actions, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
	posix_spawn_file_actions_adddup2(&actions,
					 to[QUICD_TESTPARM_STDOUT],
					 STDOUT_FILENO);
	posix_spawn_file_actions_adddup2(&actions,
					 to[QUICD_TESTPARM_STDERR],
					 STDERR_FILENO);
	ret = posix_spawnp(
		&testparm->pid, program, &actions, &attributes, args, environ);
	posix_spawn_file_actions_destroy(&actions);
	posix_spawnattr_destroy(&attributes);
	talloc_free(file);
	return ret;
}

static bool testparm_spawn(struct testparm *testparm, const char *path)
{
	int to[QUICD_TESTPARM_STREAMS] = {-1, -1};
	int error = 0;
	int i;

	for (i = 0; i < QUICD_TESTPARM_STREAMS && error == 0; i++) {
		int fds[2];

		if (pipe2(fds, O_CLOEXEC) != 0) {
			error = errno;
			break;
		}
		testparm->streams[i].fd = fds[0];
		to[i] = fds[1];
	}
	if (error == 0) {
		error = testparm_spawn_with(testparm, path, to);
	}
	for (i = 0; i < QUICD_TESTPARM_STREAMS; i++) {
		if (to[i] >= 0) {
			close(to[i]);
		}
	}
	if (error != 0) {
		return quicd_report_error(
			testparm->report,
			"cannot execute testparm, which reads smb.conf: %s "
			"(Debian: package samba-common-bin)",
			strerror(error));
	}
	return true;
}

static bool testparm_run(struct testparm *testparm, const char *path)
{
	bool good = testparm_spawn(testparm, path);
	int status = 0;

	if (!good) {
		return false;
	}
	good = testparm_take_all(testparm);
	if (!good) {
		kill(testparm->pid, SIGKILL);
	}
	while (waitpid(testparm->pid, &status, 0) < 0 && errno == EINTR) {
		;
	}
	if (good && WIFSIGNALED(status)) {
		good = quicd_report_error(testparm->report,
					  "testparm, which reads smb.conf: "
					  "signal %d",
					  WTERMSIG(status));
	} else if (good && WEXITSTATUS(status) == 127) {
		good = quicd_report_error(testparm->report,
					  "cannot execute testparm, which "
					  "reads smb.conf");
	}
	return good;
}

bool quicd_testparm(TALLOC_CTX *mem_ctx,
		    struct quicd_report *report,
		    const char *path,
		    quicd_testparm_fn fn,
		    void *private_data)
{
	struct testparm *testparm = talloc_zero(mem_ctx, struct testparm);
	bool good;
	size_t i;

	if (testparm == NULL) {
		return quicd_report_error(report, "no memory");
	}
	*testparm = (struct testparm){
		.report = report,
		.fn = fn,
		.private_data = private_data,
		.streams = {{.fd = -1}, {.fd = -1}},
	};
	good = testparm_run(testparm, path);
	for (i = 0; i < QUICD_TESTPARM_STREAMS; i++) {
		if (testparm->streams[i].fd >= 0) {
			close(testparm->streams[i].fd);
		}
	}
	talloc_free(testparm);
	return good;
}
