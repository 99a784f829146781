/* SPDX-License-Identifier: LGPL-3.0-or-later */
/*
 * Lists of certificates in PEM files, see certificates.h.
 */

#include <string.h>

#include "certificates.h"

const char *quicd_certificates_why(const struct quicd_file *file,
				   const char *kind,
				   int error)
{
	if (file->len == 0) {
		return "it is empty";
	}
	if ((unsigned char)file->data[0] == 0x30) {
		return "it is in DER form; PEM is needed (openssl converts it)";
	}
	if (strstr(file->data, "ENCRYPTED") != NULL) {
		return "the key is encrypted; a key without a password is "
		       "needed";
	}
	if (strstr(file->data, "-----BEGIN ") == NULL) {
		return "it is not PEM";
	}
	if (error >= 0 || strstr(file->data, kind) == NULL) {
		return "it is PEM of something else";
	}
	return gnutls_strerror(error);
}

bool quicd_certificates_parse(struct quicd_report *report,
			      const struct quicd_file *file,
			      struct quicd_certificates *certificates)
{
	const gnutls_datum_t data = {
		.data = (unsigned char *)(uintptr_t)file->data,
		.size = (unsigned)file->len,
	};
	int ret;

	*certificates = (struct quicd_certificates){};
	ret = gnutls_x509_crt_list_import2(&certificates->list,
					   &certificates->num,
					   &data,
					   GNUTLS_X509_FMT_PEM,
					   0);
	if (ret < 0 || certificates->num == 0) {
		return quicd_report_error(report,
					  "%s: no certificate: %s",
					  file->source,
					  quicd_certificates_why(file,
								 "CERTIFICATE",
								 ret));
	}
	return true;
}

void quicd_certificates_free(struct quicd_certificates *certificates)
{
	unsigned i;

	for (i = 0; i < certificates->num; i++) {
		gnutls_x509_crt_deinit(certificates->list[i]);
	}
	gnutls_free(certificates->list);
	*certificates = (struct quicd_certificates){};
}

bool quicd_certificates_have(const struct quicd_certificates *certificates,
			     gnutls_x509_crt_t certificate)
{
	unsigned i;

	for (i = 0; i < certificates->num; i++) {
		if (gnutls_x509_crt_equals(certificate,
					   certificates->list[i]) != 0)
		{
			return true;
		}
	}
	return false;
}
