/* SPDX-License-Identifier: LGPL-3.0-or-later */
/*
 * smb.conf, read by Samba's own parser.
 *
 * testparm(1) is executed.  It prints [global] with the defaults filled in and
 * of each share what differs from it; includes, the registry, spelling and
 * repeated names are dealt with.  We decided against libsmbconf and its lp_*()
 * functions: they cannot list the names that begin with our prefix either, but
 * by printing all, and bring a hundred private libraries.
 *
 * testparm skips an include that it does not find, as smbd does.  It says so
 * at debug level 2, and at level 4 it says the line that it is about to take.
 * So its stderr is read, too.  A line without "=" is dropped without a word; so
 * the files are searched for these.  Its exit status is 1 for faults that are
 * none for smbd (a script that is missing, a range of IDs), so that it says
 * nothing here: what counts is whether it began to print.
 */

#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "smbconf.h"
#include "util/clock.h"
#include "util/macros.h"

/* 12,000 shares take 2 seconds. */
#define SMBCONF_DEADLINE (60 * CLOCK_NS_PER_S)

/* The last lines of testparm, for when it fails. */
#define SMBCONF_TAIL 6

extern char **environ;

enum {
	SMBCONF_STDOUT,
	SMBCONF_STDERR,
	SMBCONF_STREAMS,
};

struct smbconf_stream {
	int fd; /* -1 at its end */
	char *line;
	size_t used;
};

struct smbconf_reader {
	struct quicd_report *report;
	quicd_smbconf_fn fn;
	void *private_data;
	pid_t pid;
	struct smbconf_stream streams[SMBCONF_STREAMS];
	char *section; /* of stdout; NULL before the first one */
	bool global;
	bool global_seen;
	char *file;    /* the main one, as testparm says it */
	char *include; /* the last one, as it is written */
	char **files;  /* the main one, and includes */
	size_t num_files;
	char *tail[SMBCONF_TAIL];
	size_t num_tail;
	bool good;
};

bool quicd_smbconf_same_name(const char *a, const char *b)
{
	while (true) {
		while (isspace((unsigned char)*a)) {
			a++;
		}
		while (isspace((unsigned char)*b)) {
			b++;
		}
		if (tolower((unsigned char)*a) != tolower((unsigned char)*b)) {
			return false;
		}
		if (*a == '\0') {
			return true;
		}
		a++;
		b++;
	}
}

const char *const *quicd_smbconf_words(TALLOC_CTX *mem_ctx,
				       const char *value,
				       size_t *num)
{
	/* words are printed with one blank between them, quoted if need be */
	const char **words = talloc_array(mem_ctx,
					  const char *,
					  strlen(value) + 1);
	const char *pos = value;

	*num = 0;
	if (words == NULL || value[0] == '\0') {
		return words;
	}
	while (true) {
		const bool quoted = pos[0] == '"';
		const char *end = NULL;

		pos += quoted;
		end = strchr(pos, quoted ? '"' : ' ');
		if (end == NULL) {
			end = pos + strlen(pos);
		}
		words[*num] = talloc_strndup(words, pos, (size_t)(end - pos));
		if (words[*num] == NULL) {
			talloc_free(words);
			*num = 0;
			return NULL;
		}
		(*num)++;
		end += quoted && *end == '"';
		if (*end == '\0') {
			return words;
		}
		pos = end + (*end == ' ');
	}
}

