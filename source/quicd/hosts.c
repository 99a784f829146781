/* SPDX-License-Identifier: LGPL-3.0-or-later */
/*
 * "hosts allow" and "hosts deny" of a bundle, see hosts.h.
 */

#include <string.h>

#include "hosts.h"
#include "util/macros.h"
#include "values.h"

static bool quicd_hosts_listens(const struct quicd_settings *settings,
				int family)
{
	size_t i;

	for (i = 0; i < talloc_array_length(settings->listen); i++) {
		if (settings->listen[i].u.sa.sa_family == family) {
			return true;
		}
	}
	return false;
}

/*
 * "hosts allow = 10." lets in 10.0.0.0/8 alone.  With "hosts deny = 0.0.0.0/0"
 * it lets all of IPv6 in, too: in smbd, who is in neither list may come in.
 */
static void quicd_hosts_check(const struct quicd_settings *settings,
			      struct quicd_report *report)
{
	const struct quicd_access *allow = settings->hosts_allow;
	const struct quicd_access *deny = settings->hosts_deny;
	bool ipv4 = quicd_access_admits_others(allow, deny, AF_INET);
	bool ipv6 = quicd_access_admits_others(allow, deny, AF_INET6);

	/* a list of those who must not come in, and no more */
	if (deny == NULL || (allow == NULL && ipv4)) {
		return;
	}
	ipv4 = ipv4 && quicd_hosts_listens(settings, AF_INET);
	ipv6 = ipv6 && quicd_hosts_listens(settings, AF_INET6);
	if (ipv4 || ipv6) {
		quicd_report_warning(
			report,
			"hosts deny: smbd lets in %s clients that no list "
			"names; add %s to keep them out",
			!ipv6	? "IPv4"
			: !ipv4 ? "IPv6"
				: "all",
			!ipv6	? "0.0.0.0/0"
			: !ipv4 ? "::/0"
				: "ALL");
	}
}

/* Each word of a list is an item of its own, with the name of the list. */
bool quicd_hosts_parse(struct quicd_settings *settings,
		       struct quicd_report *report,
		       const struct quicd_bundle *bundle)
{
	static const char *const names[] = {
		[QUICD_ACCESS_ALLOW] = "hosts allow",
		[QUICD_ACCESS_DENY] = "hosts deny",
	};
	const struct quicd_access **lists[] = {
		[QUICD_ACCESS_ALLOW] = &settings->hosts_allow,
		[QUICD_ACCESS_DENY] = &settings->hosts_deny,
	};
	const struct quicd_bundle_item *lookups = quicd_bundle_find(
		bundle, "hostname lookups");
	const char **words = talloc_array(settings,
					  const char *,
					  bundle->num + 1);
	bool names_too = false;
	bool good = words != NULL;
	size_t which;

	if (words == NULL) {
		(void)quicd_report_error(report, "no memory");
	}
	if (lookups != NULL && !quicd_value_bool(lookups->data, &names_too)) {
		good = quicd_value_bad(report,
				       lookups->name,
				       lookups->data,
				       "yes, no");
	}
	for (which = 0; words != NULL && which < ARRAY_SIZE(names); which++) {
		size_t num = 0;
		size_t i;

		for (i = 0; i < bundle->num; i++) {
			if (strcmp(bundle->items[i].name, names[which]) == 0) {
				words[num] = bundle->items[i].data;
				num++;
			}
		}
		good = quicd_access_parse(settings,
					  report,
					  which,
					  words,
					  num,
					  names_too,
					  lists[which]) &&
		       good;
	}
	talloc_free(words);
	if (good) {
		quicd_hosts_check(settings, report);
	}
	return good;
}
