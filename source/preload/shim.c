// SPDX-License-Identifier: LGPL-3.0-or-later
/*
 * The preload library, first half: what LD_PRELOAD names.
 *
 * The loader resolves all symbols of a preloaded object before the program
 * starts.  If libtevent, talloc or liburing lacked one of those that we call,
 * smbd would not start (exit status 127), and so would no other program that
 * inherits LD_PRELOAD.  So this half needs libc and nothing else.  In smbd, and
 * in no other program, its constructor opens the second half, the module, by
 * dlopen(RTLD_NOW).  That finds a missing library, version or symbol as the
 * loader does, but returns an error: we print it, and smbd runs as without us.
 *
 * We decided against weak references.  Each of some fifty would have to be
 * compared with NULL, and a missing library or symbol version would still end
 * the program.
 *
 * A function interposes libc's only if its object was loaded with the program.
 * Therefore the interposed functions are here, and pass each call on: to the
 * module's hook if there is one, else to the next definition.
 */

#include <dlfcn.h>
#include <errno.h>
#include <pthread.h>
#include <string.h>

#include "shim.h"
#include "shim_internal.h"

#define SHIM_PUBLIC __attribute__((visibility("default")))

static struct preload_functions shim_next;
static struct preload_functions shim_hooks;
static pthread_once_t shim_next_once = PTHREAD_ONCE_INIT;

int smb_vfs_call_connect(struct vfs_handle_struct *handle,
			 const char *service,
			 const char *user);
void smb_vfs_call_disconnect(struct vfs_handle_struct *handle);

static void shim_find_next(void)
{
	shim_next.getsockopt = dlsym(RTLD_NEXT, "getsockopt");
	shim_next.epoll_create = dlsym(RTLD_NEXT, "epoll_create");
	shim_next.epoll_create1 = dlsym(RTLD_NEXT, "epoll_create1");
	shim_next.epoll_wait = dlsym(RTLD_NEXT, "epoll_wait");
	shim_next.connect = dlsym(RTLD_NEXT, "smb_vfs_call_connect");
	shim_next.disconnect = dlsym(RTLD_NEXT, "smb_vfs_call_disconnect");
}

/* A constructor of another library may call us before ours has run. */
static const struct preload_functions *shim_get_next(void)
{
	(void)pthread_once(&shim_next_once, shim_find_next);
	return &shim_next;
}

SHIM_PUBLIC int getsockopt(int fd,
			   int level,
			   int optname,
			   void *optval,
			   socklen_t *optlen)
{
	if (shim_hooks.getsockopt != NULL) {
		return shim_hooks.getsockopt(
			fd, level, optname, optval, optlen);
	}
	return shim_get_next()->getsockopt(fd, level, optname, optval, optlen);
}

/* tevent up to 0.15 */
SHIM_PUBLIC int epoll_create(int size)
{
	if (shim_hooks.epoll_create != NULL) {
		return shim_hooks.epoll_create(size);
	}
	return shim_get_next()->epoll_create(size);
}

/* tevent from 0.16 on */
SHIM_PUBLIC int epoll_create1(int flags)
{
	if (shim_hooks.epoll_create1 != NULL) {
		return shim_hooks.epoll_create1(flags);
	}
	return shim_get_next()->epoll_create1(flags);
}

SHIM_PUBLIC int epoll_wait(int epfd,
			   struct epoll_event *events,
			   int maxevents,
			   int timeout)
{
	if (shim_hooks.epoll_wait != NULL) {
		return shim_hooks.epoll_wait(epfd, events, maxevents, timeout);
	}
	return shim_get_next()->epoll_wait(epfd, events, maxevents, timeout);
}

SHIM_PUBLIC int smb_vfs_call_connect(struct vfs_handle_struct *handle,
				     const char *service,
				     const char *user)
{
	if (shim_hooks.connect != NULL) {
		return shim_hooks.connect(handle, service, user);
	}
	if (shim_get_next()->connect == NULL) {
		errno = ENOSYS;
		return -1;
	}
	return shim_get_next()->connect(handle, service, user);
}

SHIM_PUBLIC void smb_vfs_call_disconnect(struct vfs_handle_struct *handle)
{
	if (shim_hooks.disconnect != NULL) {
		shim_hooks.disconnect(handle);
	} else if (shim_get_next()->disconnect != NULL) {
		shim_get_next()->disconnect(handle);
	}
}

static void __attribute__((constructor)) shim_init(void)
{
	preload_module_init_fn_t *module_init = NULL;
	int (*first)(int, int, int, void *, socklen_t *) = NULL;
	Dl_info own = {};

	if (strcmp(program_invocation_short_name, "smbd") != 0 ||
	    dladdr(&shim_hooks, &own) == 0 || own.dli_fname == NULL)
	{
		return;
	}
	shim_leave_environment(own.dli_fname);
	module_init = shim_open_module(own.dli_fname);
	if (module_init == NULL) {
		return;
	}
	first = dlsym(RTLD_DEFAULT, "getsockopt");
	if (first == NULL || first == getsockopt) {
		first = shim_get_next()->getsockopt;
	}
	module_init(shim_get_next(), first, &shim_hooks);
}
