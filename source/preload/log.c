// SPDX-License-Identifier: LGPL-3.0-or-later
/*
 * Lines in smbd's log.
 *
 * Samba makes a priority of syslog out of a level: 0 is an error, 1 a warning,
 * and 2 to 5 are notices.  Our warnings have level 1, so they are warnings in
 * syslog and in the journal.  They do not ask whether the log has that level:
 * Debian's has level 0, and whoever set a limit wants to hear that it was
 * reached.  "smbd_uring:log = none" silences them.  Information has level 3.
 * It is written from "log level = 1" on if smbd_uring:log asks for it.
 */

#include "config.h"

#include <stdarg.h>
#include <stdio.h>
#include <talloc.h>

#include "log.h"
#include "smbd_symbols.h"

#define LOG_LEVEL_WARNING 1
#define LOG_LEVEL_INFORMATION 3

static enum preload_log log_wanted = PRELOAD_LOG_WARNINGS;

void preload_log_set(enum preload_log log)
{
	log_wanted = log;
}

static void log_write(int level, const char *line)
{
	const struct smbd_symbols *smbd = smbd_symbols();

	if (smbd->dbghdrclass == NULL || smbd->dbgtext == NULL) {
		(void)fprintf(stderr, "%s\n", line);
		return;
	}
	(void)smbd->dbghdrclass(level, SMBD_DBGC_ALL, __location__, __func__);
	(void)smbd->dbgtext("%s\n", line);
}

bool preload_warns(void)
{
	return log_wanted != PRELOAD_LOG_NONE;
}

void preload_warning(const char *line)
{
	if (preload_warns()) {
		log_write(LOG_LEVEL_WARNING, line);
	}
}

bool preload_informs(void)
{
	const struct smbd_symbols *smbd = smbd_symbols();

	return log_wanted == PRELOAD_LOG_CONNECTIONS &&
	       (smbd->debuglevel_get_class == NULL ||
		smbd->debuglevel_get_class(SMBD_DBGC_ALL) > 0);
}

void preload_information_print(const char *format, ...)
{
	char *line = NULL;
	va_list ap;

	if (!preload_informs()) {
		return;
	}
	va_start(ap, format);
	line = talloc_vasprintf(NULL, format, ap);
	va_end(ap);
	if (line != NULL) {
		log_write(LOG_LEVEL_INFORMATION, line);
	}
	TALLOC_FREE(line);
}
