/* SPDX-License-Identifier: LGPL-3.0-or-later */
/** @file macros.h Macros that the kernel and Samba have and ISO C lacks. */

#ifndef UTIL_MACROS_H
#define UTIL_MACROS_H

#include <stddef.h>

#ifndef ARRAY_SIZE
#define ARRAY_SIZE(a) (sizeof(a) / sizeof((a)[0]))
#endif

/** The structure of type that contains the member at ptr. */
#ifndef container_of
#define container_of(ptr, type, member) \
	((type *)(void *)((char *)(ptr)-offsetof(type, member)))
#endif

#endif
