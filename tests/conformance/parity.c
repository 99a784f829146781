/* SPDX-License-Identifier: LGPL-3.0-or-later */
/*
 * Description: a query that is routed through the ring answers what
 * getsockopt(2) answers: result, errno, length and every byte.
 *
 * Each (socket, level, option) is asked with buffer lengths 0, 1, exact-1,
 * exact and exact+8 (exact is the length that the system call reports for a
 * large buffer), with a pattern in and behind the buffer.  Some answers
 * change by themselves (timers in TCP_INFO): the system call is made before
 * and after, and where both agree the ring must agree too.
 *
 * --expect-ring sol_socket|all says what the kernel can do, and the reasons
 * that the router gives must show it: SOL_SOCKET alone, respectively every
 * level that the series in kernel/ converts, was answered by the ring.
 */

#include "config.h"

#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <sys/un.h>
#include <arpa/inet.h>
#include <netinet/in.h>
#include <linux/icmp.h>
#include <linux/icmpv6.h>
#include <linux/tcp.h>
#include <linux/udp.h>

#include "uring_sockopt.h"

#define BUFFER_SIZE 4096
#define CANARY_SIZE 64
#define PATTERN 0xa5

/* Debian 12's headers are of Linux 6.1. */
#ifndef SO_NETNS_COOKIE
#define SO_NETNS_COOKIE 71
#endif
#ifndef SO_RESERVE_MEM
#define SO_RESERVE_MEM 73
#endif
#ifndef SO_TXREHASH
#define SO_TXREHASH 74
#endif
#ifndef SO_RCVMARK
#define SO_RCVMARK 75
#endif

/* The kinds of sockets that an option is asked on. */
enum {
	TCP = 1 << 0,
	UDP = 1 << 1,
	RAW = 1 << 2,
	UNIX = 1 << 3,
	V4 = 1 << 4,
	V6 = 1 << 5,
	INET = TCP | UDP | RAW,
	ANY = TCP | UDP | RAW | UNIX,
};

struct option {
	const char *level_name;
	const char *name;
	int level;
	int optname;
	int kinds;
};

#define OPTION(_level, _optname, _kinds)                     \
	{                                                    \
#_level, #_optname, _level, _optname, _kinds \
	}

/*
 * Not here: options that read their buffer or change something when they
 * are asked (TCP_ZEROCOPY_RECEIVE, SO_PEERPIDFD, ...); they have tests of
 * their own needs.
 */
