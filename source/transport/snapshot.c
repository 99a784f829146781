/* SPDX-License-Identifier: LGPL-3.0-or-later */
/*
 * A transport snapshot: the figures of a TCP connection, in one batch.
 *
 * figures.def lists the figures; this file has the queries for them.
 */

#include "config.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <netinet/in.h>
#include <linux/tcp.h>

#include "snapshot.h"
#include "tcp.h"
#include "uring_request.h"

/* The queries: for IPv4, and for IPv6 where they differ. */
static const struct {
	enum uring_query_type type;
	int level;
	int optname;
	int level6;
	int optname6;
} snapshot_queries[FIGURE_QUERIES_COUNT] = {
#define SNAPSHOT_OPTION(_level, _optname)                                    \
	{                                                                    \
		.type = URING_QUERY_GETSOCKOPT, .level = _level,             \
		.optname = _optname, .level6 = _level, .optname6 = _optname, \
	}
	[FIGURE_QUERY_TCP_INFO] = SNAPSHOT_OPTION(IPPROTO_TCP, TCP_INFO),
	[FIGURE_QUERY_SIOCOUTQ] = {.type = URING_QUERY_SIOCOUTQ},
	[FIGURE_QUERY_SIOCINQ] = {.type = URING_QUERY_SIOCINQ},
	[FIGURE_QUERY_SO_SNDBUF] = SNAPSHOT_OPTION(SOL_SOCKET, SO_SNDBUF),
	[FIGURE_QUERY_SO_RCVBUF] = SNAPSHOT_OPTION(SOL_SOCKET, SO_RCVBUF),
	[FIGURE_QUERY_SO_PRIORITY] = SNAPSHOT_OPTION(SOL_SOCKET, SO_PRIORITY),
	[FIGURE_QUERY_SO_MARK] = SNAPSHOT_OPTION(SOL_SOCKET, SO_MARK),
	[FIGURE_QUERY_TCP_MAXSEG] = SNAPSHOT_OPTION(IPPROTO_TCP, TCP_MAXSEG),
	[FIGURE_QUERY_TCP_CONGESTION] = SNAPSHOT_OPTION(IPPROTO_TCP,
							TCP_CONGESTION),
#undef SNAPSHOT_OPTION
	[FIGURE_QUERY_TOS] =
		{
			.level = IPPROTO_IP,
			.optname = IP_TOS,
			.level6 = IPPROTO_IPV6,
			.optname6 = IPV6_TCLASS,
		},
	[FIGURE_QUERY_MTU] =
		{
			.level = IPPROTO_IP,
			.optname = IP_MTU,
			.level6 = IPPROTO_IPV6,
			.optname6 = IPV6_MTU,
		},
};

/* The buffers of a snapshot's queries. */
struct snapshot_buffers {
	struct tcp_info info;
	char congestion[16];
	int numbers[FIGURE_QUERIES_COUNT];
};

static int snapshot_prepare(const struct uring_socket *sock,
			    struct snapshot_buffers *buffers,
			    struct uring_query queries[FIGURE_QUERIES_COUNT])
{
	bool ipv6 = sock->family == AF_INET6;
	size_t i;

	if ((sock->family != AF_INET && !ipv6) || sock->type != SOCK_STREAM ||
	    sock->protocol != IPPROTO_TCP)
	{
		return EPROTOTYPE;
	}

	*buffers = (struct snapshot_buffers){};
	for (i = 0; i < FIGURE_QUERIES_COUNT; i++) {
		queries[i] = (struct uring_query){
			.type = snapshot_queries[i].type,
			.level = ipv6 ? snapshot_queries[i].level6
				      : snapshot_queries[i].level,
			.optname = ipv6 ? snapshot_queries[i].optname6
					: snapshot_queries[i].optname,
			.optval = &buffers->numbers[i],
			.optlen = sizeof(buffers->numbers[i]),
		};
	}
	queries[FIGURE_QUERY_TCP_INFO].optval = &buffers->info;
	queries[FIGURE_QUERY_TCP_INFO].optlen = sizeof(buffers->info);
	queries[FIGURE_QUERY_TCP_CONGESTION].optval = buffers->congestion;
	queries[FIGURE_QUERY_TCP_CONGESTION].optlen = sizeof(
		buffers->congestion);
	return 0;
}

/* The value of a figure that has a query of its own. */
static uint64_t snapshot_number(const struct uring_query *queries,
				enum figure_query query)
{
	int number;

	if (queries[query].error != 0) {
		return FIGURE_UNKNOWN;
	}
	memcpy(&number, queries[query].optval, sizeof(number));
	if (query == FIGURE_QUERY_TOS) {
		return tcp_dscp(number);
	}
	return (uint32_t)number;
}

