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
 * Like smbd, testparm skips an include that it does not find.  It says so at
 * debug level 2.  At level 4 it also says each line before it takes it.  At
 * level 5 it says the header of each share, even of a share that is not valid
 * and that it does not print.  So we read its stderr as well, and
 * smbconf_search.c searches the files for lines that testparm does not mention.
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

const char *const *quicd_smbconf_words(TALLOC_CTX *mem_ctx,
				       const char *value,
				       size_t *num)
{
	/* testparm prints one blank between words, and quotes if need be */
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

/*
 * A value in the registry may have several lines, and testparm prints them as
 * they are.  On stdout, a line that begins with a tab or "[" could pass for a
 * parameter or section.  On stderr, the line follows the name of its parameter,
 * so that there we can recognise it by its beginning.
 */
static void smbconf_lines(struct smbconf_reader *reader, const char *what)
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

/* The rest of the line if it begins with start, or NULL. */
static char *smbconf_after(char *line, const char *start)
{
	const size_t len = strlen(start);

	return strncmp(line, start, len) == 0 ? line + len : NULL;
}

/* Samba ignores a global parameter in the section of a share. */
static void smbconf_below_share(struct smbconf_reader *reader, const char *name)
{
	if (quicd_name_is_needed(name)) {
		reader->good = quicd_report_error(
			reader->report,
			"%s: Samba ignores it below the header of a "
			"share; move it to [global]",
			name);
		return;
	}
	quicd_report_warning(reader->report,
			     "%s: Samba ignores it below the header of a share",
			     name);
}

/*
 * To smbd a list of one empty word is a list that allows nobody.  testparm
 * prints it as if there was no list.
 */
static void smbconf_empty_word(struct smbconf_reader *reader,
			       const char *name,
			       const char *value)
{
	const char *list = quicd_name_hosts_list(name);

	if (list == NULL || strchr(value, '"') == NULL ||
	    value[strspn(value, "\" \t,;")] != '\0')
	{
		return;
	}
	reader->good = quicd_report_error(reader->report,
					  "%s = %s: a word is empty; for "
					  "nobody, write hosts deny = ALL",
					  list,
					  value);
}

/* Samba forgets the file's settings and uses those in the registry. */
static void smbconf_forgets(struct smbconf_reader *reader)
{
	if (reader->closes != NULL) {
		reader->good = quicd_report_error(
			reader->report,
			"%s: Samba ignores it in a file with config backend = "
			"registry; set it in the registry",
			reader->closes);
	}
}

static void smbconf_remember(struct smbconf_reader *reader, const char *name)
{
	const char *closing = quicd_name_closing(name);

	if (closing != NULL) {
		smbconf_keep(reader, &reader->closes, closing);
	}
}

/* "NAME = VALUE", as smb.conf has it. */
static void smbconf_doing(struct smbconf_reader *reader, char *line)
{
	char *equals = strstr(line, " = ");
	const char *value = NULL;

	if (equals == NULL) {
		return;
	}
	*equals = '\0';
	equals++;
	value = equals + 1 + strspn(equals + 1, " ");
	reader->written |= smbconf_ours(line);
	if (reader->doing != NULL && strchr(line, ':') != NULL) {
		(void)reader->fn(reader->private_data,
				 reader->doing,
				 line,
				 value);
	}
	smbconf_remember(reader, line);
	smbconf_empty_word(reader, line, value);
	if (quicd_name_same(line, "include")) {
		smbconf_include(reader, value);
	} else if (quicd_name_same(line, "config file") && value[0] != '\0') {
		smbconf_config_file(reader, value);
		smbconf_add_file(reader, value);
	}
}

/* "Processing section "[NAME]"", or the same behind the name of a function. */
static bool smbconf_header(struct smbconf_reader *reader, char *line)
{
	static const char text[] = "Processing section \"[";
	char *name = strstr(line, text);
	char *end = NULL;

	if (name == NULL ||
	    (name != line && smbconf_after(line, "lp_do_section: ") == NULL))
	{
		return false;
	}
	name += sizeof(text) - 1;
	end = strrchr(name, ']');
	if (end != NULL) {
		*end = '\0';
	}
	TALLOC_FREE(reader->doing);
	if (!quicd_name_same(name, "global") &&
	    !quicd_name_same(name, "globals")) {
		smbconf_keep(reader, &reader->doing, name);
		reader->sections = true;
	}
	return true;
}

/* A line that testparm prints to stderr while it reads. */
static void smbconf_stderr(struct smbconf_reader *reader, char *line)
{
	const bool value = reader->value;
	char *rest = NULL;
	size_t i;

	if (value && (line[0] == '\t' || line[0] == '[')) {
		smbconf_lines(reader, line);
		return;
	}
	reader->value = value && line[0] == '\0';
	rest = smbconf_after(line, "Can't find include file ");
	if (rest != NULL) {
		smbconf_no_include(reader, rest);
		return;
	}
	rest = smbconf_after(line, "doing parameter ");
	if (rest != NULL) {
		reader->value = true;
		smbconf_doing(reader, rest);
		return;
	}
	rest = smbconf_after(line, "Unknown parameter encountered: \"");
	if (rest != NULL) {
		rest[strcspn(rest, "\"")] = '\0';
		if (!quicd_name_same(rest, "includes")) {
			smbconf_ignored(reader, rest);
		} /* else: see smbconf_search_line() */
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
		smbconf_keep(reader, &reader->file, rest);
		smbconf_add_file(reader, rest);
		return;
	}
	if (smbconf_after(line, "lp_load_ex: changing to config backend")) {
		smbconf_forgets(reader);
		return;
	}
	if (smbconf_after(line, "lp_load_ex: refreshing")) {
		TALLOC_FREE(reader->doing); /* it begins in [global] */
		return;
	}
	if (line[0] == '\0' || smbconf_header(reader, line) ||
	    smbconf_after(line, "lp_load_ex") ||
	    smbconf_after(line, "pm_process()") ||
	    smbconf_after(line, "free_service: ") ||
	    smbconf_after(line, "Freeing parametrics") ||
	    smbconf_after(line, "Initialising global"))
	{
		return;
	}
	if (smbconf_after(line, "INFO: Current debug levels") ||
	    smbconf_after(line, "  "))
	{
		return; /* of each class */
	}
	talloc_free(reader->tail[SMBCONF_TAIL - 1]);
	for (i = SMBCONF_TAIL - 1; i > 0; i--) {
		reader->tail[i] = reader->tail[i - 1];
	}
	reader->tail[0] = talloc_strdup(reader, line); /* only for the log */
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
