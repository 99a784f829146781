/* SPDX-License-Identifier: LGPL-3.0-or-later */
/*
 * The two drains of an endpoint, see endpoint.h: a worker drains all its
 * connections at SIGTERM, and the connections of one socket after a reload that
 * removes the socket's address.  And the end of those on an address that this
 * machine lost.
 */

#include "config.h"

#include "endpoint_internal.h"
#include "util/clock.h"
#include "util/macros.h"

/* How often a drain checks whether busy connections have become idle. */
#define QUICD_DRAIN_INTERVAL (CLOCK_NS_PER_S / 10)

/* Close the connections of the list that are idle now. */
static void quicd_endpoint_close_idle(struct quicd_endpoint *endpoint,
				      struct quicd_conn *list,
				      uint64_t now)
{
	struct quicd_conn *conn = NULL;
	struct quicd_conn *next = NULL;

	for (conn = list; conn != NULL; conn = next) {
		next = conn->next;
		if (!quicd_conn_busy(conn, now)) {
			quicd_conn_shutdown(conn, endpoint->drain.reason);
			quicd_endpoint_closed(endpoint, conn);
		}
	}
}

static void quicd_endpoint_drain_expired(void *owner)
{
	struct quicd_endpoint *endpoint = talloc_get_type_abort(
		owner, struct quicd_endpoint);
	const uint64_t now = clock_monotonic_ns();

	quicd_endpoint_close_idle(endpoint, endpoint->idle, now);
	quicd_endpoint_close_idle(endpoint, endpoint->work, now);
	if (now >= endpoint->drain.until) {
		quicd_endpoint_close_all(endpoint, endpoint->drain.reason);
	}
	/* refuse clients here until the other workers have drained, too */
	if (quicd_endpoint_any(endpoint) == NULL &&
	    (now >= endpoint->drain.until ||
	     quicd_limits_used(endpoint->context.shared->limits) == 0))
	{
		endpoint->drain.done(endpoint->drain.owner);
		return;
	}
	quicd_timer_set(&endpoint->drain.timer, now + QUICD_DRAIN_INTERVAL);
}

void quicd_endpoint_drain(struct quicd_endpoint *endpoint,
			  const char *reason,
			  void (*done)(void *owner),
			  void *owner)
{
	const uint64_t now = clock_monotonic_ns();

	endpoint->drain.reason = reason;
	endpoint->drain.until = now +
				endpoint->context.settings->drain_timeout *
					CLOCK_NS_PER_S;
	endpoint->drain.done = done;
	endpoint->drain.owner = owner;
	if (!quicd_timer_add(endpoint->context.timers,
			     &endpoint->drain.timer,
			     quicd_endpoint_drain_expired,
			     endpoint))
	{
		quicd_endpoint_close_all(endpoint, reason);
		done(owner);
		return;
	}
	quicd_timer_set(&endpoint->drain.timer, now);
}

static struct quicd_socket *quicd_endpoint_numbered(
	const struct quicd_endpoint *endpoint,
	uint32_t number)
{
	struct quicd_socket *socket = endpoint->sockets;

	while (socket != NULL && socket->number != number) {
		socket = socket->next;
	}
	return socket;
}

/*
 * Drain the connections of the list that use this socket.  A connection
 * continues through another socket if that socket receives for the connection's
 * address.  Of the other connections, close the idle ones, or all of them if
 * all is true.  Return how many connections still use this socket.
 */
static unsigned quicd_socket_drain_list(struct quicd_socket *socket,
					struct quicd_conn *list,
					uint64_t now,
					bool all)
{
	struct quicd_endpoint *endpoint = socket->endpoint;
	struct quicd_conn *conn = NULL;
	struct quicd_conn *next = NULL;
	unsigned left = 0;

	for (conn = list; conn != NULL; conn = next) {
		const ngtcp2_path *path = NULL;
		const struct quicd_socket *other = NULL;

		next = conn->next;
		if (conn->udp != socket->udp) {
			continue;
		}
		path = ngtcp2_conn_get_path(conn->ngtcp2);
		other = quicd_endpoint_covers(endpoint, path->local.addr);
		if (other != NULL) {
			conn->udp = other->udp;
		} else if (all || !quicd_conn_busy(conn, now)) {
			quicd_conn_shutdown(conn, socket->reason);
			quicd_endpoint_closed(endpoint, conn);
		} else {
			left++;
		}
	}
	return left;
}

static unsigned quicd_socket_drain(struct quicd_socket *socket, bool all)
{
	struct quicd_endpoint *endpoint = socket->endpoint;
	const uint64_t now = clock_monotonic_ns();

	return quicd_socket_drain_list(socket, endpoint->idle, now, all) +
	       quicd_socket_drain_list(socket, endpoint->work, now, all);
}

static void quicd_socket_expired(void *owner)
{
	struct quicd_socket *socket = talloc_get_type_abort(
		owner, struct quicd_socket);
	const uint64_t now = clock_monotonic_ns();

	/* who missed our CONNECTION_CLOSE gets it again, for 3 s at most */
	if (quicd_socket_drain(socket, now >= socket->until) == 0 &&
	    !quicd_close_waits_use(socket->endpoint->close_waits, socket->udp))
	{
		socket->done(socket->owner, socket->number);
	} else {
		quicd_timer_set(&socket->timer, now + QUICD_DRAIN_INTERVAL);
	}
	/* let connections work that waited for this socket to take packets */
	quicd_endpoint_work(socket->endpoint);
}

void quicd_endpoint_drain_socket(struct quicd_endpoint *endpoint,
				 uint32_t number,
				 const char *reason,
				 void (*done)(void *owner, uint32_t number),
				 void *owner)
{
	struct quicd_socket *socket = quicd_endpoint_numbered(endpoint,
							      number);
	const uint64_t now = clock_monotonic_ns();

	if (socket == NULL) {
		done(owner, number);
		return;
	}
	socket->reason = reason;
	socket->until = now + endpoint->context.settings->drain_timeout *
				      CLOCK_NS_PER_S;
	socket->done = done;
	socket->owner = owner;
	if (!quicd_timer_add(endpoint->context.timers,
			     &socket->timer,
			     quicd_socket_expired,
			     socket))
	{
		(void)quicd_socket_drain(socket, true);
		done(owner, number);
		return;
	}
	quicd_timer_set(&socket->timer, now);
}

void quicd_endpoint_keep_socket(struct quicd_endpoint *endpoint,
				uint32_t number)
{
	struct quicd_socket *socket = quicd_endpoint_numbered(endpoint,
							      number);

	if (socket != NULL) {
		socket->reason = NULL;
		quicd_timer_remove(&socket->timer);
	}
}

void quicd_endpoint_remove_socket(struct quicd_endpoint *endpoint,
				  uint32_t number,
				  const char *reason)
{
	struct quicd_socket *socket = quicd_endpoint_numbered(endpoint,
							      number);

	if (socket != NULL) {
		socket->reason = reason;
		(void)quicd_socket_drain(socket, true);
		quicd_close_waits_forget(endpoint->close_waits, socket->udp);
		talloc_free(socket);
	}
}

void quicd_endpoint_address_lost(void *owner, const struct address *address)
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
