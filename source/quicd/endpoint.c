/* SPDX-License-Identifier: LGPL-3.0-or-later */
/*
 * A worker's endpoint, see endpoint.h: dispatch and work.
 *
 * The endpoint finds the connection of each datagram.  After each wake-up, it
 * lets the connections work that got datagrams.  endpoint_accept.c accepts new
 * connections.
 */

#include "config.h"

#include <string.h>

#include "close_wait.h"
#include "conn.h"
#include "endpoint_internal.h"
#include "publish.h"
#include "stateless.h"
#include "util/clock.h"
#include "util/dlinklist.h"
#include "util/macros.h"

/*
 * How long a worker that sends lets acknowledgements gather: nanoseconds, and
 * the part of the round-trip time.  smbclient sends a datagram for every second
 * packet that it acknowledges, and each would wake us to send two packets.
 */
#define QUICD_GATHER_MAX (250 * CLOCK_NS_PER_US)
#define QUICD_GATHER_RTT 4

/* The list of connections that have something to do. */

static void quicd_endpoint_put(struct quicd_conn *conn,
			       struct quicd_conn **list)
{
	if (conn->list != list) {
		DLIST_REMOVE(*conn->list, conn);
		DLIST_ADD_END(*list, conn);
		conn->list = list;
	}
}

struct quicd_conn *quicd_endpoint_any(const struct quicd_endpoint *endpoint)
{
	return endpoint->work != NULL ? endpoint->work : endpoint->idle;
}

static void quicd_endpoint_free(struct quicd_conn *conn)
{
	DLIST_REMOVE(*conn->list, conn);
	talloc_free(conn);
}

/* The closing period, if there is one, does not need the connection. */
void quicd_endpoint_closed(struct quicd_endpoint *endpoint,
			   struct quicd_conn *conn)
{
	if (conn->closing.packet != NULL) {
		(void)quicd_close_wait_begin(endpoint->close_waits,
					     &conn->cids,
					     &conn->closing);
	}
	quicd_endpoint_free(conn);
}

/* Until then datagrams wait to be served together, if we have to send. */
static void quicd_endpoint_set_gather(struct quicd_endpoint *endpoint,
				      const struct quicd_conn *conn,
				      uint64_t now)
{
	ngtcp2_conn_info info;
	uint64_t time;

	if (conn->relay == NULL || quicd_relay_unsent(conn->relay) == 0) {
		endpoint->gather = 0;
		return;
	}
	ngtcp2_conn_get_conn_info(conn->ngtcp2, &info);
	time = info.smoothed_rtt / QUICD_GATHER_RTT;
	endpoint->gather = now + (time < QUICD_GATHER_MAX ? time
							  : QUICD_GATHER_MAX);
}

static void quicd_endpoint_conn_work(struct quicd_endpoint *endpoint,
				     struct quicd_conn *conn)
{
	const uint64_t now = clock_monotonic_ns();

	quicd_endpoint_put(conn, &endpoint->idle);
	switch (quicd_conn_work(conn, now)) {
	case QUICD_CONN_CLOSED:
		quicd_endpoint_closed(endpoint, conn);
		return;
	case QUICD_CONN_BLOCKED:
		quicd_endpoint_put(conn, &endpoint->work);
		break;
	case QUICD_CONN_IDLE:
		break;
	}
	quicd_endpoint_set_gather(endpoint, conn, now);
	quicd_publish(endpoint->status, conn, now);
}

void quicd_endpoint_work(void *owner)
{
	struct quicd_endpoint *endpoint = talloc_get_type_abort(
		owner, struct quicd_endpoint);
	struct quicd_conn *conn = NULL;
	struct quicd_conn *last = NULL;

	if (endpoint->work == NULL) {
		return;
	}
	/* leave those that are queued meanwhile: their socket is full */
	last = endpoint->work->prev;
	do {
		conn = endpoint->work;
		quicd_endpoint_conn_work(endpoint, conn);
	} while (conn != last && endpoint->work != NULL);
}

static void quicd_endpoint_conn_ready(void *owner, struct quicd_conn *conn)
{
	quicd_endpoint_conn_work(owner, conn);
}

static const struct quicd_conn_ops quicd_endpoint_conn_ops = {
	.ready = quicd_endpoint_conn_ready,
};

/* Datagrams. */

struct quicd_socket *quicd_endpoint_covers(
	const struct quicd_endpoint *endpoint,
	const struct sockaddr *local)
{
	struct quicd_socket *socket = endpoint->sockets;

	while (socket != NULL &&
	       (socket->reason != NULL ||
		!address_covers(quicd_udp_bound(socket->udp), local)))
	{
		socket = socket->next;
	}
	return socket;
}

