/* SPDX-License-Identifier: LGPL-3.0-or-later */
/*
 * Names of smb.conf, see names.h.
 *
 * Samba ignores blanks and case in names, and accepts any name with a colon.  A
 * mistyped name must not leave a door open.  So a name that contains the
 * letters of our prefix, or of one of our options, has to be known, or it is an
 * error.
 */

#include "config.h"

#include <ctype.h>
#include <string.h>
#include <talloc.h>

#include "names.h"
#include "parameters.h"
#include "util/macros.h"

/* Samba's parameters that keep clients out, or bring in others that do. */
static const struct {
	const char *name;
	enum {
		QUICD_CLOSING_HOSTS,
		QUICD_CLOSING_INCLUDE,
		QUICD_CLOSING_TLS,
	} kind;
} quicd_closing[] = {
	{"allow hosts", QUICD_CLOSING_HOSTS},
	{"deny hosts", QUICD_CLOSING_HOSTS},
	{"hosts allow", QUICD_CLOSING_HOSTS},
	{"hosts deny", QUICD_CLOSING_HOSTS},
	{"include", QUICD_CLOSING_INCLUDE},
	{"tls cafile", QUICD_CLOSING_TLS},
	{"tls crlfile", QUICD_CLOSING_TLS},
};

bool quicd_name_same(const char *a, const char *b)
{
	while (true) {
		while (isspace((unsigned char)*a)) {
			a++;
		}
		while (isspace((unsigned char)*b)) {
			b++;
		}
		if (tolower((unsigned char)*a) != tolower((unsigned char)*b)) {
			return false;
		}
		if (*a == '\0') {
			return true;
		}
		a++;
		b++;
	}
}

const char *quicd_name_hosts_list(const char *name)
{
	size_t i;

	for (i = 0; i < ARRAY_SIZE(quicd_closing); i++) {
		if (quicd_closing[i].kind == QUICD_CLOSING_HOSTS &&
		    quicd_name_same(name, quicd_closing[i].name))
		{
			return quicd_closing[i].name;
		}
	}
	return NULL;
}

const char *quicd_name_closing(const char *name)
{
	size_t i;

	for (i = 0; i < ARRAY_SIZE(quicd_closing); i++) {
		if (quicd_closing[i].kind != QUICD_CLOSING_INCLUDE &&
		    quicd_name_same(name, quicd_closing[i].name))
		{
			return quicd_closing[i].name;
		}
	}
	return NULL;
}

bool quicd_name_is_needed(const char *name)
{
	static const char *const needed[] = {
		"bind interfaces only",
		"config file",
		"hostname lookups",
		"interfaces",
		"private dir",
		"server smb transports",
		"smb ports",
		"tls cafile",
		"tls certfile",
		"tls crlfile",
		"tls keyfile",
	};
	size_t i;

	for (i = 0; i < ARRAY_SIZE(needed); i++) {
		if (quicd_name_same(name, needed[i])) {
			return true;
		}
	}
	return false;
}

/* Letters, digits and colons, in lower case. */
static void quicd_name_letters(char *to, const char *from)
{
	for (; *from != '\0'; from++) {
		const unsigned char c = (unsigned char)*from;

		if (c < 0x80 && (isalnum(c) || c == ':')) {
			*to = (char)tolower(c);
			to++;
		}
	}
	*to = '\0';
}

static bool quicd_name_contains(const char *letters, const char *known)
{
	char option[64];

	quicd_name_letters(option, known + strlen(QUICD_PREFIX));
	return strstr(letters, option) != NULL;
}

/* Whether the writer of an ignored name meant to keep somebody out. */
static bool quicd_name_is_serious(const char *letters)
{
	return strncmp(letters, "tls", strlen("tls")) == 0 ||
	       strncmp(letters, "include", strlen("include")) == 0 ||
	       (strstr(letters, "host") != NULL &&
		(strstr(letters, "allow") != NULL ||
		 strstr(letters, "den") != NULL));
}

