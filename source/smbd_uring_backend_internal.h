/* SPDX-License-Identifier: LGPL-3.0-or-later */
/*
 * The backend, for code that is linked with it into one program.  Internal.
 */
#ifndef SMBD_URING_BACKEND_INTERNAL_H
#define SMBD_URING_BACKEND_INTERNAL_H

#include "smbd_uring_backend.h"

/**
 * @brief Call hook() in each iteration of the loop of ev, before the loop
 * submits the queue and before it can wait.
 *
 * @param[in] hook  NULL removes the hook.
 *
 * @return false if ev does not use the backend, or already has a hook.
 */
bool smbd_uring_backend_set_loop_hook(struct tevent_context *ev,
				      void (*hook)(void *private_data),
				      void *private_data);

#endif /* SMBD_URING_BACKEND_INTERNAL_H */
