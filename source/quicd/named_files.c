/* SPDX-License-Identifier: LGPL-3.0-or-later */
/*
 * The files that smb.conf names, see named_files.h.
 */

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "directory.h"
#include "file.h"
#include "named_files.h"
#include "secret_file.h"

struct named_files_reader {
	struct quicd_bundle *bundle;
	struct quicd_report *report;
	const struct quicd_named_files *named;
	bool good;
};

/* As Samba does: relative to "private dir".  NULL without memory. */
static char *named_files_path(struct named_files_reader *reader,
			      const char *path)
{
	if (path[0] == '/' || reader->named->private_dir == NULL) {
		return talloc_strdup(reader->bundle, path);
	}
	return talloc_asprintf(reader->bundle,
			       "%s/%s",
			       reader->named->private_dir,
			       path);
}

static void named_files_read(struct named_files_reader *reader,
			     const char *item,
			     const char *item_source,
			     const char *parameter,
			     const char *path,
			     bool secret)
{
	char *full = NULL;

	if (path == NULL || path[0] == '\0') {
		return;
	}
	full = named_files_path(reader, path);
	if (full == NULL) {
		reader->good = quicd_report_error(reader->report, "no memory");
		return;
	}
	reader->good = quicd_file_add(reader->bundle,
				      reader->report,
				      item_source,
				      item,
				      parameter,
				      full,
				      secret) &&
		       reader->good;
}

static void named_files_pair(struct named_files_reader *reader)
{
	const bool own = reader->named->certificate != NULL ||
			 reader->named->key != NULL;
	const char *certificate = own ? reader->named->certificate
				      : reader->named->tls_certfile;
	const char *key = own ? reader->named->key : reader->named->tls_keyfile;

	if (certificate == NULL || key == NULL || certificate[0] == '\0' ||
	    key[0] == '\0')
	{
		reader->good = quicd_report_error(
			reader->report,
			"smbd_uring:quic certificate and smbd_uring:quic key, "
			"or tls certfile and tls keyfile, must both be set");
		return;
	}
	named_files_read(reader,
			 QUICD_ITEM_FILE("certificate"),
			 QUICD_ITEM_SOURCE("certificate"),
			 own ? "smbd_uring:quic certificate" : "tls certfile",
			 certificate,
			 false);
	named_files_read(reader,
			 QUICD_ITEM_FILE("key"),
			 QUICD_ITEM_SOURCE("key"),
			 own ? "smbd_uring:quic key" : "tls keyfile",
			 key,
			 true);
}

/* The server's certificates; the first one is the default. */
static void named_files_pairs(struct named_files_reader *reader)
{
	const bool own = reader->named->certificate != NULL ||
			 reader->named->key != NULL;

	if (own || reader->named->directory == NULL) {
		named_files_pair(reader);
	}
	if (reader->named->directory != NULL &&
	    !quicd_directory_add(reader->bundle,
				 reader->report,
				 "smbd_uring:quic certificate directory",
				 reader->named->directory))
	{
		reader->good = false;
	}
}

/*
 * The file of the secret, which we make if need be.  If the default file cannot
 * be read, that is no error: without root, smbd-quicd works without it.
 */
static void named_files_secret(struct named_files_reader *reader)
{
	static const char name[] = "smbd-quicd.secret";
	const char *credentials = getenv("CREDENTIALS_DIRECTORY");
	const char *parameter = "smbd_uring:quic secret file";
	char *path = NULL;
	int error = 0;

	if (reader->named->secret != NULL) {
		path = named_files_path(reader, reader->named->secret);
	} else if (credentials != NULL) {
		path = talloc_asprintf(reader->bundle,
				       "%s/%s",
				       credentials,
				       name);
		if (path != NULL && access(path, F_OK) == 0) {
			parameter = "credential";
		} else {
			TALLOC_FREE(path);
		}
	}
	if (path == NULL) {
		path = named_files_path(reader, name);
	}
	if (path == NULL) {
		reader->good = quicd_report_error(reader->report, "no memory");
		return;
	}
	if (reader->named->make) {
		error = quicd_secret_file_make(reader->bundle, path);
	} else if (access(path, F_OK) != 0) {
		error = errno;
	}
	if (error == 0 || reader->named->secret != NULL) {
		named_files_read(reader,
				 QUICD_ITEM_FILE("secret"),
				 QUICD_ITEM_SOURCE("secret"),
				 parameter,
				 path,
				 true);
	} else if (reader->named->make || error != ENOENT) {
		quicd_report_warning(
			reader->report,
			"%s = %s: %s; after a crash of smbd-quicd clients will "
			"wait for their idle timeout",
			parameter,
			path,
			strerror(error));
	}
}

/* Read the CAs and lists if we ask clients for certificates. */
static void named_files_trust(struct named_files_reader *reader,
			      const struct quicd_settings *settings)
{
	if (settings->client_certificates == QUICD_CLIENT_CERTIFICATES_NO) {
		if (reader->named->tls_crlfile != NULL &&
		    reader->named->tls_crlfile[0] != '\0') {
			quicd_report_warning(
				reader->report,
				"tls crlfile has no effect on smbd-quicd: it "
				"asks no client for a certificate; set "
				"smbd_uring:quic client certificates");
		}
		return;
	}
	named_files_read(reader,
			 QUICD_ITEM_FILE("ca"),
			 QUICD_ITEM_SOURCE("ca"),
			 "tls cafile",
			 reader->named->tls_cafile,
			 false);
	named_files_read(reader,
			 QUICD_ITEM_FILE("crl"),
			 QUICD_ITEM_SOURCE("crl"),
			 "tls crlfile",
			 reader->named->tls_crlfile,
			 false);
}

bool quicd_named_files_add(struct quicd_bundle *bundle,
			   struct quicd_report *report,
			   const struct quicd_named_files *files,
			   const struct quicd_settings *settings)
{
	struct named_files_reader reader = {
		.bundle = bundle,
		.report = report,
		.named = files,
		.good = true,
	};

	named_files_pairs(&reader);
	named_files_secret(&reader);
	named_files_trust(&reader, settings);
	return reader.good;
}
