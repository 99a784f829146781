/* SPDX-License-Identifier: LGPL-3.0-or-later */
/*
 * Whose client certificates we trust, see trust.h.
 */

#include "config.h"

#include <stddef.h>

#include "trust.h"
#include "util/printable.h"

/* A company has fewer CAs, and a system's list of all public ones has more. */
#define QUICD_MANY_CAS 32

static bool quicd_trust_load_authorities(TALLOC_CTX *mem_ctx,
					 struct quicd_report *report,
					 const struct quicd_settings *settings,
					 struct quicd_trust *trust)
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
	if (!quicd_certificates_parse(report,
				      &settings->ca,
				      &trust->authorities)) {
		return false;
	}
	if (trust->authorities.num > QUICD_MANY_CAS &&
	    settings->client_allow == NULL) {
		quicd_report_warning(report,
				     "%s: it has %u CAs; whoever has a client "
				     "certificate of any of them is let in",
				     settings->ca.source,
				     trust->authorities.num);
	}
	if (settings->crl.data != NULL) {
		trust->revocation = quicd_revocation_load(mem_ctx,
							  report,
							  &settings->crl,
							  &trust->authorities);
		return trust->revocation != NULL;
	}
	return true;
}

bool quicd_trust_load(TALLOC_CTX *mem_ctx,
		      struct quicd_report *report,
		      const struct quicd_settings *settings,
		      struct quicd_trust *trust)
{
	return quicd_trust_load_authorities(mem_ctx, report, settings, trust) &&
	       quicd_rules_load(mem_ctx,
				report,
				settings,
				&trust->authorities,
				&trust->rules);
}

void quicd_trust_free(struct quicd_trust *trust)
{
	quicd_certificates_free(&trust->authorities);
}

/* Why a certificate counts as revoked, or NULL. */
static const char *quicd_trust_revoked(const struct quicd_trust *trust,
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

	if (trust->revocation != NULL) {
		revoked = quicd_revocation_check(trust->revocation,
						 certificate);
	}
	/* the issuer of a certificate in tls cafile itself does not matter */
	if (revoked == QUICD_REVOKED_NO ||
	    (revoked == QUICD_REVOKED_UNKNOWN &&
	     quicd_certificates_have(&trust->authorities, certificate)))
	{
		return NULL;
	}
	return reasons[revoked];
}

/* Whether a client with a valid chain may come in; else set the reason. */
static bool quicd_trust_admit_chain(const struct quicd_trust *trust,
				    struct quicd_chain *chain,
				    const char **rule,
				    const char **reason)
{
	unsigned i;

	for (i = 0; i < chain->num_sent; i++) {
		*reason = quicd_trust_revoked(trust, chain->sent[i]);
		if (*reason != NULL) {
			return false;
		}
	}
	if (trust->rules == NULL) {
		return true;
	}
	if (!quicd_chain_find_path(chain, &trust->authorities)) {
		*reason = "no path to a CA of tls cafile";
		return false;
	}
	if (quicd_rules_admit(trust->rules, chain, rule)) {
		return true;
	}
	*reason = (*rule)[0] != '\0'
			  ? "smbd_uring:quic client deny"
			  : "no rule of smbd_uring:quic client allow";
	return false;
}

bool quicd_trust_admit(const struct quicd_trust *trust,
		       const gnutls_datum_t *certificates,
		       unsigned count,
		       const char *client,
		       const char *id,
		       const char **reason)
{
	struct quicd_chain chain;
	char text[QUICD_CHAIN_TEXT] = "";
	char rule[256];
	const char *matched = "";
	bool admitted = false;

	if (!quicd_chain_import(&chain, certificates, count)) {
		*reason = "the certificate is not readable";
	} else {
		admitted = quicd_trust_admit_chain(trust,
						   &chain,
						   &matched,
						   reason);
		quicd_chain_describe(chain.sent[0], text);
	}
	quicd_chain_free(&chain);
	(void)printable_copy_quoted(rule, sizeof(rule), matched);
	if (admitted) {
		quicd_log("%s certificate allowed: id=%s %s rule=\"%s\"",
			  client,
			  id,
			  text,
			  rule);
	} else {
		quicd_log_limited("%s certificate denied: id=%s %s rule=\"%s\"",
				  client,
				  id,
				  text,
				  rule);
	}
	return admitted;
}
