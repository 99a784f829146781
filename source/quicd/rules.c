/* SPDX-License-Identifier: LGPL-3.0-or-later */
/*
 * The rules that admit or deny clients with a valid certificate.
 *
 * The rules work as in Windows.  A client is refused if a deny rule matches.
 * If there are allow rules, one of them has to match.  Allow rules look only at
 * the path to the trusted CA, because a client can send any other certificate
 * with it.  Deny rules look at all certificates.
 */

#include <string.h>
#include <strings.h>

#include "forms.h"
#include "parameters.h"
#include "rules.h"
#include "util/hex.h"
#include "util/macros.h"

#define RULES_SHA256 QUICD_FORMS_SHA256
#define RULES_SEPARATORS " \t,;\r\n"

enum rules_list {
	RULES_ALLOW,
	RULES_DENY,
	RULES_LISTS,
};

static const char *const rules_names[] = {
	[RULES_ALLOW] = QUICD_PREFIX "quic client allow",
	[RULES_DENY] = QUICD_PREFIX "quic client deny",
};

struct rules_rule {
	const char *text;   /* as in smb.conf, for the log */
	const char *issuer; /* as GnuTLS prints it, or NULL */
	uint8_t sha256[RULES_SHA256];
};

struct quicd_rules {
	struct rules_rule *lists[RULES_LISTS];
	size_t num[RULES_LISTS];
};

/*
 * The next word, without its quotes.  Returns NULL at the end, or after a
 * fault, which *wrong then describes.
 */
static char *
rules_word(TALLOC_CTX *mem_ctx, const char **pos, const char **wrong)
{
	const char *from = *pos + strspn(*pos, RULES_SEPARATORS);
	char *word = talloc_array(mem_ctx, char, strlen(from) + 1);
	char *to = word;
	bool quoted = false;

	*wrong = word == NULL ? "no memory" : NULL;
	if (word == NULL || *from == '\0') {
		talloc_free(word);
		return NULL;
	}
	for (; *from != '\0' &&
	       (quoted || strchr(RULES_SEPARATORS, *from) == NULL);
	     from++)
	{
		if (*from == '"') {
			quoted = !quoted;
		} else {
			*to = *from;
			to++;
		}
	}
	*to = '\0';
	*pos = from;
	if (quoted) {
		*wrong = "a quote has no end";
		TALLOC_FREE(word);
	}
	return word;
}

/* Hexadecimal digits, with or without a colon between bytes. */
static bool rules_parse_sha256(const char *text, uint8_t sha256[RULES_SHA256])
{
	size_t i;

	for (i = 0; i < RULES_SHA256; i++) {
		if (i > 0 && *text == ':') {
			text++;
		}
		if (hex_digit(text[0]) < 0 || hex_digit(text[1]) < 0) {
			return false;
		}
		sha256[i] = (uint8_t)(hex_digit(text[0]) * 16 +
				      hex_digit(text[1]));
		text += 2;
	}
	return *text == '\0';
}

/* The name in GnuTLS's own form; NULL if it is not a name. */
static char *rules_parse_issuer(TALLOC_CTX *mem_ctx, const char *text)
{
	gnutls_x509_dn_t dn = NULL;
	gnutls_datum_t printed = {};
	const char *error = NULL;
	char *issuer = NULL;

	if (text[0] == '\0' || gnutls_x509_dn_init(&dn) != 0) {
		return NULL;
	}
	if (gnutls_x509_dn_set_str(dn, text, &error) == 0 &&
	    gnutls_x509_dn_get_str2(dn, &printed, 0) == 0)
	{
		issuer = talloc_strdup(mem_ctx, (const char *)printed.data);
	}
	gnutls_free(printed.data);
	gnutls_x509_dn_deinit(dn);
	return issuer;
}

static bool rules_parse(TALLOC_CTX *mem_ctx,
			const char *word,
			struct rules_rule *rule)
{
	static const char sha256[] = "sha256:";
	static const char issuer[] = "issuer:";

	*rule = (struct rules_rule){.text = word};
	if (strncasecmp(word, sha256, sizeof(sha256) - 1) == 0) {
		return rules_parse_sha256(word + sizeof(sha256) - 1,
					  rule->sha256);
	}
	if (strncasecmp(word, issuer, sizeof(issuer) - 1) == 0) {
		rule->issuer = rules_parse_issuer(mem_ctx,
						  word + sizeof(issuer) - 1);
		return rule->issuer != NULL;
	}
	return false;
}

/* Warn of an issuer that is in no file: it may be misspelt. */
static void rules_check_issuer(struct quicd_report *report,
			       const char *parameter,
			       const struct rules_rule *rule,
			       const struct quicd_certificates *trusted)
{
	bool found = rule->issuer == NULL;
	unsigned i;

	for (i = 0; i < trusted->num && !found; i++) {
		gnutls_datum_t name = {};

		found = gnutls_x509_crt_get_dn3(trusted->list[i], &name, 0) ==
				0 &&
			strcasecmp((const char *)name.data, rule->issuer) == 0;
		gnutls_free(name.data);
	}
	if (!found) {
		quicd_report_warning(report,
				     "%s: %s: no CA in tls cafile has this "
				     "name",
				     parameter,
				     rule->text);
	}
}

