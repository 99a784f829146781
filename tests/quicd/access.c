/* SPDX-License-Identifier: LGPL-3.0-or-later */
/*
 * The verdicts of smbd-quicd about lists of hosts, for test_access.
 *
 * Each line of stdin has four fields between tabs: hosts allow, hosts deny (as
 * testparm prints them), hostname lookups (yes, no), and addresses with
 * blanks between them.  Each line of stdout has a word for each address,
 * "allow" or "deny"; or the word "refused", and what smbd-quicd says is on
 * stderr.
 */

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "quicd/access.h"
#include "quicd/values.h"

static bool parse(TALLOC_CTX *mem_ctx,
		  enum quicd_access_list which,
		  const char *value,
		  bool lookups,
		  const struct quicd_access **list)
{
	struct quicd_report report = {};
	size_t num = 0;
	const char *const *words = quicd_value_words(mem_ctx, value, &num);

	return words != NULL &&
	       quicd_access_parse(
		       mem_ctx, &report, which, words, num, lookups, list);
}

static void verdicts(char *line)
{
	TALLOC_CTX *mem_ctx = talloc_new(NULL);
	const char *allow_value = strsep(&line, "\t");
	const char *deny_value = strsep(&line, "\t");
	const char *lookups = strsep(&line, "\t");
	const struct quicd_access *allow = NULL;
	const struct quicd_access *deny = NULL;
	char *word = NULL;
	bool good;

	if (line == NULL) {
		abort();
	}
	good = parse(mem_ctx,
		     QUICD_ACCESS_ALLOW,
		     allow_value,
		     strcmp(lookups, "yes") == 0,
		     &allow);
	good = parse(mem_ctx,
		     QUICD_ACCESS_DENY,
		     deny_value,
		     strcmp(lookups, "yes") == 0,
		     &deny) &&
	       good;
	while ((word = strsep(&line, " ")) != NULL) {
		struct address address;

		if (!address_parse(word, 1, &address)) {
			abort();
		}
		if (good) {
			printf("%s ",
			       quicd_access_admit(allow, deny, &address)
				       ? "allow"
				       : "deny");
		}
	}
	printf("%s\n", good ? "" : "refused");
	talloc_free(mem_ctx);
}

int main(void)
{
	char *line = NULL;
	size_t size = 0;
	ssize_t len;

	while ((len = getline(&line, &size, stdin)) > 0) {
		line[len - 1] = '\0';
		verdicts(line);
	}
	free(line);
	return 0;
}
