/* SPDX-License-Identifier: LGPL-3.0-or-later */
/**
 * @file log.h
 * Lines in smbd's log.
 */

#ifndef PRELOAD_LOG_H
#define PRELOAD_LOG_H

#include <stdbool.h>

/** The values of smbd_uring:log, in the order of parameters.c. */
enum preload_log {
	PRELOAD_LOG_NONE,
	PRELOAD_LOG_WARNINGS,
	PRELOAD_LOG_CONNECTIONS,
};

void preload_log_set(enum preload_log log);

/** Something that the administrator should know. */
void preload_warning(const char *line);

/**
 * As preload_warning(), but once: a process says a line only once, and all
 * processes together say it once an hour.
 */
void preload_warning_once(const char *line);

/** As preload_warning_once(), with the format of printf(3). */
void preload_warning_once_format(const char *format, ...)
	__attribute__((format(printf, 1, 2)));

/** Whether preload_information() would write anything. */
bool preload_informs(void);

/** What a connection looks like. */
void preload_information(const char *format, ...)
	__attribute__((format(printf, 1, 2)));

/** smbd has been started: all may be said again. */
void preload_log_start(void);

#endif
