/* SPDX-License-Identifier: LGPL-3.0-or-later */
/*
 * The server's certificate and key, and what a client may find wrong with them.
 *
 * A certificate that GnuTLS cannot use is an error.  One that GnuTLS can use,
 * but that some clients refuse, is a warning.  An expired certificate makes all
 * clients fail, so it is an obstacle.
 */

#include <string.h>
#include <strings.h>
#include <time.h>

#include <gnutls/abstract.h>

#include "certificates.h"
#include "pair.h"

#define PAIR_SOON ((time_t)14 * 24 * 60 * 60)
#define PAIR_RSA_BITS 2048
#define PAIR_DATE 32

static bool pair_check_key(struct quicd_report *report,
			   const struct quicd_file *file)
{
	const gnutls_datum_t data = {
		.data = (unsigned char *)(uintptr_t)file->data,
		.size = (unsigned)file->len,
	};
	gnutls_privkey_t key = NULL;
	int ret;

	ret = gnutls_privkey_init(&key);
	if (ret != 0) {
		return quicd_report_error(report,
					  "GnuTLS: %s",
					  gnutls_strerror(ret));
	}
	ret = gnutls_privkey_import_x509_raw(
		key, &data, GNUTLS_X509_FMT_PEM, NULL, 0);
	gnutls_privkey_deinit(key);
	if (ret != 0) {
		return quicd_report_error(report,
					  "%s: no key: %s",
					  file->source,
					  quicd_certificates_why(file,
								 "PRIVATE KEY",
								 ret));
	}
	return true;
}

static const char *pair_date(time_t t, char text[PAIR_DATE])
{
	struct tm tm;

	gmtime_r(&t, &tm);
	(void)strftime(text, PAIR_DATE, "%Y-%m-%d %H:%M UTC", &tm);
	return text;
}

static void pair_check_dates(struct quicd_report *report,
			     const char *source,
			     const char *which,
			     gnutls_x509_crt_t certificate)
{
	const time_t now = time(NULL);
	const time_t from = gnutls_x509_crt_get_activation_time(certificate);
	const time_t to = gnutls_x509_crt_get_expiration_time(certificate);
	char text[PAIR_DATE];

	if (from > now) {
		quicd_report_obstacle(report,
				      "%s: %s is not valid before %s",
				      source,
				      which,
				      pair_date(from, text));
	}
	if (to < now) {
		quicd_report_obstacle(report,
				      "%s: %s has expired on %s",
				      source,
				      which,
				      pair_date(to, text));
	} else if (to - now < PAIR_SOON) {
		quicd_report_warning(report,
				     "%s: %s expires on %s",
				     source,
				     which,
				     pair_date(to, text));
	}
}

/* Whether the extended key usage, if there is one, allows TLS servers. */
static bool pair_for_server(gnutls_x509_crt_t certificate)
{
	char oid[128];
	unsigned i;

	for (i = 0;; i++) {
		size_t len = sizeof(oid);
		const int ret = gnutls_x509_crt_get_key_purpose_oid(
			certificate, i, oid, &len, NULL);

		if (ret == GNUTLS_E_REQUESTED_DATA_NOT_AVAILABLE) {
			return i == 0;
		}
		if (ret == 0 && (strcmp(oid, GNUTLS_KP_TLS_WWW_SERVER) == 0 ||
				 strcmp(oid, GNUTLS_KP_ANY) == 0))
		{
			return true;
		}
		if (ret < 0 && ret != GNUTLS_E_SHORT_MEMORY_BUFFER) {
			return false;
		}
	}
}

static void pair_check_leaf(struct quicd_report *report,
			    const char *source,
			    gnutls_x509_crt_t leaf)
{
	char name[8];
	size_t len = sizeof(name);
	unsigned bits = 0;
	int algorithm;
	int ret;

	if (!pair_for_server(leaf)) {
		quicd_report_warning(report,
				     "%s: the extended key usage is not for "
				     "TLS servers; Windows refuses it",
				     source);
	}
	ret = gnutls_x509_crt_get_subject_alt_name(leaf, 0, name, &len, NULL);
	if (ret == GNUTLS_E_REQUESTED_DATA_NOT_AVAILABLE) {
		quicd_report_warning(report,
				     "%s: no subjectAltName; Windows refuses "
				     "it",
				     source);
	}
	algorithm = gnutls_x509_crt_get_pk_algorithm(leaf, &bits);
	if ((algorithm == GNUTLS_PK_RSA || algorithm == GNUTLS_PK_RSA_PSS) &&
	    bits < PAIR_RSA_BITS)
	{
		quicd_report_warning(report,
				     "%s: RSA of %u bits; Windows refuses "
				     "less than %u",
				     source,
				     bits,
				     PAIR_RSA_BITS);
	}
}

