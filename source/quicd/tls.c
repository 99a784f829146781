/* SPDX-License-Identifier: LGPL-3.0-or-later */
/*
 * The TLS 1.3 session of a connection, see tls.h.
 *
 * GnuTLS does the work; this file decides what we allow in the handshake.  ALPN
 * has to be "smb".  If a client asks for a server name (SNI) that no
 * certificate has, we refuse the client, as Windows does.  A careful client
 * would refuse our certificate anyway.  A client that asks for no name gets the
 * first certificate.
 *
 * We use neither session tickets nor early data.  SMB connections last long, so
 * their handshakes cost little, and without early data nobody can replay a
 * request.
 *
 * A reload makes a new struct quicd_tls; connections keep the one with which
 * they began.
 */

#include "config.h"

#include <gnutls/x509.h>
#include <ngtcp2/ngtcp2_crypto_gnutls.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "credentials.h"
#include "tls.h"
#include "trust.h"
#include "util/printable.h"

#define QUICD_ALPN "smb"

#define QUICD_PRIORITY                                              \
	"%DISABLE_TLS13_COMPAT_MODE:NORMAL:-VERS-ALL:+VERS-TLS1.3:" \
	"-CIPHER-ALL:+AES-128-GCM:+AES-256-GCM:+CHACHA20-POLY1305"

struct quicd_tls {
	unsigned users;
	enum quicd_client_certificates client_certificates;
	gnutls_priority_t priority;
	struct quicd_credentials credentials;
	struct quicd_trust trust;
};

static void quicd_tls_reason(struct quicd_tls_peer *peer, const char *reason)
{
	(void)printable_copy_quoted(peer->reason, sizeof(peer->reason), reason);
}

static struct quicd_tls_peer *quicd_tls_peer_of(gnutls_session_t session)
{
	const ngtcp2_crypto_conn_ref *ref = gnutls_session_get_ptr(session);

	return (struct quicd_tls_peer *)(uintptr_t)ref;
}

/* Note for the log a server name that GnuTLS is going to refuse. */
static int quicd_tls_raw_name(void *context,
			      unsigned type,
			      const unsigned char *data,
			      unsigned len)
{
	static const char taken[] = "abcdefghijklmnopqrstuvwxyz"
				    "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
				    "0123456789-.";
	struct quicd_tls_peer *peer = context;
	char reason[sizeof(peer->reason)];
	char name[80];
	unsigned size;

	/* length of the list, type, length of the name, name */
	if (type != 0 || len < 5 || data[2] != GNUTLS_NAME_DNS - 1) {
		return 0;
	}
	size = ((unsigned)data[3] << 8) + data[4];
	if (size > len - 5) {
		return 0;
	}
	(void)snprintf(
		name, sizeof(name), "%.*s", (int)size, (const char *)data + 5);
	if (name[strspn(name, taken)] != '\0') {
		(void)snprintf(reason,
			       sizeof(reason),
			       "GnuTLS takes no server name like %s; use one "
			       "of letters, digits, - and .",
			       name);
		quicd_tls_reason(peer, reason);
	}
	return 0;
}

static int quicd_tls_before_client_hello(gnutls_session_t session,
					 unsigned type,
					 unsigned when,
					 unsigned incoming,
					 const gnutls_datum_t *message)
{
	struct quicd_tls_peer *peer = quicd_tls_peer_of(session);

	/* if this cannot parse the message, GnuTLS cannot either */
	(void)gnutls_ext_raw_parse(peer,
				   quicd_tls_raw_name,
				   message,
				   GNUTLS_EXT_RAW_FLAG_TLS_CLIENT_HELLO);
	return 0;
}

