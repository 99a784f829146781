/* SPDX-License-Identifier: LGPL-3.0-or-later */
/*
 * The one reading of smb.conf and of the files that it names.
 *
 * We read with the rights of root, as smbd does, before smbd-quicd gives them
 * up, and put all into a bundle.  The processes that the network can reach open
 * none of these files.  So only root needs access to the key.  A worker that is
 * started later has the same settings, even if somebody has changed a file
 * meanwhile.
 */

#include <string.h>
#include <strings.h>

#include "behind.h"
#include "named_files.h"
#include "names.h"
#include "qlog.h"
#include "reading.h"
#include "settings.h"
#include "smbconf.h"
#include "tls.h"
#include "util/macros.h"
#include "values.h"

struct quicd_reader {
	struct quicd_report *report;
	struct quicd_bundle *bundle;
	struct quicd_behind behind;
	struct quicd_named_files files;
	const char *usershares; /* how many there may be */
	const char *usershare_guests;
	const char *template; /* of these */
	bool template_seen;
	bool good;
};

static void reading_add(struct quicd_reader *reader,
			const char *name,
			const char *value)
{
	if (!quicd_bundle_add_string(reader->bundle, name, value)) {
		reader->good = quicd_report_error(reader->report, "no memory");
	}
}

/* A copy that lives as long as the bundle. */
static void reading_keep(struct quicd_reader *reader,
			 const char **to,
			 const char *value)
{
	*to = talloc_strdup(reader->bundle, value);
	if (*to == NULL) {
		reader->good = quicd_report_error(reader->report, "no memory");
	}
}

/* One of our own parameters. */
static void reading_ours(struct quicd_reader *reader,
			 const char *name,
			 const char *value)
{
	if (strcmp(name, "smbd_uring:quic certificate") == 0) {
		reading_keep(reader, &reader->files.certificate, value);
	} else if (strcmp(name, "smbd_uring:quic key") == 0) {
		reading_keep(reader, &reader->files.key, value);
	} else if (strcmp(name, "smbd_uring:quic secret file") == 0) {
		reading_keep(reader, &reader->files.secret, value);
	} else if (strcmp(name, "smbd_uring:quic certificate directory") == 0) {
		reading_keep(reader, &reader->files.directory, value);
	} else {
		if (strcmp(name, "smbd_uring:quic server") == 0) {
			reader->behind.default_server = false;
		}
		reading_add(reader, name, value);
	}
}

static void reading_words(struct quicd_reader *reader,
			  const char *name,
			  const char *value)
{
	size_t num = 0;
	const char *const *words = quicd_value_words(reader->bundle,
						     value,
						     &num);
	size_t i;

	if (words == NULL) {
		reader->good = quicd_report_error(reader->report, "no memory");
		return;
	}
	for (i = 0; i < num; i++) {
		reading_add(reader, name, words[i]);
	}
}

/* A program that may decide by the address who comes in. */
static void reading_program(struct quicd_reader *reader,
			    const char *name,
			    const char *value)
{
	if ((strcmp(name, "preexec") == 0 ||
	     strcmp(name, "root preexec") == 0) &&
	    (strstr(value, "%I") != NULL || strstr(value, "%M") != NULL))
	{
		reading_keep(reader, &reader->behind.told_address, name);
	}
}

/* Samba's own, of [global]. */
static void reading_sambas(struct quicd_reader *reader,
			   const char *name,
			   const char *value)
{
	const struct {
		const char *name;
		const char **value;
	} strings[] = {
		{"private dir", &reader->files.private_dir},
		{"tls certfile", &reader->files.tls_certfile},
		{"tls keyfile", &reader->files.tls_keyfile},
		{"tls cafile", &reader->files.tls_cafile},
		{"tls crlfile", &reader->files.tls_crlfile},
		{"usershare max shares", &reader->usershares},
		{"usershare allow guests", &reader->usershare_guests},
		{"usershare template share", &reader->template},
		{"smb ports", &reader->behind.ports},
		{"server smb transports", &reader->behind.ports},
		{"interfaces", &reader->behind.interfaces},
		{"bind interfaces only", &reader->behind.bind_interfaces_only},
		{"map to guest", &reader->behind.map_to_guest},
	};
	static const char *const items[] = {
		"hostname lookups",
		"smb2 max read",
		"smb2 max trans",
		"smb2 max write",
	};
	size_t i;

	for (i = 0; i < ARRAY_SIZE(strings); i++) {
		if (strcmp(name, strings[i].name) == 0) {
			reading_keep(reader, strings[i].value, value);
			return;
		}
	}
	for (i = 0; i < ARRAY_SIZE(items); i++) {
		if (strcmp(name, items[i]) == 0) {
			reading_add(reader, name, value);
			return;
		}
	}
	if (strcmp(name, "hosts allow") == 0 || strcmp(name, "hosts deny") == 0)
	{
		reading_words(reader, name, value);
	}
}

