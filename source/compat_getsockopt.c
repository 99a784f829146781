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
 * All state here is per process and protected by one mutex.  What a query
 * takes at each time it is asked does without it: answers of
 * compat_query_route() are good until the generation changes, and queries
 * are counted by the batch.
 */

#include "config.h"

#include <errno.h>
#include <link.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>
#include <sys/ioctl.h>
#include <netinet/in.h>
#include <linux/icmp.h>
#include <linux/if_packet.h>
#include <linux/sockios.h>
#include <linux/tcp.h>
#include <linux/udp.h>
#include <liburing.h>
#include <tevent.h>

#include "compat_getsockopt.h"
#include "uring_ring.h"

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

static struct {
	pthread_mutex_t mutex;
	pid_t pid;
	atomic_uint generation;
	_Atomic enum uring_mode mode;
	void (*log_fn)(const char *line);
	int (*getsockopt)(int fd,
			  int level,
			  int optname,
			  void *optval,
			  socklen_t *optlen);
	struct uring_counters counters;
	int ring_error;
	bool logged;
	size_t num_refusals;
	struct compat_refusal refusals[COMPAT_REFUSALS];
} compat = {
	.mutex = PTHREAD_MUTEX_INITIALIZER,
	.mode = URING_MODE_AUTO,
	.getsockopt = getsockopt,
};

/*
 * What a child did not do itself is not its own: counters start at zero,
 * and a ring that its parent was refused may be had by the child.  What was
 * learned about the kernel stays.
 */
static void compat_lock(void)
{
	pid_t pid = tevent_cached_getpid();

	pthread_mutex_lock(&compat.mutex);
	if (compat.pid != pid) {
		compat.pid = pid;
		compat.counters = (struct uring_counters){};
		compat.ring_error = 0;
		compat.logged = false;
	}
}

static void compat_unlock(void)
{
	pthread_mutex_unlock(&compat.mutex);
}

void compat_fork_prepare(void)
{
	pthread_mutex_lock(&compat.mutex);
}

void compat_fork_done(void)
{
	pthread_mutex_unlock(&compat.mutex);
}

void uring_set_mode(enum uring_mode mode)
{
	atomic_store(&compat.mode, mode);
	atomic_fetch_add(&compat.generation, 1);
}

enum uring_mode uring_get_mode(void)
{
	return atomic_load_explicit(&compat.mode, memory_order_relaxed);
}

unsigned compat_generation(void)
{
	return atomic_load_explicit(&compat.generation, memory_order_acquire);
}

static const char *const mode_names[] = {
	[URING_MODE_SYSCALL] = "syscall",
	[URING_MODE_AUTO] = "auto",
	[URING_MODE_RING] = "ring",
};

bool uring_mode_parse(const char *name, enum uring_mode *mode)
{
	size_t i;

	for (i = 0; i < sizeof(mode_names) / sizeof(mode_names[0]); i++) {
		if (strcasecmp(name, mode_names[i]) == 0) {
			*mode = i;
			return true;
		}
	}
	return false;
}

const char *uring_mode_name(enum uring_mode mode)
{
	return mode_names[mode];
}

const char *uring_reason_name(enum uring_reason reason)
{
	static const char *const names[URING_REASON_COUNT] = {
		[URING_REASON_NONE] = "ring",
		[URING_REASON_MODE] = "mode",
		[URING_REASON_FEW] = "few",
		[URING_REASON_LEVEL] = "level",
		[URING_REASON_DENIED] = "denied",
		[URING_REASON_NORING] = "noring",
		[URING_REASON_EUID] = "euid",
		[URING_REASON_WRAPPED] = "wrapped",
		[URING_REASON_SHAPE] = "shape",
		[URING_REASON_ERROR] = "error",
	};

	return names[reason];
}

void uring_counters_get(struct uring_counters *counters)
{
	compat_lock();
	*counters = compat.counters;
	compat_unlock();
}

void uring_set_log_fn(void (*log_fn)(const char *line))
{
	compat_lock();
	compat.log_fn = log_fn;
	compat_unlock();
}

