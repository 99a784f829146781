/* SPDX-License-Identifier: LGPL-3.0-or-later */
/*
 * UDP sockets of a worker, see udp.h; udp_open.c opens them.
 *
 * If the socket is full, one batch waits here, and nobody may write more.
 */

#include "config.h"

#include <errno.h>
#include <linux/sock_diag.h>
#include <netinet/udp.h>
#include <string.h>
#include <unistd.h>

#include "udp.h"
#include "util/clock.h"
#include "util/macros.h"

#define QUICD_DATAGRAM_MAX 65536
#define QUICD_BATCH_RECEIVED 16 /* datagrams of one recvmmsg(2) */
#define QUICD_BATCHES_AT_ONCE 4 /* of a wake-up, before ops->done() */
#define QUICD_CONTROL_SIZE 256
#define QUICD_SEGMENTS_MAX 64 /* UDP_MAX_SEGMENTS of older kernels */
#define QUICD_BATCH_MAX (UINT16_MAX - 100)
#define QUICD_ECN_MASK 0x3
#define QUICD_HEADERS 28 /* of IPv4 and UDP */
#define QUICD_HEADERS6 48

/* The payload for an unknown device; path MTU discovery finds what fits. */
#define QUICD_PAYLOAD_USUAL 1452

struct quicd_udp {
	const struct quicd_udp_ops *ops;
	void *owner;
	struct quicd_counters *counters; /* NULL: not counted */
	int fd;
	struct tevent_fd *fde;
	struct address bound;
	uint32_t drops;	   /* the socket's count that we have added */
	bool segmentation; /* UDP_SEGMENT works */
	bool blocked;
	struct quicd_path path; /* of the batch */
	size_t len;
	size_t segment; /* the length of all packets but the last */
	uint8_t batch[QUICD_DATAGRAM_MAX];
};

/* Add a control message of a sendmsg(2), for which there is room. */
static void quicd_udp_add_control(struct msghdr *msg,
				  int level,
				  int type,
				  const void *data,
				  size_t len)
{
	struct cmsghdr *cmsg = NULL;

	cmsg = (struct cmsghdr *)(void *)((uint8_t *)msg->msg_control +
					  msg->msg_controllen);
	cmsg->cmsg_level = level;
	cmsg->cmsg_type = type;
	cmsg->cmsg_len = CMSG_LEN(len);
	memcpy(CMSG_DATA(cmsg), data, len);
	msg->msg_controllen += CMSG_SPACE(len);
}

/* One datagram, or several of one length.  0 or an errno. */
static int quicd_udp_sendmsg(struct quicd_udp *udp,
			     const struct quicd_path *path,
			     const uint8_t *data,
			     size_t len,
			     size_t segment)
{
	const struct in_pktinfo info = {
		.ipi_spec_dst = path->local.u.in.sin_addr,
	};
	const struct in6_pktinfo info6 = {
		.ipi6_addr = path->local.u.in6.sin6_addr,
		.ipi6_ifindex = path->remote.u.in6.sin6_scope_id,
	};
	union {
		struct cmsghdr align;
		uint8_t buf[CMSG_SPACE(sizeof(info6)) +
			    CMSG_SPACE(sizeof(int)) +
			    CMSG_SPACE(sizeof(uint16_t))];
	} control = {};
	struct address remote = path->remote;
	struct iovec iov = {
		.iov_base = (void *)(uintptr_t)data,
		.iov_len = len,
	};
	struct msghdr msg = {
		.msg_name = &remote.u,
		.msg_namelen = remote.len,
		.msg_iov = &iov,
		.msg_iovlen = 1,
		.msg_control = &control,
	};
	const bool ipv6 = remote.u.sa.sa_family == AF_INET6;
	const int level = ipv6 ? IPPROTO_IPV6 : IPPROTO_IP;
	const uint16_t size = (uint16_t)segment;
	const int tos = path->ecn;
	ssize_t n;

	if (ipv6) {
		quicd_udp_add_control(
			&msg, level, IPV6_PKTINFO, &info6, sizeof(info6));
	} else {
		quicd_udp_add_control(
			&msg, level, IP_PKTINFO, &info, sizeof(info));
	}
	if (tos != 0) {
		quicd_udp_add_control(&msg,
				      level,
				      ipv6 ? IPV6_TCLASS : IP_TOS,
				      &tos,
				      sizeof(tos));
	}
	if (len > segment) {
		quicd_udp_add_control(
			&msg, IPPROTO_UDP, UDP_SEGMENT, &size, sizeof(size));
	}

	do {
		n = sendmsg(udp->fd, &msg, MSG_DONTWAIT);
	} while (n < 0 && errno == EINTR);
	return n < 0 ? errno : 0;
}

