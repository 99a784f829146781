/* SPDX-License-Identifier: LGPL-3.0-or-later */
/*
 * "hosts allow" and "hosts deny": the verdict of smbd.
 *
 * smbd compares text: the client's address as inet_ntop(3) writes it, or its
 * name if "hostname lookups" is on.  So "2001:DB8:0::1" matches no client, and
 * ".5" matches 192.0.2.5.  The first EXCEPT of a list ends it; the words
 * after it are one flat list of exceptions.  127.0.0.1 and ::1 are let in
 * unless they are denied.
 *
 * We classify each word once, when we read the list.  We refuse a list if we
 * cannot be sure of smbd's verdict (it may ask a name server, or there is a
 * netgroup or a mask in odd notation).  tests/quicd/test_access compares our
 * verdicts with those of testparm.
 */

#include <arpa/inet.h>
#include <ctype.h>
#include <stdint.h>
#include <string.h>
#include <strings.h>

#include "access.h"
#include "util/macros.h"

enum quicd_host_kind {
	QUICD_HOST_EXCEPT,
	QUICD_HOST_ALL,
	QUICD_HOST_LOCAL,    /* no dot in the text */
	QUICD_HOST_EXACT,    /* the whole text */
	QUICD_HOST_PREFIX,   /* "192.0.2." */
	QUICD_HOST_SUFFIX,   /* ".5" */
	QUICD_HOST_NETWORK,  /* "192.0.2.0/24" */
	QUICD_HOST_WILDCARD, /* "192.0.2.*" */
	QUICD_HOST_NOBODY,   /* no client has such a text */
	QUICD_HOST_UNKNOWN,  /* we cannot know smbd's verdict */
};

struct quicd_host {
	enum quicd_host_kind kind;
	const char *word; /* without "::ffff:" */
	int family;	  /* this and the rest: for a network */
	uint8_t net[16];
	uint8_t mask[16];
	bool wide; /* smbd lets in more than its mask says */
};

struct quicd_access {
	size_t num;
	struct quicd_host *hosts;
};

/* smbd compares a mapped IPv4 address without its prefix "::ffff:". */
static const char *quicd_host_unmapped(const char *text)
{
	static const char mapped[] = "::ffff:";
	const size_t len = sizeof(mapped) - 1;

	return strncasecmp(text, mapped, len) == 0 ? text + len : text;
}

static bool quicd_host_only(const char *word, const char *characters)
{
	return word[strspn(word, characters)] == '\0';
}

/* Whether the address of a client can be written like this word. */
static bool quicd_host_is_address(const char *word)
{
	uint8_t bytes[16];
	char text[INET6_ADDRSTRLEN];
	const int family = strchr(word, ':') != NULL ? AF_INET6 : AF_INET;

	if (inet_pton(family, word, bytes) != 1) {
		return false;
	}
	(void)inet_ntop(family, bytes, text, sizeof(text));
	return strcasecmp(text, word) == 0;
}

/* Whether an IPv4 address can begin like this word: "10.", "10.1.", ... */
static bool quicd_host_is_prefix(const char *word)
{
	unsigned parts = 0;

	while (*word != '\0') {
		const size_t len = strspn(word, "0123456789");
		unsigned value = 0;
		size_t i;

		if (len == 0 || len > 3 || word[len] != '.' ||
		    (len > 1 && word[0] == '0')) {
			return false;
		}
		for (i = 0; i < len; i++) {
			value = value * 10 + (unsigned)(word[i] - '0');
		}
		parts++;
		if (value > 255 || parts > 3) {
			return false;
		}
		word += len + 1;
	}
	return true;
}