/* Whether it resembles one of ours, as "quic:client certificates" does. */
static bool quicd_name_is_near(const char *letters)
{
	return strncmp(letters, "quic:", strlen("quic:")) == 0 ||
	       strncmp(letters, "smbdquic", strlen("smbdquic")) == 0 ||
	       strstr(letters, ":quic") != NULL ||
	       strstr(letters, "clientcertificate") != NULL;
}

/* "smb:hosts deny" is nothing to Samba, but may be something to a module. */
static void quicd_name_warn(struct quicd_report *report,
			    const char *name,
			    const char *letters)
{
	char without[256] = "";
	char known[32];
	size_t len = 0;
	size_t i;

	for (; *letters != '\0' && len < sizeof(without) - 1; letters++) {
		if (*letters != ':') {
			without[len++] = *letters;
		}
	}
	for (i = 0; i < ARRAY_SIZE(quicd_closing); i++) {
		quicd_name_letters(known, quicd_closing[i].name);
		if (strstr(without, known) != NULL) {
			quicd_report_warning(report,
					     "%s: this is not %s, and has no "
					     "effect on smbd-quicd",
					     name,
					     quicd_closing[i].name);
			return;
		}
	}
}

static enum quicd_name quicd_name_judge(struct quicd_report *report,
					const char *section,
					const char *name,
					bool taken,
					const char *letters,
					const char **canonical)
{
	static const char prefix[] = "smbduring";
	const bool ours = strncmp(letters, prefix, sizeof(prefix) - 1) == 0;
	const char *known = NULL;
	bool used = false;
	size_t i;

	for (i = 0; (known = quicd_parameter_name(i, &used)) != NULL && used;
	     i++) {
		if (quicd_name_same(name, known)) {
			*canonical = known;
			if (section == NULL) {
				return QUICD_NAME_OURS;
			}
			(void)quicd_report_error(
				report,
				"%s in [%s]: only [global] can have it",
				name,
				section);
			return QUICD_NAME_BAD;
		}
		if (!ours && quicd_name_contains(letters, known)) {
			(void)quicd_report_error(report,
						 "%s: is %s meant?",
						 name,
						 known);
			return QUICD_NAME_BAD;
		}
	}
	if (!ours && quicd_name_is_near(letters)) {
		(void)quicd_report_error(report,
					 "%s: is " QUICD_PREFIX
					 "quic ... meant?",
					 name);
		return QUICD_NAME_BAD;
	}
	if (!ours) {
		if (taken) {
			quicd_name_warn(report, name, letters);
		}
		return QUICD_NAME_FOREIGN;
	}
	for (; known != NULL; i++, known = quicd_parameter_name(i, &used)) {
		if (quicd_name_same(name, known)) {
			return QUICD_NAME_IGNORED;
		}
	}
	for (i = 0; name[i] != '\0' && (unsigned char)name[i] < 0x80; i++) {
		;
	}
	(void)quicd_report_error(report,
				 "%s: there is no such parameter%s",
				 name,
				 name[i] != '\0'
					 ? " (it has a character that is not "
					   "ASCII)"
					 : "");
	return QUICD_NAME_BAD;
}

enum quicd_name quicd_name_of(struct quicd_report *report,
			      const char *section,
			      const char *name,
			      bool taken,
			      const char **canonical)
{
	char *letters = talloc_array(NULL, char, strlen(name) + 1);
	enum quicd_name verdict = QUICD_NAME_BAD;

	if (letters == NULL) {
		(void)quicd_report_error(report, "no memory");
		return QUICD_NAME_BAD;
	}
	quicd_name_letters(letters, name);
	if (taken && strchr(name, ':') == NULL) {
		verdict = QUICD_NAME_FOREIGN; /* one of Samba's own */
	} else {
		verdict = quicd_name_judge(
			report, section, name, taken, letters, canonical);
	}
	if (!taken && verdict == QUICD_NAME_FOREIGN &&
	    quicd_name_is_serious(letters)) {
		(void)quicd_report_error(report,
					 "%s: Samba ignores this line",
					 name);
		verdict = QUICD_NAME_BAD;
	}
	talloc_free(letters);
	return verdict;
}
