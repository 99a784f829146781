/* SPDX-License-Identifier: LGPL-3.0-or-later */
/*
 * Files of qlog, see qlog.h.
 *
 * The worker, which has no rights of root, creates them, and never opens one
 * that is there: a link leads nowhere.
 */

#include "config.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <ngtcp2/ngtcp2.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "parameters.h"
#include "qlog.h"

#define QLOG_SUFFIX ".sqlog"
#define QLOG_PARAMETER QUICD_PREFIX "quic qlog directory"

/* Without CVE-2026-40170, which a client can use when there is a qlog. */
#define QLOG_NGTCP2 0x011601
#define QLOG_NGTCP2_TEXT "1.22.1"

struct quicd_qlogs {
	char *path;
	int fd;
	bool full; /* and that was said */
	struct address *clients; /* NULL: all */
};

struct quicd_qlog {
	FILE *out; /* NULL: it has ended */
	size_t len;
	char *name;
};

bool quicd_qlog_possible(struct quicd_report *report,
			 const struct quicd_settings *settings)
{
	const ngtcp2_info *info = ngtcp2_version(0);

	if (settings->qlog_directory == NULL) {
		return true;
	}
	if (settings->qlog_directory[0] != '/') {
		return quicd_report_error(report,
					  QLOG_PARAMETER
					  " = %s: not an absolute path",
					  settings->qlog_directory);
	}
	if (info->version_num < QLOG_NGTCP2) {
		return quicd_report_error(report,
					  QLOG_PARAMETER
					  ": libngtcp2 %s may have "
					  "CVE-2026-40170; it needs "
					  QLOG_NGTCP2_TEXT,
					  info->version_str);
	}
	return true;
}

static int quicd_qlogs_destructor(struct quicd_qlogs *qlogs)
{
	if (qlogs->fd >= 0) {
		close(qlogs->fd);
	}
	return 0;
}

struct quicd_qlogs *quicd_qlogs_open(TALLOC_CTX *mem_ctx,
				     const struct quicd_settings *settings)
{
	const char *path = settings->qlog_directory;
	struct quicd_qlogs *qlogs = NULL;

	if (path == NULL) {
		return NULL;
	}
	qlogs = talloc_zero(mem_ctx, struct quicd_qlogs);
	if (qlogs == NULL) {
		return NULL;
	}
	qlogs->path = talloc_strdup(qlogs, path);
	if (settings->qlog_clients != NULL) {
		qlogs->clients = talloc_memdup(
			qlogs,
			settings->qlog_clients,
			talloc_get_size(settings->qlog_clients));
	}
	(void)mkdir(path, 0700);
	qlogs->fd = open(path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	talloc_set_destructor(qlogs, quicd_qlogs_destructor);
	if (qlogs->path == NULL || qlogs->fd < 0 ||
	    (settings->qlog_clients != NULL && qlogs->clients == NULL))
	{
		quicd_log_at(QUICD_LOG_WARNING,
			     QLOG_PARAMETER " = %s: %s; there is no qlog",
			     path,
			     strerror(errno));
		TALLOC_FREE(qlogs);
	}
	return qlogs;
}

static bool quicd_qlogs_wanted(const struct quicd_qlogs *qlogs,
			       const struct address *client)
{
	const size_t num = talloc_array_length(qlogs->clients);
	size_t i;

	for (i = 0; i < num; i++) {
		if (address_same_host(&qlogs->clients[i].u.sa, &client->u.sa)) {
			return true;
		}
	}
	return qlogs->clients == NULL;
}

static bool quicd_qlogs_is_ours(const char *name)
{
	const size_t len = strlen(name);

	return len > strlen(QLOG_SUFFIX) &&
	       strcmp(&name[len - strlen(QLOG_SUFFIX)], QLOG_SUFFIX) == 0;
}

/* Whether there may be another file; other workers create some, too. */
static bool quicd_qlogs_room(struct quicd_qlogs *qlogs)
{
	const int fd = openat(
		qlogs->fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *dir = fd >= 0 ? fdopendir(fd) : NULL;
	const struct dirent *entry = NULL;
	unsigned num = 0;

	if (dir == NULL) {
		if (fd >= 0) {
			close(fd);
		}
		return false;
	}
	while (num < QUICD_QLOG_FILES && (entry = readdir(dir)) != NULL) {
		num += quicd_qlogs_is_ours(entry->d_name);
	}
	closedir(dir);
	if (num == QUICD_QLOG_FILES) {
		qlogs->full = true;
		quicd_log_at(QUICD_LOG_WARNING,
			     "%s has %d files of qlog: remove some and reload",
			     qlogs->path,
			     QUICD_QLOG_FILES);
		return false;
	}
	return true;
}

static int quicd_qlog_destructor(struct quicd_qlog *qlog)
{
	if (qlog->out != NULL) {
		(void)fclose(qlog->out);
	}
	return 0;
}

static void quicd_qlog_end(struct quicd_qlog *qlog, const char *why)
{
	quicd_log_at(QUICD_LOG_WARNING,
		     "the qlog %s ends: %s",
		     qlog->name,
		     why);
	(void)fclose(qlog->out);
	qlog->out = NULL;
}

struct quicd_qlog *quicd_qlog_begin(TALLOC_CTX *mem_ctx,
				    struct quicd_qlogs *qlogs,
				    const struct address *client,
				    const char *id)
{
	struct quicd_qlog *qlog = NULL;
	int fd = -1;

	if (qlogs == NULL || qlogs->full ||
	    !quicd_qlogs_wanted(qlogs, client) || !quicd_qlogs_room(qlogs))
	{
		return NULL;
	}
	qlog = talloc_zero(mem_ctx, struct quicd_qlog);
	if (qlog == NULL) {
		return NULL;
	}
	qlog->name = talloc_asprintf(qlog, "%s" QLOG_SUFFIX, id);
	if (qlog->name != NULL) {
		fd = openat(qlogs->fd,
			    qlog->name,
			    O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW |
				    O_CLOEXEC,
			    0600);
	}
	if (fd >= 0) {
		qlog->out = fdopen(fd, "w");
	}
	if (qlog->out == NULL) {
		quicd_log_limited(QLOG_PARAMETER " = %s: %s",
				  qlogs->path,
				  strerror(errno));
		if (fd >= 0) {
			close(fd);
		}
		talloc_free(qlog);
		return NULL;
	}
	talloc_set_destructor(qlog, quicd_qlog_destructor);
	return qlog;
}

void quicd_qlog_write(struct quicd_qlog *qlog, const void *data, size_t len)
{
	if (qlog->out == NULL) {
		return;
	}
	if (len > QUICD_QLOG_SIZE - qlog->len) {
		quicd_qlog_end(qlog, "it is long enough");
		return;
	}
	qlog->len += len;
	if (fwrite(data, 1, len, qlog->out) != len) {
		quicd_qlog_end(qlog, strerror(errno));
	}
}
