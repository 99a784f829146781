/* SPDX-License-Identifier: LGPL-3.0-or-later */
/*
 * Which files smb.conf names: the server's certificates and keys, the secret,
 * the CAs and the revocation lists.
 */
#ifndef QUICD_NAMED_FILES_H
#define QUICD_NAMED_FILES_H

#include <stdbool.h>

#include "bundle.h"
#include "log.h"
#include "settings.h"

/* Values of smb.conf; NULL if it has none. */
struct quicd_named_files {
	const char *private_dir;
	/* our parameters and Samba's */
	const char *certificate;
	const char *key;
	const char *directory;
	const char *secret;
	const char *tls_certfile;
	const char *tls_keyfile;
	const char *tls_cafile;
	const char *tls_crlfile;
	bool make; /* the file of the secret */
};

/**
 * @brief Read the files into a bundle.
 *
 * The first pair of a certificate and a key is the default.  CAs and lists are
 * read if the settings ask clients for certificates.
 *
 * @return false after errors in the report.
 */
bool quicd_named_files_add(struct quicd_bundle *bundle,
			   struct quicd_report *report,
			   const struct quicd_named_files *files,
			   const struct quicd_settings *settings);

#endif /* QUICD_NAMED_FILES_H */
