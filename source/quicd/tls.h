/* SPDX-License-Identifier: LGPL-3.0-or-later */
/*
 * TLS 1.3 for QUIC: what one configuration has for it, and the session of a
 * connection.
 */
#ifndef QUICD_TLS_H
#define QUICD_TLS_H

#include <gnutls/gnutls.h>
#include <ngtcp2/ngtcp2_crypto.h>
#include <time.h>

#include "cid.h"
#include "settings.h"

/* Credentials and trust of one configuration; connections keep it alive. */
struct quicd_tls;

/* The beginning of our first connection ID, in hexadecimal digits. */
#define QUICD_TLS_ID 17

/* The TLS session of one connection. */
struct quicd_tls_peer {
	ngtcp2_crypto_conn_ref ref; /* set by the owner */
	struct quicd_tls *tls;
	gnutls_session_t session;
	char reason[160]; /* why we refused the client, or "" */
	char name[128];	  /* of its certificate, or "" */
	/* for log lines; set by the owner */
	char id[QUICD_TLS_ID];
	char client[ADDRESS_TEXT_SIZE];
	bool admitted; /* its certificate was let in */
};

/**
 * @brief Load and check the certificates, CAs, lists and rules.
 *
 * @return NULL after errors in the report, which name parameter and file.
 */
struct quicd_tls *quicd_tls_load(struct quicd_report *report,
				 const struct quicd_settings *settings);

/**
 * @brief When a certificate or list of the configuration expires next, so that
 * clients will be refused.
 *
 * @param[out] what  what it is, for a log line
 *
 * @return 0: never, or it has happened.
 */
time_t quicd_tls_expires(const struct quicd_tls *tls, const char **what);

/** @brief When the i-th certificate of the settings ends. */
time_t quicd_tls_certificate_ends(const struct quicd_tls *tls, size_t i);

/** @brief Release it; the connections that use it keep it alive. */
void quicd_tls_release(struct quicd_tls *tls);

/** @brief Begin a session, as a server. */
bool quicd_tls_peer_init(struct quicd_tls_peer *peer, struct quicd_tls *tls);

/** @brief Say whose session it is, for log lines. */
void quicd_tls_peer_name(struct quicd_tls_peer *peer,
			 const struct quicd_cid *cid,
			 const struct address *client);

/**
 * @brief Check the client after the handshake, and set peer->name.
 *
 * @return false with the reason in peer->reason.
 */
bool quicd_tls_peer_check(struct quicd_tls_peer *peer);

const char *quicd_tls_peer_cipher(const struct quicd_tls_peer *peer);

void quicd_tls_peer_done(struct quicd_tls_peer *peer);

#endif /* QUICD_TLS_H */
