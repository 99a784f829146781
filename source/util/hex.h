/* SPDX-License-Identifier: LGPL-3.0-or-later */
/**
 * @file hex.h
 * Hexadecimal digits.
 */

#ifndef UTIL_HEX_H
#define UTIL_HEX_H

#include <string.h>

/** The value of a digit in either case, or -1. */
static inline int hex_digit(char c)
{
	static const char digits[] = "0123456789abcdef0123456789ABCDEF";
	const char *found = c != '\0' ? strchr(digits, c) : NULL;

	return found != NULL ? (int)((found - digits) % 16) : -1;
}

#endif