static const struct option options[] = {
	OPTION(SOL_SOCKET, SO_DEBUG, ANY),
	OPTION(SOL_SOCKET, SO_REUSEADDR, ANY),
	OPTION(SOL_SOCKET, SO_TYPE, ANY),
	OPTION(SOL_SOCKET, SO_ERROR, ANY),
	OPTION(SOL_SOCKET, SO_DONTROUTE, ANY),
	OPTION(SOL_SOCKET, SO_BROADCAST, ANY),
	OPTION(SOL_SOCKET, SO_SNDBUF, ANY),
	OPTION(SOL_SOCKET, SO_RCVBUF, ANY),
	OPTION(SOL_SOCKET, SO_KEEPALIVE, ANY),
	OPTION(SOL_SOCKET, SO_OOBINLINE, ANY),
	OPTION(SOL_SOCKET, SO_NO_CHECK, ANY),
	OPTION(SOL_SOCKET, SO_PRIORITY, ANY),
	OPTION(SOL_SOCKET, SO_LINGER, ANY),
	OPTION(SOL_SOCKET, SO_REUSEPORT, ANY),
	OPTION(SOL_SOCKET, SO_PASSCRED, ANY),
	OPTION(SOL_SOCKET, SO_PEERCRED, ANY),
	OPTION(SOL_SOCKET, SO_RCVLOWAT, ANY),
	OPTION(SOL_SOCKET, SO_SNDLOWAT, ANY),
	OPTION(SOL_SOCKET, SO_RCVTIMEO, ANY),
	OPTION(SOL_SOCKET, SO_SNDTIMEO, ANY),
	OPTION(SOL_SOCKET, SO_PEERNAME, ANY),
	OPTION(SOL_SOCKET, SO_TIMESTAMP, ANY),
	OPTION(SOL_SOCKET, SO_ACCEPTCONN, ANY),
	OPTION(SOL_SOCKET, SO_PEERSEC, ANY),
	OPTION(SOL_SOCKET, SO_PASSSEC, ANY),
	OPTION(SOL_SOCKET, SO_TIMESTAMPNS, ANY),
	OPTION(SOL_SOCKET, SO_MARK, ANY),
	OPTION(SOL_SOCKET, SO_TIMESTAMPING, ANY),
	OPTION(SOL_SOCKET, SO_PROTOCOL, ANY),
	OPTION(SOL_SOCKET, SO_DOMAIN, ANY),
	OPTION(SOL_SOCKET, SO_RXQ_OVFL, ANY),
	OPTION(SOL_SOCKET, SO_WIFI_STATUS, ANY),
	OPTION(SOL_SOCKET, SO_PEEK_OFF, ANY),
	OPTION(SOL_SOCKET, SO_NOFCS, ANY),
	OPTION(SOL_SOCKET, SO_LOCK_FILTER, ANY),
	OPTION(SOL_SOCKET, SO_SELECT_ERR_QUEUE, ANY),
	OPTION(SOL_SOCKET, SO_BUSY_POLL, ANY),
	OPTION(SOL_SOCKET, SO_MAX_PACING_RATE, ANY),
	OPTION(SOL_SOCKET, SO_INCOMING_CPU, ANY),
	OPTION(SOL_SOCKET, SO_MEMINFO, ANY),
	OPTION(SOL_SOCKET, SO_INCOMING_NAPI_ID, ANY),
	OPTION(SOL_SOCKET, SO_COOKIE, ANY),
	OPTION(SOL_SOCKET, SO_PEERGROUPS, ANY),
	OPTION(SOL_SOCKET, SO_ZEROCOPY, ANY),
	OPTION(SOL_SOCKET, SO_TXTIME, ANY),
	OPTION(SOL_SOCKET, SO_BINDTODEVICE, ANY),
	OPTION(SOL_SOCKET, SO_BINDTOIFINDEX, ANY),
	OPTION(SOL_SOCKET, SO_NETNS_COOKIE, ANY),
	OPTION(SOL_SOCKET, SO_BUF_LOCK, ANY),
	OPTION(SOL_SOCKET, SO_RESERVE_MEM, ANY),
	OPTION(SOL_SOCKET, SO_TXREHASH, ANY),
	OPTION(SOL_SOCKET, SO_RCVMARK, ANY),
	OPTION(SOL_SOCKET, 9999, ANY),

	OPTION(IPPROTO_TCP, TCP_NODELAY, TCP | V4 | V6),
	OPTION(IPPROTO_TCP, TCP_MAXSEG, TCP | V4 | V6),
	OPTION(IPPROTO_TCP, TCP_CORK, TCP | V4 | V6),
	OPTION(IPPROTO_TCP, TCP_KEEPIDLE, TCP | V4 | V6),
	OPTION(IPPROTO_TCP, TCP_KEEPINTVL, TCP | V4 | V6),
	OPTION(IPPROTO_TCP, TCP_KEEPCNT, TCP | V4 | V6),
	OPTION(IPPROTO_TCP, TCP_SYNCNT, TCP | V4 | V6),
	OPTION(IPPROTO_TCP, TCP_LINGER2, TCP | V4 | V6),
	OPTION(IPPROTO_TCP, TCP_DEFER_ACCEPT, TCP | V4 | V6),
	OPTION(IPPROTO_TCP, TCP_WINDOW_CLAMP, TCP | V4 | V6),
	OPTION(IPPROTO_TCP, TCP_INFO, TCP | V4 | V6),
	OPTION(IPPROTO_TCP, TCP_QUICKACK, TCP | V4 | V6),
	OPTION(IPPROTO_TCP, TCP_CONGESTION, TCP | V4 | V6),
	OPTION(IPPROTO_TCP, TCP_ULP, TCP | V4 | V6),
	OPTION(IPPROTO_TCP, TCP_THIN_LINEAR_TIMEOUTS, TCP | V4 | V6),
	OPTION(IPPROTO_TCP, TCP_USER_TIMEOUT, TCP | V4 | V6),
	OPTION(IPPROTO_TCP, TCP_FASTOPEN, TCP | V4 | V6),
	OPTION(IPPROTO_TCP, TCP_FASTOPEN_CONNECT, TCP | V4 | V6),
	OPTION(IPPROTO_TCP, TCP_FASTOPEN_NO_COOKIE, TCP | V4 | V6),
	OPTION(IPPROTO_TCP, TCP_TX_DELAY, TCP | V4 | V6),
	OPTION(IPPROTO_TCP, TCP_TIMESTAMP, TCP | V4 | V6),
	OPTION(IPPROTO_TCP, TCP_NOTSENT_LOWAT, TCP | V4 | V6),
	OPTION(IPPROTO_TCP, TCP_INQ, TCP | V4 | V6),
	OPTION(IPPROTO_TCP, TCP_SAVE_SYN, TCP | V4 | V6),
	OPTION(IPPROTO_TCP, TCP_CC_INFO, TCP | V4 | V6),
	OPTION(IPPROTO_TCP, 9999, TCP | V4 | V6),

	OPTION(IPPROTO_UDP, UDP_CORK, UDP | V4 | V6),
	OPTION(IPPROTO_UDP, UDP_ENCAP, UDP | V4 | V6),
	OPTION(IPPROTO_UDP, UDP_NO_CHECK6_TX, UDP | V4 | V6),
	OPTION(IPPROTO_UDP, UDP_NO_CHECK6_RX, UDP | V4 | V6),
	OPTION(IPPROTO_UDP, UDP_SEGMENT, UDP | V4 | V6),
	OPTION(IPPROTO_UDP, UDP_GRO, UDP | V4 | V6),
	OPTION(IPPROTO_UDP, 9999, UDP | V4 | V6),

	OPTION(SOL_RAW, ICMP_FILTER, RAW | V4),
	OPTION(IPPROTO_RAW, IPV6_CHECKSUM, RAW | V6),
	OPTION(IPPROTO_ICMPV6, ICMPV6_FILTER, RAW | V6),

	OPTION(IPPROTO_IP, IP_TOS, INET | V4),
	OPTION(IPPROTO_IP, IP_TTL, INET | V4),
	OPTION(IPPROTO_IP, IP_HDRINCL, INET | V4),
	OPTION(IPPROTO_IP, IP_OPTIONS, INET | V4),
	OPTION(IPPROTO_IP, IP_RECVOPTS, INET | V4),
	OPTION(IPPROTO_IP, IP_RETOPTS, INET | V4),
	OPTION(IPPROTO_IP, IP_PKTINFO, INET | V4),
	OPTION(IPPROTO_IP, IP_MTU_DISCOVER, INET | V4),
	OPTION(IPPROTO_IP, IP_RECVERR, INET | V4),
	OPTION(IPPROTO_IP, IP_RECVTTL, INET | V4),
	OPTION(IPPROTO_IP, IP_RECVTOS, INET | V4),
	OPTION(IPPROTO_IP, IP_MTU, INET | V4),
	OPTION(IPPROTO_IP, IP_FREEBIND, INET | V4),
	OPTION(IPPROTO_IP, IP_TRANSPARENT, INET | V4),
	OPTION(IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, INET | V4),
	OPTION(IPPROTO_IP, IP_MULTICAST_IF, INET | V4),
	OPTION(IPPROTO_IP, IP_MULTICAST_TTL, INET | V4),
	OPTION(IPPROTO_IP, IP_MULTICAST_LOOP, INET | V4),
	OPTION(IPPROTO_IP, IP_MULTICAST_ALL, INET | V4),
	OPTION(IPPROTO_IP, IP_UNICAST_IF, INET | V4),
	OPTION(IPPROTO_IP, IP_MINTTL, INET | V4),
	OPTION(IPPROTO_IP, 9999, INET | V4),

	OPTION(IPPROTO_IPV6, IPV6_V6ONLY, INET | V6),
	OPTION(IPPROTO_IPV6, IPV6_UNICAST_HOPS, INET | V6),
	OPTION(IPPROTO_IPV6, IPV6_MULTICAST_IF, INET | V6),
	OPTION(IPPROTO_IPV6, IPV6_MULTICAST_HOPS, INET | V6),
	OPTION(IPPROTO_IPV6, IPV6_MULTICAST_LOOP, INET | V6),
	OPTION(IPPROTO_IPV6, IPV6_MTU_DISCOVER, INET | V6),
	OPTION(IPPROTO_IPV6, IPV6_MTU, INET | V6),
	OPTION(IPPROTO_IPV6, IPV6_RECVERR, INET | V6),
	OPTION(IPPROTO_IPV6, IPV6_RECVPKTINFO, INET | V6),
	OPTION(IPPROTO_IPV6, IPV6_RECVHOPLIMIT, INET | V6),
	OPTION(IPPROTO_IPV6, IPV6_RECVRTHDR, INET | V6),
	OPTION(IPPROTO_IPV6, IPV6_HOPOPTS, INET | V6),
	OPTION(IPPROTO_IPV6, IPV6_RTHDR, INET | V6),
	OPTION(IPPROTO_IPV6, IPV6_RECVTCLASS, INET | V6),
	OPTION(IPPROTO_IPV6, IPV6_TCLASS, INET | V6),
	OPTION(IPPROTO_IPV6, IPV6_RECVPATHMTU, INET | V6),
	OPTION(IPPROTO_IPV6, IPV6_PATHMTU, INET | V6),
	OPTION(IPPROTO_IPV6, IPV6_DONTFRAG, INET | V6),
	OPTION(IPPROTO_IPV6, IPV6_AUTOFLOWLABEL, INET | V6),
	OPTION(IPPROTO_IPV6, IPV6_ADDR_PREFERENCES, INET | V6),
	OPTION(IPPROTO_IPV6, IPV6_MINHOPCOUNT, INET | V6),
	OPTION(IPPROTO_IPV6, IPV6_TRANSPARENT, INET | V6),
	OPTION(IPPROTO_IPV6, IPV6_UNICAST_IF, INET | V6),
	OPTION(IPPROTO_IPV6, IPV6_FREEBIND, INET | V6),
	OPTION(IPPROTO_IPV6, 9999, INET | V6),
};
#define NUM_OPTIONS (sizeof(options) / sizeof(options[0]))

