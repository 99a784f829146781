/* SPDX-License-Identifier: LGPL-3.0-or-later */
/*
 * The settings of smbd-quicd, see settings.h.
 *
 * This program stands between the network and smbd.  So an unknown value, or an
 * unknown name with our prefix, is an error, and we use no default instead: a
 * mistyped "quic client certificates" must not let everybody in.
 *
 * The step that reads smb.conf (reading.c) makes the bundle.  Each process
 * parses the same bundle with the code here, so that all have the same
 * settings.
 */

#include <ctype.h>
#include <errno.h>
#include <inttypes.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

#include "cpus.h"
#include "settings.h"
#include "util/macros.h"

#define QUICD_LIST_SEPARATORS " \t,;\r\n"
#define QUICD_SMB_PORT 445
#define QUICD_QUIC_PORT 443

/* Room for the headers of a long compound around the data of a write. */
#define QUICD_MESSAGE_HEADERS (64 * 1024)

enum quicd_type {
	QUICD_TYPE_BOOL,
	QUICD_TYPE_NUMBER,
	QUICD_TYPE_CERTIFICATES,
	QUICD_TYPE_CONGESTION_CONTROL,
	QUICD_TYPE_LISTEN,
	QUICD_TYPE_CLIENTS,
	QUICD_TYPE_SERVERS,
	QUICD_TYPE_STRING,
	QUICD_TYPE_FILE, /* its content is in the bundle */
};

/* The table of parameters, in the order of the man page. */
static const struct quicd_parameter {
	const char *name;
	enum quicd_type type;
	size_t offset;
	uint32_t min;
	uint32_t max;
	const char *value; /* the default; NULL: none, or the number of CPUs */
} quicd_parameters[] = {
#define FIELD(field) offsetof(struct quicd_settings, field)
	{QUICD_PREFIX "quic listen",
	 QUICD_TYPE_LISTEN,
	 FIELD(listen),
	 0,
	 0,
	 "0.0.0.0:443 [::]:443"},
	{QUICD_PREFIX "quic server",
	 QUICD_TYPE_SERVERS,
	 FIELD(servers),
	 0,
	 0,
	 "127.0.0.1:445 [::1]:445"},
	{QUICD_PREFIX "quic transparent",
	 QUICD_TYPE_BOOL,
	 FIELD(transparent),
	 0,
	 0,
	 "no"},
	{QUICD_PREFIX "quic ignore share hosts",
	 QUICD_TYPE_BOOL,
	 FIELD(ignore_share_hosts),
	 0,
	 0,
	 "no"},
	{QUICD_PREFIX "quic max connections",
	 QUICD_TYPE_NUMBER,
	 FIELD(max_connections),
	 1,
	 1000000,
	 "1024"},
	{QUICD_PREFIX "quic max per address",
	 QUICD_TYPE_NUMBER,
	 FIELD(max_per_address),
	 1,
	 1000000,
	 "64"},
	{QUICD_PREFIX "quic idle timeout",
	 QUICD_TYPE_NUMBER,
	 FIELD(idle_timeout),
	 1,
	 86400,
	 "60"},
	{QUICD_PREFIX "quic stall timeout",
	 QUICD_TYPE_NUMBER,
	 FIELD(stall_timeout),
	 1,
	 86400,
	 "120"},
	{QUICD_PREFIX "quic drain timeout",
	 QUICD_TYPE_NUMBER,
	 FIELD(drain_timeout),
	 0,
	 3600,
	 "10"},
	{QUICD_PREFIX "quic memory",
	 QUICD_TYPE_NUMBER,
	 FIELD(memory),
	 0,
	 1048576,
	 "0"},
	{QUICD_PREFIX "quic congestion control",
	 QUICD_TYPE_CONGESTION_CONTROL,
	 FIELD(congestion_control),
	 0,
	 0,
	 "cubic"},
	/* the number is one byte of a connection ID */
	{QUICD_PREFIX "quic workers",
	 QUICD_TYPE_NUMBER,
	 FIELD(workers),
	 1,
	 128,
	 NULL},
	{QUICD_PREFIX "quic client certificates",
	 QUICD_TYPE_CERTIFICATES,
	 FIELD(client_certificates),
	 0,
	 0,
	 "no"},
	{QUICD_PREFIX "quic qlog directory",
	 QUICD_TYPE_STRING,
	 FIELD(qlog_directory),
	 0,
	 0,
	 NULL},
	{QUICD_PREFIX "quic qlog clients",
	 QUICD_TYPE_CLIENTS,
	 FIELD(qlog_clients),
	 0,
	 0,
	 NULL},
	{QUICD_PREFIX "quic client allow",
	 QUICD_TYPE_STRING,
	 FIELD(client_allow),
	 0,
	 0,
	 NULL},
	{QUICD_PREFIX "quic client deny",
	 QUICD_TYPE_STRING,
	 FIELD(client_deny),
	 0,
	 0,
	 NULL},
	{QUICD_PREFIX "quic certificate", QUICD_TYPE_FILE, 0, 0, 0, ""},
	{QUICD_PREFIX "quic key", QUICD_TYPE_FILE, 0, 0, 0, ""},
	{QUICD_PREFIX "quic certificate directory",
	 QUICD_TYPE_FILE,
	 0,
	 0,
	 0,
	 ""},
	{QUICD_PREFIX "quic secret file", QUICD_TYPE_FILE, 0, 0, 0, ""},
#undef FIELD
};

