/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Sockets of every kind in every state.
 *
 * The table `specimens` lists them.  scene_open() creates a new one, always in
 * the same way, so that two of them are twins.
 */

#include "config.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>
#include <dirent.h>
#include <arpa/inet.h>
#include <net/if.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <netinet/udp.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <linux/filter.h>
#include <linux/icmp.h>
#include <linux/if_ether.h>
#include <linux/if_packet.h>
#include <linux/if_xdp.h>
#include <linux/netlink.h>
#include <linux/rtnetlink.h>

#include <linux/tls.h>
#include <linux/vm_sockets.h>

#include "sockets.h"

#ifndef IPPROTO_MPTCP
#define IPPROTO_MPTCP 262
#endif

/* include/uapi/linux/tcp.h, Linux 6.7 */
#define OPT_TCP_AO_ADD_KEY 38
struct ao_add {
	struct sockaddr_storage addr;
	char alg_name[64];
	int32_t ifindex;
	uint32_t flags;
	uint16_t reserved2;
	uint8_t prefix;
	uint8_t sndid;
	uint8_t rcvid;
	uint8_t maclen;
	uint8_t keyflags;
	uint8_t keylen;
	uint8_t key[80];
} __attribute__((aligned(8)));

#define LEVELS_TCP4 SOL_SOCKET, SOL_TCP, LEVEL_IP
#define LEVELS_TCP6 SOL_SOCKET, SOL_TCP, SOL_IPV6, LEVEL_IP

const struct kind_info kinds[NUM_KINDS] = {
	[TCP4] = {"tcp4", AF_INET, SOCK_STREAM, 0, {LEVELS_TCP4}},
	[TCP6] = {"tcp6", AF_INET6, SOCK_STREAM, 0, {LEVELS_TCP6}},
	[TCP_MAPPED] = {"tcp-mapped", AF_INET6, SOCK_STREAM, 0, {LEVELS_TCP6}},
	[MPTCP4] = {"mptcp4",
		    AF_INET,
		    SOCK_STREAM,
		    IPPROTO_MPTCP,
		    {LEVELS_TCP4, LEVEL_MPTCP}},
	[MPTCP6] = {"mptcp6",
		    AF_INET6,
		    SOCK_STREAM,
		    IPPROTO_MPTCP,
		    {LEVELS_TCP6, LEVEL_MPTCP}},
	[UDP4] = {"udp4",
		  AF_INET,
		  SOCK_DGRAM,
		  0,
		  {SOL_SOCKET, SOL_UDP, LEVEL_IP}},
	[UDP6] = {"udp6",
		  AF_INET6,
		  SOCK_DGRAM,
		  0,
		  {SOL_SOCKET, SOL_UDP, SOL_IPV6, LEVEL_IP}},
	[UDP_MAPPED] = {"udp-mapped",
			AF_INET6,
			SOCK_DGRAM,
			0,
			{SOL_SOCKET, SOL_UDP, SOL_IPV6, LEVEL_IP}},
	[RAW4] = {"raw4",
		  AF_INET,
		  SOCK_RAW,
		  IPPROTO_ICMP,
		  {SOL_SOCKET, SOL_RAW, LEVEL_IP}},
	[RAW6] = {"raw6",
		  AF_INET6,
		  SOCK_RAW,
		  IPPROTO_ICMPV6,
		  {SOL_SOCKET, SOL_ICMPV6, SOL_IPV6, SOL_RAW}},
	[PING4] = {"ping4",
		   AF_INET,
		   SOCK_DGRAM,
		   IPPROTO_ICMP,
		   {SOL_SOCKET, LEVEL_IP}},
	[PING6] = {"ping6",
		   AF_INET6,
		   SOCK_DGRAM,
		   IPPROTO_ICMPV6,
		   {SOL_SOCKET, SOL_IPV6}},
	[UNIX_STREAM] = {"unix-stream", AF_UNIX, SOCK_STREAM, 0, {SOL_SOCKET}},
	[UNIX_DGRAM] = {"unix-dgram", AF_UNIX, SOCK_DGRAM, 0, {SOL_SOCKET}},
	[UNIX_SEQPACKET] =
		{"unix-seqpacket", AF_UNIX, SOCK_SEQPACKET, 0, {SOL_SOCKET}},
	[NETLINK] = {"netlink",
		     AF_NETLINK,
		     SOCK_RAW,
		     NETLINK_ROUTE,
		     {SOL_SOCKET, SOL_NETLINK}},
	[PACKET] = {"packet", AF_PACKET, SOCK_RAW, 0, {SOL_SOCKET, SOL_PACKET}},
	[VSOCK] = {"vsock", AF_VSOCK, SOCK_STREAM, 0, {SOL_SOCKET, AF_VSOCK}},
	[XDP] = {"xdp", AF_XDP, SOCK_RAW, 0, {SOL_SOCKET, LEVEL_XDP}},
};

