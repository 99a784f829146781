/* SPDX-License-Identifier: LGPL-3.0-or-later */
/*
 * What the files of the reader share: smbconf.c, which reads the output of
 * testparm, smbconf_stderr.c, which reads its debug texts, smbconf_include.c,
 * which knows the files that Samba reads, and smbconf_search.c, which searches
 * these files for the rest.
 */
#ifndef QUICD_SMBCONF_INTERNAL_H
#define QUICD_SMBCONF_INTERNAL_H

#include <stdint.h>

#include "smbconf.h"

/* The last lines of testparm, for when it fails. */
#define SMBCONF_TAIL 6

struct smbconf_reader {
	struct quicd_report *report;
	quicd_smbconf_fn fn;
	void *private_data;
	char *section; /* of stdout; NULL before the first one */
	bool global;
	bool global_seen;
	bool value;	/* of stderr: the last line had one */
	char *doing;	/* of stderr: the share; NULL in [global] */
	bool sections;	/* stderr has them */
	char *file;	/* the main one, as testparm says it */
	char *include;	/* the last one, as it is written */
	char *variable; /* the last one with a variable, not searched yet */
	char *closes;	/* the last name that keeps somebody out */
	char **files;	/* the main one, and includes */
	size_t num_files;
	/* our names, a bit each: in the files; in testparm's output */
	uint64_t written;
	uint64_t printed;
	char *tail[SMBCONF_TAIL];
	bool good;
};

/* smbconf.c */

void smbconf_no_memory(struct smbconf_reader *reader);

/** @brief Replace a string by a copy of another one. */
void smbconf_keep(struct smbconf_reader *reader, char **to, const char *text);

/** @brief Refuse a line that is the rest of a value with a line break. */
void smbconf_lines(struct smbconf_reader *reader, const char *what);

/** @brief The bit of a name of ours, or 0. */
uint64_t smbconf_ours(const char *name);

/** @brief Pass a name on that Samba ignores, and say it in any case. */
void smbconf_ignored(struct smbconf_reader *reader, const char *name);

/* smbconf_stderr.c */

/** @brief A line that testparm prints to stderr while it reads. */
void smbconf_stderr(struct smbconf_reader *reader, char *line);

/* smbconf_include.c */

/** @brief Whether a file is empty, as its author says by this name. */
bool smbconf_is_null(const char *path);

/** @brief Note a file that Samba reads, for smbconf_search(). */
void smbconf_add_file(struct smbconf_reader *reader, const char *path);

/** @brief An include, as smb.conf has it. */
void smbconf_include(struct smbconf_reader *reader, const char *value);

/** @brief Samba does not find the file of an include. */
void smbconf_no_include(struct smbconf_reader *reader, const char *path);

/** @brief Say which include will not be searched. */
void smbconf_not_searched(struct smbconf_reader *reader);

/** @brief A "config file", as smb.conf has it: an error if not this one. */
void smbconf_config_file(struct smbconf_reader *reader, const char *path);

/* smbconf_search.c */

/**
 * @brief Pass on, or say, what Samba drops of a file.
 *
 * A file that cannot be read is an error.
 */
void smbconf_search(struct smbconf_reader *reader, const char *path);

#endif /* QUICD_SMBCONF_INTERNAL_H */