static void pair_check(struct quicd_report *report,
		       const char *source,
		       const struct quicd_certificates *chain)
{
	unsigned i;

	pair_check_dates(report, source, "the certificate", chain->list[0]);
	for (i = 1; i < chain->num; i++) {
		pair_check_dates(report,
				 source,
				 "an intermediate certificate",
				 chain->list[i]);
	}
	pair_check_leaf(report, source, chain->list[0]);
}

static bool pair_use(struct quicd_report *report,
		     const struct quicd_pair *pair,
		     gnutls_certificate_credentials_t credentials,
		     struct quicd_certificates *chain)
{
	const struct quicd_file *certificate = &pair->certificate;
	const struct quicd_file *key = &pair->key;
	const gnutls_datum_t certificate_data = {
		.data = (unsigned char *)(uintptr_t)certificate->data,
		.size = (unsigned)certificate->len,
	};
	const gnutls_datum_t key_data = {
		.data = (unsigned char *)(uintptr_t)key->data,
		.size = (unsigned)key->len,
	};
	int ret;

	ret = gnutls_certificate_set_x509_key_mem2(credentials,
						   &certificate_data,
						   &key_data,
						   GNUTLS_X509_FMT_PEM,
						   NULL,
						   0);
	if (ret == GNUTLS_E_CERTIFICATE_KEY_MISMATCH) {
		return quicd_report_error(
			report,
			"%s: it does not belong to the first certificate of "
			"%s",
			key->source,
			certificate->source);
	}
	if (ret >= 0) {
		/* in the order in which it is sent */
		ret = gnutls_certificate_get_x509_crt(credentials,
						      0,
						      &chain->list,
						      &chain->num);
	}
	if (ret < 0 || chain->list == NULL || chain->num == 0) {
		return quicd_report_error(report,
					  "%s, %s: %s",
					  certificate->source,
					  key->source,
					  gnutls_strerror(ret));
	}
	return true;
}

bool quicd_pair_load(struct quicd_report *report,
		     const struct quicd_pair *pair,
		     gnutls_certificate_credentials_t credentials,
		     gnutls_x509_crt_t *leaf)
{
	struct quicd_certificates chain = {};

	if (pair->certificate.data == NULL || pair->key.data == NULL) {
		return quicd_report_error(report,
					  "there is no certificate or no key");
	}
	if (!quicd_certificates_parse(report, &pair->certificate, &chain)) {
		return false;
	}
	quicd_certificates_free(&chain);
	if (!pair_check_key(report, &pair->key) ||
	    !pair_use(report, pair, credentials, &chain))
	{
		return false;
	}
	pair_check(report, pair->certificate.source, &chain);
	/* the first one is the caller's */
	*leaf = chain.list[0];
	chain.list[0] = chain.list[chain.num - 1];
	chain.num--;
	quicd_certificates_free(&chain);
	return true;
}

/* A DNS name of a certificate, "" if it is another name; false at the end. */
static bool pair_name(gnutls_x509_crt_t certificate,
		      unsigned i,
		      char *name,
		      size_t size)
{
	const int type = gnutls_x509_crt_get_subject_alt_name(
		certificate, i, name, &size, NULL);

	if (type != GNUTLS_SAN_DNSNAME) {
		name[0] = '\0';
	}
	return type >= 0 || type == GNUTLS_E_SHORT_MEMORY_BUFFER;
}

bool quicd_pair_share_name(gnutls_x509_crt_t a,
			   gnutls_x509_crt_t b,
			   char *name,
			   size_t size)
{
	char other[QUICD_PAIR_NAME];
	unsigned i;
	unsigned j;

	for (i = 0; pair_name(a, i, name, size); i++) {
		for (j = 0; pair_name(b, j, other, sizeof(other)); j++) {
			if (name[0] != '\0' && strcasecmp(name, other) == 0) {
				return true;
			}
		}
	}
	return false;
}