/*
 * Send the batch.  Returns false if the socket is full.  All other errors count
 * as lost packets: the MTU is too small, the route is gone, a firewall refuses.
 */
static bool quicd_udp_write(struct quicd_udp *udp)
{
	size_t done = 0;
	int error = 0;

	udp->blocked = false;
	if (udp->len > udp->segment && udp->segmentation) {
		error = quicd_udp_sendmsg(
			udp, &udp->path, udp->batch, udp->len, udp->segment);
		if (error == EIO) {
			/* the device cannot do it */
			udp->segmentation = false;
			quicd_count(udp->counters,
				    QUICD_COUNT_SEGMENTATION_OFF);
		}
		if (error != EAGAIN && error != EIO && error != EINVAL &&
		    error != EMSGSIZE) {
			done = udp->len;
		}
	}
	while (done < udp->len && error != EAGAIN) {
		size_t len = udp->len - done;

		len = len < udp->segment ? len : udp->segment;
		error = quicd_udp_sendmsg(
			udp, &udp->path, &udp->batch[done], len, len);
		if (error != EAGAIN) {
			done += len;
		}
	}
	udp->len -= done;
	if (udp->len > 0) {
		memmove(udp->batch, &udp->batch[done], udp->len);
		udp->blocked = true;
		tevent_fd_set_flags(udp->fde, TEVENT_FD_READ | TEVENT_FD_WRITE);
		return false;
	}
	return true;
}

const struct address *quicd_udp_bound(const struct quicd_udp *udp)
{
	return &udp->bound;
}

bool quicd_udp_blocked(const struct quicd_udp *udp)
{
	return udp->blocked;
}

void quicd_udp_flush(struct quicd_udp *udp)
{
	if (udp->len > 0 && !udp->blocked) {
		(void)quicd_udp_write(udp);
	}
}

void quicd_udp_send(struct quicd_udp *udp,
		    const struct quicd_path *path,
		    const uint8_t *data,
		    size_t len)
{
	if (!udp->blocked) {
		(void)quicd_udp_sendmsg(udp, path, data, len, len);
	}
}

uint8_t *quicd_udp_reserve(struct quicd_udp *udp, size_t *size)
{
	const size_t room = sizeof(udp->batch) - udp->len;

	*size = room < QUICD_MAX_PAYLOAD ? room : QUICD_MAX_PAYLOAD;
	return &udp->batch[udp->len];
}

static bool quicd_path_equal(const struct quicd_path *a,
			     const struct quicd_path *b)
{
	return a->ecn == b->ecn && address_equal(&a->local, &b->local) &&
	       address_equal(&a->remote, &b->remote);
}

bool quicd_udp_commit(struct quicd_udp *udp,
		      const struct quicd_path *path,
		      size_t len)
{
	const uint8_t *packet = &udp->batch[udp->len];
	const bool fits = udp->len > 0 && len <= udp->segment &&
			  quicd_path_equal(path, &udp->path);

	if (udp->len > 0 && !fits) {
		const bool sent = quicd_udp_write(udp);

		if (!sent) {
			return false;
		}
		memmove(udp->batch, packet, len);
	}
	if (udp->len == 0) {
		udp->path = *path;
		udp->segment = len;
	}
	udp->len += len;

	/* a shorter packet ends a batch, and so do the kernel's limits */
	if (len < udp->segment || udp->len + udp->segment > QUICD_BATCH_MAX ||
	    udp->len / udp->segment >= QUICD_SEGMENTS_MAX)
	{
		(void)quicd_udp_write(udp);
	}
	return true;
}

/*
 * drops is the socket's count at the time when the datagram was queued.  A
 * datagram that waited longer may have a lower count.
 */
static void quicd_udp_count_drops(struct quicd_udp *udp, uint32_t drops)
{
	const int32_t more = (int32_t)(drops - udp->drops);

	if (more > 0) {
		quicd_count_add(udp->counters,
				QUICD_COUNT_DROPPED,
				(uint32_t)more);
		udp->drops = drops;
	}
}

/* Read the control messages of a datagram: addresses, ECN, GRO, drops. */
static size_t quicd_udp_control(struct quicd_udp *udp,
				struct msghdr *msg,
				size_t len,
				struct quicd_path *path)
{
	struct cmsghdr *cmsg = NULL;
	size_t segment = len;

