/* SPDX-License-Identifier: LGPL-3.0-or-later */
/*
 * A client's certificate, and the certificates above it up to a trusted CA.
 *
 * GnuTLS says whether there is a path to a trusted CA, but not which path.  A
 * client may send certificates that are not on the path, and may leave out
 * certificates that we have.  So we search for the path, and check its
 * signatures.
 */

#include <stdio.h>
#include <string.h>

#include "chain.h"
#include "util/printable.h"

bool quicd_chain_import(struct quicd_chain *chain,
			const gnutls_datum_t *certificates,
			unsigned count)
{
	unsigned i;

	*chain = (struct quicd_chain){};
	if (count == 0 || count > QUICD_CHAIN_MAX) {
		return false;
	}
	for (i = 0; i < count; i++) {
		if (gnutls_x509_crt_init(&chain->sent[i]) != 0) {
			return false;
		}
		chain->num_sent++;
		if (gnutls_x509_crt_import(chain->sent[i],
					   &certificates[i],
					   GNUTLS_X509_FMT_DER) != 0)
		{
			return false;
		}
	}
	return true;
}

/* Whether the issuer signed the certificate, and both are valid today. */
static bool chain_is_issuer(gnutls_x509_crt_t certificate,
			    gnutls_x509_crt_t issuer)
{
	unsigned status = 0;

	return gnutls_x509_crt_check_issuer(certificate, issuer) == 1 &&
	       gnutls_x509_crt_verify(certificate, &issuer, 1, 0, &status) ==
		       0 &&
	       status == 0;
}

static gnutls_x509_crt_t chain_issuer(const struct quicd_chain *chain,
				      const struct quicd_certificates *trusted,
				      gnutls_x509_crt_t certificate)
{
	unsigned i;

	for (i = 0; i < trusted->num; i++) {
		if (chain_is_issuer(certificate, trusted->list[i])) {
			return trusted->list[i];
		}
	}
	for (i = 1; i < chain->num_sent; i++) {
		if (chain_is_issuer(certificate, chain->sent[i])) {
			return chain->sent[i];
		}
	}
	return NULL;
}

/* GnuTLS has found a path, but it may be another one. */
static bool chain_is_valid(const struct quicd_chain *chain)
{
	unsigned status = 0;

	return gnutls_x509_crt_list_verify(chain->path,
					   (int)chain->num_path,
					   &chain->path[chain->num_path - 1],
					   1,
					   NULL,
					   0,
					   0,
					   &status) == 0 &&
	       status == 0;
}

bool quicd_chain_find_path(struct quicd_chain *chain,
			   const struct quicd_certificates *trusted)
{
	gnutls_x509_crt_t next = chain->sent[0];

	chain->num_path = 0;
	while (next != NULL && chain->num_path < QUICD_CHAIN_MAX) {
		chain->path[chain->num_path] = next;
		chain->num_path++;
		if (quicd_certificates_have(trusted, next)) {
			return chain_is_valid(chain);
		}
		next = chain_issuer(chain, trusted, next);
	}
	return false;
}

void quicd_chain_free(struct quicd_chain *chain)
{
	unsigned i;

	for (i = 0; i < chain->num_sent; i++) {
		gnutls_x509_crt_deinit(chain->sent[i]);
	}
	*chain = (struct quicd_chain){};
}

static void chain_hex(char *to, size_t size, const uint8_t *data, size_t len)
{
	size_t i;

	to[0] = '\0';
	for (i = 0; i < len && 2 * i + 2 < size; i++) {
		(void)snprintf(to + 2 * i, size - 2 * i, "%02x", data[i]);
	}
}

/* A name as a log line can have it, cut off if need be. */
static void chain_name(char *to,
		       size_t size,
		       int ret,
		       const gnutls_datum_t *name)
{
	(void)printable_copy_quoted(to,
				    size,
				    ret == 0 ? (const char *)name->data
					     : gnutls_strerror(ret));
}

void quicd_chain_describe(gnutls_x509_crt_t certificate,
			  char text[QUICD_CHAIN_TEXT])
{
	gnutls_datum_t name = {};
	char subject[192];
	char issuer[192];
	char serial[64 + 1] = "";
	char digest[64 + 1] = "";
	uint8_t data[32];
	size_t len = sizeof(data);

	chain_name(subject,
		   sizeof(subject),
		   gnutls_x509_crt_get_dn3(certificate, &name, 0),
		   &name);
	gnutls_free(name.data);
	name = (gnutls_datum_t){};
	chain_name(issuer,
		   sizeof(issuer),
		   gnutls_x509_crt_get_issuer_dn3(certificate, &name, 0),
		   &name);
	gnutls_free(name.data);
	if (gnutls_x509_crt_get_serial(certificate, data, &len) == 0) {
		/* without the zero of DER before a high bit, as openssl */
		const size_t zero = len > 1 && data[0] == 0 ? 1 : 0;

		chain_hex(serial, sizeof(serial), data + zero, len - zero);
	}
	len = sizeof(data);
	if (gnutls_x509_crt_get_fingerprint(
		    certificate, GNUTLS_DIG_SHA256, data, &len) == 0)
	{
		chain_hex(digest, sizeof(digest), data, len);
	}
	(void)snprintf(text,
		       QUICD_CHAIN_TEXT,
		       "subject=\"%s\" issuer=\"%s\" serial=%s sha256=%s",
		       subject,
		       issuer,
		       serial,
		       digest);
}