/* What one getsockopt() did. */
struct answer {
	int ret;
	int error;
	socklen_t len;
	enum uring_reason reason;
	unsigned char buffer[BUFFER_SIZE + CANARY_SIZE];
};

static unsigned num_tests;
static unsigned num_failed;
static unsigned num_asked;
static unsigned num_ring;

static void result(bool ok, const char *format, ...)
	__attribute__((format(printf, 2, 3)));

static void result(bool ok, const char *format, ...)
{
	va_list ap;

	num_tests++;
	if (!ok) {
		num_failed++;
	}
	printf("%sok %u - ", ok ? "" : "not ", num_tests);
	va_start(ap, format);
	vprintf(format, ap);
	va_end(ap);
	printf("\n");
}

static void die(const char *what)
{
	printf("Bail out! %s: %s\n", what, strerror(errno));
	exit(1);
}

static void ask(struct answer *a,
		bool routed,
		int fd,
		const struct option *o,
		socklen_t len)
{
	memset(a, 0, sizeof(*a));
	memset(a->buffer, PATTERN, sizeof(a->buffer));
	a->len = len;
	errno = 0;
	if (routed) {
		a->ret = uring_getsockopt(fd,
					  o->level,
					  o->optname,
					  a->buffer,
					  &a->len,
					  &a->reason);
	} else {
		a->ret = getsockopt(
			fd, o->level, o->optname, a->buffer, &a->len);
	}
	a->error = a->ret != 0 ? errno : 0;
}

