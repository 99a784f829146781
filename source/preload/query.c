// SPDX-License-Identifier: LGPL-3.0-or-later
/*
 * How this process asks about its sockets, see query.h.
 *
 * A lone query is cheaper by system call, so smbd's own getsockopt() calls go
 * to libc.  Only the mode "ring", which exists for tests, sends them through
 * the ring and counts them.
 */

#include "config.h"

#include <inttypes.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdatomic.h>
#include <talloc.h>

#include "log.h"
#include "query.h"
#include "uring_sockopt.h"

static struct {
	struct preload_functions *hooks;
	atomic_uint_fast64_t ring;
	atomic_uint_fast64_t syscall;
	atomic_uint_fast64_t tcp_info_ring;
	atomic_uint_fast64_t tcp_info_syscall;
} own;

static int query_getsockopt(int fd,
			    int level,
			    int optname,
			    void *optval,
			    socklen_t *optlen)
{
	bool tcp_info = level == IPPROTO_TCP && optname == TCP_INFO;
	enum uring_reason reason = URING_REASON_MODE;
	int ret;

	ret = uring_getsockopt(fd, level, optname, optval, optlen, &reason);
	if (reason == URING_REASON_NONE) {
		atomic_fetch_add(&own.ring, 1);
		atomic_fetch_add(&own.tcp_info_ring, tcp_info);
	} else {
		atomic_fetch_add(&own.syscall, 1);
		atomic_fetch_add(&own.tcp_info_syscall, tcp_info);
	}
	return ret;
}

void preload_query_init(struct preload_functions *hooks)
{
	own.hooks = hooks;
	uring_set_mode(URING_MODE_SYSCALL);
}

void preload_query_set_mode(enum uring_mode mode)
{
	if (mode == uring_get_mode()) {
		return;
	}
	uring_set_mode(mode);
	own.hooks->getsockopt = mode == URING_MODE_RING ? query_getsockopt :
							  NULL;
}

void preload_query_report(void)
{
	struct uring_counters c;
	char *reasons = NULL;
	int i;

	if (!preload_informs()) {
		return;
	}
	uring_counters_get(&c, sizeof(c));
	reasons = talloc_strdup(NULL, "");
	for (i = URING_REASON_NONE + 1; uring_reason_name(i) != NULL; i++) {
		reasons = talloc_asprintf_append_buffer(reasons,
							" %s=%" PRIu64,
							uring_reason_name(i),
							uring_counters_reason(i));
	}
	preload_information("smbd_uring: queries when=end ring=%" PRIu64
			    " syscall=%" PRIu64 " enters=%" PRIu64
			    " own_ring=%" PRIuFAST64
			    " own_syscall=%" PRIuFAST64
			    " own_tcp_info_ring=%" PRIuFAST64
			    " own_tcp_info_syscall=%" PRIuFAST64 "%s",
			    c.ring,
			    c.syscall,
			    c.enters,
			    atomic_load(&own.ring),
			    atomic_load(&own.syscall),
			    atomic_load(&own.tcp_info_ring),
			    atomic_load(&own.tcp_info_syscall),
			    reasons != NULL ? reasons : "");
	TALLOC_FREE(reasons);
}
