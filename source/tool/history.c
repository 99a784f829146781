/* SPDX-License-Identifier: LGPL-3.0-or-later */
/*
 * The samples of a day in a directory.
 */

#include "config.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <sys/stat.h>

#include "clients.h"
#include "history.h"
#include "replace.h"
#include "util/macros.h"

#define HOUR 3600
#define HOURS 24

/* The timer never fills a file: 60 samples of CLIENTS_MAX clients fit. */
#define HOUR_MAX_BYTES (4 * 1024 * 1024)

/* What the report shows of a client. */
static const char *const kept[] = {
	"client",
	"transport",
	"users",
	"shares",
	"state",
	"rtt_us",
	"loss_ppm",
	"stall_ms",
	"bytes_acked",
	"bytes_received",
};

static void hour_path(const char *directory,
		      int64_t now,
		      char *path,
		      size_t size)
{
	snprintf(path,
		 size,
		 "%s/hour-%02d.jsonl",
		 directory,
		 (int)(now / HOUR % HOURS));
}

json_t *history_totals(const char *directory)
{
	char path[PATH_MAX];
	json_t *totals = NULL;

	snprintf(path, sizeof(path), "%s/totals.json", directory);
	totals = json_load_file(path, 0, NULL);
	if (!json_is_object(totals)) {
		json_decref(totals);
		totals = json_object();
	}
	return totals;
}

int history_keep_totals(const char *directory, const json_t *totals)
{
	char path[PATH_MAX];
	struct replaced file;
	int ret;

	snprintf(path, sizeof(path), "%s/totals.json", directory);
	ret = replace_begin(path, 0600, &file);
	if (ret != 0) {
		return ret;
	}
	if (json_dumpf(totals, file.out, JSON_COMPACT) != 0) {
		replace_cancel(&file);
		return EIO;
	}
	return replace_end(&file);
}

static json_t *shorten(const json_t *client)
{
	json_t *shorter = json_object();
	size_t i;

	for (i = 0; i < ARRAY_SIZE(kept); i++) {
		json_t *value = json_object_get(client, kept[i]);

		if (value != NULL) {
			json_object_set(shorter, kept[i], value);
		}
	}
	return shorter;
}

static char *make_line(const json_t *clients, int64_t now)
{
	json_t *first = json_array();
	json_t *sample = NULL;
	char *line = NULL;
	size_t i;

	for (i = 0; i < CLIENTS_MAX && i < json_array_size(clients); i++) {
		json_array_append_new(first,
				      shorten(json_array_get(clients, i)));
	}
	sample = json_pack("{s:I, s:I, s:o}",
			   "time",
			   (json_int_t)now,
			   "left_out",
			   (json_int_t)(json_array_size(clients) - i),
			   "clients",
			   first);
	line = json_dumps(sample, JSON_COMPACT);
	json_decref(sample);
	return line;
}

int history_append(const char *directory, const json_t *clients, int64_t now)
{
	char *line = make_line(clients, now);
	char path[PATH_MAX];
	off_t size = 0; /* of the samples of this hour */
	struct stat st;
	int ret = 0;
	int fd;

	if (line == NULL) {
		return ENOMEM;
	}
	hour_path(directory, now, path, sizeof(path));
	fd = open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
	if (fd == -1 || fstat(fd, &st) != 0) {
		ret = errno;
	} else if (st.st_mtime / HOUR == now / HOUR) {
		size = st.st_size;
	} else if (ftruncate(fd, 0) != 0) {
		/* it was of another day */
		ret = errno;
	}
	if (ret == 0 && size >= HOUR_MAX_BYTES) {
		ret = EFBIG;
	} else if (ret == 0 && dprintf(fd, "%s\n", line) < 0) {
		ret = errno;
		/* half a line would spoil the next one */
		(void)!ftruncate(fd, size);
	}
	if (fd != -1 && close(fd) != 0 && ret == 0) {
		ret = errno;
	}
	free(line);
	return ret;
}

static void read_hour(const char *path, int64_t now, json_t *samples)
{
	FILE *in = fopen(path, "re");
	size_t count = json_array_size(samples);
	int64_t last = json_integer_value(json_object_get(
		json_array_get(samples, count > 0 ? count - 1 : 0), "time"));
	char *line = NULL;
	size_t size = 0;

	if (in == NULL) {
		return;
	}
	while (getline(&line, &size, in) > 0) {
		json_t *sample = json_loads(line, 0, NULL);
		int64_t time = json_integer_value(
			json_object_get(sample, "time"));

		/* the clock may have been set back, and go over it again */
		if (time > now - CLIENTS_KEPT && time <= now && time > last &&
		    json_is_array(json_object_get(sample, "clients")))
		{
			last = time;
			json_array_append(samples, sample);
		}
		json_decref(sample);
	}
	free(line);
	fclose(in);
}

int history_read(const char *directory, int64_t now, json_t **samples)
{
	char path[PATH_MAX];
	int64_t hour;

	if (access(directory, R_OK | X_OK) != 0) {
		return errno;
	}
	*samples = json_array();
	if (*samples == NULL) {
		return ENOMEM;
	}
	for (hour = HOURS - 1; hour >= 0; hour--) {
		hour_path(directory, now - hour * HOUR, path, sizeof(path));
		read_hour(path, now, *samples);
	}
	if (json_array_size(*samples) == 0) {
		json_decref(*samples);
		*samples = NULL;
		return ENODATA;
	}
	return 0;
}
