/* SPDX-License-Identifier: LGPL-3.0-or-later */
/*
 * TLS 1.3 for QUIC: certificates, and what is asked of a client.
 *
 * GnuTLS does all of it; here is only what is allowed.  ALPN has to be "smb".
 * A client that asks for a server by a name (SNI) that is not in the
 * certificate is refused, as by Windows: it would refuse the certificate, or
 * ought to.  No session tickets and no early data: a handshake a connection
 * costs little for connections that last, and nothing can be replayed.
 *
 * A reload makes a new struct quicd_tls; connections keep the one with which
 * they began.
 */

#include "config.h"

#include <errno.h>
#include <gnutls/x509.h>
#include <ngtcp2/ngtcp2_crypto_gnutls.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>

#include "tls.h"

#define QUICD_ALPN "smb"
#define QUICD_PRIORITY \
	"%DISABLE_TLS13_COMPAT_MODE:NORMAL:-VERS-ALL:+VERS-TLS1.3:" \
	"-CIPHER-ALL:+AES-128-GCM:+AES-256-GCM:+CHACHA20-POLY1305"

struct quicd_tls {
	unsigned users;
	enum quicd_client_certificates client_certificates;
	gnutls_certificate_credentials_t credentials;
	gnutls_priority_t priority;
	gnutls_x509_crt_t certificate;
};

/* For a log line: cut, and without what a terminal would understand. */
static void quicd_tls_printable(char *to, size_t size, const char *from)
{
	size_t i;

	for (i = 0; i < size - 1 && from[i] != '\0'; i++) {
		const bool good = from[i] >= ' ' && from[i] <= '~' &&
				  from[i] != '"';

		to[i] = good ? from[i] : '?';
	}
	to[i] = '\0';
}

static void quicd_tls_reason(struct quicd_tls_peer *peer, const char *reason)
{
	quicd_tls_printable(peer->reason, sizeof(peer->reason), reason);
}

static struct quicd_tls_peer *quicd_tls_peer_of(gnutls_session_t session)
{
	const ngtcp2_crypto_conn_ref *ref = gnutls_session_get_ptr(session);

	return (struct quicd_tls_peer *)(uintptr_t)ref;
}

/* Whether what the client offers and asks for fits. */
static int quicd_tls_client_hello(gnutls_session_t session)
{
	struct quicd_tls_peer *peer = quicd_tls_peer_of(session);
	gnutls_datum_t alpn = {};
	char name[256];
	size_t len = sizeof(name);
	unsigned type = 0;
	char reason[sizeof(name) + 64];
	int ret;

	/* GNUTLS_ALPN_MANDATORY does not hold for those who offer nothing */
	ret = gnutls_alpn_get_selected_protocol(session, &alpn);
	if (ret != 0) {
		quicd_tls_reason(peer, "the client does not offer ALPN smb");
		return GNUTLS_E_NO_APPLICATION_PROTOCOL;
	}

	ret = gnutls_server_name_get(session, name, &len, &type, 0);
	if (ret == GNUTLS_E_REQUESTED_DATA_NOT_AVAILABLE) {
		return 0;
	}
	if (ret != 0 || type != GNUTLS_NAME_DNS) {
		quicd_tls_reason(peer, "the server name is not readable");
		return GNUTLS_E_UNRECOGNIZED_NAME;
	}
	if (gnutls_x509_crt_check_hostname(peer->tls->certificate, name) == 0)
	{
		(void)snprintf(reason,
			       sizeof(reason),
			       "the certificate is not for server name %s",
			       name);
		quicd_tls_reason(peer, reason);
		return GNUTLS_E_UNRECOGNIZED_NAME;
	}
	return 0;
}

static int quicd_tls_verify(gnutls_session_t session)
{
	struct quicd_tls_peer *peer = quicd_tls_peer_of(session);
	const enum quicd_client_certificates wanted =
		peer->tls->client_certificates;
	char purpose[] = GNUTLS_KP_TLS_WWW_CLIENT;
	gnutls_typed_vdata_st data = {
		.type = GNUTLS_DT_KEY_PURPOSE_OID,
		.data = (unsigned char *)purpose,
	};
	const gnutls_datum_t *certificates = NULL;
	unsigned count = 0;
	unsigned status = 0;
	gnutls_datum_t text = {};
	int ret;

	certificates = gnutls_certificate_get_peers(session, &count);
	if (certificates == NULL || count == 0) {
		if (wanted != QUICD_CLIENT_CERTIFICATES_REQUIRED) {
			return 0;
		}
		quicd_tls_reason(peer, "the client has no certificate");
		return GNUTLS_E_NO_CERTIFICATE_FOUND;
	}

	ret = gnutls_certificate_verify_peers(session, &data, 1, &status);
	if (ret == 0 && status == 0) {
		return 0;
	}
	if (ret == 0) {
		ret = gnutls_certificate_verification_status_print(
			status, GNUTLS_CRT_X509, &text, 0);
	}
	if (ret == 0) {
		quicd_tls_reason(peer, (const char *)text.data);
	} else {
		quicd_tls_reason(peer, gnutls_strerror(ret));
	}
	gnutls_free(text.data);
	return GNUTLS_E_CERTIFICATE_VERIFICATION_ERROR;
}