void uring_set_libc_getsockopt(int (
	*fn)(int fd, int level, int optname, void *optval, socklen_t *optlen))
{
	compat_lock();
	compat.getsockopt = fn;
	compat_unlock();
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
	for (i = 0; i < sizeof(parts) / sizeof(parts[0]); i++) {
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

	for (i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
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
static bool compat_wrapped(void)
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

	compat_lock();
	if (compat.num_refusals < COMPAT_REFUSALS &&
	    compat_refused(&key) == NULL) {
		compat.refusals[compat.num_refusals] = key;
		compat.num_refusals++;
		atomic_fetch_add(&compat.generation, 1);
	}
	compat_unlock();
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

	compat_lock();
	r = compat_refused(&key);
	if (r != NULL) {
		reason = r->reason;
	}
	compat_unlock();
	return reason;
}

void compat_count(const size_t queries[URING_REASON_COUNT], size_t enters)
{
	enum uring_reason reason;

	compat_lock();
	compat.counters.ring += queries[URING_REASON_NONE];
	for (reason = URING_REASON_NONE + 1; reason < URING_REASON_COUNT;
	     reason++) {
		compat.counters.syscall += queries[reason];
		compat.counters.reason[reason] += queries[reason];
	}
	compat.counters.enters += enters;
	compat_unlock();
}

/* Where a count is in the value, and what it counts. */
static const struct {
	int level;
	int optname;
	size_t offset;
	/* the value without, and for each that is counted */
	size_t fixed;
	size_t each;
} compat_counted[] = {
	{IPPROTO_IP, IP_MSFILTER, 12, 16, 4},
	{IPPROTO_IP, MCAST_MSFILTER, 140, 144, 128},
	{IPPROTO_IPV6, MCAST_MSFILTER, 140, 144, 128},
};

/* Linux 6.7, include/uapi/linux/tcp.h: the number of keys asked for. */
#define COMPAT_TCP_AO_GET_KEYS 41
#define COMPAT_TCP_AO_NKEYS_OFFSET 272

static uint32_t compat_count_at(const struct uring_query *query, size_t offset)
{
	uint32_t count = 0;

	if (query->optlen >= offset + sizeof(count)) {
		memcpy(&count,
		       (const uint8_t *)query->optval + offset,
		       sizeof(count));
	}
	return count;
}

bool compat_query_overruns(const struct uring_query *query)
{
	size_t i;

	if (query->type != URING_QUERY_GETSOCKOPT || query->optlen == 0) {
		return false;
	}
	if (query->level == SOL_SOCKET && query->optname == SO_GET_FILTER) {
		/* the length counts instructions of 8 bytes */
		return true;
	}
	if (query->level == IPPROTO_TCP &&
	    query->optname == COMPAT_TCP_AO_GET_KEYS) {
		/* their number is written in any case; a length is one key's */
		return query->optlen <
			       COMPAT_TCP_AO_NKEYS_OFFSET + sizeof(uint32_t) ||
		       compat_count_at(query, COMPAT_TCP_AO_NKEYS_OFFSET) > 1;
	}
	for (i = 0; i < sizeof(compat_counted) / sizeof(compat_counted[0]); i++)
	{
		if (query->level == compat_counted[i].level &&
		    query->optname == compat_counted[i].optname)
		{
			uint64_t count = compat_count_at(
				query, compat_counted[i].offset);

			return compat_counted[i].fixed +
				       count * compat_counted[i].each >
			       query->optlen;
		}
	}
	return false;
}

bool compat_query_once(const struct uring_query *query)
{
	static const struct {
		int level;
		int optname;
	} once[] = {
		{SOL_SOCKET, SO_ERROR},
		{IPPROTO_TCP, TCP_SAVED_SYN},
		{IPPROTO_TCP, TCP_ZEROCOPY_RECEIVE},
		{SOL_PACKET, PACKET_STATISTICS},
	};
	size_t i;

	for (i = 0; i < sizeof(once) / sizeof(once[0]); i++) {
		if (query->type == URING_QUERY_GETSOCKOPT &&
		    query->level == once[i].level &&
		    query->optname == once[i].optname)
		{
			return true;
		}
	}
	return false;
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

void compat_ring_created(void)
{
	compat_lock();
	compat.counters.rings_created++;
	compat_unlock();
}

void compat_ring_failed(int error)
{
	void (*log_fn)(const char *line) = NULL;
	char explained[256];
	char line[320];
	bool logged;

	compat_lock();
	compat.counters.rings_failed++;
	compat.ring_error = error;
	logged = compat.logged;
	compat.logged = true;
	log_fn = compat.log_fn;
	compat_unlock();

	if (logged) {
		return;
	}
	snprintf(line,
		 sizeof(line),
		 "smbd_uring: falling back to system calls: %s",
		 uring_ring_explain(error, explained, sizeof(explained)));
	if (log_fn != NULL) {
		log_fn(line);
	} else {
		fprintf(stderr, "%s\n", line);
	}
}

int compat_ring_error(void)
{
	int error;

	compat_lock();
	error = compat.ring_error;
	compat_unlock();
	return error;
}

const char *uring_errno_name(int error)
{
	const char *name = strerrorname_np(error);

	return name != NULL ? name : "E?";
}

/* What a probe asks: one harmless option per level. */
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
#define NUM_PROBE_CLASSES (sizeof(probe_classes) / sizeof(probe_classes[0]))

struct probe_op {
	struct uring_op op;
	int res;
	int value;
};

static void probe_done(struct uring_op *op, int res, bool lost)
{
	struct probe_op *probe = (struct probe_op *)(void *)op;

	probe->res = res;
	if (lost) {
		(void)talloc_steal(NULL, probe);
	}
}

/* What the ring says, as an errno; 0 if it answers. */
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

	for (i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		if (flags & names[i].flag) {
			s = talloc_asprintf_append_buffer(s,
							  "%s%s",
							  *s != '\0' ? " " : "",
							  names[i].name);
		}
	}
	return s;
}

struct uring_probe *uring_probe(TALLOC_CTX *mem_ctx)
{
	struct uring_probe *probe = NULL;
	struct uring_ring *ring = NULL;
	size_t i;

	probe = talloc_zero(mem_ctx, struct uring_probe);
	if (probe == NULL) {
		return NULL;
	}
	probe->wrapped = compat_wrapped();
	probe->num_classes = NUM_PROBE_CLASSES;
	probe->classes = talloc_zero_array(probe,
					   struct uring_probe_class,
					   NUM_PROBE_CLASSES);
	if (probe->classes == NULL) {
		TALLOC_FREE(probe);
		return NULL;
	}

	probe->ring_error = uring_ring_create(probe, &ring);
	if (probe->ring_error == 0) {
		probe->ring_flags = probe_flags(probe,
						uring_ring_setup_flags(ring));
	}

	for (i = 0; i < NUM_PROBE_CLASSES; i++) {
		struct uring_probe_class *c = &probe->classes[i];
		int fd;

		c->socket = probe_classes[i].socket;
		c->level = probe_classes[i].level_name;
		c->error = probe->ring_error;

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
	return probe;
}

const char *uring_probe_explain(bool ring, int error, char *buf, size_t buflen)
{
	if (ring) {
		return uring_ring_explain(error, buf, buflen);
	}

	switch (error) {
	case EOPNOTSUPP:
		snprintf(buf,
			 buflen,
			 "the kernel serves SOL_SOCKET only (EOPNOTSUPP); "
			 "the series in kernel/ lifts it");
		break;
	case EINVAL:
		snprintf(buf,
			 buflen,
			 "the kernel has no socket commands (EINVAL); "
			 "use Linux 6.7 or newer");
		break;
	case EACCES:
	case EPERM:
		snprintf(buf,
			 buflen,
			 "a security module refuses the command (%s); "
			 "allow io_uring cmd on sockets in its policy",
			 uring_errno_name(error));
		break;
	default:
		snprintf(buf,
			 buflen,
			 "%s (%s)",
			 strerror(error),
			 uring_errno_name(error));
		break;
	}
	return buf;
}
