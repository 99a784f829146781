/* SPDX-License-Identifier: LGPL-3.0-or-later */
/**
 * @file printable.h
 * The one filter for text that strangers choose: user names, shares, names in
 * certificates.  What passes it can steer no terminal and break no line.
 *
 * It takes UTF-8.  A '?' stands for each byte that is no UTF-8 and for each
 * control or format character (Unicode's Cc and Cf), U+2028 and U+2029.
 */

#ifndef UTIL_PRINTABLE_H
#define UTIL_PRINTABLE_H

#include <stddef.h>

/**
 * Copy a string through the filter.
 *
 * @param[out] to    terminated if size is not 0; never cut within a character
 * @param[in]  size  the bytes of to
 * @param[in]  from  the string
 * @return the bytes that the whole text needs, without the terminator: it was
 *         cut if that is size or more
 */
size_t printable_copy(char *to, size_t size, const char *from);

/** As printable_copy(); and a double quote becomes '?', for quoted strings. */
size_t printable_copy_quoted(char *to, size_t size, const char *from);

/**
 * The columns of a terminal that a string takes, by wcwidth(3).
 *
 * The caller has called setlocale(LC_CTYPE, "") or the like; without UTF-8 there
 * each byte counts as one column.
 */
size_t printable_width(const char *s);

#endif