/* A line of what testparm prints of the parameters. */
static void smbconf_stdout(struct smbconf_reader *reader, char *line)
{
	char *equals = strchr(line, '=');
	char *name = line + strspn(line, " \t");
	char *end = NULL;

	if (line[0] == '[') {
		end = strrchr(line, ']');
		if (end != NULL) {
			*end = '\0';
		}
		talloc_free(reader->section);
		reader->section = talloc_strdup(NULL, line + 1);
		if (reader->section == NULL) {
			reader->good = quicd_report_error(reader->report,
							  "no memory");
			return;
		}
		reader->global = strcasecmp(reader->section, "global") == 0;
		if (reader->global && reader->global_seen) {
			/* a value of the registry may have several lines */
			reader->good = quicd_report_error(
				reader->report,
				"[global] comes twice: a value in the "
				"registry has a line break");
		}
		reader->global_seen = reader->global_seen || reader->global;
		return;
	}
	if (equals == NULL || reader->section == NULL || name[0] == '#') {
		return;
	}
	for (end = equals; end > name && isspace((unsigned char)end[-1]); end--)
	{
		;
	}
	*end = '\0';
	equals++;
	equals += *equals == ' ';
	reader->fn(reader->private_data,
		   reader->global ? NULL : reader->section,
		   name,
		   equals);
}

/* What comes after start, or NULL. */
static char *smbconf_after(char *line, const char *start)
{
	const size_t len = strlen(start);

	return strncmp(line, start, len) == 0 ? line + len : NULL;
}

static void smbconf_add_file(struct smbconf_reader *reader, const char *path)
{
	char **files = NULL;

	/* one that smbd would choose by the client is an error anyway */
	if (strchr(path, '%') != NULL || strcasecmp(path, "registry") == 0) {
		return;
	}
	files = talloc_realloc(NULL,
			       reader->files,
			       char *,
			       reader->num_files + 1);
	if (files != NULL) {
		reader->files = files;
		files[reader->num_files] = talloc_strdup(files, path);
	}
	if (files == NULL || files[reader->num_files] == NULL) {
		reader->good = quicd_report_error(reader->report, "no memory");
		return;
	}
	reader->num_files++;
}

/*
 * "config file" makes smbd read another file in place of this one.  testparm
 * prints this one all the same, so what it prints is not what smbd goes by.
 */
static void smbconf_config_file(struct smbconf_reader *reader, const char *path)
{
	if (strchr(path, '%') != NULL) {
		reader->good = quicd_report_error(
			reader->report,
			"config file = %s: smbd chooses the file by the "
			"client, which smbd-quicd cannot",
			path);
	} else if (access(path, R_OK) != 0) {
		reader->good = quicd_report_error(reader->report,
						  "config file = %s: %s",
						  path,
						  strerror(errno));
	} else if (reader->file == NULL || strcmp(path, reader->file) != 0) {
		reader->good = quicd_report_error(
			reader->report,
			"config file = %s: smbd reads that file in place of "
			"this one; start smbd-quicd with -s %s",
			path,
			path);
	}
}

/*
 * Samba ignores a parameter of [global] below the header of a share.  Those
 * that decide who may come in, or how smbd is reached, must not be lost so.
 */
static void smbconf_below_share(struct smbconf_reader *reader, const char *name)
{
	static const char *const needed[] = {
		"bind interfaces only",
		"config file",
		"hostname lookups",
		"interfaces",
		"private dir",
		"server smb transports",
		"smb ports",
		"tls cafile",
		"tls certfile",
		"tls crlfile",
		"tls keyfile",
	};
	size_t i;

	for (i = 0; i < ARRAY_SIZE(needed); i++) {
		if (quicd_smbconf_same_name(name, needed[i])) {
			reader->good = quicd_report_error(
				reader->report,
				"%s: Samba ignores it below the header of a "
				"share; move it to [global]",
				name);
			return;
		}
	}
	quicd_report_warning(reader->report,
			     "%s: Samba ignores it below the header of a share",
			     name);
}

static void smbconf_no_include(struct smbconf_reader *reader, const char *path)
{
	struct stat st;
	const char *why = "it is not a file";

	if (stat(path, &st) != 0) {
		why = strerror(errno);
	}
	if (reader->include != NULL && strchr(reader->include, '%') != NULL) {
		(void)quicd_report_error(
			reader->report,
			"include = %s: smbd chooses the file by the client, "
			"which smbd-quicd cannot; without a client it is %s: "
			"%s (create an empty file to accept this)",
			reader->include,
			path,
			why);
	} else {
		(void)quicd_report_error(reader->report,
					 "include = %s: %s",
					 path,
					 why);
	}
	reader->good = false;
}

