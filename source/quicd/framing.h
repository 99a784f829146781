/* SPDX-License-Identifier: LGPL-3.0-or-later */
/*
 * Direct TCP ([MS-SMB2] 2.1): each SMB message has a header of four bytes, a
 * zero and the length of the message in three bytes.
 */
#ifndef QUICD_FRAMING_H
#define QUICD_FRAMING_H

#include <stddef.h>
#include <stdint.h>

/* Where in a stream of messages we are.  All zero but max_message at first. */
struct quicd_framing {
	uint32_t max_message; /* the longest message that is allowed */
	uint32_t left;	      /* bytes of the message that are still to come */
	uint8_t have;	      /* bytes of the header that have come */
	uint8_t header[4];
};

/**
 * @brief Check the next bytes of a stream; the pieces may be cut anywhere.
 *
 * @return NULL, or what is wrong with them; no more may be checked then.
 */
const char *quicd_framing_check(struct quicd_framing *framing,
				const uint8_t *data,
				size_t len);

#endif /* QUICD_FRAMING_H */
