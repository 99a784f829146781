/* SPDX-License-Identifier: LGPL-3.0-or-later */
/*
 * "include" and "config file" of an smb.conf: which of them smbd-quicd can
 * follow, and which files Samba reads because of them.
 */

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>
#include <unistd.h>

#include "smbconf_internal.h"

/*
 * smbd reads such an include again when it knows the client.  %L changes with a
 * session request of NetBIOS only, which smbd-quicd does not pass on.
 */
static bool smbconf_is_by_client(const char *path)
{
	for (; (path = strchr(path, '%')) != NULL; path++) {
		if (path[1] != '\0' && strchr("aDGIiJjMmRU", path[1]) != NULL) {
			return true;
		}
	}
	return false;
}

void smbconf_add_file(struct smbconf_reader *reader, const char *path)
{
	char **files = NULL;

	/* see smbconf_stdout() */
	if (strchr(path, '%') != NULL || strcasecmp(path, "registry") == 0) {
		return;
	}
	files = talloc_realloc(reader,
			       reader->files,
			       char *,
			       reader->num_files + 1);
	if (files != NULL) {
		reader->files = files;
		files[reader->num_files] = talloc_strdup(files, path);
	}
	if (files == NULL || files[reader->num_files] == NULL) {
		smbconf_no_memory(reader);
		return;
	}
	reader->num_files++;
}

/* A name that says so itself; a container may hide any other below it. */
bool smbconf_is_null(const char *path)
{
	static const char null[] = "/dev/null";
	char *real = realpath(path, NULL);
	struct stat st;
	const bool is = real != NULL && strcmp(real, null) == 0 &&
			stat(null, &st) == 0 && S_ISCHR(st.st_mode);

	free(real);
	return is;
}

/*
 * "config file" makes smbd read another file instead of this one.  testparm
 * still prints this one, so we would not see the settings of smbd.
 */
void smbconf_config_file(struct smbconf_reader *reader, const char *path)
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

void smbconf_no_include(struct smbconf_reader *reader, const char *path)
{
	struct stat st;
	const char *why = "it is not a file";

	if (smbconf_is_null(path)) {
		return;
	}
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

/*
 * testparm prints only one include, the last one, with its variables replaced.
 * So the name of an earlier include with a variable stays unknown.
 */
void smbconf_not_searched(struct smbconf_reader *reader)
{
	if (reader->variable != NULL) {
		quicd_report_warning(reader->report,
				     "include = %s: smbd-quicd cannot look in "
				     "it for lines that Samba ignores; make it "
				     "the last include of [global]",
				     reader->variable);
		TALLOC_FREE(reader->variable);
	}
}

void smbconf_include(struct smbconf_reader *reader, const char *value)
{
	smbconf_keep(reader, &reader->include, value);
	smbconf_add_file(reader, value);
	if (strchr(value, '%') != NULL) {
		smbconf_not_searched(reader);
		smbconf_keep(reader, &reader->variable, value);
	}
	if (smbconf_is_by_client(value)) {
		quicd_report_warning(
			reader->report,
			"include = %s: smbd chooses the file by the client; "
			"smbd-quicd reads the one that it has without a client",
			value);
	}
}
