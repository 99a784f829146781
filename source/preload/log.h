/* SPDX-License-Identifier: LGPL-3.0-or-later */
/**
 * @file log.h
 * Lines in smbd's log.
 */

#ifndef PRELOAD_LOG_H
#define PRELOAD_LOG_H

#include <stdbool.h>

#include "util/message.h"

/** The values of smbd_uring:log, in the order of parameters.def. */
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

/**
 * As preload_warning_once(), for the library's line that it fell back: see
 * uring_set_log_fn().
 */
void preload_warning_fallback(const char *line);

/** As preload_warning_once(), with the format of printf(3), a literal. */
#define preload_warning_once_format(...)                 \
	do {                                             \
		MESSAGE_INDEX("warning", __VA_ARGS__);   \
		preload_warning_once_print(__VA_ARGS__); \
	} while (0)
void preload_warning_once_print(const char *format, ...)
	__attribute__((format(printf, 1, 2)));

/** Whether preload_information() would write anything. */
bool preload_informs(void);

/** What a connection looks like; the format is a literal. */
#define preload_information(...)                           \
	do {                                               \
		MESSAGE_INDEX("information", __VA_ARGS__); \
		preload_information_print(__VA_ARGS__);    \
	} while (0)
void preload_information_print(const char *format, ...)
	__attribute__((format(printf, 1, 2)));

/** smbd has started: each line may be logged once more. */
void preload_log_start(void);

#endif
