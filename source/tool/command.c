/* SPDX-License-Identifier: LGPL-3.0-or-later */
/*
 * Executes other programs and reads their output.
 */

#include "config.h"

#include <errno.h>
#include <fcntl.h>
#include <spawn.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>
#include <sys/wait.h>

#include "command.h"

/* Read until the end of file; NULL without memory. */
static char *command_read(int fd)
{
	FILE *in = fdopen(fd, "r");
	char *text = NULL;
	size_t size = 0;

	if (in == NULL) {
		close(fd);
		return NULL;
	}
	/* the output of Samba's programs has no zero byte */
	if (getdelim(&text, &size, '\0', in) == -1 && text != NULL) {
		text[0] = '\0';
	}
	fclose(in);
	return text;
}

static int command_spawn(const char *const *argv, int out, pid_t *pid)
{
	/* posix_spawn() lacks a const that it could have */
	union {
		const char *const *c;
		char *const *v;
	} args = {.c = argv};
	posix_spawn_file_actions_t actions;
	int ret;

	ret = posix_spawn_file_actions_init(&actions);
	if (ret != 0) {
		return ret;
	}
	ret = posix_spawn_file_actions_adddup2(&actions, out, STDOUT_FILENO);
	if (ret == 0) {
		ret = posix_spawn_file_actions_addopen(
			&actions, STDERR_FILENO, "/dev/null", O_WRONLY, 0);
	}
	if (ret == 0) {
		ret = posix_spawn_file_actions_addopen(
			&actions, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
	}
	if (ret == 0) {
		ret = posix_spawnp(
			pid, argv[0], &actions, NULL, args.v, environ);
	}
	posix_spawn_file_actions_destroy(&actions);
	return ret;
}

static int command_run(const char *const *argv, bool anyway, char **output)
{
	int status = 0;
	int fds[2];
	pid_t pid;
	int ret;

	*output = NULL;
	if (pipe2(fds, O_CLOEXEC) != 0) {
		return errno;
	}
	ret = command_spawn(argv, fds[1], &pid);
	close(fds[1]);
	if (ret != 0) {
		close(fds[0]);
		return ret;
	}
	*output = command_read(fds[0]);
	if (waitpid(pid, &status, 0) != pid) {
		ret = errno;
	} else if (WIFEXITED(status) && WEXITSTATUS(status) == 127) {
		/* timeout(1) and sh(1) did not find what they should start */
		ret = ENOENT;
	} else if (anyway ? !WIFEXITED(status) : status != 0) {
		ret = EIO;
	} else if (*output == NULL) {
		ret = ENOMEM;
	}
	if (ret != 0) {
		free(*output);
		*output = NULL;
	}
	return ret;
}

int command_output(const char *const *argv, char **output)
{
	return command_run(argv, false, output);
}

int command_output_anyway(const char *const *argv, char **output)
{
	return command_run(argv, true, output);
}
