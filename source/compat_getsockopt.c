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
#include <string.h>

#include "compat_getsockopt.h"
#include "uring_process_internal.h"
#include "uring_syscall.h"

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
	size_t num_refusals;
	struct compat_refusal refusals[COMPAT_REFUSALS];
} compat;

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

	if (uring_syscall_wrapped()) {
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

	uring_syscall_query(sock, query, reason);
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
