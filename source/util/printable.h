/* SPDX-License-Identifier: LGPL-3.0-or-later */
/**
 * @file printable.h
 * The one filter for text that strangers choose: user names, shares, names in
 * certificates.  Filtered text cannot control a terminal or break a line.
 *
 * The filter expects UTF-8.  It writes '?' for each byte that is not UTF-8, for
 * each control or format character (Unicode's Cc and Cf), and for U+2028 and
 * U+2029.
 */

#ifndef UTIL_PRINTABLE_H
#define UTIL_PRINTABLE_H

#include <stddef.h>

/**
 * Copy a string through the filter.
 *
 * @param[out] to    terminated if size is not 0; never cut within a character
 * @param[in]  size  the size of to in bytes
 * @param[in]  from  the string
 * @return the number of bytes that the whole text needs, without the
 *         terminator; if it is size or more, the text was cut
 */
size_t printable_copy(char *to, size_t size, const char *from);

/** As printable_copy(), for quoted strings: '"' also becomes '?'. */
size_t printable_copy_quoted(char *to, size_t size, const char *from);

/**
 * The number of terminal columns that a string takes, by wcwidth(3).
 *
 * The caller must have called setlocale(LC_CTYPE, "") or similar.  In a locale
 * without UTF-8 each byte counts as one column.
 */
size_t printable_width(const char *s);

#endif
