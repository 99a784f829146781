/* SPDX-License-Identifier: LGPL-3.0-or-later */
/*
 * Our systemd drop-in of a unit: a link to the installed file, so that an
 * upgrade may change what it says.
 */
#ifndef TOOL_DROPIN_H
#define TOOL_DROPIN_H

#include <stdbool.h>

/**
 * @brief Create the link, and the directory of the unit's drop-ins.
 *
 * @param[out] changed  false: it was there.
 *
 * @return 0, ENOENT if the file is not installed, EEXIST if the drop-in is not
 *         ours, or another errno.
 */
int dropin_create(const char *unit, bool *changed);

/**
 * @brief Remove the link if it is ours, and the directory if it is then empty.
 *
 * @param[out] changed  false: there was none.
 */
int dropin_remove(const char *unit, bool *changed);

/** @brief The path of the drop-in, in a static buffer. */
const char *dropin_path(const char *unit);

#endif /* TOOL_DROPIN_H */
