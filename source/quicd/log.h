/* SPDX-License-Identifier: LGPL-3.0-or-later */
/*
 * Log lines: to stderr, one write a line, as other processes write there, too.
 *
 * If stderr is the journal, a line begins with its priority ("<4>"), so that
 * journalctl -p and monitoring know a fault from a report.
 */
#ifndef QUICD_LOG_H
#define QUICD_LOG_H

#include <stdbool.h>

/* syslog's numbers */
enum quicd_log_level {
	QUICD_LOG_ERROR = 3,
	QUICD_LOG_WARNING = 4,
	QUICD_LOG_NOTICE = 5,
	QUICD_LOG_INFO = 6,
};

/** @brief Write a line of QUICD_LOG_INFO. */
void quicd_log(const char *format, ...) __attribute__((format(printf, 1, 2)));

/** @brief Write a line with a priority. */
void quicd_log_at(enum quicd_log_level level, const char *format, ...)
	__attribute__((format(printf, 2, 3)));

/**
 * @brief Write a line that strangers can cause: a few a second, and then how
 * many were left out.
 */
void quicd_log_limited(const char *format, ...)
	__attribute__((format(printf, 1, 2)));

/*
 * What a reading of the settings has found.  Errors end the start, and a reload
 * with one changes nothing.  An obstacle lets smbd-quicd start, but clients
 * will fail; it may be gone a moment later, or be meant.
 */
struct quicd_report {
	unsigned errors;
	unsigned obstacles;
	unsigned warnings;
	/* another process has said all but the errors */
	bool errors_only;
};

/** @brief Say an error and count it.  @return false, for the caller to return.
 */
bool quicd_report_error(struct quicd_report *report, const char *format, ...)
	__attribute__((format(printf, 2, 3)));

/** @brief Say what will make clients fail, and count it. */
void quicd_report_obstacle(struct quicd_report *report, const char *format, ...)
	__attribute__((format(printf, 2, 3)));

/** @brief Say what is odd, and count it. */
void quicd_report_warning(struct quicd_report *report, const char *format, ...)
	__attribute__((format(printf, 2, 3)));

#endif /* QUICD_LOG_H */
