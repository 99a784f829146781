/* SPDX-License-Identifier: LGPL-3.0-or-later */
/*
 * The lines of smb.conf that Samba drops and testparm does not mention.
 *
 * These are lines without "=", text behind a section's header, a line that a
 * "\\" at the end of the line above makes part of it, and everything after a
 * NUL byte.  So we search the files ourselves, and split them into lines as
 * Samba does.
 */

#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "names.h"
#include "smbconf_internal.h"

/* What isspace() knows, as Samba skips it. */
static const char *smbconf_skip(const char *text)
{
	return text + strspn(text, " \t\r\v\f");
}

/* What is before "="; NULL if there is none, or no memory. */
static char *smbconf_search_name(struct smbconf_reader *reader,
				 const char *line)
{
	const char *equals = strchr(line, '=');
	char *name = NULL;

	if (equals == NULL) {
		return NULL;
	}
	while (equals > line && isspace((unsigned char)equals[-1])) {
		equals--;
	}
	name = talloc_strndup(reader, line, (size_t)(equals - line));
	if (name == NULL) {
		smbconf_no_memory(reader);
	}
	return name;
}

/* Pass on a line, or the text behind a header, that Samba drops. */
static void smbconf_search_line(struct smbconf_reader *reader,
				const char *path,
				const char *line,
				bool continued)
{
	const char *rest = strchr(line, ']');
	char *name = NULL;

	if (line[0] != '[') {
		name = smbconf_search_name(reader, line);
		/* the registry has such a value for its own use */
		if (name != NULL && quicd_name_same(name, "includes")) {
			smbconf_ignored(reader, name);
		}
		talloc_free(name);
		if (strchr(line, '=') == NULL && *smbconf_skip(line) != '\0') {
			smbconf_ignored(reader, line);
		}
		return;
	}
	if (rest == NULL) {
		return; /* it takes this for an error */
	}
	rest = smbconf_skip(rest + 1);
	if (rest[0] == '\0' || (!continued && strchr("#;", rest[0]) != NULL)) {
		return;
	}
	quicd_report_warning(reader->report,
			     "%s: %s: Samba drops what is behind \"]\"",
			     path,
			     line);
	(void)reader->fn(reader->private_data, NULL, rest, NULL);
}

/*
 * "winbind separator = \\" makes the next line part of its value.  If that line
 * is meant as a parameter, it is lost.
 */
static void smbconf_search_swallowed(struct smbconf_reader *reader,
				     const char *path,
				     const char *line)
{
	char *name = smbconf_search_name(reader, line);

	if (name == NULL) {
		return;
	}
	if (smbconf_ours(name) != 0 || quicd_name_is_needed(name) ||
	    quicd_name_same(name, "include"))
	{
		reader->good = quicd_report_error(
			reader->report,
			"%s: %s: Samba takes it for more of the line above, "
			"which ends with \"\\\"",
			path,
			line);
	} else {
		/* if it is not what it was meant to be */
		(void)reader->fn(reader->private_data, NULL, name, NULL);
	}
	talloc_free(name);
}

/* For Samba, a line feed ends a line, and a NUL byte ends the text. */
static bool smbconf_is_text(const char *line, size_t len)
{
	return memchr(line, '\0', len) == NULL &&
	       memchr(line, '\r', len) == NULL;
}

/*
 * A "\\" at the end continues a line, but not a comment.  We judge a line
 * together with its continuations.  Returns an errno if the rest could not be
 * read.
 */
static int smbconf_search_lines(struct smbconf_reader *reader,
				const char *path,
				FILE *f)
{
	bool continued = false;
	bool text = true;
	char *whole = NULL; /* of continued lines */
	char *line = NULL;
	size_t size = 0;
	ssize_t len;
	int error;

	while ((len = getline(&line, &size, f)) > 0) {
		const char *begin = smbconf_skip(line);
		bool more;

		while (len > 0 && isspace((unsigned char)line[len - 1])) {
			len--;
			line[len] = '\0';
		}
		text = text && smbconf_is_text(line, (size_t)len);
		if (!continued && strchr("#;", begin[0]) != NULL) {
			continue; /* even if the next line is empty */
		}
		more = len > 0 && line[len - 1] == '\\';
		if (more) {
			line[len - 1] = '\0';
		}
		if (whole != NULL && *smbconf_skip(whole) != '\0') {
			smbconf_search_swallowed(reader, path, begin);
		}
		whole = talloc_strdup_append(whole, continued ? line : begin);
		if (whole == NULL) {
			errno = ENOMEM;
			break;
		}
		if (!more) {
			smbconf_search_line(reader, path, whole, continued);
			TALLOC_FREE(whole);
		}
		continued = more;
	}
	/* getline() also ends without memory */
	error = feof(f) ? 0 : errno;
	if (whole != NULL) {
		smbconf_search_line(reader, path, whole, true);
		talloc_free(whole);
	}
	free(line);
	if (!text) {
		reader->good = quicd_report_error(
			reader->report,
			"%s: a line has a NUL byte or a carriage return in it, "
			"and Samba drops what comes then: save the file in "
			"UTF-8 with the line ends of Unix",
			path);
	}
	return error;
}

/* A FIFO has nothing left, and we would wait: search plain files only. */
static int smbconf_open(const char *path, FILE **f)
{
	const int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	struct stat st;
	int error = 0;

	*f = NULL;
	if (fd < 0) {
		return errno;
	}
	if (fstat(fd, &st) != 0) {
		error = errno;
	} else if (!S_ISREG(st.st_mode)) {
		error = EINVAL;
	} else {
		*f = fdopen(fd, "r");
		error = *f != NULL ? 0 : errno;
	}
	if (*f == NULL) {
		close(fd);
	}
	return error;
}

void smbconf_search(struct smbconf_reader *reader, const char *path)
{
	FILE *f = NULL;
	int error = 0;

	if (smbconf_is_null(path)) {
		return;
	}
	error = smbconf_open(path, &f);
	if (f != NULL) {
		error = smbconf_search_lines(reader, path, f);
		fclose(f);
	}
	if (error != 0) {
		reader->good = quicd_report_error(reader->report,
						  "%s: %s",
						  path,
						  error == EINVAL
							  ? "it is not a file"
							  : strerror(error));
	}
}
