/* SPDX-License-Identifier: LGPL-3.0-or-later */
/*
 * smb.conf, read by Samba's own parser.
 *
 * We execute testparm(1).  It prints [global] with the defaults filled in, and
 * for each share the parameters that differ.  It resolves includes, the
 * registry, spelling and repeated names.  The alternative was libsmbconf with
 * its lp_*() functions.  They also list the names with our prefix only by
 * printing all, and they need a hundred private libraries.
 *
 * Its stdout does not have all that we need.  So smbconf_stderr.c reads its
 * debug texts as well, and smbconf_search.c searches the files for lines that
 * testparm does not mention.
 *
 * We ignore its exit status, which is 1 even after faults that do not matter to
 * smbd (a missing script, a range of IDs).  We require instead that testparm
 * began to print.
 */

#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

#include "names.h"
#include "parameters.h"
#include "smbconf_internal.h"
#include "testparm.h"
#include "util/printable.h"

void smbconf_no_memory(struct smbconf_reader *reader)
{
	reader->good = quicd_report_error(reader->report, "no memory");
}

void smbconf_keep(struct smbconf_reader *reader, char **to, const char *text)
{
	talloc_free(*to);
	*to = talloc_strdup(reader, text);
	if (*to == NULL) {
		smbconf_no_memory(reader);
	}
}

/*
 * A value in the registry may have several lines, and testparm prints them as
 * they are.  On stdout, a line that begins with a tab or "[" could pass for a
 * parameter or section.  On stderr, the line follows the name of its parameter,
 * so that there we can recognise it by its beginning.
 */
void smbconf_lines(struct smbconf_reader *reader, const char *what)
{
	reader->good = quicd_report_error(
		reader->report,
		"%s: a value in the registry has a line break",
		what);
}

static void smbconf_section(struct smbconf_reader *reader, char *line)
{
	char *end = strrchr(line, ']');

	if (end != NULL) {
		*end = '\0';
	}
	smbconf_keep(reader, &reader->section, line + 1);
	reader->global = strcasecmp(line + 1, "global") == 0;
	if (reader->global && reader->global_seen) {
		smbconf_lines(reader, "[global] comes twice");
	}
	reader->global_seen = reader->global_seen || reader->global;
}

uint64_t smbconf_ours(const char *name)
{
	const char *known = NULL;
	bool used = false;
	size_t i;

	for (i = 0; (known = quicd_parameter_name(i, &used)) != NULL && used;
	     i++) {
		if (quicd_name_same(name, known)) {
			return UINT64_C(1) << i;
		}
	}
	return 0;
}

/* The registry can take the place of a file. */
static void smbconf_check_ours(struct smbconf_reader *reader)
{
	const uint64_t lost = reader->written & ~reader->printed;
	bool used = false;
	size_t i;

	for (i = 0; lost >> i != 0; i++) {
		if ((lost >> i & 1) != 0) {
			reader->good = quicd_report_error(
				reader->report,
				"%s: Samba ignores it where it is, in a file "
				"in place of which it takes the registry",
				quicd_parameter_name(i, &used));
		}
	}
}

void smbconf_ignored(struct smbconf_reader *reader, const char *name)
{
	char text[256]; /* of a file that may be no text */

	if (!reader->fn(reader->private_data, NULL, name, NULL)) {
		(void)printable_copy(text, sizeof(text), name);
		quicd_report_warning(reader->report,
				     "%s: Samba ignores this line",
				     text);
	}
}

/* A line that testparm prints to stdout: a section or a parameter. */
static void smbconf_stdout(struct smbconf_reader *reader, char *line)
{
	char *equals = strchr(line, '=');
	char *name = line + 1;
	char *end = NULL;

	if (line[0] == '[') {
		smbconf_section(reader, line);
		return;
	}
	if (line[0] == '\0' || (reader->section == NULL &&
				strcmp(line, "# Global parameters") == 0))
	{
		return;
	}
	if (line[0] != '\t' || equals == NULL || reader->section == NULL) {
		smbconf_lines(reader, line);
		return;
	}
	for (end = equals; end > name && isspace((unsigned char)end[-1]); end--)
	{
		;
	}
	*end = '\0';
	equals++;
	equals += *equals == ' ';
	reader->printed |= smbconf_ours(name);
	if (!reader->global && reader->sections && strchr(name, ':') != NULL) {
		return; /* stderr had it */
	}
	/* testparm prints the last include with its variables replaced */
	if (reader->global && reader->include != NULL &&
	    strchr(reader->include, '%') != NULL &&
	    quicd_name_same(name, "include"))
	{
		smbconf_add_file(reader, equals);
		TALLOC_FREE(reader->variable);
	}
	(void)reader->fn(reader->private_data,
			 reader->global ? NULL : reader->section,
			 name,
			 equals);
}

static void smbconf_line(void *private_data,
			 enum quicd_testparm_stream stream,
			 char *line)
{
	struct smbconf_reader *reader = private_data;

	if (stream == QUICD_TESTPARM_STDOUT) {
		smbconf_stdout(reader, line);
	} else {
		smbconf_stderr(reader, line);
	}
}

/* Report a file that testparm could not read; false if there is none. */
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

static bool smbconf_read(struct smbconf_reader *reader, const char *path)
{
	size_t i;

	if (!quicd_testparm(reader, reader->report, path, smbconf_line, reader))
	{
		return false;
	}
	if (reader->section == NULL) {
		return reader->good && smbconf_failed(reader);
	}
	for (i = 0; i < reader->num_files; i++) {
		smbconf_search(reader, reader->files[i]);
	}
	smbconf_not_searched(reader);
	smbconf_check_ours(reader);
	return reader->good;
}

bool quicd_smbconf_read(TALLOC_CTX *mem_ctx,
			struct quicd_report *report,
			const char *path,
			quicd_smbconf_fn fn,
			void *private_data)
{
	struct smbconf_reader *reader = talloc_zero(mem_ctx,
						    struct smbconf_reader);
	bool good;

	if (reader == NULL) {
		return quicd_report_error(report, "no memory");
	}
	*reader = (struct smbconf_reader){
		.report = report,
		.fn = fn,
		.private_data = private_data,
		.good = true,
	};
	good = smbconf_read(reader, path);
	talloc_free(reader);
	return good;
}