_Static_assert(ARRAY_SIZE(quicd_parameters) <= 64, "smbconf.c: a bit each");

/* The parameters of smbd, which smbd-quicd ignores. */
static const char *const quicd_other_parameters[] = {
#define PARAMETER(name, allowed, global_only) QUICD_PREFIX name,
#define WATCH_PARAMETER(id, name, allowed) QUICD_PREFIX name,
#include "transport/parameters.def"
};

const char *quicd_settings_parameter(size_t i, bool *ours)
{
	*ours = i < ARRAY_SIZE(quicd_parameters);
	if (*ours) {
		return quicd_parameters[i].name;
	}
	i -= ARRAY_SIZE(quicd_parameters);
	return i < ARRAY_SIZE(quicd_other_parameters)
		       ? quicd_other_parameters[i]
		       : NULL;
}

static bool quicd_bad_value(struct quicd_report *report,
			    const char *name,
			    const char *value,
			    const char *allowed)
{
	return quicd_report_error(report,
				  "%s = %s: not understood; it may be %s",
				  name,
				  value,
				  allowed);
}

static bool quicd_parse_addresses(struct quicd_settings *settings,
				  const char *value,
				  struct address **addresses)
{
	char *words = talloc_strdup(settings, value);
	char *save = NULL;
	char *word = NULL;
	size_t n = 0;

	TALLOC_FREE(*addresses);
	if (words == NULL) {
		return false;
	}
	for (word = strtok_r(words, QUICD_LIST_SEPARATORS, &save); word != NULL;
	     word = strtok_r(NULL, QUICD_LIST_SEPARATORS, &save))
	{
		*addresses = talloc_realloc(settings,
					    *addresses,
					    struct address,
					    n + 1);
		if (*addresses == NULL ||
		    !address_parse(word, QUICD_QUIC_PORT, &(*addresses)[n]))
		{
			n = 0;
			break;
		}
		n++;
	}
	talloc_free(words);
	return n > 0;
}

