/* SPDX-License-Identifier: LGPL-3.0-or-later */
/*
 * Certificate revocation lists.
 *
 * GnuTLS accepts a list of another CA, or of last year, without a warning.  It
 * then lets in every client that no list has.  So we keep the lists here, and
 * look up each certificate of a client's chain.  We refuse all certificates of
 * an issuer whose list is not valid yet, is past its next update, or is
 * missing.  OpenSSL does so with X509_V_FLAG_CRL_CHECK_ALL.
 *
 * A CA with a new key keeps its name and has a list for each key.  So a list
 * proves a certificate good only if one key has signed both.
 *
 * We keep only lists that a CA of tls cafile has signed: a list of another CA
 * with the same name must not replace one that has expired.  We refuse a list
 * with a critical extension (a delta, or one for some certificates only),
 * because it does not prove a certificate good (RFC 5280, 5.2).
 */

#include <string.h>

#include "revocation.h"

#define REVOCATION_NAME 256

struct quicd_revocation {
	gnutls_x509_crl_t *lists;
	unsigned num;
	const struct quicd_certificates *trusted;
	bool *signers; /* for each list: whether each CA has signed it */
};

static int revocation_destroy(struct quicd_revocation *revocation)
{
	unsigned i;

	for (i = 0; i < revocation->num; i++) {
		gnutls_x509_crl_deinit(revocation->lists[i]);
	}
	gnutls_free(revocation->lists);
	return 0;
}

/* -1: it has no next update */
static bool revocation_is_valid(gnutls_x509_crl_t list, time_t now)
{
	const time_t next = gnutls_x509_crl_get_next_update(list);

	return gnutls_x509_crl_get_this_update(list) <= now &&
	       (next == (time_t)-1 || next > now);
}

static bool revocation_has_signed_list(gnutls_x509_crt_t ca,
				       gnutls_x509_crl_t list)
{
	const unsigned dates = GNUTLS_CERT_INVALID |
			       GNUTLS_CERT_REVOCATION_DATA_SUPERSEDED |
			       GNUTLS_CERT_REVOCATION_DATA_ISSUED_IN_FUTURE;
	unsigned status = 0;

	return gnutls_x509_crl_check_issuer(list, ca) == 1 &&
	       gnutls_x509_crl_verify(list, &ca, 1, 0, &status) == 0 &&
	       (status & ~dates) == 0;
}

static bool revocation_has_signed(gnutls_x509_crt_t ca,
				  gnutls_x509_crt_t certificate)
{
	const unsigned flags = GNUTLS_VERIFY_DISABLE_TIME_CHECKS |
			       GNUTLS_VERIFY_DISABLE_TRUSTED_TIME_CHECKS;
	unsigned status = 0;

	return gnutls_x509_crt_check_issuer(certificate, ca) == 1 &&
	       gnutls_x509_crt_verify(certificate, &ca, 1, flags, &status) ==
		       0 &&
	       status == 0;
}

/* Whether one of the trusted CAs has signed it. */
static bool revocation_is_trusted(gnutls_x509_crl_t list,
				  const struct quicd_certificates *trusted)
{
	unsigned i;

	for (i = 0; i < trusted->num; i++) {
		if (revocation_has_signed_list(trusted->list[i], list)) {
			return true;
		}
	}
	return false;
}

static bool revocation_find_signers(struct quicd_report *report,
				    struct quicd_revocation *revocation)
{
	const struct quicd_certificates *trusted = revocation->trusted;
	unsigned i;
	unsigned j;

	revocation->signers = talloc_zero_array(
		revocation, bool, (size_t)revocation->num * trusted->num);
	if (revocation->signers == NULL) {
		return quicd_report_error(report, "no memory");
	}
	for (i = 0; i < revocation->num; i++) {
		for (j = 0; j < trusted->num; j++) {
			revocation->signers[i * trusted->num + j] =
				revocation_has_signed_list(
					trusted->list[j], revocation->lists[i]);
		}
	}
	return true;
}