	path->local = udp->bound;
	for (cmsg = CMSG_FIRSTHDR(msg); cmsg != NULL;
	     cmsg = CMSG_NXTHDR(msg, cmsg))
	{
		const int level = cmsg->cmsg_level;
		const int type = cmsg->cmsg_type;

		if (level == IPPROTO_IP && type == IP_PKTINFO) {
			struct in_pktinfo info;

			memcpy(&info, CMSG_DATA(cmsg), sizeof(info));
			path->local.u.in.sin_addr = info.ipi_addr;
		} else if (level == IPPROTO_IPV6 && type == IPV6_PKTINFO) {
			struct in6_pktinfo info;

			memcpy(&info, CMSG_DATA(cmsg), sizeof(info));
			path->local.u.in6.sin6_addr = info.ipi6_addr;
			if (IN6_IS_ADDR_LINKLOCAL(&info.ipi6_addr)) {
				path->local.u.in6.sin6_scope_id =
					info.ipi6_ifindex;
			}
		} else if (level == IPPROTO_IP && type == IP_TOS) {
			path->ecn = *CMSG_DATA(cmsg) & QUICD_ECN_MASK;
		} else if (level == IPPROTO_IPV6 && type == IPV6_TCLASS) {
			int tclass;

			memcpy(&tclass, CMSG_DATA(cmsg), sizeof(tclass));
			path->ecn = (uint8_t)(tclass & QUICD_ECN_MASK);
		} else if (level == IPPROTO_UDP && type == UDP_GRO) {
			int size;

			memcpy(&size, CMSG_DATA(cmsg), sizeof(size));
			segment = size > 0 ? (size_t)size : len;
		} else if (level == SOL_SOCKET && type == SO_RXQ_OVFL) {
			uint32_t drops;

			memcpy(&drops, CMSG_DATA(cmsg), sizeof(drops));
			quicd_udp_count_drops(udp, drops);
		}
	}
	return segment;
}

bool quicd_udp_reflects(const struct address *remote)
{
	static const uint16_t ports[] = {
		1900,  /* SSDP */
		5353,  /* mDNS */
		11211, /* memcached */
		20800, /* Call of Duty */
		27015, /* Source engine */
	};
	/* at the same place in both families */
	const uint16_t port = ntohs(remote->u.in.sin_port);
	size_t i;

	for (i = 0; i < ARRAY_SIZE(ports); i++) {
		if (port == ports[i]) {
			return true;
		}
	}
	return port < IPPORT_RESERVED;
}

/* The buffers of recvmmsg(2), empty again after each batch. */
struct quicd_udp_slot {
	uint8_t data[QUICD_DATAGRAM_MAX];
	struct quicd_path path;
	struct iovec iov;
	union {
		struct cmsghdr align;
		uint8_t buf[QUICD_CONTROL_SIZE];
	} control;
};

/* The sockets of a worker share them, as it serves one at a time. */
static struct quicd_udp_slot quicd_udp_slots[QUICD_BATCH_RECEIVED];

static void quicd_udp_slot_ready(struct quicd_udp_slot *slot,
				 struct msghdr *msg)
{
	slot->path = (struct quicd_path){};
	slot->iov.iov_base = slot->data;
	slot->iov.iov_len = sizeof(slot->data);
	*msg = (struct msghdr){
		.msg_name = &slot->path.remote.u,
		.msg_namelen = sizeof(slot->path.remote.u),
		.msg_iov = &slot->iov,
		.msg_iovlen = 1,
		.msg_control = &slot->control,
		.msg_controllen = sizeof(slot->control),
	};
}

/* One datagram, or several of one path. */
static void quicd_udp_deliver(struct quicd_udp *udp,
			      struct quicd_udp_slot *slot,
			      struct msghdr *msg,
			      size_t n,
			      uint64_t now)
{
	const size_t segment = quicd_udp_control(udp, msg, n, &slot->path);
	size_t done = 0;

	slot->path.remote.len = msg->msg_namelen;
	if (msg->msg_namelen != udp->bound.len ||
	    (msg->msg_flags & (MSG_TRUNC | MSG_CTRUNC)) != 0 ||
	    quicd_udp_reflects(&slot->path.remote))
	{
		return;
	}
	while (done < n) {
		const size_t left = n - done;
		const size_t len = left < segment ? left : segment;

		udp->ops->received(udp->owner,
				   udp,
				   &slot->path,
				   &slot->data[done],
				   len,
				   now);
		done += len;
	}
}

