/* SPDX-License-Identifier: LGPL-3.0-or-later */
/*
 * Which way a socket query goes on this machine, and the answer that is
 * always right.
 *
 * No probe of io_uring tells which socket options its command serves: not
 * io_uring_get_probe(), not IORING_REGISTER_QUERY.  So it is learned by
 * asking: a query goes through the ring until the ring has refused its like
 * (family, type, protocol, level, option) where the system call succeeds;
 * such a refusal is remembered.  The level alone would do for a kernel that
 * serves SOL_SOCKET only (io_uring_cmd_getsockopt() up to Linux 7.2), but a
 * kernel that serves more refuses single options of a level it serves.
 *
 * An error of the ring is never returned.  EOPNOTSUPP is a legal answer of
 * getsockopt(2) as well as the ring's word for "not this level"; a length
 * that belongs to an error (ERANGE) does not fit into a completion; a
 * security module may refuse the command but not the call.  The system call
 * settles all of it at once, and errors are rare.
 *
 * What was learned is kept for the process, under its mutex.  A batch keeps
 * the answers of compat_query_route() until uring_routing_generation() changes,
 * so that a query does not take the mutex each time it is asked.
 */

#include "config.h"

#include <errno.h>
#include <link.h>
#include <pthread.h>
#include <string.h>
#include <sys/ioctl.h>
#include <linux/sockios.h>

#include "compat_getsockopt.h"
#include "uring_process_internal.h"
#include "util/macros.h"

/*
 * A transport snapshot over both families has ten options beyond
 * SOL_SOCKET.  What does not fit is asked through the ring each time, which
 * is slow and right.
 */
#define COMPAT_REFUSALS 64

/* In place of a level, for what has none. */
#define COMPAT_LEVEL_IOCTL (-1)

struct compat_refusal {
	int family;
	int type;
	int protocol;
	int level;
	int optname;
	enum uring_reason reason;
};

/* What was learned about the kernel stays valid in a child. */
static struct {
	int (*getsockopt)(int fd,
			  int level,
			  int optname,
			  void *optval,
			  socklen_t *optlen);
	size_t num_refusals;
	struct compat_refusal refusals[COMPAT_REFUSALS];
} compat = {
	.getsockopt = getsockopt,
};

void uring_set_libc_getsockopt(int (
	*fn)(int fd, int level, int optname, void *optval, socklen_t *optlen))
{
	uring_process_lock();
	compat.getsockopt = fn;
	uring_process_unlock();
}

int compat_libc_getsockopt(int fd,
			   int level,
			   int optname,
			   void *optval,
			   socklen_t *optlen)
{
	/* set before the first query, so that no lock is needed */
	return compat.getsockopt(fd, level, optname, optval, optlen);
}

int uring_socket_init(int fd, struct uring_socket *sock)
{
	struct {
		int optname;
		int *value;
	} parts[] = {
		{SO_DOMAIN, &sock->family},
		{SO_TYPE, &sock->type},
		{SO_PROTOCOL, &sock->protocol},
	};
	size_t i;

	*sock = (struct uring_socket){
		.fd = fd,
	};
	for (i = 0; i < ARRAY_SIZE(parts); i++) {
		socklen_t len = sizeof(int);
		int ret;

		ret = compat_libc_getsockopt(
			fd, SOL_SOCKET, parts[i].optname, parts[i].value, &len);
		if (ret != 0) {
			return errno;
		}
	}
	return 0;
}

static int compat_find_wrapper(struct dl_phdr_info *info,
			       size_t size,
			       void *private_data)
{
	const char *names[] = {
		"libsocket_wrapper",
		"libsocket-wrapper",
		"libquic_ko_wrapper",
		"libquic-ko-wrapper",
	};
	size_t i;

	for (i = 0; i < ARRAY_SIZE(names); i++) {
		if (strstr(info->dlpi_name, names[i]) != NULL) {
			return 1;
		}
	}
	return 0;
}

static bool wrappers_loaded;

static void compat_init_wrappers(void)
{
	wrappers_loaded = dl_iterate_phdr(compat_find_wrapper, NULL) != 0;
}

