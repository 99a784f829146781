/* SPDX-License-Identifier: LGPL-3.0-or-later */
/*
 * What the files of the reader share: smbconf.c, which reads the output of
 * testparm, and smbconf_search.c, which searches the files for the rest.
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

void smbconf_no_memory(struct smbconf_reader *reader);

/** @brief The bit of a name of ours, or 0. */
uint64_t smbconf_ours(const char *name);

/** @brief Pass a name on that Samba ignores, and say it in any case. */
void smbconf_ignored(struct smbconf_reader *reader, const char *name);

/** @brief Whether a file is empty, as its author says by this name. */
bool smbconf_is_null(const char *path);

/**
 * @brief Pass on, or say, what Samba drops of a file.
 *
 * A file that cannot be read is an error.
 */
void smbconf_search(struct smbconf_reader *reader, const char *path);

#endif /* QUICD_SMBCONF_INTERNAL_H */
