/* SPDX-License-Identifier: LGPL-3.0-or-later */
/** @file forms.h The SHA-256 of each form that a certificate can have. */
#ifndef QUICD_FORMS_H
#define QUICD_FORMS_H

#include <gnutls/x509.h>
#include <stdbool.h>
#include <stdint.h>

#define QUICD_FORMS_SHA256 32

/* The certificate as it is, and a second signature for each curve. */
#define QUICD_FORMS_MAX 6

struct quicd_forms {
	uint8_t sha256[QUICD_FORMS_MAX][QUICD_FORMS_SHA256];
	unsigned num;
};

/**
 * @brief Find the SHA-256 of each valid certificate that anybody can make from
 * this one.
 *
 * @return false if no issuer writes a certificate like this, or if we do not
 * know the forms of its signature algorithm.
 */
bool quicd_forms_find(gnutls_x509_crt_t certificate, struct quicd_forms *forms);

#endif /* QUICD_FORMS_H */
