/* SPDX-License-Identifier: LGPL-3.0-or-later */
/* Answers that need no connection, see stateless.h. */

#include "config.h"

#include <time.h>

#include <ngtcp2/ngtcp2_crypto.h>

#include "cid.h"
#include "stateless.h"
#include "util/clock.h"
#include "util/macros.h"

#define QUICD_NEW_TOKEN_TIMEOUT (24 * 3600 * CLOCK_NS_PER_S)
#define QUICD_RETRY_TIMEOUT (10 * CLOCK_NS_PER_S)

/*
 * A reset looks like an ordinary packet.  It is shorter than the packet that it
 * answers, so that two ends do not answer each other's resets for ever.  A
 * client without a server and without data sends probes of 38 bytes.
 */
#define QUICD_RESET_RANDOM 22
#define QUICD_RESET_MAX (QUICD_RESET_RANDOM + NGTCP2_STATELESS_RESET_TOKENLEN)
#define QUICD_RESET_MIN \
	(NGTCP2_MIN_STATELESS_RESET_RANDLEN + NGTCP2_STATELESS_RESET_TOKENLEN)

/*
 * Tokens use the wall clock, which hosts with the same secret share, and which
 * continues after a reboot.
 */
static uint64_t quicd_stateless_now(void)
{
	struct timespec ts;

	(void)clock_gettime(CLOCK_REALTIME, &ts);
	return (uint64_t)ts.tv_sec * CLOCK_NS_PER_S + (uint64_t)ts.tv_nsec;
}

bool quicd_stateless_allowed(struct quicd_stateless *stateless, uint64_t now)
{
	const uint64_t second = now / CLOCK_NS_PER_S;

	if (stateless->second != second) {
		stateless->second = second;
		stateless->sent = 0;
	}
	if (stateless->sent >= QUICD_STATELESS_RATE) {
		return false;
	}
	stateless->sent++;
	return true;
}

void quicd_send_version_negotiation(struct quicd_stateless *stateless,
				    struct quicd_udp *udp,
				    const struct quicd_path *path,
				    const ngtcp2_version_cid *vc,
				    size_t len)
{
	static const uint32_t versions[] = {NGTCP2_PROTO_VER_V1};
	uint8_t packet[NGTCP2_MAX_UDP_PAYLOAD_SIZE];
	uint8_t random;
	ngtcp2_ssize n;

	if (len < NGTCP2_MAX_UDP_PAYLOAD_SIZE ||
	    !quicd_stateless_allowed(stateless, clock_monotonic_ns()))
	{
		return;
	}
	quicd_random(&random, sizeof(random));
	n = ngtcp2_pkt_write_version_negotiation(packet,
						 sizeof(packet),
						 random,
						 vc->scid,
						 vc->scidlen,
						 vc->dcid,
						 vc->dcidlen,
						 versions,
						 ARRAY_SIZE(versions));
	if (n > 0) {
		quicd_udp_send(udp, path, packet, (size_t)n);
	}
}

void quicd_send_stateless_reset(struct quicd_stateless *stateless,
				const struct quicd_context *context,
				struct quicd_udp *udp,
				const struct quicd_path *path,
				const ngtcp2_version_cid *vc,
				size_t len)
{
	const struct quicd_secret *secret = NULL;
	uint8_t packet[QUICD_RESET_MAX];
	const size_t size = len > QUICD_RESET_MAX ? QUICD_RESET_MAX : len - 1;
	uint8_t token[NGTCP2_STATELESS_RESET_TOKENLEN];
	uint8_t random[QUICD_RESET_RANDOM];
	ngtcp2_cid cid;
	ngtcp2_ssize n;
	int ret;

	if (len <= QUICD_RESET_MIN || vc->dcidlen != QUICD_CID_LEN) {
		return;
	}
	secret = quicd_secrets_find(quicd_context_secrets(context),
				    vc->dcid[QUICD_CID_MARK]);
	if (secret == NULL ||
	    !quicd_stateless_allowed(stateless, clock_monotonic_ns()))
	{
		return;
	}
	ngtcp2_cid_init(&cid, vc->dcid, vc->dcidlen);
	ret = ngtcp2_crypto_generate_stateless_reset_token(token,
							   secret->key,
							   sizeof(secret->key),
							   &cid);
	if (ret != 0) {
		return;
	}
	quicd_random(random, sizeof(random));
	n = ngtcp2_pkt_write_stateless_reset(
		packet, size, token, random, size - sizeof(token));
	if (n > 0) {
		quicd_count(context->shared->counters, QUICD_COUNT_RESETS);
		quicd_udp_send(udp, path, packet, (size_t)n);
	}
}