static bool quicd_parse_servers(struct quicd_settings *settings,
				const char *value)
{
	char *words = talloc_strdup(settings, value);
	char *save = NULL;
	char *word = NULL;
	bool good = true;
	unsigned n = 0;

	if (words == NULL) {
		return false;
	}
	for (word = strtok_r(words, QUICD_LIST_SEPARATORS, &save);
	     good && word != NULL;
	     word = strtok_r(NULL, QUICD_LIST_SEPARATORS, &save))
	{
		struct address *servers = settings->servers;

		good = n < QUICD_SERVERS_MAX &&
		       address_parse(word, QUICD_SMB_PORT, &servers[n]) &&
		       (n == 0 ||
			servers[0].u.sa.sa_family != servers[n].u.sa.sa_family);
		n++;
	}
	talloc_free(words);
	settings->num_servers = good ? n : 0;
	return settings->num_servers > 0;
}

static bool quicd_parse_bool(const char *value, bool *flag)
{
	static const char *const words[][2] = {{"no", "yes"},
					       {"false", "true"},
					       {"0", "1"},
					       {"off", "on"}};
	size_t i;

	for (i = 0; i < 2 * ARRAY_SIZE(words); i++) {
		if (strcasecmp(value, words[i / 2][i % 2]) == 0) {
			*flag = i % 2 == 1;
			return true;
		}
	}
	return false;
}

static bool quicd_parse_number(const char *value,
			       uint32_t min,
			       uint32_t max,
			       uint32_t *number)
{
	char *end = NULL;
	unsigned long parsed;

	if (!isdigit((unsigned char)value[0])) {
		return false;
	}
	errno = 0;
	parsed = strtoul(value, &end, 10);
	if (errno != 0 || *end != '\0' || parsed < min || parsed > max) {
		return false;
	}
	*number = (uint32_t)parsed;
	return true;
}

static bool quicd_parse_congestion_control(const char *value, uint32_t *to)
{
	*to = strcasecmp(value, "bbr") == 0 ? QUICD_CONGESTION_CONTROL_BBR
					    : QUICD_CONGESTION_CONTROL_CUBIC;
	return *to == QUICD_CONGESTION_CONTROL_BBR ||
	       strcasecmp(value, "cubic") == 0;
}

static bool quicd_parse_certificates(const char *value, uint32_t *to)
{
	static const char *const values[] = {
		[QUICD_CLIENT_CERTIFICATES_NO] = "no",
		[QUICD_CLIENT_CERTIFICATES_OPTIONAL] = "optional",
		[QUICD_CLIENT_CERTIFICATES_REQUIRED] = "required",
	};
	uint32_t i;

	for (i = 0; i < ARRAY_SIZE(values); i++) {
		if (strcasecmp(value, values[i]) == 0) {
			*to = i;
			return true;
		}
	}
	return false;
}

static bool quicd_parameter_set(struct quicd_settings *settings,
				struct quicd_report *report,
				const struct quicd_parameter *parameter,
				const char *value)
{
	void *field = (char *)settings + parameter->offset;
	char allowed[64] = "";
	bool good = false;

	switch (parameter->type) {
	case QUICD_TYPE_BOOL:
		(void)snprintf(allowed, sizeof(allowed), "yes, no");
		good = quicd_parse_bool(value, field);
		break;
	case QUICD_TYPE_NUMBER:
		(void)snprintf(allowed,
			       sizeof(allowed),
			       "a number from %" PRIu32 " to %" PRIu32,
			       parameter->min,
			       parameter->max);
		good = quicd_parse_number(value,
					  parameter->min,
					  parameter->max,
					  field);
		break;
	case QUICD_TYPE_CERTIFICATES:
		(void)snprintf(allowed,
			       sizeof(allowed),
			       "no, optional, required");
		good = quicd_parse_certificates(value, field);
		break;
	case QUICD_TYPE_CONGESTION_CONTROL:
		(void)snprintf(allowed, sizeof(allowed), "cubic, bbr");
		good = quicd_parse_congestion_control(value, field);
		break;
	case QUICD_TYPE_LISTEN:
		(void)snprintf(allowed,
			       sizeof(allowed),
			       "ADDRESS or ADDRESS:PORT, IPv6 in brackets");
		good = quicd_parse_addresses(settings, value, field);
		break;
	case QUICD_TYPE_CLIENTS:
		(void)snprintf(allowed,
			       sizeof(allowed),
			       "addresses of hosts");
		good = quicd_parse_addresses(settings, value, field);
		break;
	case QUICD_TYPE_SERVERS:
		(void)snprintf(
			allowed,
			sizeof(allowed),
			"ADDRESS or ADDRESS:PORT, of IPv4, IPv6 or each");
		good = quicd_parse_servers(settings, value);
		break;
	case QUICD_TYPE_STRING:
		*(const char **)field = talloc_strdup(settings, value);
		good = *(const char **)field != NULL;
		break;
	case QUICD_TYPE_FILE:
		good = true;
		break;
	}
	if (!good) {
		return quicd_bad_value(report, parameter->name, value, allowed);
	}
	return true;
}

