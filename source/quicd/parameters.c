/* SPDX-License-Identifier: LGPL-3.0-or-later */
/*
 * The parameters of smbd-quicd, see parameters.h.
 */

#include "config.h"

#include <inttypes.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "cpus.h"
#include "parameters.h"
#include "util/macros.h"
#include "values.h"

#define QUICD_SMB_PORT 445
#define QUICD_QUIC_PORT 443

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
#include "transport/smbd_parameters.def"
};

const char *quicd_parameter_name(size_t i, bool *ours)
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

/* One of each family. */
static bool quicd_parse_servers(struct quicd_settings *settings,
				const char *value)
{
	struct address *servers = NULL;
	size_t num;
	size_t i;
	bool good;

	good = quicd_value_addresses(settings, value, QUICD_SMB_PORT, &servers);
	num = talloc_array_length(servers);
	good = good && num <= QUICD_SERVERS_MAX &&
	       (num < 2 ||
		servers[0].u.sa.sa_family != servers[1].u.sa.sa_family);
	for (i = 0; good && i < num; i++) {
		settings->servers[i] = servers[i];
	}
	settings->num_servers = good ? (unsigned)num : 0;
	talloc_free(servers);
	return good;
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

static bool quicd_parameter_parse(struct quicd_settings *settings,
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
		good = quicd_value_bool(value, field);
		break;
	case QUICD_TYPE_NUMBER:
		(void)snprintf(allowed,
			       sizeof(allowed),
			       "a number from %" PRIu32 " to %" PRIu32,
			       parameter->min,
			       parameter->max);
		good = quicd_value_number(value,
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
		good = quicd_value_addresses(settings,
					     value,
					     QUICD_QUIC_PORT,
					     field);
		break;
	case QUICD_TYPE_CLIENTS:
		(void)snprintf(allowed, sizeof(allowed), "addresses of hosts");
		good = quicd_value_addresses(settings,
					     value,
					     QUICD_QUIC_PORT,
					     field);
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
		return quicd_value_bad(report, parameter->name, value, allowed);
	}
	return true;
}

bool quicd_parameters_defaults(struct quicd_settings *settings,
			       struct quicd_report *report)
{
	size_t i;

	settings->workers = quicd_cpus("");
	for (i = 0; i < ARRAY_SIZE(quicd_parameters); i++) {
		if (quicd_parameters[i].value != NULL &&
		    !quicd_parameter_parse(settings,
					   report,
					   &quicd_parameters[i],
					   quicd_parameters[i].value))
		{
			return false;
		}
	}
	return true;
}

bool quicd_parameter_set(struct quicd_settings *settings,
			 struct quicd_report *report,
			 const char *name,
			 const char *value,
			 bool *good)
{
	size_t i;

	for (i = 0; i < ARRAY_SIZE(quicd_parameters); i++) {
		if (strcmp(name, quicd_parameters[i].name) == 0) {
			*good = quicd_parameter_parse(settings,
						      report,
						      &quicd_parameters[i],
						      value);
			return true;
		}
	}
	return false;
}
