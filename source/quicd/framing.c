/* SPDX-License-Identifier: LGPL-3.0-or-later */
/* Direct TCP's headers, see framing.h. */

#include "framing.h"

const char *quicd_framing_check(struct quicd_framing *framing,
				const uint8_t *data,
				size_t len)
{
	while (len > 0) {
		size_t n = framing->left;

		if (n > 0) {
			n = n < len ? n : len;
			framing->left -= (uint32_t)n;
			data += n;
			len -= n;
			continue;
		}
		framing->header[framing->have] = *data;
		framing->have++;
		data++;
		len--;
		if (framing->have < sizeof(framing->header)) {
			continue;
		}
		framing->have = 0;
		framing->left = (uint32_t)framing->header[1] << 16 |
				(uint32_t)framing->header[2] << 8 |
				(uint32_t)framing->header[3];
		if (framing->header[0] != 0) {
			return "not an SMB message";
		}
		if (framing->left > framing->max_message) {
			return "message longer than smbd allows";
		}
	}
	return NULL;
}
