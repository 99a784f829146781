/* SPDX-License-Identifier: LGPL-3.0-or-later */
/*
 * Reads files of /proc and /sys, see proc.h.
 */

#include "config.h"

#include <errno.h>
#include <stdio.h>

#include "proc.h"

char *proc_read_file(TALLOC_CTX *mem_ctx, const char *path)
{
	FILE *f = fopen(path, "re");
	char *text = NULL;
	size_t used = 0;

	if (f == NULL) {
		return NULL;
	}
	text = talloc_array(mem_ctx, char, BUFSIZ);
	while (text != NULL) {
		size_t size = talloc_array_length(text);
		size_t got = fread(text + used, 1, size - used - 1, f);

		if (got == 0) {
			break;
		}
		used += got;
		text = talloc_realloc(mem_ctx, text, char, used + BUFSIZ);
	}
	if (text == NULL) {
		errno = ENOMEM;
	} else if (ferror(f)) {
		TALLOC_FREE(text);
	} else {
		text[used] = '\0';
		text = talloc_realloc(mem_ctx, text, char, used + 1);
	}
	fclose(f);
	return text;
}

char *proc_read(TALLOC_CTX *mem_ctx, pid_t pid, const char *name)
{
	char path[64];

	snprintf(path, sizeof(path), "/proc/%d/%s", (int)pid, name);
	return proc_read_file(mem_ctx, path);
}
