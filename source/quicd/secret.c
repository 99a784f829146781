/* SPDX-License-Identifier: LGPL-3.0-or-later */
/*
 * The secrets of stateless resets and of Retry tokens.
 *
 * A client believes a reset if it has the token that only we can make from the
 * connection ID and a secret (RFC 9000, 10.3).  With the secret in a file, an
 * smbd-quicd that has just started, or one on another host, can make it as
 * well.
 *
 * To change the secret, add a line at the top of the file.  The first line is
 * for new connections, and smbd-quicd still knows the secrets below it.  A mark
 * in each connection ID tells which secret it belongs to.
 */

#include <string.h>

#include "cid.h"
#include "secret.h"
#include "util/hex.h"

/*
 * Everybody who sees a connection ID learns 8 of the 256 bits of the secret.
 * Nobody can guess the rest.
 */
static void secret_set_mark(struct quicd_secret *secret)
{
	size_t i;

	secret->mark = 0;
	for (i = 0; i < sizeof(secret->key); i++) {
		secret->mark ^= secret->key[i];
	}
}

/* One line of len bytes. */
static bool secret_parse(struct quicd_secret *secret,
			 const char *line,
			 size_t len)
{
	size_t i;

	if (len != 2 * sizeof(secret->key)) {
		return false;
	}
	for (i = 0; i < len; i++) {
		const int digit = hex_digit(line[i]);

		if (digit < 0) {
			return false;
		}
		secret->key[i / 2] = (uint8_t)(secret->key[i / 2] * 16 + digit);
	}
	secret_set_mark(secret);
	return true;
}

bool quicd_secrets_parse(struct quicd_secrets *secrets,
			 struct quicd_report *report,
			 const char *source,
			 const char *text)
{
	unsigned number = 0;

	*secrets = (struct quicd_secrets){};
	while (*text != '\0') {
		struct quicd_secret secret = {};
		const size_t len = strcspn(text, "\n");

		number++;
		if (!secret_parse(&secret, text, len)) {
			return quicd_report_error(
				report,
				"%s: line %u is not a secret of %d "
				"hexadecimal digits (openssl rand -hex 32)",
				source,
				number,
				2 * QUICD_SECRET_LEN);
		}
		if (quicd_secrets_find(secrets, secret.mark) != NULL) {
			return quicd_report_error(
				report,
				"%s: line %u looks like another line in "
				"connection IDs; make another secret",
				source,
				number);
		}
		if (secrets->num == QUICD_SECRETS_MAX) {
			return quicd_report_error(report,
						  "%s: more than %d secrets",
						  source,
						  QUICD_SECRETS_MAX);
		}
		secrets->list[secrets->num] = secret;
		secrets->num++;
		text += len;
		text += *text == '\n';
	}
	if (secrets->num == 0) {
		return quicd_report_error(report, "%s: it is empty", source);
	}
	return true;
}

void quicd_secrets_random(struct quicd_secrets *secrets)
{
	*secrets = (struct quicd_secrets){.num = 1};
	quicd_random(secrets->list[0].key, sizeof(secrets->list[0].key));
	secret_set_mark(&secrets->list[0]);
}

const struct quicd_secret *quicd_secrets_find(
	const struct quicd_secrets *secrets,
	uint8_t mark)
{
	size_t i;

	for (i = 0; i < secrets->num; i++) {
		if (secrets->list[i].mark == mark) {
			return &secrets->list[i];
		}
	}
	return NULL;
}
