/* SPDX-License-Identifier: LGPL-3.0-or-later */
/*
 * The settings that a bundle has, see settings.h.
 *
 * This program stands between the network and smbd.  So an unknown value, or an
 * unknown name with our prefix, is an error, and we use no default instead: a
 * mistyped "quic client certificates" must not let everybody in.
 *
 * The step that reads smb.conf (reading.c) makes the bundle.  Each process
 * parses the same bundle with the code here, so that all have the same
 * settings.
 */

#include <string.h>

#include "hosts.h"
#include "parameters.h"
#include "settings.h"
#include "util/macros.h"
#include "values.h"

/* Room for the headers of a long compound around the data of a write. */
#define QUICD_MESSAGE_HEADERS (64 * 1024)

static bool quicd_settings_max_message(struct quicd_settings *settings,
				       struct quicd_report *report,
				       const struct quicd_bundle_item *item)
{
	uint32_t number;

	if (!quicd_value_number(item->data, 1, INT32_MAX, &number)) {
		return quicd_value_bad(report,
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

static bool quicd_settings_item(struct quicd_settings *settings,
				struct quicd_report *report,
				const struct quicd_bundle_item *item)
{
	static const char *const elsewhere[] = {"hosts allow",
						"hosts deny",
						"hostname lookups"};
	bool good = false;
	size_t i;

	if (quicd_parameter_set(
		    settings, report, item->name, item->data, &good)) {
		return good;
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
	good = quicd_parameters_defaults(settings, report);
	/* go on after a fault, to report all of them */
	for (i = 0; i < bundle->num; i++) {
		good = quicd_settings_item(settings,
					   report,
					   &bundle->items[i]) &&
		       good;
	}
	good = quicd_hosts_parse(settings, report, bundle) && good;
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
