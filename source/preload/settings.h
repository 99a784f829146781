/* SPDX-License-Identifier: LGPL-3.0-or-later */
/**
 * @file settings.h
 * The "smbd_uring:" parameters of smb.conf, of [global] and of a share.
 */

#ifndef PRELOAD_SETTINGS_H
#define PRELOAD_SETTINGS_H

#include <stdbool.h>

#include "transport/watch.h"

/** What may differ from share to share. */
struct preload_settings {
	enum uring_mode mode;
	struct uring_watch_settings watch;
};

/**
 * Read what only [global] can have: smbd_uring:backend and smbd_uring:log.
 *
 * @return whether the backend is io_uring
 */
bool preload_settings_load(void);

/**
 * Read the settings of a share.  A share that has none of its own has those of
 * [global].
 *
 * @param[in]  name  for warnings about values; NULL: the section [global]
 * @param[in]  snum  the number of the share
 */
void preload_settings_get(const char *name,
			  int snum,
			  struct preload_settings *settings);

/**
 * Warn of settings that need another one.
 *
 * @param[in] use_backend  whether smbd_uring:backend is io_uring
 */
void preload_settings_check(const struct preload_settings *settings,
			    bool use_backend);

#endif
