/* SPDX-License-Identifier: LGPL-3.0-or-later */
/**
 * @file names.h
 * Names of smb.conf with our prefix that nobody knows.
 */

#ifndef PRELOAD_NAMES_H
#define PRELOAD_NAMES_H

/** Warn of those of [global]. */
void preload_names_check_global(void);

/** Warn of those of a share; snum is its number. */
void preload_names_check_share(const char *name, int snum);

#endif
