/* SPDX-License-Identifier: LGPL-3.0-or-later */
/*
 * The parent: sockets, workers, reloads.
 */
#ifndef QUICD_PARENT_H
#define QUICD_PARENT_H

#include <stdbool.h>

/**
 * @brief Serve until a signal ends it.
 *
 * @param[in] config    the smb.conf, or NULL
 * @param[in] prepared  take the settings that "smbd-quicd --prepare" has left
 *
 * @return the exit status.
 */
int quicd_parent_run(const char *config, bool prepared);

#endif /* QUICD_PARENT_H */