const char *const state_names[NUM_STATES] = {
	[FRESH] = "fresh",
	[BOUND] = "bound",
	[LISTENING] = "listening",
	[CONNECTED] = "connected",
	[ACCEPTED] = "accepted",
	[HALF_CLOSED] = "half-closed",
	[PEER_CLOSED] = "peer-closed",
	[ERROR_PENDING] = "error-pending",
	[DATA] = "data",
	[IP_OPTIONS_SET] = "ip-options",
	[MULTICAST] = "multicast",
	[REPAIR] = "repair",
	[WITH_AO] = "tcp-ao",
	[WITH_TLS] = "tls",
	[SYN_SAVED] = "syn-saved",
	[SPECIAL] = "special",
};

/* SPECIAL: raw with IP_HDRINCL, netlink with groups, packet and XDP rings. */
const struct specimen specimens[] = {
	{TCP4, FRESH},
	{TCP4, BOUND},
	{TCP4, LISTENING},
	{TCP4, CONNECTED},
	{TCP4, ACCEPTED},
	{TCP4, HALF_CLOSED},
	{TCP4, PEER_CLOSED},
	{TCP4, ERROR_PENDING},
	{TCP4, DATA},
	{TCP4, IP_OPTIONS_SET},
	{TCP4, REPAIR},
	{TCP4, WITH_AO},
	{TCP4, WITH_TLS},
	{TCP4, SYN_SAVED},
	{TCP6, FRESH},
	{TCP6, BOUND},
	{TCP6, LISTENING},
	{TCP6, CONNECTED},
	{TCP6, ACCEPTED},
	{TCP6, HALF_CLOSED},
	{TCP6, PEER_CLOSED},
	{TCP6, ERROR_PENDING},
	{TCP6, DATA},
	{TCP6, IP_OPTIONS_SET},
	{TCP6, WITH_AO},
	{TCP6, WITH_TLS},
	{TCP_MAPPED, CONNECTED},
	{TCP_MAPPED, ACCEPTED},
	{TCP_MAPPED, IP_OPTIONS_SET},
	{MPTCP4, FRESH},
	{MPTCP4, BOUND},
	{MPTCP4, LISTENING},
	{MPTCP4, CONNECTED},
	{MPTCP4, ACCEPTED},
	{MPTCP4, HALF_CLOSED},
	{MPTCP6, FRESH},
	{MPTCP6, CONNECTED},
	{UDP4, FRESH},
	{UDP4, BOUND},
	{UDP4, CONNECTED},
	{UDP4, HALF_CLOSED},
	{UDP4, ERROR_PENDING},
	{UDP4, DATA},
	{UDP4, IP_OPTIONS_SET},
	{UDP4, MULTICAST},
	{UDP6, FRESH},
	{UDP6, BOUND},
	{UDP6, CONNECTED},
	{UDP6, ERROR_PENDING},
	{UDP6, DATA},
	{UDP6, IP_OPTIONS_SET},
	{UDP6, MULTICAST},
	{UDP_MAPPED, CONNECTED},
	{RAW4, FRESH},
	{RAW4, BOUND},
	{RAW4, CONNECTED},
	{RAW4, IP_OPTIONS_SET},
	{RAW4, MULTICAST},
	{RAW4, SPECIAL},
	{RAW6, FRESH},
	{RAW6, CONNECTED},
	{RAW6, IP_OPTIONS_SET},
	{RAW6, SPECIAL},
	{PING4, FRESH},
	{PING4, CONNECTED},
	{PING6, FRESH},
	{PING6, CONNECTED},
	{UNIX_STREAM, FRESH},
	{UNIX_STREAM, BOUND},
	{UNIX_STREAM, LISTENING},
	{UNIX_STREAM, CONNECTED},
	{UNIX_STREAM, ACCEPTED},
	{UNIX_STREAM, HALF_CLOSED},
	{UNIX_STREAM, PEER_CLOSED},
	{UNIX_STREAM, ERROR_PENDING},
	{UNIX_DGRAM, FRESH},
	{UNIX_DGRAM, BOUND},
	{UNIX_DGRAM, CONNECTED},
	{UNIX_SEQPACKET, FRESH},
	{UNIX_SEQPACKET, CONNECTED},
	{NETLINK, FRESH},
	{NETLINK, BOUND},
	{NETLINK, SPECIAL},
	{PACKET, FRESH},
	{PACKET, BOUND},
	{PACKET, SPECIAL},
	{VSOCK, FRESH},
	{VSOCK, BOUND},
	{VSOCK, LISTENING},
	{VSOCK, CONNECTED},
	{VSOCK, ACCEPTED},
	{VSOCK, PEER_CLOSED},
	{XDP, FRESH},
	{XDP, SPECIAL},
};
const size_t num_specimens = sizeof(specimens) / sizeof(specimens[0]);