static struct answer before;
static struct answer routed;
static struct answer after;

/* One length; false, with a remark, if the router's answer differs. */
static bool same_answer(int fd, const struct option *o, socklen_t len)
{
	size_t i;

	ask(&before, false, fd, o, len);
	ask(&routed, true, fd, o, len);
	ask(&after, false, fd, o, len);

	num_asked++;
	if (routed.reason == URING_REASON_NONE) {
		num_ring++;
	}
	if (routed.ret != before.ret || routed.error != before.error) {
		printf("# length %u: %d (%s), system call %d (%s)\n",
		       len,
		       routed.ret,
		       strerror(routed.error),
		       before.ret,
		       strerror(before.error));
		return false;
	}
	if (before.len == after.len && routed.len != before.len) {
		printf("# length %u: returned length %u, system call %u\n",
		       len,
		       routed.len,
		       before.len);
		return false;
	}
	for (i = 0; i < sizeof(routed.buffer); i++) {
		if (before.buffer[i] == after.buffer[i] &&
		    routed.buffer[i] != before.buffer[i]) {
			printf("# length %u: byte %zu is %#x, system call "
			       "%#x\n",
			       len,
			       i,
			       routed.buffer[i],
			       before.buffer[i]);
			return false;
		}
	}
	return true;
}