/* "NAME = VALUE", as smb.conf has it. */
static void smbconf_doing(struct smbconf_reader *reader, char *line)
{
	char *equals = strchr(line, '=');
	const char *value = NULL;

	if (equals == NULL) {
		return;
	}
	*equals = '\0';
	value = equals + 1 + strspn(equals + 1, " ");
	if (quicd_smbconf_same_name(line, "include")) {
		talloc_free(reader->include);
		reader->include = talloc_strdup(NULL, value);
		smbconf_add_file(reader, value);
	} else if (quicd_smbconf_same_name(line, "config file") &&
		   value[0] != '\0') {
		smbconf_config_file(reader, value);
		smbconf_add_file(reader, value);
	}
}

/* A line of what testparm says on the way. */
static void smbconf_stderr(struct smbconf_reader *reader, char *line)
{
	char *rest = NULL;
	size_t i;

	rest = smbconf_after(line, "Can't find include file ");
	if (rest != NULL) {
		smbconf_no_include(reader, rest);
		return;
	}
	rest = smbconf_after(line, "doing parameter ");
	if (rest != NULL) {
		smbconf_doing(reader, rest);
		return;
	}
	rest = smbconf_after(line, "Unknown parameter encountered: \"");
	if (rest != NULL) {
		rest[strcspn(rest, "\"")] = '\0';
		reader->fn(reader->private_data, NULL, rest, NULL);
		return;
	}
	rest = strstr(line, " found in service section");
	if (rest != NULL && smbconf_after(line, "Global parameter ") != NULL) {
		*rest = '\0';
		smbconf_below_share(reader,
				    smbconf_after(line, "Global parameter "));
		return;
	}
	rest = smbconf_after(line, "Load smb config files from ");
	if (rest != NULL && reader->file == NULL) {
		reader->file = talloc_strdup(NULL, rest);
		smbconf_add_file(reader, rest);
		return;
	}
	if (line[0] == '\0' || smbconf_after(line, "Processing section") ||
	    smbconf_after(line, "lp_load_ex") ||
	    smbconf_after(line, "pm_process()") ||
	    smbconf_after(line, "Initialising global"))
	{
		return;
	}
	talloc_free(reader->tail[SMBCONF_TAIL - 1]);
	for (i = SMBCONF_TAIL - 1; i > 0; i--) {
		reader->tail[i] = reader->tail[i - 1];
	}
	reader->tail[0] = talloc_strdup(NULL, line);
}

/* Take what has come; false at the end. */
static bool smbconf_take(struct smbconf_reader *reader, int which)
{
	struct smbconf_stream *stream = &reader->streams[which];
	char buf[16384];
	ssize_t n;
	ssize_t i;

	do {
		n = read(stream->fd, buf, sizeof(buf));
	} while (n < 0 && errno == EINTR);
	for (i = 0; i < n; i++) {
		if (stream->used + 1 >= talloc_get_size(stream->line)) {
			char *line = talloc_realloc(NULL,
						    stream->line,
						    char,
						    stream->used * 2 + 256);

			if (line == NULL) {
				return false;
			}
			stream->line = line;
		}
		stream->line[stream->used] = buf[i];
		if (buf[i] != '\n') {
			stream->used++;
			continue;
		}
		stream->line[stream->used] = '\0';
		stream->used = 0;
		if (which == SMBCONF_STDOUT) {
			smbconf_stdout(reader, stream->line);
		} else {
			smbconf_stderr(reader, stream->line);
		}
	}
	return n > 0;
}

