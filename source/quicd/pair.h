/* SPDX-License-Identifier: LGPL-3.0-or-later */
/*
 * The server's certificate and key, and what a client may find wrong with them.
 */
#ifndef QUICD_PAIR_H
#define QUICD_PAIR_H

#include <gnutls/gnutls.h>
#include <gnutls/x509.h>

#include "settings.h"

/* The longest name that is compared, and a NUL. */
#define QUICD_PAIR_NAME 256

/**
 * @brief Give certificate and key to GnuTLS.
 *
 * @param[out] leaf  the server's own certificate; the caller frees it
 *
 * @return false after an error in the report, which names file and reason.
 */
bool quicd_pair_load(struct quicd_report *report,
		     const struct quicd_pair *pair,
		     gnutls_certificate_credentials_t credentials,
		     gnutls_x509_crt_t *leaf);

/**
 * @brief Whether two certificates have a name in common.
 *
 * @param[out] name  a name, size bytes; defined if they have
 */
bool quicd_pair_share_name(gnutls_x509_crt_t a,
			   gnutls_x509_crt_t b,
			   char *name,
			   size_t size);

#endif /* QUICD_PAIR_H */