#define LEVEL_SOL_SOCKET SOL_SOCKET
#define LEVEL_SOL_TCP SOL_TCP
#define LEVEL_SOL_UDP SOL_UDP
#define LEVEL_SOL_RAW SOL_RAW
#define LEVEL_SOL_ICMPV6 SOL_ICMPV6
#define LEVEL_SOL_IP SOL_IP
#define LEVEL_SOL_IPV6 SOL_IPV6
#define LEVEL_SOL_MPTCP LEVEL_MPTCP
#define LEVEL_SOL_TLS LEVEL_TLS
#define LEVEL_SOL_NETLINK SOL_NETLINK
#define LEVEL_SOL_PACKET SOL_PACKET
#define LEVEL_AF_VSOCK AF_VSOCK
#define LEVEL_SOL_XDP LEVEL_XDP

const struct option options[] = {
#define OPTION(_level,                   \
	       _name,                    \
	       _number,                  \
	       _access,                  \
	       _size,                    \
	       _volatile,                \
	       _effect,                  \
	       _ring,                    \
	       _note)                    \
	{                                \
		.level_name = #_level,   \
		.name = #_name,          \
		.level = LEVEL_##_level, \
		.optname = _number,      \
		.access = _access,       \
		.size = _size,           \
		.changing = _volatile,   \
		.effect = _effect,       \
		.ring = _ring,           \
	},
#include "options.def"
#undef OPTION
};
const size_t num_options = sizeof(options) / sizeof(options[0]);

const char *level_name(int level)
{
	size_t i;

	for (i = 0; i < num_options; i++) {
		if (options[i].level == level) {
			return options[i].level_name;
		}
	}
	return "?";
}

enum serves serves;

bool serves_parse(const char *name)
{
	static const char *const names[] = {
		[SERVES_SOL_SOCKET] = "sol_socket",
		[SERVES_INET] = "inet",
		[SERVES_LTS] = "lts",
		[SERVES_ALL] = "all",
	};
	size_t i;

	for (i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		if (name != NULL && strcmp(name, names[i]) == 0) {
			serves = i;
			return true;
		}
	}
	return false;
}

bool served(struct specimen specimen, const struct option *option)
{
	if (serves >= SERVES_LTS || option->level == SOL_SOCKET) {
		return true;
	}
	return serves == SERVES_INET &&
	       kinds[specimen.kind].protocol != IPPROTO_MPTCP &&
	       !(specimen.state == WITH_TLS && option->level == LEVEL_TLS);
}

bool has_level(struct specimen s, int level)
{
	size_t i;

	if (s.state == WITH_TLS && level == LEVEL_TLS) {
		return true;
	}
	for (i = 0; kinds[s.kind].levels[i] != 0; i++) {
		int l = kinds[s.kind].levels[i];

		if ((l == LEVEL_IP ? SOL_IP : l) == level) {
			return true;
		}
	}
	return false;
}

bool is_spent(const struct option *o, enum state state)
{
	return (o->effect == CLEARS &&
		(state == ERROR_PENDING || state == SYN_SAVED)) ||
	       (o->effect == MAPS && state == DATA);
}

int count_descriptors(void)
{
	DIR *dir = opendir("/proc/self/fd");
	int num = 0;

	while (dir != NULL && readdir(dir) != NULL) {
		num++;
	}
	closedir(dir);
	return num;
}

union address {
	struct sockaddr sa;
	struct sockaddr_in in;
	struct sockaddr_in6 in6;
	struct sockaddr_un un;
	struct sockaddr_vm vm;
	struct sockaddr_ll ll;
	struct sockaddr_nl nl;
};

