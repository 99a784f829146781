/* SPDX-License-Identifier: LGPL-3.0-or-later */
/**
 * @file log_once.h
 * Warnings in smbd's log that are not repeated.
 */

#ifndef PRELOAD_LOG_ONCE_H
#define PRELOAD_LOG_ONCE_H

#include "util/message.h"

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

/** smbd has started: each line may be logged once more. */
void preload_log_start(void);

#endif
