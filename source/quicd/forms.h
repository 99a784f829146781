/* SPDX-License-Identifier: LGPL-3.0-or-later */
/** @file forms.h The SHA-256 of a certificate, in each form that it can have.
 */
#ifndef QUICD_FORMS_H
#define QUICD_FORMS_H

#include <gnutls/x509.h>
#include <stdbool.h>
#include <stdint.h>

#define QUICD_FORMS_SHA256 32

/* One, and another for each curve. */
#define QUICD_FORMS_MAX 6

struct quicd_forms {
	uint8_t sha256[QUICD_FORMS_MAX][QUICD_FORMS_SHA256];
	unsigned num;
};

/**
 * @brief The SHA-256 of all certificates that everybody can make from this one,
 * and that are valid too.
 *
 * @return false if it is not as an issuer writes it, or has a signature of
 * which the forms are not known.
 */
bool quicd_forms_find(gnutls_x509_crt_t certificate, struct quicd_forms *forms);

#endif /* QUICD_FORMS_H */
