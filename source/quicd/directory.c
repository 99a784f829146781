/* SPDX-License-Identifier: LGPL-3.0-or-later */
/*
 * A directory of certificates, into a bundle.
 *
 * It has the form of HAProxy's "crt DIRECTORY".  Half a pair is an error,
 * because clients that ask for its name would get another certificate.
 */

#include <dirent.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "directory.h"
#include "file.h"
#include "settings.h"

static bool directory_ends(const char *name, const char *end)
{
	const size_t len = strlen(name);
	const size_t end_len = strlen(end);

	return len > end_len && strcmp(name + len - end_len, end) == 0;
}

static int directory_compare(const struct dirent **a, const struct dirent **b)
{
	return strcmp((*a)->d_name, (*b)->d_name);
}

static int directory_is_visible(const struct dirent *entry)
{
	return entry->d_name[0] != '.';
}

/* PATH/NAME with another end; NULL without memory. */
static char *directory_file(TALLOC_CTX *mem_ctx,
			    const char *path,
			    const char *name,
			    const char *end)
{
	return talloc_asprintf(mem_ctx,
			       "%s/%.*s%s",
			       path,
			       (int)(strlen(name) - strlen(".pem")),
			       name,
			       end);
}

static bool directory_add_pair(struct quicd_bundle *bundle,
			       struct quicd_report *report,
			       const char *parameter,
			       const char *path,
			       const char *name)
{
	char *certificate = directory_file(bundle, path, name, ".pem");
	char *key = directory_file(bundle, path, name, ".key");

	if (certificate == NULL || key == NULL) {
		return quicd_report_error(report, "no memory");
	}
	if (access(key, F_OK) != 0 && errno == ENOENT) {
		key = certificate;
	}
	return quicd_file_add(bundle,
			      report,
			      QUICD_ITEM_SOURCE("certificate"),
			      QUICD_ITEM_FILE("certificate"),
			      parameter,
			      certificate,
			      false) &&
	       quicd_file_add(bundle,
			      report,
			      QUICD_ITEM_SOURCE("key"),
			      QUICD_ITEM_FILE("key"),
			      parameter,
			      key,
			      true);
}

static bool directory_add_entry(struct quicd_bundle *bundle,
				struct quicd_report *report,
				const char *parameter,
				const char *path,
				const char *name,
				unsigned *pairs)
{
	char *certificate = NULL;
	bool good = true;

	if (directory_ends(name, ".pem")) {
		(*pairs)++;
		return directory_add_pair(
			bundle, report, parameter, path, name);
	}
	if (!directory_ends(name, ".key")) {
		quicd_report_warning(report,
				     "%s = %s: %s is not used; names end with "
				     ".pem or .key",
				     parameter,
				     path,
				     name);
		return true;
	}
	certificate = directory_file(bundle, path, name, ".pem");
	if (certificate == NULL) {
		return quicd_report_error(report, "no memory");
	}
	if (access(certificate, F_OK) != 0) {
		good = quicd_report_error(report,
					  "%s = %s: %s",
					  parameter,
					  certificate,
					  strerror(errno));
	}
	talloc_free(certificate);
	return good;
}

bool quicd_directory_add(struct quicd_bundle *bundle,
			 struct quicd_report *report,
			 const char *parameter,
			 const char *path)
{
	struct dirent **entries = NULL;
	unsigned pairs = 0;
	bool good = true;
	int num;
	int i;

	num = scandir(path, &entries, directory_is_visible, directory_compare);
	if (num < 0) {
		return quicd_report_error(report,
					  "%s = %s: %s",
					  parameter,
					  path,
					  strerror(errno));
	}
	for (i = 0; i < num; i++) {
		good = directory_add_entry(bundle,
					   report,
					   parameter,
					   path,
					   entries[i]->d_name,
					   &pairs) &&
		       good;
		free(entries[i]);
	}
	free(entries);
	if (good && pairs == 0) {
		good = quicd_report_error(report,
					  "%s = %s: there is no certificate",
					  parameter,
					  path);
	}
	return good;
}
