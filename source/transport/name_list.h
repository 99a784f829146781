/* SPDX-License-Identifier: LGPL-3.0-or-later */
/*
 * Lists of names in published rows.
 */
#ifndef TRANSPORT_NAME_LIST_H
#define TRANSPORT_NAME_LIST_H

#include <stddef.h>

/**
 * @brief Add a name to a list if it is not in it and not empty.
 *
 * Names are separated by URING_STATUS_SEPARATOR, and become printable.  A list
 * that has no room for another ends with URING_STATUS_MORE, for which there
 * always is.
 *
 * @param[in,out] list  terminated.
 * @param[in]     size  the bytes that it has.
 */
void name_list_add(char *list, size_t size, const char *name);

#endif /* TRANSPORT_NAME_LIST_H */