static void check_option(const char *kind,
			 int fd,
			 const struct option *o,
			 bool expect_all)
{
	bool expect_ring = expect_all || o->level == SOL_SOCKET;
	bool same = true;
	bool way = true;
	socklen_t exact;
	size_t i;

	ask(&before, false, fd, o, BUFFER_SIZE);
	exact = before.ret == 0 ? before.len : sizeof(int);

	{
		socklen_t lengths[] = {
			0,
			1,
			exact > 0 ? exact - 1 : 0,
			exact,
			exact + 8,
		};

		for (i = 0; i < sizeof(lengths) / sizeof(lengths[0]); i++) {
			enum uring_reason expected = URING_REASON_LEVEL;
			bool no_socket = before.error == ENOTSOCK ||
					 before.error == EBADF;

			same = same_answer(fd, o, lengths[i]) && same;
			if (no_socket) {
				/* nothing to ask the ring */
				expected = URING_REASON_SHAPE;
			} else if (before.ret != 0) {
				/* the system call has the last word */
				expected = URING_REASON_ERROR;
			} else if (expect_ring) {
				expected = URING_REASON_NONE;
			}
			if (routed.reason != expected) {
				way = false;
				printf("# length %u: answered by %s, "
				       "expected %s\n",
				       lengths[i],
				       uring_reason_name(routed.reason),
				       uring_reason_name(expected));
			}
		}
	}
	result(same && way,
	       "%s %s %s%s%s",
	       kind,
	       o->level_name,
	       o->name,
	       same ? "" : ": not the same answer",
	       way ? "" : ": not the expected way");
}

static int tcp_connected(int family, const char *address)
{
	union {
		struct sockaddr sa;
		struct sockaddr_in in;
		struct sockaddr_in6 in6;
	} addr = {};
	socklen_t len = sizeof(addr);
	int listener;
	int fd;

	if (family == AF_INET) {
		addr.in.sin_family = AF_INET;
		inet_pton(AF_INET, address, &addr.in.sin_addr);
	} else {
		addr.in6.sin6_family = AF_INET6;
		inet_pton(AF_INET6, address, &addr.in6.sin6_addr);
	}
	listener = socket(family, SOCK_STREAM, 0);
	fd = socket(family, SOCK_STREAM, 0);
	if (bind(listener, &addr.sa, len) != 0 || listen(listener, 1) != 0 ||
	    getsockname(listener, &addr.sa, &len) != 0 ||
	    connect(fd, &addr.sa, len) != 0 ||
	    accept(listener, NULL, NULL) == -1)
	{
		die("a TCP connection over loopback");
	}
	/* the accepted end stays open until the program ends */
	return fd;
}