static bool quicd_tls_bad_file(const char *parameter,
			       const char *path,
			       const char *why)
{
	quicd_log("%s = %s: %s", parameter, path, why);
	return false;
}

static bool quicd_tls_check_key(const char *path)
{
	struct stat st;
	int ret;

	ret = stat(path, &st);
	if (ret != 0) {
		return quicd_tls_bad_file("tls keyfile", path, strerror(errno));
	}
	if ((st.st_mode & (S_IRWXO | S_IWGRP)) != 0) {
		return quicd_tls_bad_file("tls keyfile",
					  path,
					  "accessible by others: chmod o= and "
					  "g-w");
	}
	return true;
}

/* The server's certificate itself, to compare names with, and its dates. */
static bool quicd_tls_load_certificate(struct quicd_tls *tls, const char *path)
{
	gnutls_x509_crt_t *list = NULL;
	const time_t now = time(NULL);
	unsigned count = 0;
	unsigned i;
	int ret;

	ret = gnutls_certificate_get_x509_crt(
		tls->credentials, 0, &list, &count);
	if (ret != 0 || count == 0) {
		return quicd_tls_bad_file(
			"tls certfile", path, gnutls_strerror(ret));
	}
	tls->certificate = list[0];
	for (i = 1; i < count; i++) {
		gnutls_x509_crt_deinit(list[i]);
	}
	gnutls_free(list);

	if (gnutls_x509_crt_get_activation_time(tls->certificate) > now) {
		return quicd_tls_bad_file(
			"tls certfile", path, "is not valid yet");
	}
	if (gnutls_x509_crt_get_expiration_time(tls->certificate) < now) {
		return quicd_tls_bad_file("tls certfile", path, "has expired");
	}
	return true;
}

static bool quicd_tls_load_trust(struct quicd_tls *tls,
				 const struct quicd_settings *settings)
{
	int ret;

	if (settings->client_certificates == QUICD_CLIENT_CERTIFICATES_NO) {
		return true;
	}
	if (settings->cafile == NULL) {
		quicd_log("tls cafile must be set, for "
			  "smbd_uring:quic client certificates");
		return false;
	}
	ret = gnutls_certificate_set_x509_trust_file(
		tls->credentials, settings->cafile, GNUTLS_X509_FMT_PEM);
	if (ret <= 0) {
		return quicd_tls_bad_file("tls cafile",
					  settings->cafile,
					  ret < 0 ? gnutls_strerror(ret)
						  : "no certificate in it");
	}
	if (settings->crlfile == NULL) {
		return true;
	}
	ret = gnutls_certificate_set_x509_crl_file(
		tls->credentials, settings->crlfile, GNUTLS_X509_FMT_PEM);
	if (ret < 0) {
		return quicd_tls_bad_file("tls crlfile",
					  settings->crlfile,
					  gnutls_strerror(ret));
	}
	return true;
}

static bool quicd_tls_load_all(struct quicd_tls *tls,
			       const struct quicd_settings *settings)
{
	int ret;

	ret = gnutls_priority_init(&tls->priority, QUICD_PRIORITY, NULL);
	if (ret != 0) {
		quicd_log("GnuTLS lacks what QUIC needs: %s",
			  gnutls_strerror(ret));
		return false;
	}
	ret = gnutls_certificate_allocate_credentials(&tls->credentials);
	if (ret != 0) {
		quicd_log("GnuTLS: %s", gnutls_strerror(ret));
		return false;
	}
	if (!quicd_tls_check_key(settings->keyfile)) {
		return false;
	}
	ret = gnutls_certificate_set_x509_key_file2(tls->credentials,
						    settings->certfile,
						    settings->keyfile,
						    GNUTLS_X509_FMT_PEM,
						    NULL,
						    0);
	if (ret < 0) {
		quicd_log("tls certfile = %s, tls keyfile = %s: %s",
			  settings->certfile,
			  settings->keyfile,
			  gnutls_strerror(ret));
		return false;
	}
	gnutls_certificate_set_verify_function(tls->credentials,
					       quicd_tls_verify);
	return quicd_tls_load_certificate(tls, settings->certfile) &&
	       quicd_tls_load_trust(tls, settings);
}

struct quicd_tls *quicd_tls_load(const struct quicd_settings *settings)
{
	struct quicd_tls *tls = talloc_zero(NULL, struct quicd_tls);

	if (tls == NULL) {
		quicd_log("no memory");
		return NULL;
	}
	tls->users = 1;
	tls->client_certificates = settings->client_certificates;
	if (!quicd_tls_load_all(tls, settings)) {
		quicd_tls_release(tls);
		return NULL;
	}
	return tls;
}

