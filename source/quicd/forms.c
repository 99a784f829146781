/* SPDX-License-Identifier: LGPL-3.0-or-later */
/*
 * The forms of a certificate that anybody can make from it.
 *
 * The signature covers the body of a certificate, but not its own encoding.
 * From an ECDSA signature (r, s) anybody can compute a second one, (r, n - s),
 * where n is the order of the curve.  GnuTLS also accepts numbers with leading
 * zeros, and an algorithm with or without empty parameters.  So a client that a
 * rule denies by SHA-256 could change its certificate and come back.
 *
 * We encode the certificate anew in each form that an issuer may have chosen,
 * and hash each form.  We refuse a certificate in a form that no issuer writes.
 */

#include <string.h>
#include <talloc.h>

#include <gnutls/crypto.h>

#include "forms.h"
#include "util/hex.h"
#include "util/macros.h"

#define FORMS_NUMBER 66 /* bytes of P-521 */
#define FORMS_HEADER 5	/* of an element of less than 16 MiB */

enum forms_tag {
	FORMS_INTEGER = 0x02,
	FORMS_BIT_STRING = 0x03,
	FORMS_SEQUENCE = 0x30,
	FORMS_VERSION = 0xa0,
};

/* The part that the issuer signs, and the signature algorithm in it. */
struct forms_body {
	gnutls_datum_t signed_part;
	gnutls_datum_t algorithm;
	gnutls_datum_t signature;
};

/* n of P-192, P-224, P-256, P-384, P-521 */
static const char *const forms_orders[] = {
	"ffffffffffffffffffffffff99def836146bc9b1b4d22831",
	"ffffffffffffffffffffffffffff16a2e0b8f03e13dd29455c5c2a3d",
	"ffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551",
	"ffffffffffffffffffffffffffffffffffffffffffffffff"
	"c7634d81f4372ddf581a0db248b0a77aecec196accc52973",
	"01"
	"ffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff"
	"fa51868783bf2f966b7fcc0148f709a5d03bb5c9b8899c47aebb6fb71e913864"
	"09",
};

/* Take the next element off: the whole of it, and its content. */
static bool forms_take(gnutls_datum_t *from,
		       enum forms_tag tag,
		       gnutls_datum_t *all,
		       gnutls_datum_t *content)
{
	unsigned header = 2;
	unsigned len;
	unsigned i;

	if (from->size < header || from->data[0] != tag) {
		return false;
	}
	len = from->data[1];
	if (len >= 0x80) {
		header += len - 0x80;
		if (header > FORMS_HEADER || from->size < header) {
			return false;
		}
		len = 0;
		for (i = 2; i < header; i++) {
			len = len * 256 + from->data[i];
		}
	}
	if (len > from->size - header) {
		return false;
	}
	*all = (gnutls_datum_t){from->data, header + len};
	*content = (gnutls_datum_t){from->data + header, len};
	from->data += header + len;
	from->size -= header + len;
	return true;
}

static bool forms_parse(gnutls_datum_t der, struct forms_body *body)
{
	gnutls_datum_t inside;
	gnutls_datum_t content;
	gnutls_datum_t all;

	if (!forms_take(&der, FORMS_SEQUENCE, &all, &inside) ||
	    !forms_take(
		    &inside, FORMS_SEQUENCE, &body->signed_part, &content) ||
	    !forms_take(&inside, FORMS_SEQUENCE, &all, &der) ||
	    !forms_take(&inside, FORMS_BIT_STRING, &all, &body->signature) ||
	    body->signature.size == 0 || body->signature.data[0] != 0)
	{
		return false;
	}
	body->signature.data++; /* the number of bits that are not used */
	body->signature.size--;
	(void)forms_take(&content, FORMS_VERSION, &all, &der);
	return forms_take(&content, FORMS_INTEGER, &all, &der) &&
	       forms_take(&content, FORMS_SEQUENCE, &body->algorithm, &der);
}

static uint8_t *forms_put_header(uint8_t *to, enum forms_tag tag, size_t len)
{
	unsigned bytes = 0;

	*to++ = (uint8_t)tag;
	if (len < 0x80) {
		*to++ = (uint8_t)len;
		return to;
	}
	while (len >> (8 * bytes) != 0) {
		bytes++;
	}
	*to++ = (uint8_t)(0x80 + bytes);
	while (bytes > 0) {
		bytes--;
		*to++ = (uint8_t)(len >> (8 * bytes));
	}
	return to;
}

static uint8_t *forms_put(uint8_t *to, const gnutls_datum_t *data)
{
	memcpy(to, data->data, data->size);
	return to + data->size;
}

/* The certificate with this signature. */
static bool forms_add(struct quicd_forms *forms,
		      const struct forms_body *body,
		      const gnutls_datum_t *signature)
{
	const size_t max = (size_t)body->signed_part.size +
			   body->algorithm.size + signature->size + 1 +
			   FORMS_HEADER;
	uint8_t *inside = talloc_array(NULL, uint8_t, max);
	uint8_t *all = talloc_array(inside, uint8_t, max + FORMS_HEADER);
	uint8_t *to = inside;
	size_t len;
	bool good;

	if (inside == NULL || all == NULL || forms->num == QUICD_FORMS_MAX) {
		talloc_free(inside);
		return false;
	}
	to = forms_put(to, &body->signed_part);
	to = forms_put(to, &body->algorithm);
	to = forms_put_header(to, FORMS_BIT_STRING, signature->size + 1);
	*to++ = 0;
	to = forms_put(to, signature);
	len = (size_t)(to - inside);
	to = forms_put_header(all, FORMS_SEQUENCE, len);
	memcpy(to, inside, len);
	len += (size_t)(to - all);
	good = gnutls_hash_fast(GNUTLS_DIG_SHA256,
				all,
				len,
				forms->sha256[forms->num]) == 0;
	forms->num += good;
	talloc_free(inside);
	return good;
}