/* Both work by LD_PRELOAD only, so the first look is valid for good. */
bool compat_wrapped(void)
{
	static pthread_once_t once = PTHREAD_ONCE_INIT;

	pthread_once(&once, compat_init_wrappers);
	return wrappers_loaded;
}

static struct compat_refusal compat_key(const struct uring_socket *sock,
					const struct uring_query *query)
{
	struct compat_refusal key = {
		.family = sock->family,
		.type = sock->type,
		.protocol = sock->protocol,
		.level = COMPAT_LEVEL_IOCTL,
		.optname = query->type,
	};

	if (query->type == URING_QUERY_GETSOCKOPT) {
		key.level = query->level;
		key.optname = query->optname;
	}
	return key;
}

/* With the lock held. */
static const struct compat_refusal *compat_refused(
	const struct compat_refusal *key)
{
	size_t i;

	for (i = 0; i < compat.num_refusals; i++) {
		const struct compat_refusal *r = &compat.refusals[i];

		if (r->level == key->level && r->optname == key->optname &&
		    r->family == key->family && r->type == key->type &&
		    r->protocol == key->protocol)
		{
			return r;
		}
	}
	return NULL;
}

static void compat_learn_refusal(const struct uring_socket *sock,
				 const struct uring_query *query,
				 enum uring_reason reason)
{
	struct compat_refusal key = compat_key(sock, query);

	if (sock->family == -1) {
		return;
	}
	key.reason = reason;

	uring_process_lock();
	if (compat.num_refusals < COMPAT_REFUSALS &&
	    compat_refused(&key) == NULL) {
		compat.refusals[compat.num_refusals] = key;
		compat.num_refusals++;
		uring_routing_changed();
	}
	uring_process_unlock();
}

enum uring_reason compat_query_route(const struct uring_socket *sock,
				     const struct uring_query *query)
{
	struct compat_refusal key = compat_key(sock, query);
	enum uring_reason reason = URING_REASON_NONE;
	const struct compat_refusal *r = NULL;

	if (compat_wrapped()) {
		return URING_REASON_WRAPPED;
	}
	if (query->optlen > INT32_MAX) {
		return URING_REASON_SHAPE;
	}
	if (uring_get_mode() == URING_MODE_SYSCALL) {
		return URING_REASON_MODE;
	}

	uring_process_lock();
	r = compat_refused(&key);
	if (r != NULL) {
		reason = r->reason;
	}
	uring_process_unlock();
	return reason;
}

static void compat_syscall(const struct uring_socket *sock,
			   struct uring_query *query)
{
	int ret = -1;

	switch (query->type) {
	case URING_QUERY_GETSOCKOPT:
		ret = compat_libc_getsockopt(sock->fd,
					     query->level,
					     query->optname,
					     query->optval,
					     &query->optlen);
		break;
	case URING_QUERY_SIOCINQ:
		ret = ioctl(sock->fd, SIOCINQ, query->optval);
		break;
	case URING_QUERY_SIOCOUTQ:
		ret = ioctl(sock->fd, SIOCOUTQ, query->optval);
		break;
	}
	query->error = ret < 0 ? errno : 0;
}

void compat_query_syscall(const struct uring_socket *sock,
			  struct uring_query *query,
			  enum uring_reason reason)
{
	compat_syscall(sock, query);
	query->reason = reason;
}

void compat_query_result(const struct uring_socket *sock,
			 struct uring_query *query,
			 int res)
{
	enum uring_reason reason = URING_REASON_ERROR;

	if (res >= 0) {
		if (query->type == URING_QUERY_GETSOCKOPT) {
			query->optlen = res;
		} else {
			memcpy(query->optval, &res, sizeof(res));
		}
		query->error = 0;
		query->reason = URING_REASON_NONE;
		return;
	}

	compat_syscall(sock, query);
	if (query->error == 0) {
		switch (-res) {
		case EOPNOTSUPP:
		case EINVAL:
			/* EINVAL: no such operation or sub-operation */
			reason = URING_REASON_LEVEL;
			break;
		case EACCES:
		case EPERM:
			reason = URING_REASON_DENIED;
			break;
		default:
			break;
		}
	}
	if (reason != URING_REASON_ERROR) {
		compat_learn_refusal(sock, query, reason);
	}
	query->reason = reason;
}
