/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Description: preloaded before the preload library, calls smbd's own functions for
 * a tree connect directly, so that the preload library does not see the call.
 */

#include <dlfcn.h>
#include <link.h>
#include <stddef.h>
#include <string.h>

#define PUBLIC __attribute__((visibility("default")))

PUBLIC int smb_vfs_call_connect(void *handle, const char *name, const char *user);
PUBLIC void smb_vfs_call_disconnect(void *handle);

static int find(struct dl_phdr_info *info, size_t size, void *private_data)
{
	const char **name = private_data;

	if (strstr(info->dlpi_name, "/libsmbd-base-") == NULL) {
		return 0;
	}
	*name = info->dlpi_name;
	return 1;
}

static void *of_libsmbd_base(const char *function)
{
	const char *name = NULL;

	(void)dl_iterate_phdr(find, &name);
	return dlsym(dlopen(name, RTLD_LAZY | RTLD_NOLOAD), function);
}

int smb_vfs_call_connect(void *handle, const char *name, const char *user)
{
	int (*fn)(void *, const char *, const char *) = of_libsmbd_base(
		"smb_vfs_call_connect");

	return fn(handle, name, user);
}

void smb_vfs_call_disconnect(void *handle)
{
	void (*fn)(void *) = of_libsmbd_base("smb_vfs_call_disconnect");

	fn(handle);
}
