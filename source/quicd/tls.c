/* SPDX-License-Identifier: LGPL-3.0-or-later */
/*
 * TLS 1.3 for QUIC: our certificates, and the requirements on clients.
 *
 * GnuTLS does the work; this file decides what we allow.  ALPN has to be "smb".
 * If a client asks for a server name (SNI) that no certificate has, we refuse
 * the client, as Windows does.  A careful client would refuse our certificate
 * anyway.  A client that asks for no name gets the first certificate.
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

#include "certificates.h"
#include "chain.h"
#include "revocation.h"
#include "rules.h"
#include "tls.h"
#include "util/macros.h"
#include "util/printable.h"

#define QUICD_ALPN "smb"

/* A company has fewer CAs, and a system's list of all public ones has more. */
#define QUICD_MANY_CAS 32

#define QUICD_PRIORITY                                              \
	"%DISABLE_TLS13_COMPAT_MODE:NORMAL:-VERS-ALL:+VERS-TLS1.3:" \
	"-CIPHER-ALL:+AES-128-GCM:+AES-256-GCM:+CHACHA20-POLY1305"

/* One of our certificates with its key, for GnuTLS. */
struct quicd_tls_server {
	gnutls_certificate_credentials_t credentials;
	gnutls_x509_crt_t certificate;
};

