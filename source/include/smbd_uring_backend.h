/* SPDX-License-Identifier: LGPL-3.0-or-later */
/*
 * The tevent backend "io_uring".
 */
#ifndef SMBD_URING_BACKEND_H
#define SMBD_URING_BACKEND_H

#include <stdbool.h>
#include <tevent.h>

#include "uring_process.h"

#define SMBD_URING_BACKEND_NAME "io_uring"

/**
 * @brief Register the backend with tevent, under SMBD_URING_BACKEND_NAME.
 *
 * Afterwards tevent_context_init_byname() accepts the name, and
 * tevent_set_default_backend() makes every new context use the backend.
 *
 * @return false if tevent has no epoll backend or there is no memory.
 */
URING_PUBLIC bool smbd_uring_backend_register(void);

/**
 * @brief The operations of the backend, for a program that registers its
 * own on top of them.
 *
 * @return NULL if tevent has no epoll backend.
 */
URING_PUBLIC const struct tevent_ops *smbd_uring_backend_ops(void);

#endif /* SMBD_URING_BACKEND_H */
