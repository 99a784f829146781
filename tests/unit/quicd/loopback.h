/* SPDX-License-Identifier: LGPL-3.0-or-later */
/* Sockets on the loopback interface.  After the headers that cmocka.h wants. */
#ifndef LOOPBACK_H
#define LOOPBACK_H

#include <sys/socket.h>

#include "quicd/udp.h"

/* A bound UDP socket, and its address. */
static inline int loopback_socket(struct address *address)
{
	const int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	assert_true(fd >= 0);
	assert_true(address_parse("127.0.0.1", 1, address));
	address->u.in.sin_port = 0;
	assert_int_equal(bind(fd, &address->u.sa, address->len), 0);
	assert_int_equal(getsockname(fd, &address->u.sa, &address->len), 0);
	return fd;
}

static inline void loopback_received(void *owner,
				     struct quicd_udp *udp,
				     const struct quicd_path *path,
				     const uint8_t *data,
				     size_t len,
				     uint64_t now)
{
}

static inline void loopback_done(void *owner)
{
}

/* For those who only send. */
static const struct quicd_udp_ops loopback_ops = {
	.received = loopback_received,
	.done = loopback_done,
};

#endif /* LOOPBACK_H */