static socklen_t address_of(enum kind kind, union address *a)
{
	*a = (union address){};
	a->sa.sa_family = kinds[kind].family;
	switch (kinds[kind].family) {
	case AF_INET:
		a->in.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
		return sizeof(a->in);
	case AF_INET6:
		inet_pton(AF_INET6,
			  kind == TCP_MAPPED || kind == UDP_MAPPED
				  ? "::ffff:127.0.0.1"
				  : "::1",
			  &a->in6.sin6_addr);
		return sizeof(a->in6);
	case AF_VSOCK:
		a->vm.svm_cid = VMADDR_CID_LOCAL;
		a->vm.svm_port = VMADDR_PORT_ANY;
		return sizeof(a->vm);
	case AF_PACKET:
		/*
		 * Not ETH_P_ALL: a delayed ACK of another connection would
		 * reach one twin before its question and the other after it.
		 */
		a->ll.sll_protocol = htons(ETH_P_802_EX1);
		a->ll.sll_ifindex = if_nametoindex("lo");
		return sizeof(a->ll);
	case AF_NETLINK:
		return sizeof(a->nl);
	default:
		/* AF_UNIX: the kernel chooses an abstract name */
		return sizeof(a->sa.sa_family);
	}
}

static int scene_socket(struct scene *scene, enum kind kind)
{
	const struct kind_info *k = &kinds[kind];
	int fd = socket(k->family, k->type, k->protocol);

	if (fd != -1) {
		scene->others[scene->num_others] = fd;
		scene->num_others++;
	}
	return fd;
}

static int set_int(int fd, int level, int optname, int value)
{
	return setsockopt(fd, level, optname, &value, sizeof(value));
}

/* Settings that a connection inherits from its listener, or a socket has. */
static int set_ip_options(enum kind kind, int fd)
{
	const uint8_t options4[] = {1, 1, 1, 0};
	/* a hop-by-hop header of padding */
	const uint8_t hop6[] = {0, 0, 1, 4, 0, 0, 0, 0};
	const uint8_t dst6[] = {0, 0, 1, 4, 0, 0, 0, 0};
	struct sock_filter insns[] = {
		BPF_STMT(BPF_LD | BPF_W | BPF_LEN, 0),
		BPF_STMT(BPF_RET | BPF_A, 0),
	};
	const struct sock_fprog prog = {.len = 2, .filter = insns};
	int ret = setsockopt(
		fd, SOL_SOCKET, SO_ATTACH_FILTER, &prog, sizeof(prog));

	if (kinds[kind].family == AF_INET || kind == TCP_MAPPED) {
		ret |= setsockopt(
			fd, SOL_IP, IP_OPTIONS, options4, sizeof(options4));
		ret |= set_int(fd, SOL_IP, IP_PKTINFO, 1);
		ret |= set_int(fd, SOL_IP, IP_RECVTTL, 1);
		ret |= set_int(fd, SOL_IP, IP_RECVTOS, 1);
		ret |= set_int(fd, SOL_IP, IP_TOS, 0x10);
	}
	if (kinds[kind].family == AF_INET6) {
		ret |= setsockopt(
			fd, SOL_IPV6, IPV6_HOPOPTS, hop6, sizeof(hop6));
		ret |= setsockopt(
			fd, SOL_IPV6, IPV6_DSTOPTS, dst6, sizeof(dst6));
		ret |= set_int(fd, SOL_IPV6, IPV6_RECVPKTINFO, 1);
		ret |= set_int(fd, SOL_IPV6, IPV6_RECVHOPLIMIT, 1);
		ret |= set_int(fd, SOL_IPV6, IPV6_RECVTCLASS, 1);
		ret |= set_int(fd, SOL_IPV6, IPV6_TCLASS, 0x10);
	}
	return ret;
}

/* Group and source of the filters; which < NUM_SOURCES. */
static void group_address(int family, bool source, int which, void *out)
{
	union address a = {};

	a.sa.sa_family = family;
	if (family == AF_INET) {
		inet_pton(AF_INET, GROUP4, &a.in.sin_addr);
		if (source) {
			a.in.sin_addr.s_addr = htonl(0x0a000001 + which);
		}
		memcpy(out, &a.in, sizeof(a.in));
	} else {
		inet_pton(AF_INET6,
			  source ? "2001:db8::1" : GROUP6,
			  &a.in6.sin6_addr);
		if (source) {
			a.in6.sin6_addr.s6_addr[15] = which + 1;
		}
		memcpy(out, &a.in6, sizeof(a.in6));
	}
}