static bool rules_load_list(struct quicd_rules *rules,
			    struct quicd_report *report,
			    enum rules_list which,
			    const char *value,
			    const struct quicd_certificates *trusted)
{
	const char *parameter = rules_names[which];
	struct rules_rule *list = NULL;
	const char *wrong = NULL;
	char *word = NULL;
	size_t n = 0;

	while ((word = rules_word(rules, &value, &wrong)) != NULL) {
		list = talloc_realloc(rules, list, struct rules_rule, n + 1);
		if (list == NULL) {
			return quicd_report_error(report, "no memory");
		}
		if (!rules_parse(rules, word, &list[n])) {
			return quicd_report_error(
				report,
				"%s: %s: not understood; a rule is "
				"sha256:DIGITS or \"issuer:NAME\"",
				parameter,
				word);
		}
		rules_check_issuer(report, parameter, &list[n], trusted);
		n++;
	}
	if (wrong == NULL && n == 0) {
		wrong = "there is no rule";
	}
	if (wrong != NULL) {
		return quicd_report_error(report, "%s: %s", parameter, wrong);
	}
	rules->lists[which] = list;
	rules->num[which] = n;
	return true;
}

bool quicd_rules_load(TALLOC_CTX *mem_ctx,
		      struct quicd_report *report,
		      const struct quicd_settings *settings,
		      const struct quicd_certificates *trusted,
		      struct quicd_rules **rules)
{
	const char *const values[] = {
		[RULES_ALLOW] = settings->client_allow,
		[RULES_DENY] = settings->client_deny,
	};
	bool good = true;
	size_t i;

	*rules = NULL;
	for (i = 0; i < RULES_LISTS; i++) {
		if (values[i] == NULL) {
			continue;
		}
		/* rules cannot match a client without a certificate */
		if (settings->client_certificates !=
		    QUICD_CLIENT_CERTIFICATES_REQUIRED) {
			return quicd_report_error(
				report,
				"%s: smbd_uring:quic client certificates must "
				"be required",
				rules_names[i]);
		}
		if (*rules == NULL) {
			*rules = talloc_zero(mem_ctx, struct quicd_rules);
		}
		if (*rules == NULL) {
			return quicd_report_error(report, "no memory");
		}
		good = rules_load_list(*rules, report, i, values[i], trusted) &&
		       good;
	}
	return good;
}

/* 1: yes, 0: no, -1: we cannot tell. */
static int rules_match(const struct rules_rule *rule,
		       gnutls_x509_crt_t certificate)
{
	gnutls_datum_t issuer = {};
	uint8_t sha256[RULES_SHA256];
	size_t len = sizeof(sha256);
	int match = -1;

	if (rule->issuer == NULL) {
		if (gnutls_x509_crt_get_fingerprint(
			    certificate, GNUTLS_DIG_SHA256, sha256, &len) != 0)
		{
			return -1;
		}
		return memcmp(sha256, rule->sha256, sizeof(sha256)) == 0;
	}
	if (gnutls_x509_crt_get_issuer_dn3(certificate, &issuer, 0) == 0) {
		match = strcasecmp((const char *)issuer.data, rule->issuer) ==
			0;
	}
	gnutls_free(issuer.data);
	return match;
}

/* Compare all forms: the client may have changed its certificate. */
static bool rules_deny_sent(const struct rules_rule *rule,
			    gnutls_x509_crt_t certificate,
			    const struct quicd_forms *forms)
{
	bool match = forms->num == 0; /* it cannot be told */
	unsigned i;

	if (rule->issuer != NULL) {
		return rules_match(rule, certificate) != 0;
	}
	for (i = 0; i < forms->num; i++) {
		match = match || memcmp(forms->sha256[i],
					rule->sha256,
					sizeof(rule->sha256)) == 0;
	}
	return match;
}

/* The first rule that matches, or NULL. */
static const struct rules_rule *rules_deny(const struct quicd_rules *rules,
					   const struct quicd_chain *chain)
{
	struct quicd_forms forms[QUICD_CHAIN_MAX];
	unsigned i;
	size_t j;

	for (i = 0; i < chain->num_sent && rules->num[RULES_DENY] > 0; i++) {
		if (!quicd_forms_find(chain->sent[i], &forms[i])) {
			forms[i].num = 0;
		}
	}
	for (j = 0; j < rules->num[RULES_DENY]; j++) {
		const struct rules_rule *rule = &rules->lists[RULES_DENY][j];

		for (i = 0; i < chain->num_sent; i++) {
			if (rules_deny_sent(rule, chain->sent[i], &forms[i])) {
				return rule;
			}
		}
		for (i = 0; i < chain->num_path; i++) {
			if (rules_match(rule, chain->path[i]) != 0) {
				return rule;
			}
		}
	}
	return NULL;
}

static bool rules_allow(const struct rules_rule *rule,
			const struct quicd_chain *chain)
{
	/*
	 * A rule with a SHA-256 alone must match the client's own certificate.
	 * If it matched an issuer, the issuer could let in further clients.
	 */
	const unsigned num = rule->issuer == NULL ? 1 : chain->num_path;
	unsigned i;

	for (i = 0; i < num && i < chain->num_path; i++) {
		if (rules_match(rule, chain->path[i]) == 1) {
			return true;
		}
	}
	return false;
}

bool quicd_rules_admit(const struct quicd_rules *rules,
		       const struct quicd_chain *chain,
		       const char **rule)
{
	const struct rules_rule *denied = rules_deny(rules, chain);
	size_t i;

	if (denied != NULL) {
		*rule = denied->text;
		return false;
	}
	for (i = 0; i < rules->num[RULES_ALLOW]; i++) {
		*rule = rules->lists[RULES_ALLOW][i].text;
		if (rules_allow(&rules->lists[RULES_ALLOW][i], chain)) {
			return true;
		}
	}
	*rule = "";
	return rules->num[RULES_ALLOW] == 0;
}
