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
 *
 * smbd starts other programs (rpcd_*, samba-bgqd, scripts).  They need nothing
 * of us, so the constructor takes this library out of LD_PRELOAD in smbd.
 * Other programs keep it: on a domain controller "samba" starts smbd.
 */

#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <link.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "shim.h"
#include "util/macros.h"
#include "util/message.h"

#define SHIM_PUBLIC __attribute__((visibility("default")))
#define SHIM_MODULE "smbd-uring-module.so"

/* libtevent and talloc must be those that smbd itself has loaded. */
static const char *const shim_needs[] = {"libtevent.so.0", "libtalloc.so.2"};

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

/*
 * The interposed functions
 */

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

/*
 * LD_PRELOAD
 */

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

static void shim_leave_environment(const char *own)
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

/*
 * The module
 */

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

static void shim_open_module(const char *own)
{
	preload_module_init_fn_t *module_init = NULL;
	int (*first)(int, int, int, void *, socklen_t *) = NULL;
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
			return;
		}
	}
	if (!shim_module_path(own, path)) {
		shim_complain(strerror(errno));
		return;
	}
	if (shim_module_cut(path)) {
		shim_complain(SHIM_MODULE " is cut short");
		return;
	}
	module = dlopen(path, RTLD_NOW | RTLD_LOCAL | RTLD_NODELETE);
	if (module == NULL) {
		shim_complain(dlerror());
		return;
	}
	module_init = (preload_module_init_fn_t *)dlsym(module,
							PRELOAD_MODULE_INIT);
	if (module_init == NULL) {
		shim_complain(dlerror());
		return;
	}
	first = dlsym(RTLD_DEFAULT, "getsockopt");
	if (first == NULL || first == getsockopt) {
		first = shim_get_next()->getsockopt;
	}
	module_init(shim_get_next(), first, &shim_hooks);
}

static void __attribute__((constructor)) shim_init(void)
{
	Dl_info own = {};

	if (strcmp(program_invocation_short_name, "smbd") != 0 ||
	    dladdr(&shim_hooks, &own) == 0 || own.dli_fname == NULL)
	{
		return;
	}
	shim_leave_environment(own.dli_fname);
	shim_open_module(own.dli_fname);
}
