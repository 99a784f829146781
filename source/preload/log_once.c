// SPDX-License-Identifier: LGPL-3.0-or-later
/*
 * Warnings that are logged once, see log_once.h.
 *
 * A server has a process for each client, and all of them meet the same
 * obstacle.  So we note a line that is to be logged once in a file that all
 * processes share.  It is beside smbd's other files that do not outlive a
 * reboot.
 */

#include "config.h"

#include <fcntl.h>
#include <stdarg.h>
#include <stdint.h>
#include <sys/file.h>
#include <talloc.h>
#include <time.h>
#include <unistd.h>

#include "log.h"
#include "log_once.h"
#include "smbd_symbols.h"
#include "util/macros.h"

#define LOG_SAID_FILE "smbd_uring.said"
#define LOG_SAID_SECONDS 3600
/* With more lines than that, smbd may log the oldest again within the hour. */
#define LOG_SAID_MAX 1024
/* A process logs at most so many different lines. */
#define LOG_OWN_MAX 64
#define LOG_FULL                                                 \
	"smbd_uring: too many different warnings; a process says " \
	"no more of them"

/* A line that was logged; the file is an array of them. */
struct log_said {
	uint64_t hash;
	int64_t when;
};

/* the lines of this process, and of its parent before the fork */
static uint64_t log_own[LOG_OWN_MAX + 1];
static size_t log_num_own;
static bool log_full;

/* 64-bit FNV-1a */
static uint64_t log_hash(const char *line)
{
	uint64_t hash = UINT64_C(0xcbf29ce484222325);

	for (; *line != '\0'; line++) {
		hash ^= (unsigned char)*line;
		hash *= UINT64_C(0x100000001b3);
	}
	return hash;
}

static char *log_said_path(TALLOC_CTX *mem_ctx)
{
	const struct smbd_symbols *smbd = smbd_symbols();

	if (smbd->lock_path == NULL || smbd->lp_loaded == NULL ||
	    !smbd->lp_loaded())
	{
		return NULL;
	}
	return smbd->lock_path(mem_ctx, LOG_SAID_FILE);
}

/* Note in the open file that a line is logged now, unless it was lately. */
static bool log_claim(int fd, uint64_t hash)
{
	struct log_said said[LOG_SAID_MAX] = {};
	struct log_said *entry = &said[0];
	int64_t now = time(NULL);
	size_t i;

	if (pread(fd, said, sizeof(said), 0) == -1) {
		return true;
	}
	for (i = 0; i < ARRAY_SIZE(said); i++) {
		if (said[i].hash == hash) {
			entry = &said[i];
			break;
		}
		if (said[i].when < entry->when) {
			entry = &said[i];
		}
	}
	/* a later time was written before somebody set the clock back */
	if (entry->hash == hash && entry->when <= now &&
	    now - entry->when < LOG_SAID_SECONDS)
	{
		return false;
	}
	*entry = (struct log_said){.hash = hash, .when = now};
	(void)!pwrite(fd, said, sizeof(said), 0);
	return true;
}

/* If in doubt, log it: smbd may act for a user without access to the file. */
static bool log_first_on_machine(uint64_t hash)
{
	char *path = log_said_path(NULL);
	bool first = true;
	int fd = -1;

	if (path != NULL) {
		fd = open(path,
			  O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW,
			  0600);
	}
	if (fd != -1) {
		(void)flock(fd, LOCK_EX);
		first = log_claim(fd, hash);
		close(fd);
	}
	TALLOC_FREE(path);
	return first;
}

/* limited: only as one of the LOG_OWN_MAX lines of this process */
static void log_warning_once(const char *line, bool limited)
{
	uint64_t hash = log_hash(line);
	size_t i;

	if (!preload_warns()) {
		return;
	}
	for (i = 0; i < log_num_own; i++) {
		if (log_own[i] == hash) {
			return;
		}
	}
	if (limited && log_num_own >= LOG_OWN_MAX) {
		/* or smbd would log this line each second */
		if (!log_full) {
			log_full = true;
			MESSAGE_INDEX("warning", LOG_FULL);
			if (log_first_on_machine(log_hash(LOG_FULL))) {
				preload_warning(LOG_FULL);
			}
		}
		return;
	}
	if (log_num_own < ARRAY_SIZE(log_own)) {
		log_own[log_num_own] = hash;
		log_num_own++;
	}
	if (log_first_on_machine(hash)) {
		preload_warning(line);
	}
}

void preload_warning_once(const char *line)
{
	log_warning_once(line, true);
}

void preload_warning_fallback(const char *line)
{
	char *prefixed = talloc_asprintf(NULL, "smbd_uring: %s", line);

	if (prefixed != NULL) {
		/* a process logs one, and it must not be lost */
		log_warning_once(prefixed, false);
	}
	TALLOC_FREE(prefixed);
}

void preload_warning_once_print(const char *format, ...)
{
	char *line = NULL;
	va_list ap;

	va_start(ap, format);
	line = talloc_vasprintf(NULL, format, ap);
	va_end(ap);
	if (line != NULL) {
		preload_warning_once(line);
	}
	TALLOC_FREE(line);
}

void preload_log_start(void)
{
	char *path = log_said_path(NULL);

	if (path != NULL) {
		(void)unlink(path);
	}
	TALLOC_FREE(path);
}
