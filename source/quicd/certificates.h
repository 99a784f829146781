/* SPDX-License-Identifier: LGPL-3.0-or-later */
/*
 * Lists of certificates in PEM files, and why a file has none.
 */
#ifndef QUICD_CERTIFICATES_H
#define QUICD_CERTIFICATES_H

#include <gnutls/gnutls.h>
#include <gnutls/x509.h>

#include "settings.h"

/* Certificates of a file, in its order. */
struct quicd_certificates {
	gnutls_x509_crt_t *list;
	unsigned num;
};

/**
 * @brief Parse the certificates of a file.
 *
 * @return false after an error in the report, which names file and reason.
 */
bool quicd_certificates_parse(struct quicd_report *report,
			      const struct quicd_file *file,
			      struct quicd_certificates *certificates);

void quicd_certificates_free(struct quicd_certificates *certificates);

/** @brief Whether this very certificate is among them. */
bool quicd_certificates_have(const struct quicd_certificates *certificates,
			     gnutls_x509_crt_t certificate);

/**
 * @brief Why a file has no item of the expected kind, in words.
 *
 * @param[in] kind   of PEM: "CERTIFICATE", ...
 * @param[in] error  of GnuTLS
 */
const char *quicd_certificates_why(const struct quicd_file *file,
				   const char *kind,
				   int error);

#endif /* QUICD_CERTIFICATES_H */