void quicd_send_retry(const struct quicd_context *context,
		      struct quicd_udp *udp,
		      const struct quicd_path *path,
		      const ngtcp2_pkt_hd *hd)
{
	const struct quicd_secret *secret = quicd_context_secrets(context)
						    ->list;
	uint8_t token[NGTCP2_CRYPTO_MAX_RETRY_TOKENLEN];
	uint8_t packet[NGTCP2_MAX_UDP_PAYLOAD_SIZE];
	struct quicd_cid made;
	ngtcp2_cid cid;
	ngtcp2_ssize n;

	quicd_cid_make(&made,
		       context->worker,
		       context->shared->workers,
		       secret->mark);
	ngtcp2_cid_init(&cid, made.data, made.len);
	n = ngtcp2_crypto_generate_retry_token(
		token,
		secret->key,
		sizeof(secret->key),
		hd->version,
		(const ngtcp2_sockaddr *)&path->remote.u.sa,
		path->remote.len,
		&cid,
		&hd->dcid,
		quicd_stateless_now());
	if (n < 0) {
		return;
	}
	n = ngtcp2_crypto_write_retry(packet,
				      sizeof(packet),
				      hd->version,
				      &hd->scid,
				      &cid,
				      &hd->dcid,
				      token,
				      (size_t)n);
	if (n > 0) {
		quicd_count(context->shared->counters, QUICD_COUNT_RETRIES);
		quicd_udp_send(udp, path, packet, (size_t)n);
	}
}

void quicd_send_connection_close(struct quicd_stateless *stateless,
				 struct quicd_udp *udp,
				 const struct quicd_path *path,
				 const ngtcp2_pkt_hd *hd,
				 uint64_t error)
{
	uint8_t packet[NGTCP2_MAX_UDP_PAYLOAD_SIZE];
	ngtcp2_ssize n;

	if (!quicd_stateless_allowed(stateless, clock_monotonic_ns())) {
		return;
	}
	n = ngtcp2_crypto_write_connection_close(packet,
						 sizeof(packet),
						 hd->version,
						 &hd->scid,
						 &hd->dcid,
						 error,
						 NULL,
						 0);
	if (n > 0) {
		quicd_udp_send(udp, path, packet, (size_t)n);
	}
}

int quicd_check_retry_token(const struct quicd_context *context,
			    const struct quicd_path *path,
			    const ngtcp2_pkt_hd *hd,
			    ngtcp2_cid *original)
{
	const struct quicd_secret *secret = NULL;
	int ret;

	if (hd->tokenlen == 0 ||
	    hd->token[0] != NGTCP2_CRYPTO_TOKEN_MAGIC_RETRY) {
		return 0;
	}
	/* the client continues with the connection ID of our Retry */
	if (hd->dcid.datalen == QUICD_CID_LEN) {
		secret = quicd_secrets_find(quicd_context_secrets(context),
					    hd->dcid.data[QUICD_CID_MARK]);
	}
	if (secret == NULL) {
		return -1;
	}
	ret = ngtcp2_crypto_verify_retry_token(
		original,
		hd->token,
		hd->tokenlen,
		secret->key,
		sizeof(secret->key),
		hd->version,
		(const ngtcp2_sockaddr *)&path->remote.u.sa,
		path->remote.len,
		&hd->dcid,
		QUICD_RETRY_TIMEOUT,
		quicd_stateless_now());
	return ret == 0 ? 1 : -1;
}

size_t quicd_make_new_token(const struct quicd_context *context,
			    const struct address *remote,
			    uint8_t *token)
{
	const struct quicd_secret *secret =
		quicd_context_secrets(context)->list;
	const ngtcp2_ssize n = ngtcp2_crypto_generate_regular_token(
		token,
		secret->key,
		sizeof(secret->key),
		(const ngtcp2_sockaddr *)&remote->u.sa,
		remote->len,
		quicd_stateless_now());

	return n > 0 ? (size_t)n : 0;
}

bool quicd_check_new_token(const struct quicd_context *context,
			   const struct quicd_path *path,
			   const ngtcp2_pkt_hd *hd)
{
	const struct quicd_secrets *secrets = quicd_context_secrets(context);
	bool good = false;
	size_t i;

	if (hd->tokenlen == 0 ||
	    hd->token[0] != NGTCP2_CRYPTO_TOKEN_MAGIC_REGULAR) {
		return false;
	}
	for (i = 0; i < secrets->num && !good; i++) {
		good = ngtcp2_crypto_verify_regular_token(
			       hd->token,
			       hd->tokenlen,
			       secrets->list[i].key,
			       sizeof(secrets->list[i].key),
			       (const ngtcp2_sockaddr *)&path->remote.u.sa,
			       path->remote.len,
			       QUICD_NEW_TOKEN_TIMEOUT,
			       quicd_stateless_now()) == 0;
	}
	return good;
}