static bool quicd_host_set_mask(struct quicd_host *host, const char *mask)
{
	const unsigned max = host->family == AF_INET6 ? 128 : 32;
	unsigned bits;
	unsigned i;

	if (strlen(mask) > 2) {
		/* an address to smbd, even a number of three digits */
		return host->family == AF_INET &&
		       inet_pton(AF_INET, mask, host->mask) == 1;
	}
	/* smbd reads "08" as octal */
	if (mask[0] == '\0' || !quicd_host_only(mask, "0123456789") ||
	    (mask[0] == '0' && mask[1] != '\0'))
	{
		return false;
	}
	bits = (unsigned)(mask[0] - '0');
	if (mask[1] != '\0') {
		bits = bits * 10 + (unsigned)(mask[1] - '0');
	}
	if (bits > max) {
		return false;
	}
	for (i = 0; i < bits; i++) {
		host->mask[i / 8] |= (uint8_t)(0x80 >> (i % 8));
	}
	/*
	 * If an IPv6 prefix ends within a byte, smbd clears those bits of the
	 * mask's last byte that the network does not have (make_netmask() in
	 * lib/socket/interfaces.c of Samba 4.17 to 4.24).  So smbd takes
	 * fec0::1 for an address of fe80::/10.
	 */
	if (host->family == AF_INET6 && bits % 8 != 0) {
		const uint8_t right = host->mask[bits / 8];

		host->mask[bits / 8] &= host->net[bits / 8];
		host->wide = host->mask[bits / 8] != right;
	}
	return true;
}

static enum quicd_host_kind quicd_host_network(struct quicd_host *host,
					       const char *slash)
{
	char net[INET6_ADDRSTRLEN];
	const size_t len = (size_t)(slash - host->word);

	if (strpbrk(host->word, ".:[") == NULL) {
		return QUICD_HOST_NOBODY;
	}
	if (len >= sizeof(net)) {
		return QUICD_HOST_UNKNOWN;
	}
	memcpy(net, host->word, len);
	net[len] = '\0';
	host->family = strchr(net, ':') != NULL ? AF_INET6 : AF_INET;
	if (inet_pton(host->family, net, host->net) != 1 ||
	    !quicd_host_set_mask(host, slash + 1))
	{
		return QUICD_HOST_UNKNOWN;
	}
	return QUICD_HOST_NETWORK;
}

/*
 * smbd's matching has special cases if "*" is followed by a character that can
 * come twice in a row.  There is none for a dot, so we take only that.
 */
static enum quicd_host_kind quicd_host_wildcard(const char *word)
{
	const char *star = NULL;

	for (star = strchr(word, '*'); star != NULL;
	     star = strchr(star + 1, '*')) {
		if (star[1] != '\0' && star[1] != '.') {
			return QUICD_HOST_UNKNOWN;
		}
	}
	return QUICD_HOST_WILDCARD;
}

/* The tests are in the order in which smbd makes them. */
static enum quicd_host_kind quicd_host_classify(struct quicd_host *host,
						bool lookups)
{
	static const char numeric[] = "0123456789abcdefABCDEF.:*?";
	const char *word = host->word;
	const char *slash = strchr(word, '/');
	const enum quicd_host_kind name = lookups ? QUICD_HOST_UNKNOWN
						  : QUICD_HOST_NOBODY;

	if (word[0] == '\0') {
		return QUICD_HOST_NOBODY;
	}
	if (word[0] == '@') {
		return QUICD_HOST_UNKNOWN;
	}
	if (word[0] == '.') {
		return quicd_host_only(word, "0123456789.") ? QUICD_HOST_SUFFIX
							    : name;
	}
	if (strcasecmp(word, "ALL") == 0 || strcasecmp(word, "FAIL") == 0) {
		return QUICD_HOST_ALL;
	}
	if (strcasecmp(word, "LOCAL") == 0) {
		return lookups ? QUICD_HOST_UNKNOWN : QUICD_HOST_LOCAL;
	}
	if (quicd_host_is_address(word)) {
		return QUICD_HOST_EXACT;
	}
	if (word[strlen(word) - 1] == '.') {
		if (!quicd_host_only(word, "0123456789.")) {
			return name;
		}
		return quicd_host_is_prefix(word) ? QUICD_HOST_PREFIX
						  : QUICD_HOST_NOBODY;
	}
	if (slash != NULL) {
		return quicd_host_network(host, slash);
	}
	if (strpbrk(word, "*?") != NULL) {
		return quicd_host_only(word, numeric)
			       ? quicd_host_wildcard(word)
			       : name;
	}
	/* a name, or an address that is not written as inet_ntop() does */
	if (strcasecmp(word, "localhost") == 0 ||
	    quicd_host_only(word, "0123456789.") || strchr(word, ':') != NULL)
	{
		return QUICD_HOST_NOBODY;
	}
	return name;
}