static int join_groups(enum kind kind, int fd)
{
	int family = kinds[kind].family;
	int level = family == AF_INET ? SOL_IP : SOL_IPV6;
	int i;

	for (i = 0; i < NUM_SOURCES; i++) {
		struct group_source_req req = {
			.gsr_interface = if_nametoindex("lo"),
		};

		group_address(family, false, 0, &req.gsr_group);
		group_address(family, true, i, &req.gsr_source);
		if (setsockopt(fd,
			       level,
			       MCAST_JOIN_SOURCE_GROUP,
			       &req,
			       sizeof(req)) != 0) {
			return -1;
		}
	}
	return 0;
}

static int add_ao_key(enum kind kind, int fd, uint8_t id)
{
	struct ao_add key = {
		.alg_name = "hmac(sha1)",
		.prefix = kinds[kind].family == AF_INET ? 32 : 128,
		.sndid = id,
		.rcvid = id,
		.maclen = 12,
		.keylen = 4,
		.key = "key",
	};
	union address a;
	socklen_t len = address_of(kind, &a);

	memcpy(&key.addr, &a, len);
	return setsockopt(fd, SOL_TCP, OPT_TCP_AO_ADD_KEY, &key, sizeof(key));
}

static int start_tls(int fd)
{
	struct tls12_crypto_info_aes_gcm_128 info = {
		.info.version = TLS_1_2_VERSION,
		.info.cipher_type = TLS_CIPHER_AES_GCM_128,
		.key = "0123456789abcde",
	};

	if (setsockopt(fd, SOL_TCP, TCP_ULP, "tls", 4) != 0 ||
	    setsockopt(fd, LEVEL_TLS, TLS_TX, &info, sizeof(info)) != 0 ||
	    setsockopt(fd, LEVEL_TLS, TLS_RX, &info, sizeof(info)) != 0)
	{
		return -1;
	}
	return 0;
}

/* A connection over loopback; client and accepted end. */
static int connect_pair(struct scene *scene,
			struct specimen s,
			int *client,
			int *accepted)
{
	union address a;
	socklen_t len = address_of(s.kind, &a);
	int listener = scene_socket(scene, s.kind);

	*client = scene_socket(scene, s.kind);
	if (listener == -1 || *client == -1 || bind(listener, &a.sa, len) != 0)
	{
		return -1;
	}
	if (s.state == IP_OPTIONS_SET && set_ip_options(s.kind, listener) != 0)
	{
		return -1;
	}
	if (s.state == SYN_SAVED) {
		(void)set_int(listener, SOL_TCP, TCP_SAVE_SYN, 1);
	}
	if (s.state == WITH_AO && (add_ao_key(s.kind, listener, 7) != 0 ||
				   add_ao_key(s.kind, listener, 8) != 0 ||
				   add_ao_key(s.kind, *client, 7) != 0 ||
				   add_ao_key(s.kind, *client, 8) != 0))
	{
		return -1;
	}
	len = sizeof(a);
	if (listen(listener, 1) != 0 ||
	    getsockname(listener, &a.sa, &len) != 0 ||
	    connect(*client, &a.sa, len) != 0)
	{
		return -1;
	}
	*accepted = accept(listener, NULL, NULL);
	if (*accepted == -1) {
		return -1;
	}
	scene->others[scene->num_others] = *accepted;
	scene->num_others++;
	return 0;
}

/* Send data and wait for its acknowledgement, so that none is in flight. */
static int send_data(int from, int to)
{
	char byte = 'x';

	return send(from, "data data data data", 19, 0) == 19 &&
			       recv(to, &byte, 1, MSG_PEEK) == 1
		       ? 0
		       : -1;
}

static int open_stream(struct scene *scene, struct specimen s)
{
	int client;
	int accepted;

	if (connect_pair(scene, s, &client, &accepted) != 0) {
		return -1;
	}
	scene->fd = client;
	switch (s.state) {
	case ACCEPTED:
	case IP_OPTIONS_SET:
	case SYN_SAVED:
		scene->fd = accepted;
		break;
	case HALF_CLOSED:
		return shutdown(client, SHUT_WR);
	case PEER_CLOSED:
		return shutdown(accepted, SHUT_WR);
	case DATA:
		return send_data(accepted, client);
	case REPAIR:
		/* the queue for writing */
		if (set_int(client, SOL_TCP, TCP_REPAIR, 1) != 0) {
			return -1;
		}
		return set_int(client, SOL_TCP, TCP_REPAIR_QUEUE, 2);
	case WITH_TLS:
		return start_tls(client);
	default:
		break;
	}
	return 0;
}

