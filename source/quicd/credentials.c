/* SPDX-License-Identifier: LGPL-3.0-or-later */
/*
 * The server's certificates and keys as GnuTLS's credentials, see
 * credentials.h.
 */

#include "config.h"

#include <gnutls/x509.h>

#include "credentials.h"
#include "pair.h"
#include "util/macros.h"

static bool quicd_credential_load(struct quicd_report *report,
				  const struct quicd_settings *settings,
				  const struct quicd_pair *pair,
				  const struct quicd_certificates *trusted,
				  struct quicd_credential *credential)
{
	int ret;

	ret = gnutls_certificate_allocate_credentials(&credential->credentials);
	if (ret != 0) {
		return quicd_report_error(report,
					  "GnuTLS: %s",
					  gnutls_strerror(ret));
	}
	if (trusted->num > 0) {
		ret = gnutls_certificate_set_x509_trust(credential->credentials,
							trusted->list,
							(int)trusted->num);
	}
	if (ret < 0) {
		return quicd_report_error(report,
					  "%s: %s",
					  settings->ca.source,
					  gnutls_strerror(ret));
	}
	return quicd_pair_load(report,
			       pair,
			       credential->credentials,
			       &credential->certificate);
}

bool quicd_credentials_load(TALLOC_CTX *mem_ctx,
			    struct quicd_report *report,
			    const struct quicd_settings *settings,
			    const struct quicd_certificates *trusted,
			    struct quicd_credentials *credentials)
{
	const struct quicd_pair *pairs = settings->pairs;
	char name[QUICD_PAIR_NAME];
	size_t i;
	size_t j;

	if (settings->num_pairs == 0) {
		return quicd_report_error(report,
					  "there is no certificate or no key");
	}
	credentials->list = talloc_zero_array(mem_ctx,
					      struct quicd_credential,
					      settings->num_pairs);
	if (credentials->list == NULL) {
		return quicd_report_error(report, "no memory");
	}
	credentials->num = settings->num_pairs;
	for (i = 0; i < credentials->num; i++) {
		struct quicd_credential *credential = &credentials->list[i];

		if (!quicd_credential_load(
			    report, settings, &pairs[i], trusted, credential)) {
			return false;
		}
		for (j = 0; j < i; j++) {
			if (quicd_pair_share_name(
				    credential->certificate,
				    credentials->list[j].certificate,
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

gnutls_certificate_credentials_t quicd_credentials_choose(
	const struct quicd_credentials *credentials,
	const char *name)
{
	static const unsigned flags[] = {
		GNUTLS_VERIFY_DO_NOT_ALLOW_WILDCARDS,
		0,
	};
	size_t how;
	size_t i;

	for (how = 0; how < ARRAY_SIZE(flags); how++) {
		for (i = 0; i < credentials->num; i++) {
			if (gnutls_x509_crt_check_hostname2(
				    credentials->list[i].certificate,
				    name,
				    flags[how]) != 0)
			{
				return credentials->list[i].credentials;
			}
		}
	}
	return NULL;
}

time_t quicd_credentials_ends(const struct quicd_credentials *credentials,
			      size_t i)
{
	return gnutls_x509_crt_get_expiration_time(
		credentials->list[i].certificate);
}

time_t quicd_credentials_expires(const struct quicd_credentials *credentials)
{
	const time_t now = time(NULL);
	time_t first = 0;
	size_t i;

	for (i = 0; i < credentials->num; i++) {
		const time_t expires = quicd_credentials_ends(credentials, i);

		if (expires > now && (first == 0 || expires < first)) {
			first = expires;
		}
	}
	return first;
}

void quicd_credentials_free(struct quicd_credentials *credentials)
{
	size_t i;

	for (i = 0; i < credentials->num; i++) {
		struct quicd_credential *credential = &credentials->list[i];

		if (credential->certificate != NULL) {
			gnutls_x509_crt_deinit(credential->certificate);
		}
		if (credential->credentials != NULL) {
			gnutls_certificate_free_credentials(
				credential->credentials);
		}
	}
}
