// SPDX-License-Identifier: LGPL-3.0-or-later
/* Text that strangers choose, see printable.h. */

#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <wchar.h>

#include "macros.h"
#include "printable.h"

/*
 * Unicode 17's categories Cc and Cf, and the separators U+2028 and U+2029.
 * iswcntrl(3) does not know Cf.  In the C locale, in which libraries and
 * daemons run, it knows none beyond ASCII.
 */
static const struct {
	uint32_t first;
	uint32_t last;
} printable_refused[] = {
	{0x0000, 0x001f},   {0x007f, 0x009f},	{0x00ad, 0x00ad},
	{0x0600, 0x0605},   {0x061c, 0x061c},	{0x06dd, 0x06dd},
	{0x070f, 0x070f},   {0x0890, 0x0891},	{0x08e2, 0x08e2},
	{0x180e, 0x180e},   {0x200b, 0x200f},	{0x2028, 0x202e},
	{0x2060, 0x2064},   {0x2066, 0x206f},	{0xfeff, 0xfeff},
	{0xfff9, 0xfffb},   {0x110bd, 0x110bd}, {0x110cd, 0x110cd},
	{0x13430, 0x1343f}, {0x1bca0, 0x1bca3}, {0x1d173, 0x1d17a},
	{0xe0001, 0xe0001}, {0xe0020, 0xe007f},
};

/* The length of the character at s, or 0 if it is not UTF-8 (RFC 3629). */
static size_t printable_decode(const char *s, uint32_t *character)
{
	static const uint32_t smallest[] = {0, 0, 0x80, 0x800, 0x10000};
	const unsigned char *u = (const unsigned char *)s;
	size_t length;
	size_t i;
	uint32_t c;

	if (u[0] < 0x80) {
		*character = u[0];
		return 1;
	}
	if (u[0] >= 0xc2 && u[0] <= 0xdf) {
		length = 2;
		c = u[0] & 0x1f;
	} else if ((u[0] & 0xf0) == 0xe0) {
		length = 3;
		c = u[0] & 0x0f;
	} else if (u[0] >= 0xf0 && u[0] <= 0xf4) {
		length = 4;
		c = u[0] & 0x07;
	} else {
		return 0;
	}
	for (i = 1; i < length; i++) {
		if ((u[i] & 0xc0) != 0x80) {
			return 0;
		}
		c = c << 6 | (u[i] & 0x3f);
	}
	if (c < smallest[length] || c > 0x10ffff ||
	    (c >= 0xd800 && c <= 0xdfff))
	{
		return 0;
	}
	*character = c;
	return length;
}

static bool printable_refuses(uint32_t character)
{
	size_t i;

	for (i = 0; i < ARRAY_SIZE(printable_refused); i++) {
		if (character >= printable_refused[i].first &&
		    character <= printable_refused[i].last)
		{
			return true;
		}
	}
	return false;
}

static size_t printable_filter(char *to,
			       size_t size,
			       const char *from,
			       bool quoted)
{
	size_t whole = 0;
	size_t used = 0;

	while (*from != '\0') {
		uint32_t character = 0;
		size_t length = printable_decode(from, &character);
		bool refused = length == 0 || printable_refuses(character) ||
			       (quoted && character == '"');
		const char *out = refused ? "?" : from;
		size_t n = refused ? 1 : length;

		/* copy nothing behind the first character that does not fit */
		if (used == whole && used + n < size) {
			memcpy(&to[used], out, n);
			used += n;
		}
		whole += n;
		from += length == 0 ? 1 : length;
	}
	if (size != 0) {
		to[used] = '\0';
	}
	return whole;
}

size_t printable_copy(char *to, size_t size, const char *from)
{
	return printable_filter(to, size, from, false);
}

size_t printable_copy_quoted(char *to, size_t size, const char *from)
{
	return printable_filter(to, size, from, true);
}

size_t printable_width(const char *s)
{
	mbstate_t state = {};
	size_t width = 0;

	while (*s != '\0') {
		wchar_t wide = 0;
		size_t length = mbrtowc(&wide, s, MB_CUR_MAX, &state);
		int columns;

		if (length == 0 || length > MB_CUR_MAX) {
			state = (mbstate_t){};
			width++;
			s++;
			continue;
		}
		columns = wcwidth(wide);
		width += columns > 0 ? (size_t)columns : 0;
		s += length;
	}
	return width;
}