/* AF_UNIX stream with ECONNRESET, others with ECONNREFUSED. */
static int open_with_error(struct scene *scene, struct specimen s)
{
	union address a;
	socklen_t len = address_of(s.kind, &a);
	int other;
	int tries;

	if (kinds[s.kind].family == AF_UNIX) {
		int fds[2];

		if (socketpair(AF_UNIX, SOCK_STREAM, 0, fds) != 0) {
			return -1;
		}
		scene->fd = scene->others[0] = fds[0];
		scene->num_others = 1;
		if (send(fds[0], "x", 1, 0) != 1) {
			return -1;
		}
		return close(fds[1]);
	}

	/* a port that was used before and is free now */
	other = socket(kinds[s.kind].family, kinds[s.kind].type, 0);
	scene->fd = scene_socket(scene, s.kind);
	if (other == -1 || scene->fd == -1 || bind(other, &a.sa, len) != 0 ||
	    getsockname(other, &a.sa, &len) != 0 || close(other) != 0 ||
	    fcntl(scene->fd, F_SETFL, O_NONBLOCK) != 0)
	{
		return -1;
	}
	if (connect(scene->fd, &a.sa, len) != 0 && errno != EINPROGRESS) {
		return errno == ECONNREFUSED ? 0 : -1;
	}
	if (kinds[s.kind].type == SOCK_DGRAM && send(scene->fd, "x", 1, 0) != 1)
	{
		return -1;
	}
	/* the refusal comes over loopback within a moment */
	for (tries = 0; tries < 1000; tries++) {
		uint8_t state[8] = {};

		len = sizeof(state);
		if (kinds[s.kind].type == SOCK_DGRAM ||
		    getsockopt(scene->fd, SOL_TCP, TCP_INFO, state, &len) !=
			    0 ||
		    state[0] == TCP_CLOSE)
		{
			break;
		}
		usleep(1000);
	}
	return 0;
}

static int open_special(struct scene *scene, struct specimen s)
{
	union address a;
	socklen_t len = address_of(s.kind, &a);
	int fd = scene->fd;

	switch (s.kind) {
	case RAW4:
		/* multicast routing, which has options of its own */
		close(fd);
		fd = socket(AF_INET, SOCK_RAW, IPPROTO_IGMP);
		scene->fd = scene->others[0] = fd;
		return set_int(fd, SOL_IP, 200 /* MRT_INIT */, 1);
	case RAW6:
		return set_int(fd, SOL_IPV6, 200 /* MRT6_INIT */, 1);
	case NETLINK:
		a.nl.nl_groups = RTMGRP_LINK;
		if (bind(fd, &a.sa, len) != 0) {
			return -1;
		}
		return set_int(fd, SOL_NETLINK, NETLINK_PKTINFO, 1);
	case PACKET: {
		struct tpacket_req3 req = {
			.tp_block_size = 4096,
			.tp_block_nr = 2,
			.tp_frame_size = 2048,
			.tp_frame_nr = 4,
		};

		if (set_int(fd, SOL_PACKET, PACKET_VERSION, TPACKET_V3) != 0) {
			return -1;
		}
		return setsockopt(
			fd, SOL_PACKET, PACKET_RX_RING, &req, sizeof(req));
	}
	case XDP: {
		struct xdp_umem_reg reg = {
			.len = 16 * 4096,
			.chunk_size = 4096,
		};

		scene->memory_size = reg.len;
		scene->memory = mmap(NULL,
				     reg.len,
				     PROT_READ | PROT_WRITE,
				     MAP_PRIVATE | MAP_ANONYMOUS,
				     -1,
				     0);
		reg.addr = (uintptr_t)scene->memory;
		if (setsockopt(
			    fd, LEVEL_XDP, XDP_UMEM_REG, &reg, sizeof(reg)) !=
		    0) {
			return -1;
		}
		return set_int(fd, LEVEL_XDP, XDP_RX_RING, 8);
	}
	default:
		errno = EOPNOTSUPP;
		return -1;
	}
}

static int open_unix_pair(struct scene *scene, struct specimen s)
{
	int fds[2];

	if (socketpair(AF_UNIX, kinds[s.kind].type, 0, fds) != 0) {
		return -1;
	}
	scene->fd = scene->others[0] = fds[0];
	scene->others[1] = fds[1];
	scene->num_others = 2;
	return 0;
}

