/* SPDX-License-Identifier: LGPL-3.0-or-later */
/*
 * Whose client certificates we trust: the CAs of "tls cafile", the lists of
 * "tls crlfile", and the rules of "quic client allow" and "quic client deny".
 */
#ifndef QUICD_TRUST_H
#define QUICD_TRUST_H

#include <gnutls/gnutls.h>
#include <stdbool.h>
#include <talloc.h>

#include "certificates.h"
#include "log.h"
#include "revocation.h"
#include "rules.h"
#include "settings.h"

struct quicd_trust {
	struct quicd_certificates authorities; /* CAs of client certificates */
	struct quicd_revocation *revocation;   /* or NULL */
	struct quicd_rules *rules;	       /* or NULL */
};

/**
 * @brief Load the CAs, lists and rules.
 *
 * @param[in]  mem_ctx  owns the lists and the rules
 * @param[out] trust    for quicd_trust_free(), even after an error
 *
 * @return false after errors in the report.
 */
bool quicd_trust_load(TALLOC_CTX *mem_ctx,
		      struct quicd_report *report,
		      const struct quicd_settings *settings,
		      struct quicd_trust *trust);

/** @brief Free the CAs. */
void quicd_trust_free(struct quicd_trust *trust);

/**
 * @brief Whether a client may come in with certificates that GnuTLS found
 * valid.  A log line tells the auditor.
 *
 * @param[in]  client  its address, for the line
 * @param[in]  id      of its connection, for the line
 * @param[out] reason  why it may not
 */
bool quicd_trust_admit(const struct quicd_trust *trust,
		       const gnutls_datum_t *certificates,
		       unsigned count,
		       const char *client,
		       const char *id,
		       const char **reason);

#endif /* QUICD_TRUST_H */
