/* SPDX-License-Identifier: LGPL-3.0-or-later */
/*
 * Lists of names in published rows.
 */
#ifndef TRANSPORT_NAME_LIST_H
#define TRANSPORT_NAME_LIST_H

#include <stddef.h>

/**
 * @brief Add a name to a list, unless it is empty or already in the list.
 *
 * URING_STATUS_SEPARATOR separates the names, and names become printable.  If
 * there is no room for a name, the list ends with URING_STATUS_MORE, for which
 * there is always room.
 *
 * @param[in,out] list  terminated.
 * @param[in]     size  the size of list in bytes.
 */
void name_list_add(char *list, size_t size, const char *name);

#endif /* TRANSPORT_NAME_LIST_H */