static int open_socket(int family, int type, int protocol)
{
	int fd = socket(family, type, protocol);

	if (fd == -1) {
		die("socket");
	}
	return fd;
}

static int open_pipe(void)
{
	int fds[2];

	if (pipe(fds) != 0) {
		die("pipe");
	}
	return fds[0];
}

static int unix_pair(void)
{
	int fds[2];

	if (socketpair(AF_UNIX, SOCK_STREAM, 0, fds) != 0) {
		die("socketpair");
	}
	return fds[0];
}

static int listening(int family)
{
	int fd = open_socket(family, SOCK_STREAM, 0);

	if (listen(fd, 1) != 0) {
		die("listen");
	}
	return fd;
}

int main(int argc, const char *argv[])
{
	bool expect_all;
	size_t i;
	size_t j;

	if (argc != 3 || strcmp(argv[1], "--expect-ring") != 0 ||
	    (strcmp(argv[2], "all") != 0 && strcmp(argv[2], "sol_socket") != 0))
	{
		fprintf(stderr, "usage: parity --expect-ring sol_socket|all\n");
		return 2;
	}
	expect_all = strcmp(argv[2], "all") == 0;
	uring_set_mode(URING_MODE_RING);

	{
		const struct {
			const char *name;
			int kinds;
			int fd;
		} sockets[] = {
			{"tcp4",
			 TCP | V4,
			 open_socket(AF_INET, SOCK_STREAM, 0)},
			{"tcp4-listening", TCP | V4, listening(AF_INET)},
			{"tcp4-connected",
			 TCP | V4,
			 tcp_connected(AF_INET, "127.0.0.1")},
			{"tcp6",
			 TCP | V6,
			 open_socket(AF_INET6, SOCK_STREAM, 0)},
			{"tcp6-listening", TCP | V6, listening(AF_INET6)},
			{"tcp6-connected",
			 TCP | V6,
			 tcp_connected(AF_INET6, "::1")},
			{"udp4", UDP | V4, open_socket(AF_INET, SOCK_DGRAM, 0)},
			{"udp6",
			 UDP | V6,
			 open_socket(AF_INET6, SOCK_DGRAM, 0)},
			{"raw4",
			 RAW | V4,
			 open_socket(AF_INET, SOCK_RAW, IPPROTO_ICMP)},
			{"raw6",
			 RAW | V6,
			 open_socket(AF_INET6, SOCK_RAW, IPPROTO_ICMPV6)},
			{"unix", UNIX, unix_pair()},
		};
		const struct {
			const char *name;
			int fd;
		} others[] = {
			{"pipe", open_pipe()},
			/* has a command of its own that always succeeds */
			{"/dev/null", open("/dev/null", O_RDWR)},
			{"file", open(argv[0], O_RDONLY)},
			{"no-descriptor", 1000},
		};
		const struct option not_socket = OPTION(SOL_SOCKET, SO_TYPE, 0);

		for (i = 0; i < sizeof(sockets) / sizeof(sockets[0]); i++) {
			int kinds = sockets[i].kinds;
			int family = kinds & (V4 | V6);

			for (j = 0; j < NUM_OPTIONS; j++) {
				int want = options[j].kinds;

				if (!(want & kinds & ANY) ||
				    ((want & (V4 | V6)) && !(want & family))) {
					continue;
				}
				check_option(sockets[i].name,
					     sockets[i].fd,
					     &options[j],
					     expect_all);
			}
		}
		for (i = 0; i < sizeof(others) / sizeof(others[0]); i++) {
			check_option(others[i].name,
				     others[i].fd,
				     &not_socket,
				     expect_all);
		}
	}

	printf("# %u queries, %u of them answered by the ring\n",
	       num_asked,
	       num_ring);
	printf("1..%u\n", num_tests);
	return num_failed != 0;
}
