// SPDX-License-Identifier: LGPL-3.0-or-later
/*
 * LD_PRELOAD of what smbd starts.
 *
 * smbd starts other programs (rpcd_*, samba-bgqd, scripts).  They need nothing
 * of us, so we take this library out of LD_PRELOAD in smbd.  Other programs
 * keep it: on a domain controller "samba" starts smbd.
 */

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "shim_internal.h"

static const char *shim_last_component(const char *path)
{
	const char *slash = strrchr(path, '/');

	return slash != NULL ? slash + 1 : path;
}

/*
 * Whether an entry of LD_PRELOAD is this library.  The name suffices: an entry
 * may have no directory, or one with $LIB in it.
 */
static bool shim_is_own_entry(const char *entry, const char *own)
{
	struct stat a;
	struct stat b;

	return strcmp(shim_last_component(entry), shim_last_component(own)) ==
		       0 ||
	       (stat(entry, &a) == 0 && stat(own, &b) == 0 &&
		a.st_dev == b.st_dev && a.st_ino == b.st_ino);
}

void shim_leave_environment(const char *own)
{
	const char *value = getenv("LD_PRELOAD");
	char *copy = value != NULL ? strdup(value) : NULL;
	char *rest = value != NULL ? strdup(value) : NULL;
	size_t used = 0;
	char *entry = NULL;
	char *saved = NULL;

	if (copy == NULL || rest == NULL) {
		goto done;
	}
	/* the separators that ld.so(8) knows */
	for (entry = strtok_r(copy, ": ", &saved); entry != NULL;
	     entry = strtok_r(NULL, ": ", &saved))
	{
		size_t length = strlen(entry);

		if (shim_is_own_entry(entry, own)) {
			continue;
		}
		if (used > 0) {
			rest[used] = ':';
			used++;
		}
		memcpy(&rest[used], entry, length);
		used += length;
	}
	rest[used] = '\0';
	if (used > 0) {
		(void)setenv("LD_PRELOAD", rest, 1);
	} else {
		(void)unsetenv("LD_PRELOAD");
	}
done:
	free(rest);
	free(copy);
}