static int open_datagram(struct scene *scene, struct specimen s)
{
	union address a;
	socklen_t len = address_of(s.kind, &a);
	int fd = scene_socket(scene, s.kind);
	int peer;

	scene->fd = fd;
	if (fd == -1) {
		return -1;
	}
	switch (s.state) {
	case BOUND:
		return bind(fd, &a.sa, len);
	case LISTENING:
		if (bind(fd, &a.sa, len) != 0) {
			return -1;
		}
		return listen(fd, 1);
	case IP_OPTIONS_SET:
		return set_ip_options(s.kind, fd);
	case MULTICAST:
		return join_groups(s.kind, fd);
	case SPECIAL:
		return open_special(scene, s);
	case CONNECTED:
	case HALF_CLOSED:
	case DATA:
		if (kinds[s.kind].type == SOCK_RAW || s.kind == PING4 ||
		    s.kind == PING6) {
			return connect(fd, &a.sa, len);
		}
		peer = scene_socket(scene, s.kind);
		if (peer == -1 || bind(peer, &a.sa, len) != 0 ||
		    getsockname(peer, &a.sa, &len) != 0 ||
		    connect(fd, &a.sa, len) != 0)
		{
			return -1;
		}
		len = sizeof(a);
		if (s.state == HALF_CLOSED) {
			return shutdown(fd, SHUT_WR);
		}
		if (s.state == DATA) {
			if (getsockname(fd, &a.sa, &len) != 0 ||
			    connect(peer, &a.sa, len) != 0) {
				return -1;
			}
			return send_data(peer, fd);
		}
		return 0;
	default:
		return 0;
	}
}

int scene_open(struct scene *scene, struct specimen s)
{
	bool stream = kinds[s.kind].type == SOCK_STREAM ||
		      kinds[s.kind].type == SOCK_SEQPACKET;
	int error;
	int ret;

	*scene = (struct scene){.fd = -1};
	errno = 0;
	if (s.state == ERROR_PENDING) {
		ret = open_with_error(scene, s);
	} else if (!stream || s.state == FRESH || s.state == BOUND ||
		   s.state == LISTENING)
	{
		if (s.kind == UNIX_DGRAM && s.state == CONNECTED) {
			ret = open_unix_pair(scene, s);
		} else {
			ret = open_datagram(scene, s);
		}
	} else if (s.kind == UNIX_SEQPACKET) {
		ret = open_unix_pair(scene, s);
	} else {
		ret = open_stream(scene, s);
	}
	if (ret != 0) {
		error = errno != 0 ? errno : EINVAL;
		scene_close(scene);
		return error;
	}
	return 0;
}

void scene_close(struct scene *scene)
{
	size_t i;

	for (i = scene->num_others; i > 0; i--) {
		close(scene->others[i - 1]);
	}
	if (scene->memory != NULL) {
		munmap(scene->memory, scene->memory_size);
	}
	*scene = (struct scene){.fd = -1};
}

void sockets_init(void)
{
	struct ifreq ifr = {.ifr_name = "lo"};
	int fd;

	/* without privileges this fails; then use the existing network */
	(void)unshare(CLONE_NEWNET);
	fd = socket(AF_INET, SOCK_DGRAM, 0);
	if (fd == -1) {
		return;
	}
	if (ioctl(fd, SIOCGIFFLAGS, &ifr) == 0) {
		ifr.ifr_flags |= IFF_UP | IFF_MULTICAST;
		(void)ioctl(fd, SIOCSIFFLAGS, &ifr);
	}
	close(fd);
	fd = open("/proc/sys/net/ipv4/ping_group_range", O_WRONLY);
	if (fd != -1) {
		(void)!write(fd, "0 65535", 7);
		close(fd);
	}
}

/* The structs of filters are written out: libc's have other names. */
struct filter4 {
	uint32_t group;
	uint32_t interface;
	uint32_t mode;
	uint32_t num;
	uint32_t sources[4];
};

struct filter {
	uint32_t interface;
	struct sockaddr_storage group;
	uint32_t mode;
	uint32_t num;
};

