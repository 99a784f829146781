/* SPDX-License-Identifier: LGPL-3.0-or-later */
/*
 * The backend, for what is linked with it into one program.  Internal.
 */
#ifndef SMBD_URING_BACKEND_INTERNAL_H
#define SMBD_URING_BACKEND_INTERNAL_H

#include "smbd_uring_backend.h"

/**
 * @brief Call hook() in each iteration of the loop of ev, before it can wait
 * and before what is queued is submitted.
 *
 * @param[in] hook  NULL: no more.
 *
 * @return false if ev is not on the backend, or has another hook already.
 */
bool smbd_uring_backend_set_loop_hook(struct tevent_context *ev,
				      void (*hook)(void *private_data),
				      void *private_data);

#endif /* SMBD_URING_BACKEND_INTERNAL_H */