/* Report a word that smbd-quicd cannot use. */
static bool quicd_host_object(struct quicd_report *report,
			      enum quicd_access_list which,
			      bool after_except,
			      const struct quicd_host *host)
{
	const char *list = which == QUICD_ACCESS_ALLOW ? "hosts allow"
						       : "hosts deny";
	const bool admits = (which == QUICD_ACCESS_ALLOW) != after_except;

	if (host->kind == QUICD_HOST_UNKNOWN) {
		return quicd_report_error(
			report,
			"%s: \"%s\": smbd decides this by a name server, a "
			"netgroup or in a way that smbd-quicd does not know; "
			"write an address or a network",
			list,
			host->word);
	}
	if (strcasecmp(host->word, "EXCEPT") == 0) {
		if (which == QUICD_ACCESS_DENY) {
			return quicd_report_error(
				report,
				"%s: smbd ignores a second EXCEPT; the words "
				"after it are still exceptions",
				list);
		}
		quicd_report_warning(report,
				     "%s: smbd ignores a second EXCEPT; the "
				     "words after it are still exceptions",
				     list);
		return true;
	}
	if (!admits) {
		return quicd_report_error(
			report,
			"%s: \"%s\" matches no client and has no effect; "
			"remove it, or write an address or a network as "
			"smbd prints it",
			list,
			host->word);
	}
	quicd_report_warning(report,
			     "%s: \"%s\" matches no client",
			     list,
			     host->word);
	return true;
}

/* Report a word that admits more clients than its author may expect. */
static void quicd_host_warn(struct quicd_report *report,
			    enum quicd_access_list which,
			    const struct quicd_host *host)
{
	const char *who = NULL;

	if (host->wide) {
		who = "clients beyond this network, too; use a multiple of 8 "
		      "bits";
	} else if (host->kind == QUICD_HOST_LOCAL) {
		who = "every client with an IPv6 address";
	} else if (host->kind == QUICD_HOST_ALL &&
		   strcasecmp(host->word, "FAIL") == 0) {
		who = "every client, as by ALL";
	} else {
		return;
	}
	quicd_report_warning(report,
			     "%s: \"%s\": by this word smbd lets in %s",
			     which == QUICD_ACCESS_ALLOW ? "hosts allow"
							 : "hosts deny",
			     host->word,
			     who);
}

bool quicd_access_parse(TALLOC_CTX *mem_ctx,
			struct quicd_report *report,
			enum quicd_access_list which,
			const char *const *words,
			size_t num_words,
			bool lookups,
			const struct quicd_access **list)
{
	struct quicd_access *access = NULL;
	bool after_except = false;
	bool good = true;
	size_t i;

	*list = NULL;
	if (num_words == 0) {
		return true;
	}
	access = talloc_zero(mem_ctx, struct quicd_access);
	if (access == NULL) {
		return quicd_report_error(report, "no memory");
	}
	access->hosts = talloc_zero_array(access, struct quicd_host, num_words);
	if (access->hosts == NULL) {
		return quicd_report_error(report, "no memory");
	}
	for (i = 0; i < num_words; i++) {
		struct quicd_host *host = &access->hosts[access->num];

		*host = (struct quicd_host){
			.word = talloc_strdup(access,
					      quicd_host_unmapped(words[i])),
		};
		if (host->word == NULL) {
			return quicd_report_error(report, "no memory");
		}
		if (!after_except && strcasecmp(words[i], "EXCEPT") == 0) {
			host->kind = QUICD_HOST_EXCEPT;
			after_except = true;
		} else {
			host->kind = quicd_host_classify(host, lookups);
			/* smbd tries such a network with and without the prefix
			 */
			if (quicd_host_unmapped(words[i]) != words[i] &&
			    host->kind != QUICD_HOST_EXACT) {
				host->kind = QUICD_HOST_UNKNOWN;
			}
		}
		access->num++;
		if (words[i][0] != '\0' && (host->kind == QUICD_HOST_NOBODY ||
					    host->kind == QUICD_HOST_UNKNOWN))
		{
			good = quicd_host_object(report,
						 which,
						 after_except,
						 host) &&
			       good;
		} else if ((which == QUICD_ACCESS_ALLOW) != after_except) {
			quicd_host_warn(report, which, host);
		}
	}
	*list = access;
	return good;
}

/* "?" is a character, or none at the end; "*" any number of them. */
static bool quicd_wildcard_match(const char *word, const char *text)
{
	for (; *word != '\0'; word++) {
		if (*word == '*') {
			do {
				if (quicd_wildcard_match(word + 1, text)) {
					return true;
				}
			} while (*text++ != '\0');
			return false;
		}
		if (*text == '\0') {
			return quicd_host_only(word, "?");
		}
		if (*word != '?' && tolower((unsigned char)*word) !=
					    tolower((unsigned char)*text))
		{
			return false;
		}
		text++;
	}
	return *text == '\0';
}

