/* SPDX-License-Identifier: LGPL-3.0-or-later */
/*
 * Which new connections an endpoint accepts.
 *
 * Limits bound what an unknown sender can cause.  After QUICD_FREE_HANDSHAKES
 * at a time, a client has to prove its address by a Retry, for which we keep no
 * state.  There are never more than QUICD_MAX_HANDSHAKES.  The answers of
 * stateless.h are limited as well, but for Retry.
 */

#include "config.h"

#include "endpoint_internal.h"
#include "log.h"
#include "stateless.h"
#include "util/dlinklist.h"

/* Handshakes of a worker before clients have to prove their address. */
#define QUICD_FREE_HANDSHAKES 32
#define QUICD_MAX_HANDSHAKES 512

bool quicd_endpoint_admit(const struct quicd_endpoint *endpoint,
			  const struct address *remote)
{
	char text[ADDRESS_TEXT_SIZE];

	if (quicd_settings_admit(endpoint->context.settings, remote)) {
		return true;
	}
	quicd_log_limited("%s refused: hosts allow, hosts deny",
			  address_print(&remote->u.sa, text));
	return false;
}

static struct quicd_socket *quicd_endpoint_socket(
	const struct quicd_endpoint *endpoint,
	const struct quicd_udp *udp)
{
	struct quicd_socket *socket = endpoint->sockets;

	while (socket != NULL && socket->udp != udp) {
		socket = socket->next;
	}
	return socket;
}

/*
 * By which socket a new connection goes on, in place of the one by which it
 * came; NULL if its address goes, with the reason.
 */
static struct quicd_udp *quicd_endpoint_stays(
	const struct quicd_endpoint *endpoint,
	struct quicd_udp *udp,
	const struct quicd_path *path,
	const char **reason)
{
	const struct quicd_socket *socket = quicd_endpoint_socket(endpoint,
								  udp);

	if (socket == NULL || socket->reason == NULL) {
		return udp;
	}
	*reason = socket->reason;
	socket = quicd_endpoint_covers(endpoint, &path->local.u.sa);
	return socket != NULL ? socket->udp : NULL;
}

/* Why there may be no more connections now, or NULL. */
static const char *quicd_endpoint_limit(const struct quicd_endpoint *endpoint,
					const struct address *remote)
{
	const struct quicd_context *context = &endpoint->context;

	if (endpoint->drain.reason != NULL) {
		return endpoint->drain.reason;
	}
	if (context->conns[QUICD_HANDSHAKE] >= QUICD_MAX_HANDSHAKES) {
		return "too many handshakes";
	}
	if (!quicd_budget_has(context->shared->budget, QUICD_CONN_SHARE)) {
		return QUICD_CONN_NO_SHARE;
	}
	return quicd_limits_check(context->shared->limits,
				  context->settings,
				  remote);
}

void quicd_endpoint_retry(struct quicd_endpoint *endpoint,
			  struct quicd_udp *udp,
			  const struct quicd_path *path,
			  const uint8_t *data,
			  size_t len)
{
	ngtcp2_pkt_hd hd;
	ngtcp2_cid original;

	/* a token of an earlier connection that is not valid does not count */
	if (ngtcp2_accept(&hd, data, len) == 0 &&
	    quicd_check_retry_token(&endpoint->context, path, &hd, &original) ==
		    0)
	{
		endpoint->retried[endpoint->num_retried++ % QUICD_RETRIED] =
			hd.dcid;
		quicd_send_retry(&endpoint->context, udp, path, &hd);
	}
}

static bool quicd_endpoint_retried(const struct quicd_endpoint *endpoint,
				   const ngtcp2_cid *dcid)
{
	size_t i;

	for (i = 0; i < QUICD_RETRIED; i++) {
		if (ngtcp2_cid_eq(&endpoint->retried[i], dcid)) {
			return true;
		}
	}
	return false;
}

struct quicd_conn *quicd_endpoint_accept(struct quicd_endpoint *endpoint,
					 const struct quicd_conn_ops *ops,
					 struct quicd_udp *udp,
					 const struct quicd_path *path,
					 const uint8_t *data,
					 size_t len,
					 uint64_t now)
{
	struct quicd_context *context = &endpoint->context;
	struct quicd_stateless *stateless = &endpoint->stateless;
	struct quicd_counters *counters = context->shared->counters;
	struct quicd_conn *conn = NULL;
	char remote[ADDRESS_TEXT_SIZE];
	struct quicd_udp *stays = NULL;
	const char *limit = NULL;
	ngtcp2_pkt_hd hd;
	ngtcp2_cid original;
	int token;

	if (ngtcp2_accept(&hd, data, len) != 0) {
		return NULL;
	}
	if (!quicd_endpoint_admit(endpoint, &path->remote)) {
		quicd_count(counters, QUICD_COUNT_REFUSED_HOSTS);
		quicd_send_connection_close(
			stateless, udp, path, &hd, NGTCP2_CONNECTION_REFUSED);
		return NULL;
	}
	token = quicd_check_retry_token(context, path, &hd, &original);
	if (token < 0) {
		quicd_count(counters, QUICD_COUNT_WRONG_TOKENS);
		quicd_log_limited("%s refused: invalid Retry token",
				  address_print(&path->remote.u.sa, remote));
		quicd_send_connection_close(
			stateless, udp, path, &hd, NGTCP2_INVALID_TOKEN);
		return NULL;
	}
	if (token == 0 && !quicd_check_new_token(context, path, &hd)) {
		hd.tokenlen = 0; /* as if there was no token */
	}
	if (token == 0 && endpoint->drain.reason == NULL &&
	    ((context->conns[QUICD_HANDSHAKE] >= QUICD_FREE_HANDSHAKES &&
	      hd.tokenlen == 0) ||
	     quicd_endpoint_retried(endpoint, &hd.dcid)))
	{
		quicd_send_retry(context, udp, path, &hd);
		return NULL;
	}
	stays = quicd_endpoint_stays(endpoint, udp, path, &limit);
	if (stays != NULL) {
		limit = quicd_endpoint_limit(endpoint, &path->remote);
	}
	if (limit != NULL) {
		quicd_count(counters, QUICD_COUNT_REFUSED_LIMITS);
		quicd_log_limited("%s refused: %s",
				  address_print(&path->remote.u.sa, remote),
				  limit);
		quicd_send_connection_close(
			stateless, udp, path, &hd, NGTCP2_CONNECTION_REFUSED);
		return NULL;
	}
	conn = quicd_conn_create(endpoint,
				 context,
				 ops,
				 endpoint,
				 stays,
				 path,
				 &hd,
				 token == 1 ? &original : NULL,
				 now);
	if (conn != NULL) {
		conn->list = &endpoint->idle;
		DLIST_ADD_END(endpoint->idle, conn);
	}
	return conn;
}
