/* SPDX-License-Identifier: LGPL-3.0-or-later */
/*
 * UDP sockets: several datagrams of a path with one system call each way (GSO,
 * GRO), and which worker's socket the kernel chooses.
 */
#ifndef QUICD_UDP_H
#define QUICD_UDP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <talloc.h>
#include <tevent.h>

#include "transport/quicd_counters.h"
#include "util/address.h"

#define QUICD_MAX_PAYLOAD 8952 /* of an MTU of 9000, IPv6 */

/* Where a datagram comes from and goes to, and its ECN bits. */
struct quicd_path {
	struct address local;
	struct address remote;
	uint8_t ecn;
};

/* A socket, and the packets that it has not taken yet. */
struct quicd_udp;

struct quicd_udp_ops {
	/*
	 * A datagram has come.  It is not called for a datagram that
	 * quicd_udp_reflects() drops.
	 * now: when its batch came, on the monotonic clock in nanoseconds.
	 */
	void (*received)(void *owner,
			 struct quicd_udp *udp,
			 const struct quicd_path *path,
			 const uint8_t *data,
			 size_t len,
			 uint64_t now);
	/* The wake-up is over, or the socket takes packets again. */
	void (*done)(void *owner);
};

/**
 * @brief Open the sockets of all workers for one address.
 *
 * @param[in]  overlaps  This process has a socket at the same port whose
 *                       address covers this one (0.0.0.0 covers 192.0.2.1), or
 *                       is covered by this one.
 * @param[out] fds       One socket for each worker, in the workers' order.
 *
 * @return 0 or an errno.
 */
int quicd_udp_open(const struct address *address,
		   uint32_t workers,
		   bool overlaps,
		   int *fds);

/**
 * @brief Serve a socket.
 *
 * @param[in] fd        The socket.  It is not closed when the structure is
 *                      freed: the parent and the worker's successor have it,
 *                      too.
 * @param[in] counters  Count what the kernel drops and refuses; or NULL.
 *
 * @return NULL without memory.
 */
struct quicd_udp *quicd_udp_create(TALLOC_CTX *mem_ctx,
				   struct tevent_context *ev,
				   int fd,
				   const struct quicd_udp_ops *ops,
				   void *owner,
				   struct quicd_counters *counters);

/**
 * @brief Whether a datagram may be forged to make us and a UDP service answer
 * each other.
 *
 * Such a datagram comes from a port below 1024, or from the port of a service
 * whose answers are larger than the requests.  No QUIC client uses these ports.
 */
bool quicd_udp_reflects(const struct address *remote);

/**
 * @brief The longest datagram that the device of a path takes, but no longer
 * than QUICD_MAX_PAYLOAD.
 */
size_t quicd_udp_payload(const struct quicd_path *path);

/** @brief The address that the socket is bound to. */
const struct address *quicd_udp_bound(const struct quicd_udp *udp);

/**
 * @brief Where to write the next packet of a batch.
 *
 * @param[out] size  How long it may be.
 */
uint8_t *quicd_udp_reserve(struct quicd_udp *udp, size_t *size);

/**
 * @brief Send the packet that was written there; it may wait for more of its
 * path until quicd_udp_flush().
 *
 * @return false if the socket is full and the packet is lost.
 */
bool quicd_udp_commit(struct quicd_udp *udp,
		      const struct quicd_path *path,
		      size_t len);

/** @brief Send the packets of the batch that waits. */
void quicd_udp_flush(struct quicd_udp *udp);

/** @brief Whether the socket is full; ops->done tells when it is not. */
bool quicd_udp_blocked(const struct quicd_udp *udp);

/** @brief Send a single packet; it is lost if the socket is full. */
void quicd_udp_send(struct quicd_udp *udp,
		    const struct quicd_path *path,
		    const uint8_t *data,
		    size_t len);

#endif /* QUICD_UDP_H */
