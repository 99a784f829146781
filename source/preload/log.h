/* SPDX-License-Identifier: LGPL-3.0-or-later */
/**
 * @file log.h
 * Lines in smbd's log.
 */

#ifndef PRELOAD_LOG_H
#define PRELOAD_LOG_H

#include <stdbool.h>

#include "util/message.h"

/** The values of smbd_uring:log, in the order of smbd_parameters.def. */
enum preload_log {
	PRELOAD_LOG_NONE,
	PRELOAD_LOG_WARNINGS,
	PRELOAD_LOG_CONNECTIONS,
};

void preload_log_set(enum preload_log log);

/** Whether preload_warning() would write anything. */
bool preload_warns(void);

/** Something that the administrator should know. */
void preload_warning(const char *line);

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

#endif