/* Whether one key has signed the list and the certificate. */
static bool revocation_is_for(const struct quicd_revocation *revocation,
			      unsigned list,
			      gnutls_x509_crt_t certificate)
{
	const struct quicd_certificates *trusted = revocation->trusted;
	unsigned i;

	for (i = 0; i < trusted->num; i++) {
		if (revocation->signers[list * trusted->num + i] &&
		    revocation_has_signed(trusted->list[i], certificate))
		{
			return true;
		}
	}
	return false;
}

static bool revocation_check_extensions(struct quicd_report *report,
					gnutls_x509_crl_t list,
					const struct quicd_file *file,
					const char *issuer)
{
	unsigned i;

	for (i = 0;; i++) {
		char oid[REVOCATION_NAME] = "?";
		size_t len = sizeof(oid);
		unsigned critical = 0;
		const int ret = gnutls_x509_crl_get_extension_info(
			list, i, oid, &len, &critical);

		if (ret == GNUTLS_E_REQUESTED_DATA_NOT_AVAILABLE) {
			return true;
		}
		if (ret < 0 || critical != 0) {
			return quicd_report_error(
				report,
				"%s: the list of \"%s\" has the critical "
				"extension %s, which smbd-quicd does not "
				"support; use a complete list",
				file->source,
				issuer,
				oid);
		}
	}
}

/* Lists that no trusted CA has signed are taken out. */
static bool revocation_check_lists(struct quicd_report *report,
				   struct quicd_revocation *revocation,
				   const struct quicd_file *file,
				   const struct quicd_certificates *trusted)
{
	const time_t now = time(NULL);
	const unsigned num = revocation->num;
	bool good = true;
	unsigned i;

	revocation->num = 0;
	for (i = 0; i < num; i++) {
		gnutls_x509_crl_t list = revocation->lists[i];
		char name[REVOCATION_NAME] = "?";
		size_t len = sizeof(name);

		(void)gnutls_x509_crl_get_issuer_dn(list, name, &len);
		if (!revocation_is_trusted(list, trusted)) {
			quicd_report_warning(report,
					     "%s: the list of \"%s\" is not of "
					     "a CA in tls cafile",
					     file->source,
					     name);
			gnutls_x509_crl_deinit(list);
			continue;
		}
		revocation->lists[revocation->num] = list;
		revocation->num++;
		good = revocation_check_extensions(report, list, file, name) &&
		       good;
		if (!revocation_is_valid(list, now)) {
			quicd_report_obstacle(
				report,
				"%s: the list of \"%s\" has expired: all of "
				"its certificates are refused until a new one "
				"is loaded",
				file->source,
				name);
		}
	}
	if (revocation->num == 0) {
		return quicd_report_error(
			report,
			"%s: there is no list of a CA in tls cafile",
			file->source);
	}
	return good;
}

static bool revocation_check_cas(struct quicd_report *report,
				 const struct quicd_revocation *revocation,
				 const struct quicd_file *file,
				 const struct quicd_certificates *trusted)
{
	unsigned i;
	unsigned j;

	for (i = 0; i < trusted->num; i++) {
		char name[REVOCATION_NAME] = "?";
		size_t len = sizeof(name);
		bool found = false;

		(void)gnutls_x509_crt_get_dn(trusted->list[i], name, &len);
		if (quicd_revocation_check(revocation, trusted->list[i]) ==
		    QUICD_REVOKED_YES) {
			return quicd_report_error(
				report,
				"%s: the CA \"%s\" of tls cafile is revoked",
				file->source,
				name);
		}
		for (j = 0; j < revocation->num; j++) {
			found = found ||
				revocation->signers[j * trusted->num + i];
		}
		if (!found) {
			quicd_report_warning(report,
					     "%s: there is no list of the CA "
					     "\"%s\"; clients with a "
					     "certificate of it are refused",
					     file->source,
					     name);
		}
	}
	return true;
}