/* Numbers have a fixed length, with leading zeros. */
static bool forms_number(const gnutls_datum_t *from,
			 uint8_t number[FORMS_NUMBER])
{
	const uint8_t *data = from->data;
	unsigned size = from->size;

	while (size > 0 && data[0] == 0) {
		data++;
		size--;
	}
	if (size == 0 || size > FORMS_NUMBER) {
		return false;
	}
	memset(number, 0, FORMS_NUMBER);
	memcpy(number + FORMS_NUMBER - size, data, size);
	return true;
}

static void forms_order(const char *digits, uint8_t number[FORMS_NUMBER])
{
	const size_t size = strlen(digits) / 2;
	size_t i;

	memset(number, 0, FORMS_NUMBER);
	for (i = 0; i < size; i++) {
		number[FORMS_NUMBER - size + i] =
			(uint8_t)(hex_digit(digits[2 * i]) * 16 +
				  hex_digit(digits[2 * i + 1]));
	}
}

static bool forms_add_ecdsa(struct quicd_forms *forms,
			    const struct forms_body *body,
			    uint8_t r[FORMS_NUMBER],
			    uint8_t s[FORMS_NUMBER])
{
	gnutls_datum_t numbers[] = {{r, FORMS_NUMBER}, {s, FORMS_NUMBER}};
	gnutls_datum_t signature = {};
	bool good;
	size_t i;

	for (i = 0; i < ARRAY_SIZE(numbers); i++) {
		while (numbers[i].size > 1 && numbers[i].data[0] == 0) {
			numbers[i].data++;
			numbers[i].size--;
		}
	}
	good = gnutls_encode_rs_value(&signature, &numbers[0], &numbers[1]) ==
		       0 &&
	       forms_add(forms, body, &signature);
	gnutls_free(signature.data);
	return good;
}

/* The curve is the issuer's, which we do not know: try each curve. */
static bool forms_find_ecdsa(struct quicd_forms *forms,
			     const struct forms_body *body,
			     uint8_t r[FORMS_NUMBER],
			     uint8_t s[FORMS_NUMBER])
{
	bool good = forms_add_ecdsa(forms, body, r, s);
	size_t i;

	for (i = 0; good && i < ARRAY_SIZE(forms_orders); i++) {
		uint8_t other[FORMS_NUMBER];
		int borrow = 0;
		size_t j;

		forms_order(forms_orders[i], other);
		if (memcmp(r, other, FORMS_NUMBER) >= 0 ||
		    memcmp(s, other, FORMS_NUMBER) >= 0) {
			continue;
		}
		for (j = FORMS_NUMBER; j > 0; j--) {
			const int digit = other[j - 1] - s[j - 1] - borrow;

			other[j - 1] = (uint8_t)digit;
			borrow = digit < 0 ? 1 : 0;
		}
		good = forms_add_ecdsa(forms, body, r, other);
	}
	return good && forms->num > 1;
}

static bool forms_find(struct quicd_forms *forms,
		       const struct forms_body *body,
		       gnutls_pk_algorithm_t algorithm)
{
	gnutls_datum_t r = {};
	gnutls_datum_t s = {};
	uint8_t r_number[FORMS_NUMBER];
	uint8_t s_number[FORMS_NUMBER];
	bool good;

	switch (algorithm) {
	case GNUTLS_PK_RSA:
	case GNUTLS_PK_RSA_PSS:
	case GNUTLS_PK_EDDSA_ED25519:
	case GNUTLS_PK_EDDSA_ED448:
		return forms_add(forms, body, &body->signature);
	case GNUTLS_PK_ECDSA:
		good = gnutls_decode_rs_value(&body->signature, &r, &s) == 0 &&
		       forms_number(&r, r_number) &&
		       forms_number(&s, s_number) &&
		       forms_find_ecdsa(forms, body, r_number, s_number);
		gnutls_free(r.data);
		gnutls_free(s.data);
		return good;
	default:
		return false;
	}
}

bool quicd_forms_find(gnutls_x509_crt_t certificate, struct quicd_forms *forms)
{
	const int algorithm = gnutls_x509_crt_get_signature_algorithm(
		certificate);
	gnutls_datum_t der = {};
	struct forms_body body = {};
	uint8_t sha256[QUICD_FORMS_SHA256];
	bool found = false;
	unsigned i;

	*forms = (struct quicd_forms){};
	if (algorithm > 0 &&
	    gnutls_x509_crt_export2(certificate, GNUTLS_X509_FMT_DER, &der) ==
		    0 &&
	    gnutls_hash_fast(GNUTLS_DIG_SHA256, der.data, der.size, sha256) ==
		    0 &&
	    forms_parse(der, &body) &&
	    forms_find(forms,
		       &body,
		       gnutls_sign_get_pk_algorithm(
			       (gnutls_sign_algorithm_t)algorithm)))
	{
		for (i = 0; i < forms->num; i++) {
			found = found || memcmp(forms->sha256[i],
						sha256,
						sizeof(sha256)) == 0;
		}
	}
	gnutls_free(der.data);
	return found;
}
