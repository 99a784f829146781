/* SPDX-License-Identifier: LGPL-3.0-or-later */
/*
 * Routes a socket query to the ring or to the system call, and returns the
 * system call's answer where the two differ.
 *
 * io_uring has no probe for the socket options that its command serves:
 * neither io_uring_get_probe() nor IORING_REGISTER_QUERY reports them.  So the
 * library learns by asking.  A query goes through the ring until the ring
 * refuses one of the same class (family, type, protocol, level, option) for
 * which the system call succeeds.  The library remembers that refusal.  The
 * level alone would be enough for a kernel that serves SOL_SOCKET only
 * (io_uring_cmd_getsockopt() up to Linux 7.3).  A kernel that serves more
 * levels refuses single options of a level that it serves.
 *
 * The library never returns an error of the ring:
 * - EOPNOTSUPP is a legal answer of getsockopt(2), and the ring also uses it
 *   for "not this level".
 * - A completion has no room for a length that belongs to an error (ERANGE).
 * - A security module may refuse the command and allow the call.
 * The system call settles all three cases at once, and errors are rare.
 *
 * The process keeps the learned refusals under its mutex.  A batch keeps the
 * answers of compat_query_route() until uring_routing_generation() changes, so
 * that asking a query does not take the mutex each time.
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
 * SOL_SOCKET.  A query whose refusal does not fit here goes through the ring
 * each time: the answer is correct, but slow.
 */
#define COMPAT_REFUSALS 64

/* Stands for the level of an ioctl, which has none. */
#define COMPAT_LEVEL_IOCTL (-1)

struct compat_refusal {
	int family;
	int type;
	int protocol;
	int level;
	int optname;
	enum uring_reason reason;
};

/* A child keeps the refusals: it runs on the same kernel. */
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
	/* no lock: the function is set before the first query */
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

/* LD_PRELOAD alone can load a wrapper, so one check lasts for the process. */
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

/* The caller holds the lock. */
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
			/* EINVAL: the kernel lacks the operation or command */
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
