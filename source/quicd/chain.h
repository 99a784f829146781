/* SPDX-License-Identifier: LGPL-3.0-or-later */
/*
 * A client's certificate, and the certificates above it up to a trusted CA.
 */
#ifndef QUICD_CHAIN_H
#define QUICD_CHAIN_H

#include <gnutls/gnutls.h>
#include <gnutls/x509.h>

#include "certificates.h"

/* As GnuTLS: it refuses longer ones. */
#define QUICD_CHAIN_MAX 16

/* For quicd_chain_describe(). */
#define QUICD_CHAIN_TEXT 640

struct quicd_chain {
	/* what the client sent, its own certificate first */
	gnutls_x509_crt_t sent[QUICD_CHAIN_MAX];
	unsigned num_sent;
	/* from its own certificate to one of tls cafile, each signed by the
	 * next; the certificates belong to others */
	gnutls_x509_crt_t path[QUICD_CHAIN_MAX];
	unsigned num_path;
};

/**
 * @brief Import what a client sent.
 *
 * @return false if it is not usable; free it in any case.
 */
bool quicd_chain_import(struct quicd_chain *chain,
			const gnutls_datum_t *certificates,
			unsigned count);

/**
 * @brief Find the path to a trusted CA.
 *
 * It checks neither the extended key usage nor revocation.
 *
 * @return false if there is none, or it is not valid.
 */
bool quicd_chain_find_path(struct quicd_chain *chain,
			   const struct quicd_certificates *trusted);

void quicd_chain_free(struct quicd_chain *chain);

/** @brief Print a certificate for a log line. */
void quicd_chain_describe(gnutls_x509_crt_t certificate,
			  char text[QUICD_CHAIN_TEXT]);

#endif /* QUICD_CHAIN_H */