struct quicd_tls {
	unsigned users;
	enum quicd_client_certificates client_certificates;
	gnutls_priority_t priority;
	struct quicd_tls_server *servers; /* the first one is the default */
	size_t num_servers;
	struct quicd_certificates trusted;   /* CAs of client certificates */
	struct quicd_revocation *revocation; /* or NULL */
	struct quicd_rules *rules;	     /* or NULL */
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

/*
 * The certificate for a server name, or NULL.  A certificate with the name
 * itself takes precedence over one with a wildcard.  Among equals, the first
 * certificate counts.
 */
static const struct quicd_tls_server *quicd_tls_choose(
	const struct quicd_tls *tls,
	const char *name)
{
	static const unsigned flags[] = {
		GNUTLS_VERIFY_DO_NOT_ALLOW_WILDCARDS,
		0,
	};
	size_t how;
	size_t i;

	for (how = 0; how < ARRAY_SIZE(flags); how++) {
		for (i = 0; i < tls->num_servers; i++) {
			if (gnutls_x509_crt_check_hostname2(
				    tls->servers[i].certificate,
				    name,
				    flags[how]) != 0)
			{
				return &tls->servers[i];
			}
		}
	}
	return NULL;
}

/* Whether we accept the client's ALPN and server name. */
static int quicd_tls_client_hello(gnutls_session_t session)
{
	struct quicd_tls_peer *peer = quicd_tls_peer_of(session);
	const struct quicd_tls_server *server = NULL;
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
	server = quicd_tls_choose(peer->tls, name);
	if (server == NULL) {
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
				      server->credentials);
}

/* Whether a certificate of the chain is revoked; the reason is set then. */
static bool quicd_tls_is_revoked(struct quicd_tls_peer *peer,
				 gnutls_x509_crt_t certificate)
{
	static const char *const reasons[] = {
		[QUICD_REVOKED_YES] = "the certificate is revoked",
		[QUICD_REVOKED_EXPIRED] = "the list of its issuer in tls "
					  "crlfile has expired",
		[QUICD_REVOKED_UNKNOWN] = "tls crlfile has no list of the "
					  "issuer of a certificate",
	};
	enum quicd_revoked revoked = QUICD_REVOKED_NO;

	if (peer->tls->revocation != NULL) {
		revoked = quicd_revocation_check(peer->tls->revocation,
						 certificate);
	}
	/* the issuer of a certificate in tls cafile itself does not matter */
	if (revoked == QUICD_REVOKED_NO ||
	    (revoked == QUICD_REVOKED_UNKNOWN &&
	     quicd_certificates_have(&peer->tls->trusted, certificate)))
	{
		return false;
	}
	quicd_tls_reason(peer, reasons[revoked]);
	return true;
}

/* Whether a client with a valid chain may come in; else set the reason. */
static bool quicd_tls_admit_chain(struct quicd_tls_peer *peer,
				  struct quicd_chain *chain,
				  const char **rule)
{
	const struct quicd_tls *tls = peer->tls;
	unsigned i;

	for (i = 0; i < chain->num_sent; i++) {
		if (quicd_tls_is_revoked(peer, chain->sent[i])) {
			return false;
		}
	}
	if (tls->rules == NULL) {
		return true;
	}
	if (!quicd_chain_find_path(chain, &tls->trusted)) {
		quicd_tls_reason(peer, "no path to a CA of tls cafile");
		return false;
	}
	if (quicd_rules_admit(tls->rules, chain, rule)) {
		return true;
	}
	quicd_tls_reason(peer,
			 (*rule)[0] != '\0'
				 ? "smbd_uring:quic client deny"
				 : "no rule of smbd_uring:quic client allow");
	return false;
}

/* The same, with a line for the auditor. */
static bool quicd_tls_admit(struct quicd_tls_peer *peer,
			    const gnutls_datum_t *certificates,
			    unsigned count)
{
	struct quicd_chain chain;
	char text[QUICD_CHAIN_TEXT] = "";
	char rule[256];
	const char *matched = "";

	if (!quicd_chain_import(&chain, certificates, count)) {
		quicd_tls_reason(peer, "the certificate is not readable");
	} else {
		peer->admitted = quicd_tls_admit_chain(peer, &chain, &matched);
		quicd_chain_describe(chain.sent[0], text);
	}
	quicd_chain_free(&chain);
	(void)printable_copy_quoted(rule, sizeof(rule), matched);
	if (peer->admitted) {
		quicd_log("%s certificate allowed: id=%s %s rule=\"%s\"",
			  peer->client,
			  peer->id,
			  text,
			  rule);
	} else {
		quicd_log_limited("%s certificate denied: id=%s %s rule=\"%s\"",
				  peer->client,
				  peer->id,
				  text,
				  rule);
	}
	return peer->admitted;
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
		return quicd_tls_admit(peer, certificates, count)
			       ? 0
			       : GNUTLS_E_CERTIFICATE_VERIFICATION_ERROR;
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

static bool quicd_tls_load_trust(struct quicd_tls *tls,
				 struct quicd_report *report,
				 const struct quicd_settings *settings)
{
	if (settings->client_certificates == QUICD_CLIENT_CERTIFICATES_NO) {
		return true;
	}
	if (settings->ca.data == NULL) {
		return quicd_report_error(
			report,
			"tls cafile must be set, for "
			"smbd_uring:quic client certificates");
	}
	if (!quicd_certificates_parse(report, &settings->ca, &tls->trusted)) {
		return false;
	}
	if (tls->trusted.num > QUICD_MANY_CAS && settings->client_allow == NULL)
	{
		quicd_report_warning(report,
				     "%s: it has %u CAs; whoever has a client "
				     "certificate of any of them is let in",
				     settings->ca.source,
				     tls->trusted.num);
	}
	if (settings->crl.data != NULL) {
		tls->revocation = quicd_revocation_load(tls,
							report,
							&settings->crl,
							&tls->trusted);
		return tls->revocation != NULL;
	}
	return true;
}

static bool quicd_tls_load_server(const struct quicd_tls *tls,
				  struct quicd_report *report,
				  const struct quicd_settings *settings,
				  const struct quicd_pair *pair,
				  struct quicd_tls_server *server)
{
	int ret;

	ret = gnutls_certificate_allocate_credentials(&server->credentials);
	if (ret != 0) {
		return quicd_report_error(report,
					  "GnuTLS: %s",
					  gnutls_strerror(ret));
	}
	gnutls_certificate_set_verify_function(server->credentials,
					       quicd_tls_verify);
	if (tls->trusted.num > 0) {
		ret = gnutls_certificate_set_x509_trust(server->credentials,
							tls->trusted.list,
							(int)tls->trusted.num);
	}
	if (ret < 0) {
		return quicd_report_error(report,
					  "%s: %s",
					  settings->ca.source,
					  gnutls_strerror(ret));
	}
	return quicd_certificates_load(report,
				       pair,
				       server->credentials,
				       &server->certificate);
}

static bool quicd_tls_load_servers(struct quicd_tls *tls,
				   struct quicd_report *report,
				   const struct quicd_settings *settings)
{
	const struct quicd_pair *pairs = settings->pairs;
	char name[QUICD_CERTIFICATES_NAME];
	size_t i;
	size_t j;

	if (settings->num_pairs == 0) {
		return quicd_report_error(report,
					  "there is no certificate or no key");
	}
	tls->servers = talloc_zero_array(tls,
					 struct quicd_tls_server,
					 settings->num_pairs);
	if (tls->servers == NULL) {
		return quicd_report_error(report, "no memory");
	}
	tls->num_servers = settings->num_pairs;
	for (i = 0; i < tls->num_servers; i++) {
		struct quicd_tls_server *server = &tls->servers[i];

		if (!quicd_tls_load_server(
			    tls, report, settings, &pairs[i], server)) {
			return false;
		}
		for (j = 0; j < i; j++) {
			if (quicd_certificates_share_name(
				    server->certificate,
				    tls->servers[j].certificate,
				    name,
				    sizeof(name)))
			{
				quicd_report_warning(
					report,
					"%s: for %s, %s is used",
					pairs[i].certificate.source,
					name,
					pairs[j].certificate.source);
				break;
			}
		}
	}
	return true;
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
	return quicd_tls_load_trust(tls, report, settings) &&
	       quicd_rules_load(
		       tls, report, settings, &tls->trusted, &tls->rules) &&
	       quicd_tls_load_servers(tls, report, settings);
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
	const time_t now = time(NULL);
	time_t first = 0;
	time_t list = 0;
	size_t i;

	for (i = 0; i < tls->num_servers; i++) {
		const time_t expires = gnutls_x509_crt_get_expiration_time(
			tls->servers[i].certificate);

		if (expires > now && (first == 0 || expires < first)) {
			first = expires;
			*what = tls->num_servers == 1
					? "the server's certificate"
					: "a certificate of the server";
		}
	}
	if (tls->revocation != NULL) {
		list = quicd_revocation_expires(tls->revocation);
	}
	if (list != 0 && (first == 0 || list < first)) {
		first = list;
		*what = "a list of tls crlfile";
	}
	return first;
}

time_t quicd_tls_certificate_ends(const struct quicd_tls *tls, size_t i)
{
	return gnutls_x509_crt_get_expiration_time(tls->servers[i].certificate);
}

void quicd_tls_release(struct quicd_tls *tls)
{
	size_t i;

	tls->users--;
	if (tls->users > 0) {
		return;
	}
	for (i = 0; i < tls->num_servers; i++) {
		if (tls->servers[i].certificate != NULL) {
			gnutls_x509_crt_deinit(tls->servers[i].certificate);
		}
		if (tls->servers[i].credentials != NULL) {
			gnutls_certificate_free_credentials(
				tls->servers[i].credentials);
		}
	}
	quicd_certificates_free(&tls->trusted);
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
				   tls->servers[0].credentials) != 0 ||
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