/* False after an error. */
static bool smbconf_take_all(struct smbconf_reader *reader)
{
	const uint64_t deadline = clock_monotonic_ns() + SMBCONF_DEADLINE;

	while (true) {
		struct pollfd polled[SMBCONF_STREAMS];
		const uint64_t now = clock_monotonic_ns();
		bool left = false;
		int i;

		for (i = 0; i < SMBCONF_STREAMS; i++) {
			polled[i] = (struct pollfd){
				.fd = reader->streams[i].fd,
				.events = POLLIN,
			};
			left = left || reader->streams[i].fd >= 0;
		}
		if (!left) {
			return true;
		}
		if (now >= deadline) {
			return quicd_report_error(
				reader->report,
				"testparm, which reads smb.conf, has not "
				"finished in %u seconds",
				(unsigned)(SMBCONF_DEADLINE / CLOCK_NS_PER_S));
		}
		if (poll(polled,
			 SMBCONF_STREAMS,
			 (int)((deadline - now) / CLOCK_NS_PER_MS) + 1) <= 0)
		{
			continue;
		}
		for (i = 0; i < SMBCONF_STREAMS; i++) {
			if (polled[i].revents != 0 && !smbconf_take(reader, i))
			{
				close(reader->streams[i].fd);
				reader->streams[i].fd = -1;
			}
		}
	}
}

static int smbconf_spawn_with(struct smbconf_reader *reader,
			      const char *path,
			      const int to[SMBCONF_STREAMS])
{
	char program[] = "testparm";
	char debug[] = "-d4";
	char how[] = "-sv";
	char *file = path != NULL ? talloc_strdup(NULL, path) : NULL;
	char *args[] = {program, debug, how, file, NULL};
	posix_spawn_file_actions_t actions;
	posix_spawnattr_t attributes;
	sigset_t none;
	int ret;

	sigemptyset(&none);
	posix_spawnattr_init(&attributes);
	posix_spawnattr_setsigmask(&attributes, &none);
	posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSIGMASK);
	posix_spawn_file_actions_init(&actions);
	posix_spawn_file_actions_addopen(
		&actions, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
	posix_spawn_file_actions_adddup2(&actions,
					 to[SMBCONF_STDOUT],
					 STDOUT_FILENO);
	posix_spawn_file_actions_adddup2(&actions,
					 to[SMBCONF_STDERR],
					 STDERR_FILENO);
	ret = posix_spawnp(
		&reader->pid, program, &actions, &attributes, args, environ);
	posix_spawn_file_actions_destroy(&actions);
	posix_spawnattr_destroy(&attributes);
	talloc_free(file);
	return ret;
}

static bool smbconf_spawn(struct smbconf_reader *reader, const char *path)
{
	int to[SMBCONF_STREAMS] = {-1, -1};
	int error = 0;
	int i;

	for (i = 0; i < SMBCONF_STREAMS && error == 0; i++) {
		int fds[2];

		if (pipe2(fds, O_CLOEXEC) != 0) {
			error = errno;
			break;
		}
		reader->streams[i].fd = fds[0];
		to[i] = fds[1];
	}
	if (error == 0) {
		error = smbconf_spawn_with(reader, path, to);
	}
	for (i = 0; i < SMBCONF_STREAMS; i++) {
		if (to[i] >= 0) {
			close(to[i]);
		}
	}
	if (error != 0) {
		return quicd_report_error(
			reader->report,
			"cannot execute testparm, which reads smb.conf: %s "
			"(Debian: package samba-common-bin)",
			strerror(error));
	}
	return true;
}

/*
 * Pass the lines on that Samba drops.  A "\\" at the end continues a line, but
 * not a comment; a line is judged with all that continues it.
 */
static void smbconf_search_lines(struct smbconf_reader *reader, FILE *f)
{
	bool continued = false;
	bool dropped = false;
	char *first = NULL;
	char *line = NULL;
	size_t size = 0;
	ssize_t len;

	while ((len = getline(&line, &size, f)) > 0) {
		const char *begin = line + strspn(line, " \t");
		const bool comment = !continued &&
				     strchr("#;[", begin[0]) != NULL;

		while (len > 0 && isspace((unsigned char)line[len - 1])) {
			len--;
			line[len] = '\0';
		}
		if (!continued) {
			talloc_free(first);
			first = talloc_strdup(NULL, begin);
			dropped = !comment && begin[0] != '\0';
		}
		dropped = dropped && strchr(begin, '=') == NULL;
		continued = !comment && len > 0 && line[len - 1] == '\\';
		if (!continued && dropped) {
			reader->fn(reader->private_data,
				   NULL,
				   first != NULL ? first : "a line",
				   NULL);
		}
	}
	if (continued && dropped) {
		reader->fn(reader->private_data,
			   NULL,
			   first != NULL ? first : "a line",
			   NULL);
	}
	talloc_free(first);
	free(line);
}