static void snapshot_finish(const struct uring_socket *sock,
			    const struct uring_query *queries,
			    struct uring_snapshot *snapshot)
{
	const struct uring_query *q = &queries[FIGURE_QUERY_TCP_INFO];
	struct tcp_info info = {};
	size_t i;

	*snapshot = (struct uring_snapshot){
		.sock = *sock,
	};
	for (i = 0; i < FIGURE_QUERIES_COUNT; i++) {
		snapshot->queries[i].error = queries[i].error;
		snapshot->queries[i].reason = queries[i].reason;
	}
	if (q->error == 0) {
		memcpy(&info, q->optval, q->optlen);
	}
	tcp_figures(&info, snapshot->figures);
	for (i = 0; i < FIGURES_COUNT; i++) {
		if (figures[i].unit == FIGURE_UNIT_TEXT ||
		    figures[i].query == FIGURE_QUERY_NONE)
		{
			continue;
		}
		if (figures[i].query != FIGURE_QUERY_TCP_INFO) {
			snapshot->figures[i] = snapshot_number(
				queries, figures[i].query);
		} else if (q->error != 0) {
			snapshot->figures[i] = FIGURE_UNKNOWN;
		}
	}
	q = &queries[FIGURE_QUERY_TCP_CONGESTION];
	if (q->error == 0) {
		snprintf(snapshot->congestion,
			 sizeof(snapshot->congestion),
			 "%.15s",
			 (const char *)q->optval);
	}
}

int uring_snapshot(const struct uring_socket *sock,
		   struct uring_snapshot *snapshot)
{
	struct snapshot_buffers buffers;
	struct uring_query queries[FIGURE_QUERIES_COUNT];
	int ret;

	ret = snapshot_prepare(sock, &buffers, queries);
	if (ret != 0) {
		return ret;
	}
	uring_query_batch(sock, queries, FIGURE_QUERIES_COUNT);
	snapshot_finish(sock, queries, snapshot);
	return 0;
}

struct uring_snapshot_state {
	struct uring_socket sock;
	struct uring_snapshot snapshot;
};

static void uring_snapshot_done(struct tevent_req *subreq);

struct tevent_req *uring_snapshot_send(TALLOC_CTX *mem_ctx,
				       struct tevent_context *ev,
				       const struct uring_socket *sock,
				       enum uring_urgency urgency)
{
	struct tevent_req *req = NULL;
	struct tevent_req *subreq = NULL;
	struct uring_snapshot_state *state = NULL;
	struct snapshot_buffers buffers;
	struct uring_query queries[FIGURE_QUERIES_COUNT];
	int ret;

	req = tevent_req_create(mem_ctx, &state, struct uring_snapshot_state);
	if (req == NULL) {
		return NULL;
	}
	state->sock = *sock;

	ret = snapshot_prepare(sock, &buffers, queries);
	if (ret != 0) {
		tevent_req_error(req, ret);
		return tevent_req_post(req, ev);
	}
	subreq = uring_query_batch_send(
		state, ev, sock, queries, FIGURE_QUERIES_COUNT, urgency);
	if (tevent_req_nomem(subreq, req)) {
		return tevent_req_post(req, ev);
	}
	tevent_req_set_callback(subreq, uring_snapshot_done, req);
	return req;
}

static void uring_snapshot_done(struct tevent_req *subreq)
{
	struct tevent_req *req = tevent_req_callback_data(subreq,
							  struct tevent_req);
	struct uring_snapshot_state *state = tevent_req_data(
		req, struct uring_snapshot_state);
	struct uring_query *queries = NULL;
	int ret;

	ret = uring_query_batch_recv(subreq, state, &queries);
	TALLOC_FREE(subreq);
	if (uring_subreq_failed(ret, req)) {
		return;
	}
	snapshot_finish(&state->sock, queries, &state->snapshot);
	tevent_req_done(req);
}

int uring_snapshot_recv(struct tevent_req *req, struct uring_snapshot *snapshot)
{
	const struct uring_snapshot_state *state = tevent_req_data(
		req, struct uring_snapshot_state);
	int ret;

	ret = uring_req_errno(req);
	if (ret == 0) {
		*snapshot = state->snapshot;
	}
	tevent_req_received(req);
	return ret;
}

const char *uring_snapshot_query_name(const struct uring_snapshot *snapshot,
				      enum figure_query query)
{
	return figure_query_name(query, snapshot->sock.family == AF_INET6);
}

bool uring_snapshot_has(const struct uring_snapshot *snapshot,
			enum figure_index index)
{
	enum figure_query query = figures[index].query;

	return query != FIGURE_QUERY_NONE &&
	       snapshot->queries[query].error == 0;
}
