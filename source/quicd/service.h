/* SPDX-License-Identifier: LGPL-3.0-or-later */
/*
 * What the service manager gives smbd-quicd: a runtime directory, and a socket
 * for notifications.
 */
#ifndef QUICD_SERVICE_H
#define QUICD_SERVICE_H

/** @brief Where the service manager, or its unit, has our files. */
const char *quicd_runtime_directory(void);

/** @brief Tell the service manager, if there is one ("READY=1"). */
void quicd_notify(const char *state);

#endif /* QUICD_SERVICE_H */
