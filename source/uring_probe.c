/* SPDX-License-Identifier: LGPL-3.0-or-later */
/*
 * Finds out which socket queries the ring answers on this kernel.  The probe
 * asks each kind of socket for one harmless option of each level, through a
 * ring of its own.
 */

#include "config.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <netinet/in.h>
#include <linux/icmp.h>
#include <linux/sockios.h>
#include <linux/tcp.h>
#include <linux/udp.h>
#include <liburing.h>

#include "uring_probe.h"
#include "uring_process_internal.h"
#include "uring_ring.h"
#include "uring_sockopt.h"
#include "uring_syscall.h"
#include "util/macros.h"

/* The queries of a probe: one harmless option per level. */
static const struct {
	const char *socket;
	int family;
	int type;
	int protocol;
	const char *level_name;
	enum uring_query_type query;
	int level;
	int optname;
} probe_classes[] = {
#define PROBE_GET(_socket, _family, _type, _protocol, _level, _optname) \
	{                                                               \
		.socket = _socket, .family = _family, .type = _type,    \
		.protocol = _protocol, .level_name = #_level,           \
		.query = URING_QUERY_GETSOCKOPT, .level = _level,       \
		.optname = _optname,                                    \
	}
#define PROBE_IOCTL(_socket, _family, _type, _protocol, _name)       \
	{                                                            \
		.socket = _socket, .family = _family, .type = _type, \
		.protocol = _protocol, .level_name = #_name,         \
		.query = URING_QUERY_##_name,                        \
	}
	PROBE_GET("tcp4", AF_INET, SOCK_STREAM, 0, SOL_SOCKET, SO_TYPE),
	PROBE_GET("tcp4", AF_INET, SOCK_STREAM, 0, IPPROTO_TCP, TCP_MAXSEG),
	PROBE_GET("tcp4", AF_INET, SOCK_STREAM, 0, IPPROTO_IP, IP_TOS),
	PROBE_IOCTL("tcp4", AF_INET, SOCK_STREAM, 0, SIOCOUTQ),
	PROBE_IOCTL("tcp4", AF_INET, SOCK_STREAM, 0, SIOCINQ),
	PROBE_GET("tcp6", AF_INET6, SOCK_STREAM, 0, SOL_SOCKET, SO_TYPE),
	PROBE_GET("tcp6", AF_INET6, SOCK_STREAM, 0, IPPROTO_TCP, TCP_MAXSEG),
	PROBE_GET("tcp6", AF_INET6, SOCK_STREAM, 0, IPPROTO_IPV6, IPV6_TCLASS),
	PROBE_IOCTL("tcp6", AF_INET6, SOCK_STREAM, 0, SIOCOUTQ),
	PROBE_IOCTL("tcp6", AF_INET6, SOCK_STREAM, 0, SIOCINQ),
	PROBE_GET("udp4", AF_INET, SOCK_DGRAM, 0, SOL_SOCKET, SO_TYPE),
	PROBE_GET("udp4", AF_INET, SOCK_DGRAM, 0, IPPROTO_UDP, UDP_CORK),
	PROBE_GET("udp4", AF_INET, SOCK_DGRAM, 0, IPPROTO_IP, IP_TOS),
	PROBE_GET("udp6", AF_INET6, SOCK_DGRAM, 0, SOL_SOCKET, SO_TYPE),
	PROBE_GET("udp6", AF_INET6, SOCK_DGRAM, 0, IPPROTO_UDP, UDP_CORK),
	PROBE_GET("udp6", AF_INET6, SOCK_DGRAM, 0, IPPROTO_IPV6, IPV6_TCLASS),
	PROBE_GET("raw4", AF_INET, SOCK_RAW, IPPROTO_ICMP, SOL_SOCKET, SO_TYPE),
	PROBE_GET("raw4",
		  AF_INET,
		  SOCK_RAW,
		  IPPROTO_ICMP,
		  SOL_RAW,
		  ICMP_FILTER),
	PROBE_GET("raw4", AF_INET, SOCK_RAW, IPPROTO_ICMP, IPPROTO_IP, IP_TOS),
	PROBE_GET("raw6", AF_INET6, SOCK_RAW, IPPROTO_UDP, SOL_SOCKET, SO_TYPE),
	PROBE_GET("raw6",
		  AF_INET6,
		  SOCK_RAW,
		  IPPROTO_UDP,
		  IPPROTO_IPV6,
		  IPV6_CHECKSUM),
	PROBE_GET("unix", AF_UNIX, SOCK_STREAM, 0, SOL_SOCKET, SO_TYPE),
#undef PROBE_GET
#undef PROBE_IOCTL
};
#define NUM_PROBE_CLASSES ARRAY_SIZE(probe_classes)

struct probe {
	struct uring_probe result;
	struct uring_probe_class classes[NUM_PROBE_CLASSES];
};

struct probe_op {
	struct uring_op op;
	int res;
	int value;
};

