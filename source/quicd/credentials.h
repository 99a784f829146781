/* SPDX-License-Identifier: LGPL-3.0-or-later */
/*
 * The server's certificates and keys as GnuTLS's credentials, and the choice
 * among them by server name.
 */
#ifndef QUICD_CREDENTIALS_H
#define QUICD_CREDENTIALS_H

#include <gnutls/gnutls.h>
#include <gnutls/x509.h>
#include <stdbool.h>
#include <talloc.h>
#include <time.h>

#include "certificates.h"
#include "log.h"
#include "settings.h"

/* One of our certificates with its key, for GnuTLS. */
struct quicd_credential {
	gnutls_certificate_credentials_t credentials;
	gnutls_x509_crt_t certificate;
};

struct quicd_credentials {
	struct quicd_credential *list; /* the first one is the default */
	size_t num;
};

/**
 * @brief Load the pairs of the settings.
 *
 * @param[in]  mem_ctx      owns the list
 * @param[in]  trusted      CAs of client certificates
 * @param[out] credentials  for quicd_credentials_free(), even after an error
 *
 * @return false after errors in the report.
 */
bool quicd_credentials_load(TALLOC_CTX *mem_ctx,
			    struct quicd_report *report,
			    const struct quicd_settings *settings,
			    const struct quicd_certificates *trusted,
			    struct quicd_credentials *credentials);

/**
 * @brief The credentials for a server name, or NULL.
 *
 * A certificate with the name itself takes precedence over one with a wildcard.
 * Among equals, the first certificate counts.
 */
gnutls_certificate_credentials_t quicd_credentials_choose(
	const struct quicd_credentials *credentials,
	const char *name);

/** @brief When the i-th certificate ends. */
time_t quicd_credentials_ends(const struct quicd_credentials *credentials,
			      size_t i);

/** @brief When the first certificate ends that is valid now; 0: none. */
time_t quicd_credentials_expires(const struct quicd_credentials *credentials);

/** @brief Free what GnuTLS has; the list is mem_ctx's. */
void quicd_credentials_free(struct quicd_credentials *credentials);

#endif /* QUICD_CREDENTIALS_H */
