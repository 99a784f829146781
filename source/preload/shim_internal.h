/* SPDX-License-Identifier: LGPL-3.0-or-later */
/**
 * @file shim_internal.h
 * What the constructor of the shim does in smbd.  It runs before there are
 * threads.
 */

#ifndef PRELOAD_SHIM_INTERNAL_H
#define PRELOAD_SHIM_INTERNAL_H

#include "shim.h"

/**
 * Take this library out of LD_PRELOAD.
 *
 * @param[in] own  the path of this library
 */
void shim_leave_environment(const char *own);

/**
 * Open the module, which is beside this library.
 *
 * @return its entry; NULL if it cannot be used: then the reason is on stderr
 */
preload_module_init_fn_t *shim_open_module(const char *own);

#endif