static bool quicd_settings_defaults(struct quicd_settings *settings,
				    struct quicd_report *report)
{
	size_t i;

	settings->workers = quicd_cpus("");
	for (i = 0; i < ARRAY_SIZE(quicd_parameters); i++) {
		if (quicd_parameters[i].value != NULL &&
		    !quicd_parameter_set(settings,
					 report,
					 &quicd_parameters[i],
					 quicd_parameters[i].value))
		{
			return false;
		}
	}
	return true;
}

static bool quicd_settings_max_message(struct quicd_settings *settings,
				       struct quicd_report *report,
				       const struct quicd_bundle_item *item)
{
	uint32_t number;

	if (!quicd_parse_number(item->data, 1, INT32_MAX, &number)) {
		return quicd_bad_value(report,
				       item->name,
				       item->data,
				       "a number");
	}
	/* the header has 24 bits */
	number = number > 0xffffff - QUICD_MESSAGE_HEADERS
			 ? 0xffffff
			 : number + QUICD_MESSAGE_HEADERS;
	if (number > settings->max_message) {
		settings->max_message = number;
	}
	return true;
}

/* The source of a certificate begins a new pair; NULL without memory. */
static struct quicd_pair *quicd_settings_pair(struct quicd_settings *settings,
					      const char *item)
{
	struct quicd_pair *pairs = settings->pairs;

	if (strcmp(item, QUICD_ITEM_SOURCE("certificate")) == 0) {
		pairs = talloc_realloc(settings,
				       pairs,
				       struct quicd_pair,
				       settings->num_pairs + 1);
		if (pairs == NULL) {
			return NULL;
		}
		settings->pairs = pairs;
		pairs[settings->num_pairs] = (struct quicd_pair){};
		settings->num_pairs++;
	}
	return settings->num_pairs > 0 ? &pairs[settings->num_pairs - 1] : NULL;
}

/* Take the content of a file; false if the item is not a file. */
static bool quicd_settings_file(struct quicd_settings *settings,
				const struct quicd_bundle_item *item)
{
	struct quicd_pair *pair = quicd_settings_pair(settings, item->name);
	const struct {
		const char *source;
		const char *content;
		struct quicd_file *file;
	} files[] = {
#define ITEM(what, file) {QUICD_ITEM_SOURCE(what), QUICD_ITEM_FILE(what), file}
		ITEM("certificate", pair != NULL ? &pair->certificate : NULL),
		ITEM("key", pair != NULL ? &pair->key : NULL),
		ITEM("ca", &settings->ca),
		ITEM("crl", &settings->crl),
		ITEM("secret", &settings->secret),
#undef ITEM
	};
	size_t i;

	for (i = 0; i < ARRAY_SIZE(files); i++) {
		if (files[i].file == NULL) {
			continue;
		}
		if (strcmp(item->name, files[i].source) == 0) {
			files[i].file->source = talloc_strdup(settings,
							      item->data);
			return files[i].file->source != NULL;
		}
		if (strcmp(item->name, files[i].content) == 0) {
			files[i].file->data = talloc_memdup(settings,
							    item->data,
							    item->len + 1);
			files[i].file->len = item->len;
			return files[i].file->data != NULL;
		}
	}
	return false;
}