static bool quicd_network_match(const struct quicd_host *host, const char *text)
{
	uint8_t bytes[16];
	const int family = strchr(text, ':') != NULL ? AF_INET6 : AF_INET;
	const size_t len = family == AF_INET6 ? 16 : 4;
	size_t i;

	if (family != host->family || inet_pton(family, text, bytes) != 1) {
		return false;
	}
	for (i = 0; i < len; i++) {
		if (((bytes[i] ^ host->net[i]) & host->mask[i]) != 0) {
			return false;
		}
	}
	return true;
}

static bool quicd_host_match_text(const struct quicd_host *host,
				  const char *text)
{
	const size_t word_len = strlen(host->word);
	const size_t len = strlen(text);

	switch (host->kind) {
	case QUICD_HOST_ALL:
		return true;
	case QUICD_HOST_LOCAL:
		return strchr(text, '.') == NULL;
	case QUICD_HOST_EXACT:
		return strcasecmp(host->word, text) == 0;
	case QUICD_HOST_PREFIX:
		return strncmp(host->word, text, word_len) == 0;
	case QUICD_HOST_SUFFIX:
		return len > word_len &&
		       strcmp(text + len - word_len, host->word) == 0;
	case QUICD_HOST_NETWORK:
		return quicd_network_match(host, text);
	case QUICD_HOST_WILDCARD:
		return quicd_wildcard_match(host->word, text);
	case QUICD_HOST_EXCEPT:
	case QUICD_HOST_NOBODY:
	case QUICD_HOST_UNKNOWN:
		break;
	}
	return false;
}

/* It compares with the address, and then with the name, which is the same. */
static bool quicd_host_match(const struct quicd_host *host, const char *text)
{
	return quicd_host_match_text(host, quicd_host_unmapped(text)) ||
	       quicd_host_match_text(host, text);
}

static bool quicd_access_match(const struct quicd_access *list,
			       const char *text)
{
	const size_t num = list != NULL ? list->num : 0;
	bool match = false;
	size_t i;

	for (i = 0; i < num; i++) {
		if (list->hosts[i].kind == QUICD_HOST_EXCEPT) {
			break;
		}
		match = match || quicd_host_match(&list->hosts[i], text);
	}
	for (; match && i < num; i++) {
		if (quicd_host_match(&list->hosts[i], text)) {
			return false;
		}
	}
	return match;
}

static bool quicd_access_admit_text(const struct quicd_access *allow,
				    const struct quicd_access *deny,
				    const char *text)
{
	const bool allowed = quicd_access_match(allow, text);
	const bool denied = quicd_access_match(deny, text);

	if (strcmp(text, "127.0.0.1") == 0 || strcmp(text, "::1") == 0) {
		return allowed || !denied;
	}
	if (deny == NULL) {
		return allow == NULL || allowed;
	}
	return allowed || !denied;
}

bool quicd_access_admit(const struct quicd_access *allow,
			const struct quicd_access *deny,
			const struct address *client)
{
	char text[INET6_ADDRSTRLEN] = "";

	/* not address_print(): smbd knows no scope */
	if (client->u.sa.sa_family == AF_INET6) {
		(void)inet_ntop(AF_INET6,
				&client->u.in6.sin6_addr,
				text,
				sizeof(text));
	} else {
		(void)inet_ntop(AF_INET,
				&client->u.in.sin_addr,
				text,
				sizeof(text));
	}
	return quicd_access_admit_text(allow, deny, text);
}

bool quicd_access_admits_others(const struct quicd_access *allow,
				const struct quicd_access *deny,
				int family)
{
	/* nobody has such an address, so no list is about it */
	static const char *const probes[][2] = {
		{"240.0.0.77", "0.0.0.77"},
		{"100::77", "5f00::77"},
	};
	size_t i;

	for (i = 0; i < ARRAY_SIZE(probes[0]); i++) {
		const char *text = probes[family == AF_INET6][i];

		if (!quicd_access_match(allow, text) &&
		    quicd_access_admit_text(allow, deny, text))
		{
			return true;
		}
	}
	return false;
}