static void probe_done(struct uring_op *op, int res, bool lost)
{
	struct probe_op *probe = container_of(op, struct probe_op, op);

	probe->res = res;
	if (lost) {
		uring_leak_on_purpose(probe);
	}
}

/* The ring's errno for query i; 0 if the ring answers. */
static int probe_ask(TALLOC_CTX *mem_ctx,
		     struct uring_ring *ring,
		     size_t i,
		     int fd)
{
	struct probe_op *probe = NULL;
	int ret;

	probe = talloc_zero(mem_ctx, struct probe_op);
	if (probe == NULL) {
		return ENOMEM;
	}
	probe->op.done = probe_done;

	switch (probe_classes[i].query) {
	case URING_QUERY_SIOCINQ:
		ret = uring_ring_ioctl(ring, &probe->op, fd, SIOCINQ);
		break;
	case URING_QUERY_SIOCOUTQ:
		ret = uring_ring_ioctl(ring, &probe->op, fd, SIOCOUTQ);
		break;
	default:
		ret = uring_ring_getsockopt(ring,
					    &probe->op,
					    fd,
					    probe_classes[i].level,
					    probe_classes[i].optname,
					    &probe->value,
					    sizeof(probe->value));
		break;
	}
	if (ret == 0) {
		ret = uring_ring_run(ring);
	}
	if (ret == 0 && probe->res < 0) {
		ret = -probe->res;
	}
	return ret;
}

static const char *probe_flags(TALLOC_CTX *mem_ctx, unsigned flags)
{
	static const struct {
		unsigned flag;
		const char *name;
	} names[] = {
		{IORING_SETUP_SUBMIT_ALL, "SUBMIT_ALL"},
		{IORING_SETUP_COOP_TASKRUN, "COOP_TASKRUN"},
		{IORING_SETUP_SINGLE_ISSUER, "SINGLE_ISSUER"},
		{IORING_SETUP_DEFER_TASKRUN, "DEFER_TASKRUN"},
		{IORING_SETUP_R_DISABLED, "R_DISABLED"},
	};
	char *s = talloc_strdup(mem_ctx, "");
	size_t i;

	for (i = 0; i < ARRAY_SIZE(names); i++) {
		if (flags & names[i].flag) {
			s = talloc_asprintf_append_buffer(s,
							  "%s%s",
							  *s != '\0' ? " " : "",
							  names[i].name);
		}
	}
	return s;
}

/*
 * A kernel that does not even answer SOL_SOCKET has no getsockopt command.  It
 * returns EINVAL (before 5.19) or EOPNOTSUPP (up to 6.6).  Later kernels return
 * EOPNOTSUPP for a level that they do not serve.
 */
static void probe_without_command(struct probe *probe)
{
	size_t i;

	for (i = 0; i < NUM_PROBE_CLASSES; i++) {
		const struct uring_probe_class *c = &probe->classes[i];

		if (c->error == 0 && c->socket_error == 0 &&
		    strcmp(c->level, "SOL_SOCKET") == 0)
		{
			return;
		}
	}
	for (i = 0; i < NUM_PROBE_CLASSES; i++) {
		struct uring_probe_class *c = &probe->classes[i];

		if (c->error == EOPNOTSUPP || c->error == EINVAL) {
			c->error = ENOSYS;
		}
	}
}

struct uring_probe *uring_probe(TALLOC_CTX *mem_ctx)
{
	struct probe *probe = NULL;
	struct uring_ring *ring = NULL;
	size_t i;

	probe = talloc_zero(mem_ctx, struct probe);
	if (probe == NULL) {
		return NULL;
	}
	probe->result.wrapped = uring_syscall_wrapped();
	probe->result.ring_error = uring_ring_create(probe, &ring);
	if (ring != NULL) {
		unsigned flags = uring_ring_setup_flags(ring);

		probe->result.ring_flags = probe_flags(probe, flags);
	}

	for (i = 0; i < NUM_PROBE_CLASSES; i++) {
		struct uring_probe_class *c = &probe->classes[i];
		int fd;

		c->socket = probe_classes[i].socket;
		c->level = probe_classes[i].level_name;
		c->error = probe->result.ring_error;

		fd = socket(probe_classes[i].family,
			    probe_classes[i].type | SOCK_CLOEXEC,
			    probe_classes[i].protocol);
		if (fd == -1) {
			c->socket_error = errno;
			continue;
		}
		if (ring != NULL && uring_ring_usable(ring)) {
			c->error = probe_ask(probe, ring, i, fd);
		} else if (ring != NULL) {
			c->error = uring_ring_errno(ring);
		}
		close(fd);
	}
	TALLOC_FREE(ring);
	if (probe->result.ring_error == 0) {
		probe_without_command(probe);
	}
	return &probe->result;
}

const struct uring_probe_class *uring_probe_class(
	const struct uring_probe *probe,
	size_t i)
{
	const struct probe *p = (const struct probe *)(const void *)probe;

	return i < NUM_PROBE_CLASSES ? &p->classes[i] : NULL;
}
