/* SPDX-License-Identifier: LGPL-3.0-or-later */
/*
 * The closing period of connections that we have closed (RFC 9000, 10.2.1).
 *
 * The connection itself is freed.  Its connection IDs and its CONNECTION_CLOSE
 * stay for a while, so that a client that missed the packet gets it again.
 */
#ifndef QUICD_CLOSE_WAIT_H
#define QUICD_CLOSE_WAIT_H

#include "cid.h"
#include "timer.h"
#include "udp.h"

/* The closing periods of a worker. */
struct quicd_close_waits;

/* The packet to send again, to whom, and for how long. */
struct quicd_closing {
	struct quicd_udp *udp;
	struct quicd_path path;
	const uint8_t *packet;
	size_t len;
	uint64_t ns;
};

/**
 * @brief The closing periods of a worker; NULL without memory.
 *
 * @param[in] max  If there are so many, further clients get a stateless reset
 *                 instead of a closing period.
 */
struct quicd_close_waits *quicd_close_waits_create(TALLOC_CTX *mem_ctx,
						   struct quicd_timers *timers,
						   unsigned max);

/** @brief How many closing periods there are. */
unsigned quicd_close_waits_count(const struct quicd_close_waits *waits);

/** @brief Whether a closing period uses this socket. */
bool quicd_close_waits_use(const struct quicd_close_waits *waits,
			   const struct quicd_udp *udp);

/** @brief End the closing periods of a socket, which will be closed. */
void quicd_close_waits_forget(struct quicd_close_waits *waits,
			      const struct quicd_udp *udp);

/** @brief End all closing periods now. */
void quicd_close_waits_clear(struct quicd_close_waits *waits);

/**
 * @brief Begin a closing period; it ends by itself.
 *
 * @param[in] cids  The connection's IDs; the function moves them.
 *
 * @return false if there are too many, or without memory; then nothing stays.
 */
bool quicd_close_wait_begin(struct quicd_close_waits *waits,
			    struct quicd_cid_set *cids,
			    const struct quicd_closing *closing);

/**
 * @brief Take a packet for a closing period.
 *
 * We answer the first packet, the second, the fourth, and so on.
 *
 * @param[in] cids  found by quicd_cid_find(); its owner is
 *                  QUICD_CID_OF_CLOSE_WAIT
 */
void quicd_close_wait_received(struct quicd_cid_set *cids);

#endif /* QUICD_CLOSE_WAIT_H */