/* Whether we accept the client's ALPN and server name. */
static int quicd_tls_client_hello(gnutls_session_t session)
{
	struct quicd_tls_peer *peer = quicd_tls_peer_of(session);
	gnutls_certificate_credentials_t credentials = NULL;
	gnutls_datum_t alpn = {};
	char name[256];
	size_t len = sizeof(name);
	unsigned type = 0;
	char reason[sizeof(name) + 64];
	int ret;

	peer->reason[0] = '\0'; /* GnuTLS has taken the name */
	/* GNUTLS_ALPN_MANDATORY lets in clients that offer no protocol */
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
	/* "server." is "server": the last dot stands for the root of DNS */
	if (len > 1 && name[len - 1] == '.') {
		name[len - 1] = '\0';
	}
	credentials = quicd_credentials_choose(&peer->tls->credentials, name);
	if (credentials == NULL) {
		(void)snprintf(reason,
			       sizeof(reason),
			       "no certificate is for server name %s",
			       name);
		quicd_tls_reason(peer, reason);
		return GNUTLS_E_UNRECOGNIZED_NAME;
	}
	/* in time: GnuTLS chooses a certificate after this */
	return gnutls_credentials_set(session,
				      GNUTLS_CRD_CERTIFICATE,
				      credentials);
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
	const char *reason = "";
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
		peer->admitted = quicd_trust_admit(&peer->tls->trust,
						   certificates,
						   count,
						   peer->client,
						   peer->id,
						   &reason);
		if (peer->admitted) {
			return 0;
		}
		quicd_tls_reason(peer, reason);
		return GNUTLS_E_CERTIFICATE_VERIFICATION_ERROR;
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

static bool quicd_tls_load_all(struct quicd_tls *tls,
			       struct quicd_report *report,
			       const struct quicd_settings *settings)
{
	const int ret = gnutls_priority_init(&tls->priority,
					     QUICD_PRIORITY,
					     NULL);

	if (ret != 0) {
		return quicd_report_error(report,
					  "GnuTLS lacks a feature for QUIC: %s",
					  gnutls_strerror(ret));
	}
	return quicd_trust_load(tls, report, settings, &tls->trust) &&
	       quicd_credentials_load(tls,
				      report,
				      settings,
				      &tls->trust.authorities,
				      &tls->credentials);
}

struct quicd_tls *quicd_tls_load(struct quicd_report *report,
				 const struct quicd_settings *settings)
{
	struct quicd_tls *tls = talloc_zero(NULL, struct quicd_tls);

	if (tls == NULL) {
		(void)quicd_report_error(report, "no memory");
		return NULL;
	}
	tls->users = 1;
	tls->client_certificates = settings->client_certificates;
	if (!quicd_tls_load_all(tls, report, settings)) {
		quicd_tls_release(tls);
		return NULL;
	}
	return tls;
}

time_t quicd_tls_expires(const struct quicd_tls *tls, const char **what)
{
	const struct quicd_revocation *revocation = tls->trust.revocation;
	time_t first = quicd_credentials_expires(&tls->credentials);
	time_t list = 0;

	if (first != 0) {
		*what = tls->credentials.num == 1
				? "the server's certificate"
				: "a certificate of the server";
	}
	if (revocation != NULL) {
		list = quicd_revocation_expires(revocation);
	}
	if (list != 0 && (first == 0 || list < first)) {
		first = list;
		*what = "a list of tls crlfile";
	}
	return first;
}

time_t quicd_tls_certificate_ends(const struct quicd_tls *tls, size_t i)
{
	return quicd_credentials_ends(&tls->credentials, i);
}

void quicd_tls_release(struct quicd_tls *tls)
{
	tls->users--;
	if (tls->users > 0) {
		return;
	}
	quicd_credentials_free(&tls->credentials);
	quicd_trust_free(&tls->trust);
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
	    ngtcp2_crypto_gnutls_configure_server_session(peer->session) != 0 ||
	    gnutls_credentials_set(peer->session,
				   GNUTLS_CRD_CERTIFICATE,
				   tls->credentials.list[0].credentials) != 0 ||
	    gnutls_alpn_set_protocols(
		    peer->session, &alpn, 1, GNUTLS_ALPN_MANDATORY) != 0)
	{
		return false;
	}
	gnutls_handshake_set_hook_function(peer->session,
					   GNUTLS_HANDSHAKE_CLIENT_HELLO,
					   GNUTLS_HOOK_PRE,
					   quicd_tls_before_client_hello);
	gnutls_handshake_set_post_client_hello_function(peer->session,
							quicd_tls_client_hello);
	gnutls_session_set_verify_function(peer->session, quicd_tls_verify);
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

/* The name in the client's certificate, cut to what fits in a log line. */
static void quicd_tls_peer_subject(struct quicd_tls_peer *peer,
				   const gnutls_datum_t *der)
{
	gnutls_x509_crt_t certificate = NULL;
	char name[sizeof(peer->name)];
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
	(void)printable_copy_quoted(name, sizeof(name), peer->name);
	memcpy(peer->name, name, sizeof(name));
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
		quicd_tls_peer_subject(peer, &certificates[0]);
		return peer->admitted;
	}
	if (peer->tls->client_certificates ==
	    QUICD_CLIENT_CERTIFICATES_REQUIRED) {
		quicd_tls_reason(peer, "the client has no certificate");
		return false;
	}
	return true;
}

void quicd_tls_peer_name(struct quicd_tls_peer *peer,
			 const struct quicd_cid *cid,
			 const struct address *client)
{
	size_t i;

	for (i = 0; 2 * i + 2 < sizeof(peer->id) && i < cid->len; i++) {
		(void)snprintf(peer->id + 2 * i, 3, "%02x", cid->data[i]);
	}
	(void)address_print(&client->u.sa, peer->client);
}

const char *quicd_tls_peer_cipher(const struct quicd_tls_peer *peer)
{
	const char *name = NULL;

	if (peer->session != NULL) {
		name = gnutls_cipher_get_name(gnutls_cipher_get(peer->session));
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
