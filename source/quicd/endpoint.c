/* SPDX-License-Identifier: LGPL-3.0-or-later */
/*
 * A worker's endpoint, see endpoint.h.
 *
 * The endpoint finds the connection of each datagram.  After each batch, it
 * lets the connections work that got datagrams.  endpoint_accept.c accepts new
 * connections.
 */

#include "config.h"

#include <errno.h>
#include <malloc.h>
#include <string.h>
#include <unistd.h>

#include "addresses.h"
#include "close_wait.h"
#include "conn.h"
#include "endpoint_internal.h"
#include "log.h"
#include "publish.h"
#include "qlog.h"
#include "stateless.h"
#include "util/clock.h"
#include "util/dlinklist.h"
#include "util/macros.h"

#define QUICD_MAX_CLOSE_WAITS 512

/*
 * How long a worker that sends lets acknowledgements gather: nanoseconds, and
 * the part of the round-trip time.  smbclient sends a datagram for every second
 * packet that it acknowledges, and each would wake us to send two packets.
 */
#define QUICD_GATHER_MAX (250 * CLOCK_NS_PER_US)
#define QUICD_GATHER_RTT 4

/* So much free memory stays with the worker. */
#define QUICD_KEPT_MEMORY (8 * 1024 * 1024)

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

/* Find the connection; else answer or drop the datagram and return NULL. */
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

static const struct quicd_udp_ops quicd_endpoint_udp_ops = {
	.received = quicd_endpoint_received,
	.done = quicd_endpoint_work,
};

static int quicd_socket_destructor(struct quicd_socket *socket)
{
	DLIST_REMOVE(socket->endpoint->sockets, socket);
	quicd_timer_remove(&socket->timer);
	TALLOC_FREE(socket->udp);
	close(socket->fd);
	return 0;
}

struct quicd_udp *quicd_endpoint_add_socket(struct quicd_endpoint *endpoint,
					    uint32_t number,
					    int fd)
{
	struct quicd_socket *socket = talloc_zero(endpoint,
						  struct quicd_socket);

	if (socket == NULL) {
		return NULL;
	}
	socket->endpoint = endpoint;
	socket->number = number;
	socket->fd = fd;
	socket->udp = quicd_udp_create(socket,
				       endpoint->context.ev,
				       fd,
				       &quicd_endpoint_udp_ops,
				       endpoint,
				       endpoint->context.shared->counters);
	if (socket->udp == NULL) {
		talloc_free(socket);
		return NULL;
	}
	DLIST_ADD_END(endpoint->sockets, socket);
	talloc_set_destructor(socket, quicd_socket_destructor);
	return socket->udp;
}

/* The whole. */

void quicd_endpoint_count(const struct quicd_endpoint *endpoint,
			  struct quicd_endpoint_counts *counts)
{
	memcpy(counts->conns, endpoint->context.conns, sizeof(counts->conns));
	counts->close_waits = quicd_close_waits_count(endpoint->close_waits);
	counts->cids = quicd_cids_count(endpoint->context.cids);
	counts->timers = quicd_timers_count(endpoint->context.timers);
}

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

/* Close the connections on this address of ours: it gets no more packets. */
static void quicd_endpoint_address_lost(void *owner,
					const struct address *address)
{
	struct quicd_endpoint *endpoint = talloc_get_type_abort(
		owner, struct quicd_endpoint);
	struct quicd_conn *lists[] = {endpoint->idle, endpoint->work};
	size_t i;

	for (i = 0; i < ARRAY_SIZE(lists); i++) {
		struct quicd_conn *conn = lists[i];

		while (conn != NULL) {
			struct quicd_conn *next = conn->next;
			const ngtcp2_path *path = ngtcp2_conn_get_path(
				conn->ngtcp2);

			if (address_same_host(path->local.addr,
					      &address->u.sa))
			{
				quicd_conn_shutdown(conn,
						    "this machine lost the "
						    "address");
				quicd_endpoint_closed(endpoint, conn);
			}
			conn = next;
		}
	}
}

static void quicd_endpoint_watch_addresses(struct quicd_endpoint *endpoint)
{
	const int error = quicd_addresses_watch(endpoint,
						endpoint->context.ev,
						quicd_endpoint_address_lost,
						endpoint);

	if (error != 0) {
		quicd_log("cannot watch the addresses of this machine: %s; "
			  "clients of one that moves end by their time-out",
			  strerror(error));
	}
}

static int quicd_endpoint_destructor(struct quicd_endpoint *endpoint)
{
	quicd_endpoint_clear(endpoint);
	while (endpoint->sockets != NULL) {
		talloc_free(endpoint->sockets);
	}
	quicd_timer_remove(&endpoint->drain.timer);
	quicd_tls_release(endpoint->context.tls);
	return 0;
}

static void quicd_endpoint_publish(struct quicd_endpoint *endpoint,
				   const char *directory)
{
	int ret;

	if (directory == NULL) {
		return;
	}
	ret = uring_status_create(endpoint,
				  directory,
				  endpoint->context.settings->max_connections,
				  &endpoint->status);
	if (ret != 0) {
		quicd_log("cannot publish connections in %s: %s",
			  directory,
			  strerror(ret));
	}
}

struct quicd_endpoint *quicd_endpoint_create(TALLOC_CTX *mem_ctx,
					     struct tevent_context *ev,
					     const struct quicd_shared *shared,
					     uint32_t worker,
					     struct quicd_settings *settings,
					     struct quicd_tls *tls,
					     const char *status)
{
	struct quicd_endpoint *endpoint = talloc_zero(mem_ctx,
						      struct quicd_endpoint);
	struct quicd_context *context = NULL;

	if (endpoint == NULL) {
		quicd_log("out of memory");
		return NULL;
	}
	/* queues grow and shrink with each batch: do not trim the heap */
	(void)mallopt(M_TRIM_THRESHOLD, QUICD_KEPT_MEMORY);
	context = &endpoint->context;
	context->ev = ev;
	context->shared = shared;
	context->worker = worker;
	context->settings = talloc_steal(endpoint, settings);
	context->tls = tls;
	talloc_set_destructor(endpoint, quicd_endpoint_destructor);
	context->timers = quicd_timers_create(endpoint);
	context->cids = quicd_cids_create(endpoint);
	endpoint->close_waits = quicd_close_waits_create(endpoint,
							 context->timers,
							 QUICD_MAX_CLOSE_WAITS);
	if (context->timers == NULL || context->cids == NULL ||
	    endpoint->close_waits == NULL) {
		quicd_log("out of memory");
		talloc_free(endpoint);
		return NULL;
	}
	quicd_endpoint_publish(endpoint, status);
	quicd_endpoint_watch_addresses(endpoint);
	return endpoint;
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

void quicd_endpoint_open(struct quicd_endpoint *endpoint)
{
	struct quicd_context *context = &endpoint->context;

	TALLOC_FREE(context->qlogs);
	context->qlogs = quicd_qlogs_open(endpoint, context->settings);
}

void quicd_endpoint_reload(struct quicd_endpoint *endpoint,
			   struct quicd_settings *settings,
			   struct quicd_tls *tls)
{
	struct quicd_context *context = &endpoint->context;

	talloc_free(context->settings);
	context->settings = talloc_steal(endpoint, settings);
	quicd_tls_release(context->tls);
	context->tls = tls;
	quicd_endpoint_open(endpoint);
}