static union {
	uint8_t bytes[512];
	struct filter4 filter4;
	struct filter filter;
	struct zerocopy zerocopy;
	struct {
		struct sockaddr_storage addr;
		char alg_name[64];
		uint8_t key[80];
		uint32_t nkeys;
		uint16_t flags;
		uint8_t sndid;
		uint8_t rcvid;
		uint8_t prefix;
		uint8_t maclen;
		uint8_t keyflags;
		uint8_t keylen;
		int32_t ifindex;
		uint64_t pkts[2];
	} ao;
	struct {
		struct in6_addr dst;
		uint32_t label;
		uint8_t action;
		uint8_t share;
		uint16_t flags;
		uint16_t expires;
		uint16_t linger;
		uint32_t pad;
	} flowlabel;
	struct {
		uint32_t size;
		uint32_t num;
		uint32_t size_kernel;
		uint32_t size_user;
	} subflow;
	struct {
		uint32_t size_tcp_kernel;
		uint32_t size_tcp_user;
		uint32_t size_sf_kernel;
		uint32_t size_sf_user;
		uint32_t num;
		uint32_t size_arrays;
		uint64_t pointers[2];
	} full_info;
	struct {
		char name[32];
		uint32_t rest[13];
	} table;
	int integer;
} input;

static size_t input_filter(struct specimen s, bool ip, size_t which)
{
	/* the number of sources asked for: fewer, all, more than exist */
	static const uint32_t counts[] = {NUM_SOURCES, 0, 1, 8};
	int family = ip ? AF_INET : AF_INET6;

	if (which >= sizeof(counts) / sizeof(counts[0])) {
		return 0;
	}
	input.filter.interface = if_nametoindex("lo");
	group_address(family, false, 0, &input.filter.group);
	input.filter.num = counts[which];
	return sizeof(input.filter);
}

const uint8_t *option_input(const struct option *o,
			    struct specimen s,
			    size_t which,
			    size_t *size)
{
	bool ip = o->level == SOL_IP;
	union address a;

	memset(&input, 0, sizeof(input));
	*size = 0;
	if (o->access != INOUT) {
		return input.bytes;
	}
	if (which == 0) {
		/* zeroes */
		*size = sizeof(input.bytes);
		return input.bytes;
	}
	which--;
	if (strstr(o->name, "_SO_GET_") != NULL) {
		if (which < 2) {
			strcpy(input.table.name,
			       which == 0 ? "filter" : "none");
			*size = sizeof(input.table);
		}
	} else if (strcmp(o->name, "MCAST_MSFILTER") == 0) {
		*size = input_filter(s, ip, which);
	} else if (strcmp(o->name, "IP_MSFILTER") == 0) {
		if (which < 4) {
			input.filter4.group = inet_addr(GROUP4);
			/* the loopback address */
			input.filter4.interface = htonl(INADDR_LOOPBACK);
			input.filter4.num = which == 3 ? 8 : which;
			*size = sizeof(input.filter4);
		}
	} else if (strcmp(o->name, "TCP_AO_GET_KEYS") == 0) {
		if (which < 4) {
			input.ao.nkeys = which;
			/* get_all; one of the two keys */
			input.ao.flags = which < 3 ? 4 : 0;
			if (which == 3) {
				memcpy(&input.ao.addr,
				       &a,
				       address_of(s.kind, &a));
				input.ao.nkeys = 1;
				input.ao.prefix = kinds[s.kind].family ==
								  AF_INET
							  ? 32
							  : 128;
				input.ao.sndid = input.ao.rcvid = 8;
			}
			*size = sizeof(input.ao);
		}
	} else if (strcmp(o->name, "TCP_ZEROCOPY_RECEIVE") == 0) {
		if (which < 1) {
			input.zerocopy.length = 4096;
			*size = sizeof(input.zerocopy);
		}
	} else if (strcmp(o->name, "IPV6_FLOWLABEL_MGR") == 0) {
		if (which < 2) {
			/* the owner of a label, and a label without one */
			input.flowlabel.label = htonl(which * 0x12345);
			input.flowlabel.action = 3 * which;
			*size = sizeof(input.flowlabel);
		}
	} else if (strcmp(o->name, "MPTCP_FULL_INFO") == 0) {
		if (which < 1) {
			input.full_info.size_tcp_user = 64;
			input.full_info.size_sf_user = 64;
			*size = sizeof(input.full_info);
		}
	} else if (o->level == LEVEL_MPTCP) {
		if (which < 3) {
			/* elements of the right size, shorter and longer */
			static const uint32_t sizes[] = {256, 16, 300};

			input.subflow.size = sizeof(input.subflow);
			input.subflow.size_user = sizes[which];
			*size = sizeof(input.subflow);
		}
	} else if (which < 4) {
		/* PACKET_HDRLEN: versions 1 to 3, and one more */
		input.integer = which;
		*size = sizeof(input.integer);
	}
	return input.bytes;
}