/* Returns false if no more datagrams wait. */
static bool quicd_udp_receive(struct quicd_udp *udp)
{
	struct mmsghdr msgs[QUICD_BATCH_RECEIVED] = {};
	uint64_t now;
	int count;
	int i;

	for (i = 0; i < QUICD_BATCH_RECEIVED; i++) {
		quicd_udp_slot_ready(&quicd_udp_slots[i], &msgs[i].msg_hdr);
	}
	count = recvmmsg(
		udp->fd, msgs, QUICD_BATCH_RECEIVED, MSG_DONTWAIT, NULL);
	if (count < 0) {
		/* ICMP's errors are about packets that we sent before */
		return errno != EAGAIN && errno != EBADF;
	}
	now = clock_monotonic_ns();
	for (i = 0; i < count; i++) {
		quicd_udp_deliver(udp,
				  &quicd_udp_slots[i],
				  &msgs[i].msg_hdr,
				  msgs[i].msg_len,
				  now);
	}
	return count == QUICD_BATCH_RECEIVED;
}

static void quicd_udp_handler(struct tevent_context *ev,
			      struct tevent_fd *fde,
			      uint16_t flags,
			      void *private_data)
{
	struct quicd_udp *udp = talloc_get_type_abort(private_data,
						      struct quicd_udp);
	int i;

	if (udp->blocked && quicd_udp_write(udp)) {
		tevent_fd_set_flags(fde, TEVENT_FD_READ);
	}
	if ((flags & TEVENT_FD_READ) != 0) {
		for (i = 0; i < QUICD_BATCHES_AT_ONCE; i++) {
			if (!quicd_udp_receive(udp)) {
				break;
			}
		}
	}
	udp->ops->done(udp->owner);
}

/* Skip drops that a worker before us, now dead, may have counted. */
static uint32_t quicd_udp_drops(int fd)
{
	uint32_t info[SK_MEMINFO_VARS] = {};
	socklen_t len = sizeof(info);

	(void)getsockopt(fd, SOL_SOCKET, SO_MEMINFO, info, &len);
	return info[SK_MEMINFO_DROPS];
}

struct quicd_udp *quicd_udp_create(TALLOC_CTX *mem_ctx,
				   struct tevent_context *ev,
				   int fd,
				   const struct quicd_udp_ops *ops,
				   void *owner,
				   struct quicd_counters *counters)
{
	struct quicd_udp *udp = talloc_zero(mem_ctx, struct quicd_udp);
	int ret;

	if (udp == NULL) {
		return NULL;
	}
	udp->ops = ops;
	udp->owner = owner;
	udp->counters = counters;
	udp->fd = fd;
	udp->drops = quicd_udp_drops(fd);
	udp->segmentation = true;
	udp->bound.len = sizeof(udp->bound.u);
	ret = getsockname(fd, &udp->bound.u.sa, &udp->bound.len);
	if (ret != 0) {
		talloc_free(udp);
		return NULL;
	}
	udp->fde = tevent_add_fd(
		ev, udp, fd, TEVENT_FD_READ, quicd_udp_handler, udp);
	if (udp->fde == NULL) {
		talloc_free(udp);
		return NULL;
	}
	return udp;
}

size_t quicd_udp_payload(const struct quicd_path *path)
{
	const bool ipv6 = path->remote.u.sa.sa_family == AF_INET6;
	const size_t headers = ipv6 ? QUICD_HEADERS6 : QUICD_HEADERS;
	const int fd = socket(path->remote.u.sa.sa_family,
			      SOCK_DGRAM | SOCK_CLOEXEC,
			      0);
	socklen_t len = sizeof(int);
	int mtu = 0;

	/* connect() finds the route, and sends nothing */
	if (fd < 0 || connect(fd, &path->remote.u.sa, path->remote.len) != 0 ||
	    getsockopt(fd,
		       ipv6 ? IPPROTO_IPV6 : IPPROTO_IP,
		       ipv6 ? IPV6_MTU : IP_MTU,
		       &mtu,
		       &len) != 0)
	{
		mtu = 0;
	}
	if (fd >= 0) {
		close(fd);
	}
	if ((size_t)mtu < QUICD_PAYLOAD_USUAL + headers) {
		return QUICD_PAYLOAD_USUAL;
	}
	return (size_t)mtu - headers < QUICD_MAX_PAYLOAD
		       ? (size_t)mtu - headers
		       : QUICD_MAX_PAYLOAD;
}
