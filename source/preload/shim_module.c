// SPDX-License-Identifier: LGPL-3.0-or-later
/* Opens the module, or says why smbd runs without it. */

#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <link.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "shim_internal.h"
#include "util/macros.h"
#include "util/message.h"

#define SHIM_MODULE "smbd-uring-module.so"

/* libtevent and talloc must be those that smbd itself has loaded. */
static const char *const shim_needs[] = {"libtevent.so.0", "libtalloc.so.2"};

#define SHIM_NOT_LOADED "smbd_uring: not loaded, smbd runs without it: %s"

/* smbd has opened no log yet.  The journal takes <4> for a warning. */
static void shim_complain(const char *why)
{
	MESSAGE_INDEX("warning", SHIM_NOT_LOADED);
	(void)fprintf(stderr,
		      "%s" SHIM_NOT_LOADED "\n",
		      getenv("JOURNAL_STREAM") != NULL ? "<4>" : "",
		      why != NULL ? why : "unknown error");
}

/* The module is beside this library, wherever that was installed. */
static bool shim_module_path(const char *own, char path[PATH_MAX])
{
	char *slash = NULL;

	if (realpath(own, path) == NULL) {
		return false;
	}
	slash = strrchr(path, '/');
	if (slash == NULL ||
	    (size_t)(slash + 1 - path) + sizeof(SHIM_MODULE) > PATH_MAX)
	{
		return false;
	}
	memcpy(slash + 1, SHIM_MODULE, sizeof(SHIM_MODULE));
	return true;
}

/*
 * The loader maps a file that was cut, and dies of SIGBUS.  The table of the
 * section headers is the last thing in the file.
 */
static bool shim_module_cut(const char *path)
{
	ElfW(Ehdr) header = {};
	struct stat st = {};
	bool cut = false;
	int fd = open(path, O_RDONLY | O_CLOEXEC);

	if (fd == -1) {
		return false; /* dlopen() says why */
	}
	if (fstat(fd, &st) == 0 &&
	    pread(fd, &header, sizeof(header), 0) == (ssize_t)sizeof(header))
	{
		cut = (uint64_t)st.st_size <
		      header.e_shoff +
			      (uint64_t)header.e_shnum * header.e_shentsize;
	}
	close(fd);
	return cut;
}

preload_module_init_fn_t *shim_open_module(const char *own)
{
	preload_module_init_fn_t *module_init = NULL;
	char path[PATH_MAX];
	void *module = NULL;
	size_t i;

	for (i = 0; i < ARRAY_SIZE(shim_needs); i++) {
		if (dlopen(shim_needs[i], RTLD_LAZY | RTLD_NOLOAD) == NULL) {
			(void)snprintf(path,
				       sizeof(path),
				       "this smbd does not use %s",
				       shim_needs[i]);
			shim_complain(path);
			return NULL;
		}
	}
	if (!shim_module_path(own, path)) {
		shim_complain(strerror(errno));
		return NULL;
	}
	if (shim_module_cut(path)) {
		shim_complain(SHIM_MODULE " is cut short");
		return NULL;
	}
	module = dlopen(path, RTLD_NOW | RTLD_LOCAL | RTLD_NODELETE);
	if (module == NULL) {
		shim_complain(dlerror());
		return NULL;
	}
	module_init = (preload_module_init_fn_t *)dlsym(module,
							PRELOAD_MODULE_INIT);
	if (module_init == NULL) {
		shim_complain(dlerror());
	}
	return module_init;
}
