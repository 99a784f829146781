/* SPDX-License-Identifier: LGPL-3.0-or-later */
/* Log lines. */

#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "log.h"
#include "util/clock.h"

/* The lines a second that strangers can cause. */
#define QUICD_LOG_RATE 20

/* Whether stderr is what the service manager said that it is. */
static bool quicd_log_is_journal(void)
{
	static int journal = -1;
	const char *stream = getenv("JOURNAL_STREAM");
	struct stat st;
	char text[64];

	if (journal >= 0) {
		return journal == 1;
	}
	journal = 0;
	if (stream != NULL && fstat(STDERR_FILENO, &st) == 0) {
		(void)snprintf(text,
			       sizeof(text),
			       "%ju:%ju",
			       (uintmax_t)st.st_dev,
			       (uintmax_t)st.st_ino);
		journal = strcmp(stream, text) == 0;
	}
	return journal == 1;
}

static void quicd_log_write(enum quicd_log_level level,
			    const char *kind,
			    const char *format,
			    va_list ap) __attribute__((format(printf, 3, 0)));

static void quicd_log_write(enum quicd_log_level level,
			    const char *kind,
			    const char *format,
			    va_list ap)
{
	char line[1024];
	char priority[sizeof("<3>")] = "";

	(void)vsnprintf(line, sizeof(line), format, ap);
	if (quicd_log_is_journal()) {
		(void)snprintf(priority, sizeof(priority), "<%d>", (int)level);
	}
	fprintf(stderr, "%ssmbd_quicd: %s%s\n", priority, kind, line);
}

void quicd_log_priority(enum quicd_log_level level, const char *format, ...)
{
	va_list ap;

	va_start(ap, format);
	quicd_log_write(level, "", format, ap);
	va_end(ap);
}

void quicd_log_rate(const char *format, ...)
{
	static uint64_t second;
	static unsigned lines;
	const uint64_t now = clock_monotonic_ns() / CLOCK_NS_PER_S;
	va_list ap;

	if (now != second) {
		if (lines > QUICD_LOG_RATE) {
			quicd_log("%u lines left out", lines - QUICD_LOG_RATE);
		}
		second = now;
		lines = 0;
	}
	lines++;
	if (lines > QUICD_LOG_RATE) {
		return;
	}
	va_start(ap, format);
	quicd_log_write(QUICD_LOG_NOTICE, "", format, ap);
	va_end(ap);
}

bool quicd_report_add_error(struct quicd_report *report,
			    const char *format,
			    ...)
{
	va_list ap;

	report->errors++;
	va_start(ap, format);
	quicd_log_write(QUICD_LOG_ERROR, "", format, ap);
	va_end(ap);
	return false;
}

void quicd_report_add_obstacle(struct quicd_report *report,
			       const char *format,
			       ...)
{
	va_list ap;

	report->obstacles++;
	if (report->errors_only) {
		return;
	}
	va_start(ap, format);
	quicd_log_write(QUICD_LOG_ERROR, "clients will fail: ", format, ap);
	va_end(ap);
}

void quicd_report_add_warning(struct quicd_report *report,
			      const char *format,
			      ...)
{
	va_list ap;

	report->warnings++;
	if (report->errors_only) {
		return;
	}
	va_start(ap, format);
	quicd_log_write(QUICD_LOG_WARNING, "warning: ", format, ap);
	va_end(ap);
}
