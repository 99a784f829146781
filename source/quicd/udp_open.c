/* SPDX-License-Identifier: LGPL-3.0-or-later */
/*
 * How the parent opens the UDP sockets of all workers, see udp.h.
 *
 * Each address has a socket for each worker (SO_REUSEPORT).  A classic BPF
 * program picks the socket: the first byte of the destination connection ID
 * modulo the number of workers.  The first packet of a client has an ID that
 * the client made up, so it reaches any worker.  That worker then issues
 * connection IDs that lead back to it.  So packets reach their worker even if
 * the client moves to another address.
 *
 * The parent keeps the sockets open as well, so that their order does not
 * change when a worker dies.  The worker that replaces it answers with
 * stateless resets, and the clients connect again.
 *
 * The kernel picks wrong sockets for a moment, from bind(2) of the first socket
 * until the program is there, and from close(2) of the first socket until that
 * of the last.  This matters if another address of ours covers the address
 * (0.0.0.0 and 192.0.2.1), as the datagrams are those of living connections
 * then.  The wrong worker drops them (quicd_endpoint_received()).
 */

#include "config.h"

#include <errno.h>
#include <linux/filter.h>
#include <netinet/udp.h>
#include <string.h>
#include <unistd.h>

#include "udp.h"
#include "util/macros.h"

static bool quicd_udp_options(int fd, bool ipv6)
{
	const int one = 1;
	const int probe = ipv6 ? IPV6_PMTUDISC_PROBE : IP_PMTUDISC_PROBE;
	const int buffer = 4 * 1024 * 1024;
	const int level = ipv6 ? IPPROTO_IPV6 : IPPROTO_IP;

	/* smbd-quicd works with smaller buffers if the system limits them */
	(void)setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &buffer, sizeof(buffer));
	(void)setsockopt(fd, SOL_SOCKET, SO_SNDBUF, &buffer, sizeof(buffer));
	/* from Linux 5.0 on */
	(void)setsockopt(fd, IPPROTO_UDP, UDP_GRO, &one, sizeof(one));
	/* each datagram then has the number of drops before it */
	(void)setsockopt(fd, SOL_SOCKET, SO_RXQ_OVFL, &one, sizeof(one));
	if (ipv6 &&
	    (setsockopt(fd, level, IPV6_V6ONLY, &one, sizeof(one)) != 0 ||
	     setsockopt(fd, level, IPV6_RECVPKTINFO, &one, sizeof(one)) != 0 ||
	     setsockopt(fd, level, IPV6_RECVTCLASS, &one, sizeof(one)) != 0))
	{
		return false;
	}
	if (!ipv6 &&
	    (setsockopt(fd, level, IP_PKTINFO, &one, sizeof(one)) != 0 ||
	     setsockopt(fd, level, IP_RECVTOS, &one, sizeof(one)) != 0))
	{
		return false;
	}
	return setsockopt(fd,
			  level,
			  ipv6 ? IPV6_MTU_DISCOVER : IP_MTU_DISCOVER,
			  &probe,
			  sizeof(probe)) == 0;
}

static bool quicd_udp_share(int fd)
{
	const int one = 1;

	return setsockopt(fd, SOL_SOCKET, SO_REUSEPORT, &one, sizeof(one)) == 0;
}

/*
 * The first socket of an address gets SO_REUSEPORT only after bind(2).  So
 * bind(2) fails if another smbd-quicd has the port.  The later sockets of the
 * address set SO_REUSEPORT first, and share the port with the first socket.
 *
 * If we already have a socket at the same port whose address overlaps this one
 * (0.0.0.0 and 192.0.2.1), the first socket must share the port, too.  Another
 * smbd-quicd cannot have this address then.
 */
static bool quicd_udp_bind(int fd, const struct address *address, bool alone)
{
	if (!alone && !quicd_udp_share(fd)) {
		return false;
	}
	return bind(fd, &address->u.sa, address->len) == 0 &&
	       (!alone || quicd_udp_share(fd));
}

/* Choose the socket by the first byte of the connection ID. */
static bool quicd_udp_steer(int fd, uint32_t workers)
{
	struct sock_filter code[] = {
		BPF_STMT(BPF_LD | BPF_B | BPF_ABS, 0),
		BPF_JUMP(BPF_JMP | BPF_JSET | BPF_K, 0x80, 0, 2),
		/* long header: flags, version, length of the ID */
		BPF_STMT(BPF_LD | BPF_B | BPF_ABS, 6),
		BPF_JUMP(BPF_JMP | BPF_JA, 1, 0, 0),
		/* short header: flags */
		BPF_STMT(BPF_LD | BPF_B | BPF_ABS, 1),
		BPF_STMT(BPF_ALU | BPF_MOD | BPF_K, workers),
		BPF_STMT(BPF_RET | BPF_A, 0),
	};
	struct sock_fprog program;

	memset(&program, 0, sizeof(program)); /* also the padding */
	program.len = ARRAY_SIZE(code);
	program.filter = code;
	return setsockopt(fd,
			  SOL_SOCKET,
			  SO_ATTACH_REUSEPORT_CBPF,
			  &program,
			  sizeof(program)) == 0;
}

int quicd_udp_open(const struct address *address,
		   uint32_t workers,
		   bool overlaps,
		   int *fds)
{
	const bool ipv6 = address->u.sa.sa_family == AF_INET6;
	uint32_t i;
	int error;

	for (i = 0; i < workers; i++) {
		fds[i] = socket(address->u.sa.sa_family,
				SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC,
				0);
		/* bind() decides the order of the sockets */
		if (fds[i] < 0 || !quicd_udp_options(fds[i], ipv6) ||
		    !quicd_udp_bind(fds[i], address, i == 0 && !overlaps))
		{
			break;
		}
	}
	/* a single socket needs no program, and Linux refuses one for it */
	if (i == workers && (workers == 1 || quicd_udp_steer(fds[0], workers)))
	{
		return 0;
	}

	error = errno;
	for (; i != UINT32_MAX; i--) {
		if (i < workers && fds[i] >= 0) {
			close(fds[i]);
		}
	}
	return error;
}
