/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Sockets of every kind in every state, and the socket options.
 */
#ifndef SOCKETS_H
#define SOCKETS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Levels that Debian 12's headers lack. */
#define LEVEL_MPTCP 284
#define LEVEL_TLS 282
#define LEVEL_XDP 283

enum kind {
	TCP4,
	TCP6,
	/* an IPv6 socket with IPv4 addresses */
	TCP_MAPPED,
	MPTCP4,
	MPTCP6,
	UDP4,
	UDP6,
	UDP_MAPPED,
	RAW4,
	RAW6,
	PING4,
	PING6,
	UNIX_STREAM,
	UNIX_DGRAM,
	UNIX_SEQPACKET,
	NETLINK,
	PACKET,
	VSOCK,
	XDP,
};
#define NUM_KINDS (XDP + 1)

enum state {
	FRESH,
	BOUND,
	LISTENING,
	CONNECTED,
	ACCEPTED,
	HALF_CLOSED,
	PEER_CLOSED,
	ERROR_PENDING,
	/* with unread data */
	DATA,
	/* with IP options that it sends and receives, and a filter */
	IP_OPTIONS_SET,
	/* member of groups, with source filters */
	MULTICAST,
	/* TCP only */
	REPAIR,
	WITH_AO,
	WITH_TLS,
	SYN_SAVED,
	/* with a special setting of its family */
	SPECIAL,
};
#define NUM_STATES (SPECIAL + 1)

/* One kind in one state. */
struct specimen {
	enum kind kind;
	enum state state;
};

extern const struct specimen specimens[];
extern const size_t num_specimens;

struct kind_info {
	const char *name;
	int family;
	int type;
	int protocol;
	/* its levels, 0-terminated; SOL_IP, which is 0, is LEVEL_IP here */
	int levels[6];
};
#define LEVEL_IP (-1000)

extern const struct kind_info kinds[NUM_KINDS];
extern const char *const state_names[NUM_STATES];

/* An open socket, and the others that keep it in its state. */
struct scene {
	int fd;
	int others[6];
	size_t num_others;
	void *memory;
	size_t memory_size;
};

/* Returns 0, or the errno if there is no such socket here. */
int scene_open(struct scene *scene, struct specimen specimen);
void scene_close(struct scene *scene);

/* The groups that multicast sockets join, with this many sources. */
#define GROUP4 "239.1.1.1"
#define GROUP6 "ff02::1:1"
#define NUM_SOURCES 3

/* Set loopback up and allow ping, in a network of our own if possible. */
void sockets_init(void);

enum access { GET, INOUT, SET };
enum effect { NONE, CLEARS, INSTALLS, MAPS };
enum through_ring { RING, NETFILTER, BOUNDED, OVERRUNS, TASK };

struct option {
	const char *level_name;
	const char *name;
	int level;
	int optname;
	enum access access;
	size_t size;
	const char *changing;
	enum effect effect;
	enum through_ring ring;
};

extern const struct option options[];
extern const size_t num_options;

const char *level_name(int level);

/* The ring's answers in addition to SOL_SOCKET: --ring of the programs. */
enum serves {
	/* nothing: a kernel without a series */
	SERVES_SOL_SOCKET,
	/* a series without MPTCP and kTLS */
	SERVES_INET,
	/* the series of kernel/6.12: all, but not for 32-bit callers */
	SERVES_LTS,
	/* the whole series of kernel/7.3 */
	SERVES_ALL,
};
extern enum serves serves;

/* Parse "sol_socket", "inet", "lts" or "all"; false if it is another word. */
bool serves_parse(const char *name);

/* The number of descriptors of this process. */
int count_descriptors(void);

/* Whether the socket has this level. */
bool has_level(struct specimen specimen, int level);

/* Whether the first query changes the value, as with SO_ERROR. */
bool is_spent(const struct option *option, enum state state);

/* Whether the ring must answer this option on this socket. */
bool served(struct specimen specimen, const struct option *option);

/*
 * Input for an option that reads its value: 0 to NUM_INPUTS - 1.  The result is
 * valid until the next call; size 0: there is no such input.
 */
#define NUM_INPUTS 6
const uint8_t *option_input(const struct option *option,
			    struct specimen specimen,
			    size_t which,
			    size_t *size);

/* struct tcp_zerocopy_receive of Linux 7.3; old headers have fewer fields. */
struct zerocopy {
	uint64_t address;
	uint32_t length;
	uint32_t skip;
	uint32_t inq;
	int32_t err;
	uint64_t copy_address;
	int32_t copy_length;
	uint32_t flags;
	uint64_t rest[3];
};

#endif /* SOCKETS_H */
