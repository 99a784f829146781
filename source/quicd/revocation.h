/* SPDX-License-Identifier: LGPL-3.0-or-later */
/*
 * Certificate revocation lists.
 */
#ifndef QUICD_REVOCATION_H
#define QUICD_REVOCATION_H

#include <gnutls/x509.h>
#include <time.h>

#include "certificates.h"
#include "settings.h"

struct quicd_revocation;

enum quicd_revoked {
	QUICD_REVOKED_NO,
	QUICD_REVOKED_YES,
	QUICD_REVOKED_EXPIRED, /* the list of its issuer is not valid now */
	QUICD_REVOKED_UNKNOWN, /* there is no list of its issuer */
};

/**
 * @brief Load the lists of a file, and check issuers and dates.
 *
 * It is an error if a file has no list of a trusted CA.  A list that has
 * expired is an obstacle.
 *
 * @param[in] trusted  the CAs; they have to live as long as the result
 *
 * @return NULL after an error in the report.
 */
struct quicd_revocation *quicd_revocation_load(
	TALLOC_CTX *mem_ctx,
	struct quicd_report *report,
	const struct quicd_file *file,
	const struct quicd_certificates *trusted);

/**
 * @brief Look a certificate up.
 *
 * A list counts by the name of its issuer, also if its signature cannot be
 * checked: that can only refuse more.
 */
enum quicd_revoked quicd_revocation_check(
	const struct quicd_revocation *revocation,
	gnutls_x509_crt_t certificate);

/** @brief When the first list that is valid now expires; 0: never. */
time_t quicd_revocation_expires(const struct quicd_revocation *revocation);

#endif /* QUICD_REVOCATION_H */