/* A share with a list of its own. */
static void reading_add_share(struct quicd_reader *reader, const char *share)
{
	struct quicd_behind *behind = &reader->behind;
	const unsigned n = behind->num_shares;

	behind->shares = talloc_realloc(reader->bundle,
					behind->shares,
					const char *,
					n + 1);
	if (behind->shares != NULL) {
		behind->shares[n] = talloc_strdup(behind->shares, share);
	}
	if (behind->shares == NULL || behind->shares[n] == NULL) {
		behind->num_shares = 0;
		reader->good = quicd_report_error(reader->report, "no memory");
		return;
	}
	behind->num_shares++;
}

static void reading_share(struct quicd_reader *reader,
			  const char *share,
			  const char *name,
			  const char *value)
{
	struct quicd_behind *behind = &reader->behind;
	const unsigned n = behind->num_shares;

	if (reader->template != NULL &&
	    strcasecmp(share, reader->template) == 0) {
		reader->template_seen = true;
	}
	if (strcmp(name, "guest ok") == 0 && strcasecmp(value, "yes") == 0) {
		behind->num_guest_shares++;
		if (behind->num_guest_shares == 1) {
			reading_keep(reader, &behind->guest_share, share);
		}
	}
	if ((strcmp(name, "hosts allow") == 0 ||
	     strcmp(name, "hosts deny") == 0) &&
	    value[0] != '\0' &&
	    (n == 0 || strcmp(behind->shares[n - 1], share) != 0))
	{
		reading_add_share(reader, share);
	}
}

/* Shares that users make, with what they have of a share of smb.conf. */
static void reading_usershares(struct quicd_reader *reader)
{
	if (reader->usershares == NULL || strcmp(reader->usershares, "0") == 0)
	{
		return;
	}
	reader->behind.usershare_guests = reader->usershare_guests != NULL &&
					  strcasecmp(reader->usershare_guests,
						     "yes") == 0;
	/* one that is not valid is not printed, so that it may have a list */
	if (reader->template != NULL && reader->template[0] != '\0' &&
	    !reader->template_seen)
	{
		reading_add_share(reader, reader->template);
	}
}

static bool reading_parameter(void *private_data,
			      const char *section,
			      const char *name,
			      const char *value)
{
	struct quicd_reader *reader = private_data;
	const char *canonical = NULL;

	switch (quicd_name_of(
		reader->report, section, name, value != NULL, &canonical)) {
	case QUICD_NAME_OURS:
		if (value != NULL) {
			reading_ours(reader, canonical, value);
			break;
		}
		reader->good = quicd_report_error(reader->report,
						  "%s: there is no value",
						  name);
		return true;
	case QUICD_NAME_BAD:
		reader->good = false;
		return true;
	case QUICD_NAME_FOREIGN:
		if (value == NULL) {
			break;
		}
		reading_program(reader, name, value);
		if (section == NULL) {
			reading_sambas(reader, name, value);
		} else if (strchr(name, ':') == NULL) {
			reading_share(reader, section, name, value);
		}
		break;
	case QUICD_NAME_IGNORED:
		break;
	}
	return false;
}

/* The checks that the serving processes do not repeat. */
static bool reading_check(struct quicd_reader *reader)
{
	struct quicd_report quiet = {.errors_only = true};
	struct quicd_settings *settings = NULL;
	struct quicd_tls *tls = NULL;
	bool good;

	settings = quicd_settings_parse(reader->bundle,
					reader->report,
					reader->bundle);
	if (settings == NULL) {
		return false;
	}
	good = quicd_named_files_add(reader->bundle,
				     reader->report,
				     &reader->files,
				     settings);
	good = quicd_qlog_possible(reader->report, settings) && good;
	good = quicd_behind_check(reader->report, &reader->behind, settings) &&
	       good && reader->good;
	talloc_free(settings);
	if (!good) {
		return false;
	}
	/* parse again, now that the bundle has the files */
	settings = quicd_settings_parse(reader->bundle, &quiet, reader->bundle);
	if (settings == NULL) {
		return false;
	}
	tls = quicd_tls_load(reader->report, settings);
	talloc_free(settings);
	if (tls == NULL) {
		return false;
	}
	quicd_tls_release(tls);
	return true;
}

struct quicd_bundle *quicd_reading(TALLOC_CTX *mem_ctx,
				   struct quicd_report *report,
				   const char *path,
				   bool make)
{
	struct quicd_reader reader = {
		.report = report,
		.bundle = talloc_zero(mem_ctx, struct quicd_bundle),
		.behind.default_server = true,
		.behind.ports = "445",
		.behind.interfaces = "",
		.files.make = make,
		.good = true,
	};
	bool good;

	if (reader.bundle == NULL) {
		(void)quicd_report_error(report, "no memory");
		return NULL;
	}
	good = quicd_smbconf_read(
		mem_ctx, report, path, reading_parameter, &reader);
	reading_usershares(&reader);
	/* check even after a bad name, so that one run reports all faults */
	if (good) {
		good = reading_check(&reader) && reader.good;
	}
	if (!good) {
		TALLOC_FREE(reader.bundle);
	}
	return reader.bundle;
}