/*
 * Find the connection; else answer or drop the datagram and return NULL.
 *
 * While the sockets of an address are opened or closed, the kernel gives some
 * datagrams to the wrong worker (udp_open.c).  That worker must not answer: the
 * connection may live in the right worker, and a stateless reset would end it.
 */
static struct quicd_conn *quicd_endpoint_find(struct quicd_endpoint *endpoint,
					      struct quicd_udp *udp,
					      const struct quicd_path *path,
					      const uint8_t *data,
					      size_t len,
					      uint64_t now)
{
	struct quicd_stateless *stateless = &endpoint->stateless;
	struct quicd_cid_set *set = NULL;
	ngtcp2_version_cid vc;
	int ret;

	ret = ngtcp2_pkt_decode_version_cid(&vc, data, len, QUICD_CID_LEN);
	if (ret == NGTCP2_ERR_VERSION_NEGOTIATION) {
		quicd_send_version_negotiation(stateless, udp, path, &vc, len);
		return NULL;
	}
	if (ret != 0) {
		return NULL;
	}
	set = quicd_cid_find(endpoint->context.cids, vc.dcid, vc.dcidlen);
	if (set != NULL && set->owner == QUICD_CID_OF_CLOSE_WAIT) {
		quicd_close_wait_received(set);
		return NULL;
	}
	if (set != NULL) {
		return container_of(set, struct quicd_conn, cids);
	}
	if (!quicd_cid_leads_to(vc.dcid,
				vc.dcidlen,
				endpoint->context.worker,
				endpoint->context.shared->workers))
	{
		return NULL;
	}
	if (vc.version == 0) {
		quicd_send_stateless_reset(stateless,
					   &endpoint->context,
					   udp,
					   path,
					   &vc,
					   len);
		return NULL;
	}
	return quicd_endpoint_accept(
		endpoint, &quicd_endpoint_conn_ops, udp, path, data, len, now);
}

void quicd_endpoint_received(void *owner,
			     struct quicd_udp *udp,
			     const struct quicd_path *path,
			     const uint8_t *data,
			     size_t len,
			     uint64_t now)
{
	struct quicd_endpoint *endpoint = talloc_get_type_abort(
		owner, struct quicd_endpoint);
	struct quicd_conn *conn = NULL;

	if (len == 0) {
		return;
	}
	conn = quicd_endpoint_find(endpoint, udp, path, data, len, now);
	if (conn == NULL) {
		return;
	}
	/* the client may have moved to another address */
	if (!address_equal(&path->remote, &conn->peer) &&
	    !quicd_endpoint_admit(endpoint, &path->remote))
	{
		return;
	}
	quicd_conn_read(conn, path, data, len, now);
	if (conn->state == QUICD_CLOSED) {
		const bool retry = conn->retry;

		quicd_endpoint_closed(endpoint, conn);
		if (retry) {
			quicd_endpoint_retry(endpoint, udp, path, data, len);
		}
		return;
	}
	quicd_endpoint_put(conn, &endpoint->work);
}

/* The whole. */

void quicd_endpoint_clear(struct quicd_endpoint *endpoint)
{
	struct quicd_conn *conn = NULL;

	while ((conn = quicd_endpoint_any(endpoint)) != NULL) {
		quicd_endpoint_free(conn);
	}
	if (endpoint->close_waits != NULL) {
		quicd_close_waits_clear(endpoint->close_waits);
	}
}

void quicd_endpoint_close_all(struct quicd_endpoint *endpoint,
			      const char *reason)
{
	struct quicd_conn *conn = NULL;

	while ((conn = quicd_endpoint_any(endpoint)) != NULL) {
		quicd_conn_shutdown(conn, reason);
		quicd_endpoint_closed(endpoint, conn);
	}
}

static void quicd_endpoint_sleep(uint64_t until)
{
	const struct timespec at = {
		.tv_sec = (time_t)(until / CLOCK_NS_PER_S),
		.tv_nsec = (long)(until % CLOCK_NS_PER_S),
	};

	if (until > clock_monotonic_ns()) {
		/* a signal ends the wait */
		(void)clock_nanosleep(
			CLOCK_MONOTONIC, TIMER_ABSTIME, &at, NULL);
	}
}

int quicd_endpoint_loop_once(struct quicd_endpoint *endpoint)
{
	struct quicd_timers *timers = endpoint->context.timers;
	const uint64_t next = quicd_timers_next(timers);

	quicd_endpoint_sleep(endpoint->gather < next ? endpoint->gather : next);
	return quicd_timers_loop_once(timers, endpoint->context.ev);
}