static bool quicd_settings_listens(const struct quicd_settings *settings,
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
static void quicd_settings_check_hosts(const struct quicd_settings *settings,
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
	ipv4 = ipv4 && quicd_settings_listens(settings, AF_INET);
	ipv6 = ipv6 && quicd_settings_listens(settings, AF_INET6);
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
static bool quicd_settings_hosts(struct quicd_settings *settings,
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
	if (lookups != NULL && !quicd_parse_bool(lookups->data, &names_too)) {
		good = quicd_bad_value(report,
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
		quicd_settings_check_hosts(settings, report);
	}
	return good;
}

static bool quicd_settings_item(struct quicd_settings *settings,
				struct quicd_report *report,
				const struct quicd_bundle_item *item)
{
	static const char *const elsewhere[] = {"hosts allow",
						"hosts deny",
						"hostname lookups"};
	size_t i;

	for (i = 0; i < ARRAY_SIZE(quicd_parameters); i++) {
		if (strcmp(item->name, quicd_parameters[i].name) == 0) {
			return quicd_parameter_set(settings,
						   report,
						   &quicd_parameters[i],
						   item->data);
		}
	}
	for (i = 0; i < ARRAY_SIZE(elsewhere); i++) {
		if (strcmp(item->name, elsewhere[i]) == 0) {
			return true;
		}
	}
	if (strncmp(item->name, "smb2 max ", strlen("smb2 max ")) == 0) {
		return quicd_settings_max_message(settings, report, item);
	}
	if (!quicd_settings_file(settings, item)) {
		return quicd_report_error(report,
					  "settings of another smbd-quicd: "
					  "\"%s\" is not known",
					  item->name);
	}
	return true;
}

struct quicd_settings *quicd_settings_parse(TALLOC_CTX *mem_ctx,
					    struct quicd_report *report,
					    const struct quicd_bundle *bundle)
{
	struct quicd_settings *settings = talloc_zero(mem_ctx,
						      struct quicd_settings);
	bool good;
	size_t i;

	if (settings == NULL) {
		(void)quicd_report_error(report, "no memory");
		return NULL;
	}
	good = quicd_settings_defaults(settings, report);
	/* go on after a fault, to report all of them */
	for (i = 0; i < bundle->num; i++) {
		good = quicd_settings_item(settings,
					   report,
					   &bundle->items[i]) &&
		       good;
	}
	good = quicd_settings_hosts(settings, report, bundle) && good;
	if (settings->secret.data != NULL) {
		good = quicd_secrets_parse(&settings->secrets,
					   report,
					   settings->secret.source,
					   settings->secret.data) &&
		       good;
	}
	if (!good) {
		TALLOC_FREE(settings);
	}
	return settings;
}

uint64_t quicd_settings_memory(const struct quicd_settings *settings)
{
	const uint64_t pages = (uint64_t)sysconf(_SC_PHYS_PAGES);

	if (settings->memory != 0) {
		return (uint64_t)settings->memory << 20;
	}
	/* half of the unit's MemoryMax= */
	return pages * (uint64_t)sysconf(_SC_PAGESIZE) / 4;
}

const struct address *quicd_settings_server(
	const struct quicd_settings *settings,
	const struct address *client)
{
	unsigned i;

	if (!settings->transparent) {
		return &settings->servers[0];
	}
	for (i = 0; i < settings->num_servers; i++) {
		if (settings->servers[i].u.sa.sa_family ==
		    client->u.sa.sa_family) {
			return &settings->servers[i];
		}
	}
	return NULL;
}

bool quicd_settings_admit(const struct quicd_settings *settings,
			  const struct address *address)
{
	return quicd_access_admit(settings->hosts_allow,
				  settings->hosts_deny,
				  address);
}
