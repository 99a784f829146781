/* SPDX-License-Identifier: LGPL-3.0-or-later */
/*
 * Answers that need no connection: version negotiation, Retry, stateless reset
 * and a CONNECTION_CLOSE for a client that is refused.
 *
 * Anybody can cause them with a forged address.  So an answer is smaller than
 * the packet that it answers, and all but Retry are limited in number.
 */
#ifndef QUICD_STATELESS_H
#define QUICD_STATELESS_H

#include <ngtcp2/ngtcp2.h>

#include "context.h"
#include "udp.h"

/* Answers of a worker, in a second. */
#define QUICD_STATELESS_RATE 200

/* The answers that a worker has sent in this second; all zero at first. */
struct quicd_stateless {
	uint64_t second;
	unsigned sent;
};

/**
 * @brief Count an answer.
 *
 * @return false if there were too many in the second of this time already.
 */
bool quicd_stateless_allowed(struct quicd_stateless *stateless, uint64_t now);

/**
 * @brief Version negotiation (RFC 9000, 6).
 *
 * @param[in] len  The datagram's length.  We answer only a datagram that is
 *                 long enough to begin a connection.
 */
void quicd_send_version_negotiation(struct quicd_stateless *stateless,
				    struct quicd_udp *udp,
				    const struct quicd_path *path,
				    const ngtcp2_version_cid *vc,
				    size_t len);

/**
 * @brief A stateless reset (RFC 9000, 10.3), for a packet with an unknown
 * connection ID.  It tells the client that its connection is gone, even if an
 * smbd-quicd that was killed had it.
 *
 * @param[in] len  Of the packet; short ones are not answered.
 */
void quicd_send_stateless_reset(struct quicd_stateless *stateless,
				const struct quicd_context *context,
				struct quicd_udp *udp,
				const struct quicd_path *path,
				const ngtcp2_version_cid *vc,
				size_t len);

/** @brief Retry (RFC 9000, 8.1.2): the client has to prove its address. */
void quicd_send_retry(const struct quicd_context *context,
		      struct quicd_udp *udp,
		      const struct quicd_path *path,
		      const ngtcp2_pkt_hd *hd);

/** @brief Refuse a connection by a transport error. */
void quicd_send_connection_close(struct quicd_stateless *stateless,
				 struct quicd_udp *udp,
				 const struct quicd_path *path,
				 const ngtcp2_pkt_hd *hd,
				 uint64_t error);

/**
 * @brief Check the token of a client's first packet.
 *
 * @param[out] original  The connection ID that the client began with.
 *
 * @return 1 if it is of our Retry to this address; 0 if there is none of a
 *         Retry; -1 if it is not valid.
 */
int quicd_check_retry_token(const struct quicd_context *context,
			    const struct quicd_path *path,
			    const ngtcp2_pkt_hd *hd,
			    ngtcp2_cid *original);

/**
 * @brief Make a token for the client's next connection (RFC 9000, 8.1.3).
 *
 * @param[out] token  Of NGTCP2_CRYPTO_MAX_REGULAR_TOKENLEN bytes.
 *
 * @return Its length, or 0.
 */
size_t quicd_make_new_token(const struct quicd_context *context,
			    const struct address *remote,
			    uint8_t *token);

/**
 * @brief Whether the token of a client's first packet is of
 * quicd_make_new_token(), for this address, and not too old.
 */
bool quicd_check_new_token(const struct quicd_context *context,
			   const struct quicd_path *path,
			   const ngtcp2_pkt_hd *hd);

#endif /* QUICD_STATELESS_H */
