/* SPDX-License-Identifier: LGPL-3.0-or-later */
/*
 * Log lines go to stderr.  Each line is one write(2), because other processes
 * write there as well.
 *
 * If stderr is the journal, a line begins with its priority ("<4>"), so that
 * journalctl -p and monitoring can tell faults from reports.
 */
#ifndef QUICD_LOG_H
#define QUICD_LOG_H

#include <stdbool.h>

#include "util/message.h"

/* syslog's numbers */
enum quicd_log_level {
	QUICD_LOG_ERROR = 3,
	QUICD_LOG_WARNING = 4,
	QUICD_LOG_NOTICE = 5,
	QUICD_LOG_INFO = 6,
};

/** @brief Write a line of QUICD_LOG_INFO. */
#define quicd_log(...)                                           \
	do {                                                     \
		MESSAGE_INDEX("information", __VA_ARGS__);       \
		quicd_log_priority(QUICD_LOG_INFO, __VA_ARGS__); \
	} while (0)

/** @brief Write a line with a priority. */
#define quicd_log_at(_level, ...)                          \
	do {                                               \
		MESSAGE_INDEX(#_level, __VA_ARGS__);       \
		quicd_log_priority((_level), __VA_ARGS__); \
	} while (0)

/**
 * @brief Write a line that strangers can cause: a few a second, and then how
 * many were left out.
 */
#define quicd_log_limited(...)                             \
	do {                                               \
		MESSAGE_INDEX("information", __VA_ARGS__); \
		quicd_log_rate(__VA_ARGS__);               \
	} while (0)

/*
 * The faults that a reading of the settings found.  An error ends the start,
 * and a reload with an error changes nothing.  With an obstacle smbd-quicd
 * starts, but clients fail; an obstacle may be temporary or intended.
 */
struct quicd_report {
	unsigned errors;
	unsigned obstacles;
	unsigned warnings;
	/* another process has logged everything but errors */
	bool errors_only;
};

/** @brief Say an error and count it.  @return false, for the caller to return.
 */
#define quicd_report_error(_report, ...)                        \
	__extension__({                                         \
		MESSAGE_INDEX("error", __VA_ARGS__);            \
		quicd_report_add_error((_report), __VA_ARGS__); \
	})

/** @brief Say what will make clients fail, and count it. */
#define quicd_report_obstacle(_report, ...)                        \
	do {                                                       \
		MESSAGE_INDEX("obstacle", __VA_ARGS__);            \
		quicd_report_add_obstacle((_report), __VA_ARGS__); \
	} while (0)

/** @brief Say what is odd, and count it. */
#define quicd_report_warning(_report, ...)                        \
	do {                                                      \
		MESSAGE_INDEX("warning", __VA_ARGS__);            \
		quicd_report_add_warning((_report), __VA_ARGS__); \
	} while (0)

/* What the macros above call. */
void quicd_log_priority(enum quicd_log_level level, const char *format, ...)
	__attribute__((format(printf, 2, 3)));
void quicd_log_rate(const char *format, ...)
	__attribute__((format(printf, 1, 2)));
bool quicd_report_add_error(struct quicd_report *report,
			    const char *format,
			    ...) __attribute__((format(printf, 2, 3)));
void quicd_report_add_obstacle(struct quicd_report *report,
			       const char *format,
			       ...) __attribute__((format(printf, 2, 3)));
void quicd_report_add_warning(struct quicd_report *report,
			      const char *format,
			      ...) __attribute__((format(printf, 2, 3)));

#endif /* QUICD_LOG_H */