void quicd_tls_release(struct quicd_tls *tls)
{
	tls->users--;
	if (tls->users > 0) {
		return;
	}
	if (tls->certificate != NULL) {
		gnutls_x509_crt_deinit(tls->certificate);
	}
	if (tls->credentials != NULL) {
		gnutls_certificate_free_credentials(tls->credentials);
	}
	if (tls->priority != NULL) {
		gnutls_priority_deinit(tls->priority);
	}
	talloc_free(tls);
}

static bool quicd_tls_peer_configure(struct quicd_tls_peer *peer)
{
	char alpn_name[] = QUICD_ALPN;
	const gnutls_datum_t alpn = {
		.data = (unsigned char *)alpn_name,
		.size = sizeof(alpn_name) - 1,
	};
	const struct quicd_tls *tls = peer->tls;

	gnutls_session_set_ptr(peer->session, &peer->ref);
	if (gnutls_priority_set(peer->session, tls->priority) != 0 ||
	    ngtcp2_crypto_gnutls_configure_server_session(peer->session) !=
		    0 ||
	    gnutls_credentials_set(peer->session,
				   GNUTLS_CRD_CERTIFICATE,
				   tls->credentials) != 0 ||
	    gnutls_alpn_set_protocols(
		    peer->session, &alpn, 1, GNUTLS_ALPN_MANDATORY) != 0)
	{
		return false;
	}
	gnutls_handshake_set_post_client_hello_function(peer->session,
							quicd_tls_client_hello);
	if (tls->client_certificates != QUICD_CLIENT_CERTIFICATES_NO) {
		gnutls_certificate_server_set_request(
			peer->session,
			tls->client_certificates ==
					QUICD_CLIENT_CERTIFICATES_REQUIRED
				? GNUTLS_CERT_REQUIRE
				: GNUTLS_CERT_REQUEST);
	}
	return true;
}

bool quicd_tls_peer_init(struct quicd_tls_peer *peer, struct quicd_tls *tls)
{
	int ret;

	ret = gnutls_init(&peer->session,
			  GNUTLS_SERVER | GNUTLS_NONBLOCK | GNUTLS_NO_TICKETS |
				  GNUTLS_NO_SIGNAL);
	if (ret != 0) {
		peer->session = NULL;
		return false;
	}
	peer->tls = tls;
	tls->users++;
	return quicd_tls_peer_configure(peer);
}

/* The name in the client's certificate, as far as a log line can carry it. */
static void quicd_tls_peer_name(struct quicd_tls_peer *peer,
				const gnutls_datum_t *der)
{
	gnutls_x509_crt_t certificate = NULL;
	size_t len = sizeof(peer->name);
	int ret;

	ret = gnutls_x509_crt_init(&certificate);
	if (ret != 0) {
		return;
	}
	ret = gnutls_x509_crt_import(certificate, der, GNUTLS_X509_FMT_DER);
	if (ret == 0) {
		ret = gnutls_x509_crt_get_dn(certificate, peer->name, &len);
	}
	gnutls_x509_crt_deinit(certificate);
	if (ret != 0) {
		(void)snprintf(peer->name,
			       sizeof(peer->name),
			       "(%s)",
			       ret == GNUTLS_E_SHORT_MEMORY_BUFFER
				       ? "a long name"
				       : gnutls_strerror(ret));
	}
	quicd_tls_printable(peer->name, sizeof(peer->name), peer->name);
}

bool quicd_tls_peer_check(struct quicd_tls_peer *peer)
{
	const gnutls_datum_t *certificates = NULL;
	gnutls_datum_t alpn = {};
	unsigned count = 0;

	if (gnutls_alpn_get_selected_protocol(peer->session, &alpn) != 0 ||
	    alpn.size != sizeof(QUICD_ALPN) - 1 ||
	    memcmp(alpn.data, QUICD_ALPN, alpn.size) != 0)
	{
		quicd_tls_reason(peer, "no ALPN smb");
		return false;
	}
	if (peer->tls->client_certificates == QUICD_CLIENT_CERTIFICATES_NO) {
		return true;
	}
	certificates = gnutls_certificate_get_peers(peer->session, &count);
	if (certificates != NULL && count > 0) {
		quicd_tls_peer_name(peer, &certificates[0]);
		return true;
	}
	if (peer->tls->client_certificates ==
	    QUICD_CLIENT_CERTIFICATES_REQUIRED)
	{
		quicd_tls_reason(peer, "the client has no certificate");
		return false;
	}
	return true;
}

const char *quicd_tls_peer_cipher(const struct quicd_tls_peer *peer)
{
	const char *name = NULL;

	if (peer->session != NULL) {
		name = gnutls_cipher_get_name(
			gnutls_cipher_get(peer->session));
	}
	return name != NULL ? name : "none";
}

void quicd_tls_peer_done(struct quicd_tls_peer *peer)
{
	if (peer->session != NULL) {
		gnutls_deinit(peer->session);
		peer->session = NULL;
	}
	if (peer->tls != NULL) {
		quicd_tls_release(peer->tls);
		peer->tls = NULL;
	}
}
