/* SPDX-License-Identifier: LGPL-3.0-or-later */
/*
 * What testparm says on stderr while it reads smb.conf: Samba's debug texts.
 *
 * Like smbd, testparm skips an include that it does not find.  It says so at
 * debug level 2.  At level 4 it also says each line before it takes it.  At
 * level 5 it says the header of each share, even of a share that is not valid
 * and that it does not print.
 */

#include <string.h>

#include "names.h"
#include "smbconf_internal.h"

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

void smbconf_stderr(struct smbconf_reader *reader, char *line)
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
