// SPDX-License-Identifier: LGPL-3.0-or-later
/*
 * The preload library, second half: the module that the shim opens in smbd.
 *
 * Its entry registers a backend with tevent and makes it the default; smbd has
 * not read smb.conf then.  When smbd creates its first event context smb.conf
 * is loaded, and the context either runs on io_uring or is epoll's, untouched.
 *
 * A stock smbd has no hook for us, so we watch what passes by.  smbd adds each
 * SMB connection to the event context, and the name of the handler tells us
 * that it is one.  The shim interposes tree connects and getsockopt().
 */

#include "config.h"

#include <string.h>
#include <sys/types.h>

#include "connection.h"
#include "epoll_interpose.h"
#include "log_once.h"
#include "names.h"
#include "query.h"
#include "settings.h"
#include "share.h"
#include "shim.h"
#include "smbd_uring_backend.h"
#include "tree.h"
#include "uring_ring_try.h"

static struct {
	const struct preload_functions *next;
	struct preload_functions *hooks;
	const struct tevent_ops *uring_ops;
	const struct tevent_ops *epoll_ops;
	struct tevent_ops ops;

	/* smb.conf, as of the last context */
	bool use_backend;
	bool active;
} preload;

URING_PUBLIC preload_module_init_fn_t smbd_uring_module_init;

/*
 * epoll, for the wait that carries queries
 */

static int preload_epoll_create(int size)
{
	int fd = preload.next->epoll_create(size);

	uring_epoll_created(fd);
	return fd;
}

static int preload_epoll_create1(int flags)
{
	int fd = preload.next->epoll_create1(flags);

	uring_epoll_created(fd);
	return fd;
}

static int preload_epoll_wait(int epfd,
			      struct epoll_event *events,
			      int maxevents,
			      int timeout)
{
	int ret;

	if (uring_epoll_wait(epfd, events, maxevents, timeout, &ret)) {
		return ret;
	}
	return preload.next->epoll_wait(epfd, events, maxevents, timeout);
}

/*
 * The operations of the backend
 */

/* Once in smbd, before it has any children. */
static void preload_start(void)
{
	static bool started;

	if (started) {
		return;
	}
	started = true;
	preload_log_start();
	if (preload.use_backend) {
		preload_trees_check();
		/* children inherit the result, and log what follows from it */
		(void)uring_ring_try();
	}
}

/* Once in each process: smb.conf may have been loaded again. */
static void preload_process(void)
{
	static pid_t checked;
	pid_t pid = tevent_cached_getpid();

	if (checked != pid) {
		checked = pid;
		preload_names_check_global();
	}
}

static int preload_context_init(struct tevent_context *ev)
{
	preload.use_backend = preload_settings_load();
	preload_start();
	preload_process();
	preload_shares_load(preload.use_backend);
	preload.active = preload.use_backend ||
			 uring_get_mode() != URING_MODE_SYSCALL;
	if (!preload.use_backend) {
		return preload.epoll_ops->context_init(ev);
	}
	preload.hooks->epoll_create = preload_epoll_create;
	preload.hooks->epoll_create1 = preload_epoll_create1;
	preload.hooks->epoll_wait = preload_epoll_wait;
	return preload.uring_ops->context_init(ev);
}

static struct tevent_fd *preload_add_fd(struct tevent_context *ev,
					TALLOC_CTX *mem_ctx,
					int fd,
					uint16_t flags,
					tevent_fd_handler_t handler,
					void *private_data,
					const char *handler_name,
					const char *location)
{
	struct tevent_fd *fde = NULL;

	fde = preload.epoll_ops->add_fd(ev,
					mem_ctx,
					fd,
					flags,
					handler,
					private_data,
					handler_name,
					location);
	if (fde == NULL || !preload.active) {
		return fde;
	}

	/*
	 * source3/smbd: the first handler watches a new connection until it is
	 * known to speak SMB2, then the second one does.
	 */
	if (strcmp(handler_name, "smbd_server_connection_handler") == 0 ||
	    strcmp(handler_name, "smbd_smb2_connection_handler") == 0)
	{
		preload_connection_start(ev,
					 fde,
					 fd,
					 preload.use_backend ? "io_uring"
							     : "epoll");
	}
	return fde;
}

static void preload_set_fd_close_fn(struct tevent_fd *fde,
				    tevent_fd_close_fn_t close_fn)
{
	preload.epoll_ops->set_fd_close_fn(
		fde, preload_connection_set_close_fn(fde, close_fn));
}

void smbd_uring_module_init(const struct preload_functions *next,
			    int (*first)(int fd,
					 int level,
					 int optname,
					 void *optval,
					 socklen_t *optlen),
			    struct preload_functions *hooks)
{
	preload.next = next;
	preload.hooks = hooks;
	uring_set_libc_getsockopt(first);
	uring_set_log_fn(preload_warning_fallback);

	preload.uring_ops = smbd_uring_backend_ops();
	preload.epoll_ops = tevent_find_ops_byname("epoll");
	if (preload.uring_ops == NULL || preload.epoll_ops == NULL) {
		return;
	}
	preload.ops = *preload.uring_ops;
	preload.ops.context_init = preload_context_init;
	preload.ops.add_fd = preload_add_fd;
	preload.ops.set_fd_close_fn = preload_set_fd_close_fn;

	if (tevent_register_backend(SMBD_URING_BACKEND_NAME, &preload.ops)) {
		preload_query_init(hooks);
		preload_trees_init(next, hooks);
		tevent_set_default_backend(SMBD_URING_BACKEND_NAME);
	}
}
