/* SPDX-License-Identifier: LGPL-3.0-or-later */
/**
 * @file shim.h
 * What the two halves of the preload library tell each other.
 */

#ifndef PRELOAD_SHIM_H
#define PRELOAD_SHIM_H

#include <sys/epoll.h>
#include <sys/socket.h>

struct vfs_handle_struct;

/** The functions that the shim interposes. */
struct preload_functions {
	int (*getsockopt)(int fd,
			  int level,
			  int optname,
			  void *optval,
			  socklen_t *optlen);
	int (*epoll_create)(int size);
	int (*epoll_create1)(int flags);
	int (*epoll_wait)(int epfd,
			  struct epoll_event *events,
			  int maxevents,
			  int timeout);
	/* of libsmbd-base; NULL in next if this program has none */
	int (*connect)(struct vfs_handle_struct *handle,
		       const char *service,
		       const char *user);
	void (*disconnect)(struct vfs_handle_struct *handle);
};

/**
 * The module's one entry, called by the shim's constructor.
 *
 * @param[in] next   who would be called if the shim were not there
 * @param[in] first  getsockopt() as the program would call it, were the shim
 *                   not there: a wrapper that comes before the shim stays in
 *                   use
 * @param[out] hooks  the shim calls what is not NULL in it; the module may
 *                    change it at any time while the process has one thread
 */
typedef void preload_module_init_fn_t(
	const struct preload_functions *next,
	int (*first)(int fd,
		     int level,
		     int optname,
		     void *optval,
		     socklen_t *optlen),
	struct preload_functions *hooks);

#define PRELOAD_MODULE_INIT "smbd_uring_module_init"

#endif