/* GnuTLS skips a list that begins in another way than its own do. */
static bool revocation_is_whole(const struct quicd_revocation *revocation,
				const struct quicd_file *file)
{
	static const char end[] = "CRL-----"; /* of a first and a last line */
	const char *pos = file->data;
	const char *last = file->data + file->len;
	unsigned num = 0;

	while ((pos = memmem(pos,
			     (size_t)(last - pos),
			     end,
			     sizeof(end) - 1)) != NULL) {
		pos += sizeof(end) - 1;
		num++;
	}
	/* nor does it say that a list in DER form is behind one in PEM */
	return num == 2 * revocation->num &&
	       memchr(file->data, '\0', file->len) == NULL;
}

struct quicd_revocation *quicd_revocation_load(
	TALLOC_CTX *mem_ctx,
	struct quicd_report *report,
	const struct quicd_file *file,
	const struct quicd_certificates *trusted)
{
	struct quicd_revocation *revocation = talloc_zero(
		mem_ctx, struct quicd_revocation);
	const gnutls_datum_t data = {
		.data = (unsigned char *)(uintptr_t)file->data,
		.size = (unsigned)file->len,
	};
	int ret;

	if (revocation == NULL) {
		(void)quicd_report_error(report, "no memory");
		return NULL;
	}
	ret = gnutls_x509_crl_list_import2(&revocation->lists,
					   &revocation->num,
					   &data,
					   GNUTLS_X509_FMT_PEM,
					   0);
	talloc_set_destructor(revocation, revocation_destroy);
	revocation->trusted = trusted;
	if (ret < 0 || revocation->num == 0) {
		(void)quicd_report_error(report,
					 "%s: no revocation list: %s",
					 file->source,
					 quicd_certificates_why(file,
								"X509 CRL",
								ret));
		TALLOC_FREE(revocation);
		return NULL;
	}
	if (!revocation_is_whole(revocation, file)) {
		(void)quicd_report_error(
			report,
			"%s: a list is not readable; each begins with "
			"-----BEGIN X509 CRL-----",
			file->source);
		TALLOC_FREE(revocation);
		return NULL;
	}
	if (!revocation_check_lists(report, revocation, file, trusted) ||
	    !revocation_find_signers(report, revocation) ||
	    !revocation_check_cas(report, revocation, file, trusted))
	{
		TALLOC_FREE(revocation);
	}
	return revocation;
}

static bool revocation_same_issuer(gnutls_x509_crl_t list,
				   gnutls_x509_crt_t certificate)
{
	gnutls_datum_t a = {};
	gnutls_datum_t b = {};
	bool same = false;

	if (gnutls_x509_crl_get_raw_issuer_dn(list, &a) == 0 &&
	    gnutls_x509_crt_get_raw_issuer_dn(certificate, &b) == 0)
	{
		same = a.size == b.size && memcmp(a.data, b.data, a.size) == 0;
	}
	gnutls_free(a.data);
	gnutls_free(b.data);
	return same;
}

enum quicd_revoked quicd_revocation_check(
	const struct quicd_revocation *revocation,
	gnutls_x509_crt_t certificate)
{
	const time_t now = time(NULL);
	bool valid = false;
	bool expired = false;
	unsigned i;

	for (i = 0; i < revocation->num; i++) {
		gnutls_x509_crl_t list = revocation->lists[i];

		if (!revocation_same_issuer(list, certificate)) {
			continue;
		}
		if (gnutls_x509_crt_check_revocation(certificate, &list, 1) !=
		    0) {
			return QUICD_REVOKED_YES;
		}
		if (!revocation_is_for(revocation, i, certificate)) {
			continue;
		}
		if (revocation_is_valid(list, now)) {
			valid = true;
		} else {
			expired = true;
		}
	}
	if (valid) { /* an old one beside its successor does no harm */
		return QUICD_REVOKED_NO;
	}
	return expired ? QUICD_REVOKED_EXPIRED : QUICD_REVOKED_UNKNOWN;
}

time_t quicd_revocation_expires(const struct quicd_revocation *revocation)
{
	const time_t now = time(NULL);
	time_t first = 0;
	unsigned i;

	for (i = 0; i < revocation->num; i++) {
		const time_t next = gnutls_x509_crl_get_next_update(
			revocation->lists[i]);

		if (next != (time_t)-1 && next > now &&
		    (first == 0 || next < first)) {
			first = next;
		}
	}
	return first;
}
