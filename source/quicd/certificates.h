/* SPDX-License-Identifier: LGPL-3.0-or-later */
/*
 * The server's certificate and key, and what a client may find wrong with them.
 */
#ifndef QUICD_CERTIFICATES_H
#define QUICD_CERTIFICATES_H

#include <gnutls/gnutls.h>
#include <gnutls/x509.h>

#include "settings.h"

/* The longest name that is compared, and a NUL. */
#define QUICD_CERTIFICATES_NAME 256

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
 * @brief Give certificate and key to GnuTLS.
 *
 * @param[out] leaf  the server's own certificate; the caller frees it
 *
 * @return false after an error in the report, which names file and reason.
 */
bool quicd_certificates_load(struct quicd_report *report,
			     const struct quicd_pair *pair,
			     gnutls_certificate_credentials_t credentials,
			     gnutls_x509_crt_t *leaf);

/**
 * @brief Whether two certificates have a name in common.
 *
 * @param[out] name  a name, size bytes; defined if they have
 */
bool quicd_certificates_share_name(gnutls_x509_crt_t a,
				   gnutls_x509_crt_t b,
				   char *name,
				   size_t size);

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