static void smbconf_search(struct smbconf_reader *reader, const char *path)
{
	FILE *f = fopen(path, "re");

	if (f == NULL) {
		reader->good = quicd_report_error(
			reader->report, "%s: %s", path, strerror(errno));
		return;
	}
	smbconf_search_lines(reader, f);
	fclose(f);
}

/* Say a file that cannot be read; false if there is nothing to say. */
static bool smbconf_unreadable(struct smbconf_reader *reader,
			       const char *parameter,
			       const char *path)
{
	const int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);

	if (fd >= 0) {
		close(fd);
		return false;
	}
	(void)quicd_report_error(
		reader->report, "%s%s: %s", parameter, path, strerror(errno));
	return true;
}

static bool smbconf_failed(struct smbconf_reader *reader)
{
	const char *file = reader->file != NULL ? reader->file : "smb.conf";
	size_t i;

	if (reader->file != NULL && smbconf_unreadable(reader, "", file)) {
		return false;
	}
	if (reader->include != NULL && strchr(reader->include, '%') == NULL &&
	    strcasecmp(reader->include, "registry") != 0 &&
	    smbconf_unreadable(reader, "include = ", reader->include))
	{
		return false;
	}
	for (i = SMBCONF_TAIL; i > 0; i--) {
		if (reader->tail[i - 1] != NULL) {
			quicd_log_at(QUICD_LOG_ERROR,
				     "testparm: %s",
				     reader->tail[i - 1]);
		}
	}
	return quicd_report_error(
		reader->report,
		"%s: Samba cannot load it%s%s: testparm -s "
		"says more",
		file,
		reader->include != NULL ? ", the last include is " : "",
		reader->include != NULL ? reader->include : "");
}

bool quicd_smbconf_read(TALLOC_CTX *mem_ctx,
			struct quicd_report *report,
			const char *path,
			quicd_smbconf_fn fn,
			void *private_data)
{
	struct smbconf_reader reader = {
		.report = report,
		.fn = fn,
		.private_data = private_data,
		.pid = -1,
		.streams = {{.fd = -1}, {.fd = -1}},
		.good = true,
	};
	bool good;
	int status = 0;
	size_t i;

	good = smbconf_spawn(&reader, path);
	if (good) {
		good = smbconf_take_all(&reader);
		if (!good) {
			kill(reader.pid, SIGKILL);
		}
		while (waitpid(reader.pid, &status, 0) < 0 && errno == EINTR) {
			;
		}
	}
	if (good && WIFEXITED(status) && WEXITSTATUS(status) == 127) {
		good = quicd_report_error(
			report,
			"cannot execute testparm, which reads "
			"smb.conf");
	} else if (good && (!WIFEXITED(status) || reader.section == NULL)) {
		good = smbconf_failed(&reader);
	}
	for (i = 0; good && i < reader.num_files; i++) {
		smbconf_search(&reader, reader.files[i]);
	}
	talloc_free(reader.files);
	for (i = 0; i < SMBCONF_STREAMS; i++) {
		if (reader.streams[i].fd >= 0) {
			close(reader.streams[i].fd);
		}
		talloc_free(reader.streams[i].line);
	}
	for (i = 0; i < SMBCONF_TAIL; i++) {
		talloc_free(reader.tail[i]);
	}
	talloc_free(reader.section);
	talloc_free(reader.file);
	talloc_free(reader.include);
	return good && reader.good;
}
