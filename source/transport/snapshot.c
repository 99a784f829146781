/* SPDX-License-Identifier: LGPL-3.0-or-later */
/*
 * A transport snapshot: what a TCP connection looks like, in one batch.
 *
 * Which queries there are is one table, which values come out of them is
 * another; whoever prints a snapshot goes through the latter.
 */

#include "config.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <netinet/in.h>
#include <linux/tcp.h>

#include "snapshot.h"

/* What a snapshot asks, for IPv4 and for IPv6. */
static const struct {
	const char *name;
	const char *name6;
	enum uring_query_type type;
	int level;
	int optname;
	int level6;
	int optname6;
} snapshot_items[URING_SNAPSHOT_ITEMS] = {
#define SNAPSHOT_OPTION(_level, _optname)                                    \
	{                                                                    \
		.name = #_optname, .name6 = #_optname, .level = _level,      \
		.optname = _optname, .level6 = _level, .optname6 = _optname, \
	}
	[URING_SNAPSHOT_TCP_INFO] = SNAPSHOT_OPTION(IPPROTO_TCP, TCP_INFO),
	[URING_SNAPSHOT_SIOCOUTQ] =
		{
			.name = "SIOCOUTQ",
			.name6 = "SIOCOUTQ",
			.type = URING_QUERY_SIOCOUTQ,
		},
	[URING_SNAPSHOT_SIOCINQ] =
		{
			.name = "SIOCINQ",
			.name6 = "SIOCINQ",
			.type = URING_QUERY_SIOCINQ,
		},
	[URING_SNAPSHOT_SO_SNDBUF] = SNAPSHOT_OPTION(SOL_SOCKET, SO_SNDBUF),
	[URING_SNAPSHOT_SO_RCVBUF] = SNAPSHOT_OPTION(SOL_SOCKET, SO_RCVBUF),
	[URING_SNAPSHOT_SO_PRIORITY] = SNAPSHOT_OPTION(SOL_SOCKET, SO_PRIORITY),
	[URING_SNAPSHOT_SO_MARK] = SNAPSHOT_OPTION(SOL_SOCKET, SO_MARK),
	[URING_SNAPSHOT_TCP_MAXSEG] = SNAPSHOT_OPTION(IPPROTO_TCP, TCP_MAXSEG),
	[URING_SNAPSHOT_TCP_CONGESTION] = SNAPSHOT_OPTION(IPPROTO_TCP,
							  TCP_CONGESTION),
#undef SNAPSHOT_OPTION
	[URING_SNAPSHOT_TOS] =
		{
			.name = "IP_TOS",
			.name6 = "IPV6_TCLASS",
			.level = IPPROTO_IP,
			.optname = IP_TOS,
			.level6 = IPPROTO_IPV6,
			.optname6 = IPV6_TCLASS,
		},
	[URING_SNAPSHOT_MTU] =
		{
			.name = "IP_MTU",
			.name6 = "IPV6_MTU",
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
	int numbers[URING_SNAPSHOT_ITEMS];
};

static int snapshot_prepare(const struct uring_socket *sock,
			    struct snapshot_buffers *buffers,
			    struct uring_query queries[URING_SNAPSHOT_ITEMS])
{
	bool ipv6 = sock->family == AF_INET6;
	size_t i;

	if ((sock->family != AF_INET && !ipv6) || sock->type != SOCK_STREAM ||
	    sock->protocol != IPPROTO_TCP)
	{
		return EPROTOTYPE;
	}

	*buffers = (struct snapshot_buffers){};
	for (i = 0; i < URING_SNAPSHOT_ITEMS; i++) {
		queries[i] = (struct uring_query){
			.type = snapshot_items[i].type,
			.level = ipv6 ? snapshot_items[i].level6
				      : snapshot_items[i].level,
			.optname = ipv6 ? snapshot_items[i].optname6
					: snapshot_items[i].optname,
			.optval = &buffers->numbers[i],
			.optlen = sizeof(buffers->numbers[i]),
		};
	}
	queries[URING_SNAPSHOT_TCP_INFO].optval = &buffers->info;
	queries[URING_SNAPSHOT_TCP_INFO].optlen = sizeof(buffers->info);
	queries[URING_SNAPSHOT_TCP_CONGESTION].optval = buffers->congestion;
	queries[URING_SNAPSHOT_TCP_CONGESTION].optlen = sizeof(
		buffers->congestion);
	return 0;
}

static void snapshot_finish(const struct uring_socket *sock,
			    const struct uring_query *queries,
			    struct uring_snapshot *snapshot)
{
	struct {
		enum uring_snapshot_item item;
		int *value;
	} numbers[] = {
		{URING_SNAPSHOT_SIOCOUTQ, &snapshot->outq},
		{URING_SNAPSHOT_SIOCINQ, &snapshot->inq},
		{URING_SNAPSHOT_SO_SNDBUF, &snapshot->sndbuf},
		{URING_SNAPSHOT_SO_RCVBUF, &snapshot->rcvbuf},
		{URING_SNAPSHOT_SO_PRIORITY, &snapshot->priority},
		{URING_SNAPSHOT_SO_MARK, &snapshot->mark},
		{URING_SNAPSHOT_TCP_MAXSEG, &snapshot->maxseg},
		{URING_SNAPSHOT_TOS, &snapshot->tos},
		{URING_SNAPSHOT_MTU, &snapshot->mtu},
	};
	struct tcp_info info = {};
	size_t i;

	*snapshot = (struct uring_snapshot){
		.sock = *sock,
	};
	for (i = 0; i < URING_SNAPSHOT_ITEMS; i++) {
		snapshot->items[i].error = queries[i].error;
		snapshot->items[i].reason = queries[i].reason;
	}
	for (i = 0; i < sizeof(numbers) / sizeof(numbers[0]); i++) {
		const struct uring_query *query = &queries[numbers[i].item];

		if (query->error == 0) {
			memcpy(numbers[i].value, query->optval, sizeof(int));
		}
	}
	if (queries[URING_SNAPSHOT_TCP_CONGESTION].error == 0) {
		snprintf(snapshot->congestion,
			 sizeof(snapshot->congestion),
			 "%.15s",
			 (const char *)queries[URING_SNAPSHOT_TCP_CONGESTION]
				 .optval);
	}
	if (queries[URING_SNAPSHOT_TCP_INFO].error == 0) {
		memcpy(&info,
		       queries[URING_SNAPSHOT_TCP_INFO].optval,
		       queries[URING_SNAPSHOT_TCP_INFO].optlen);
	}
	snapshot->rtt_us = info.tcpi_rtt;
	snapshot->rttvar_us = info.tcpi_rttvar;
	snapshot->rto_us = info.tcpi_rto;
	snapshot->snd_cwnd = info.tcpi_snd_cwnd;
	snapshot->unacked = info.tcpi_unacked;
	snapshot->retrans = info.tcpi_retrans;
	snapshot->total_retrans = info.tcpi_total_retrans;
	snapshot->snd_mss = info.tcpi_snd_mss;
	snapshot->delivery_rate = info.tcpi_delivery_rate;
	snapshot->pacing_rate = info.tcpi_pacing_rate;
	snapshot->bytes_acked = info.tcpi_bytes_acked;
	snapshot->bytes_received = info.tcpi_bytes_received;
}

int uring_snapshot(const struct uring_socket *sock,
		   struct uring_snapshot *snapshot)
{
	struct snapshot_buffers buffers;
	struct uring_query queries[URING_SNAPSHOT_ITEMS];
	int ret;

	ret = snapshot_prepare(sock, &buffers, queries);
	if (ret != 0) {
		return ret;
	}
	uring_query_batch(sock, queries, URING_SNAPSHOT_ITEMS);
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
	struct uring_query queries[URING_SNAPSHOT_ITEMS];
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
		state, ev, sock, queries, URING_SNAPSHOT_ITEMS, urgency);
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

const char *uring_snapshot_item_name(const struct uring_snapshot *snapshot,
				     enum uring_snapshot_item item)
{
	if (snapshot->sock.family == AF_INET6) {
		return snapshot_items[item].name6;
	}
	return snapshot_items[item].name;
}

void uring_snapshot_fields(
	const struct uring_snapshot *snapshot,
	struct uring_snapshot_field fields[URING_SNAPSHOT_FIELDS])
{
	const struct uring_snapshot *s = snapshot;
	const struct uring_snapshot_field all[] = {
		{"rtt_us", URING_SNAPSHOT_TCP_INFO, NULL, s->rtt_us},
		{"rttvar_us", URING_SNAPSHOT_TCP_INFO, NULL, s->rttvar_us},
		{"rto_us", URING_SNAPSHOT_TCP_INFO, NULL, s->rto_us},
		{"cwnd", URING_SNAPSHOT_TCP_INFO, NULL, s->snd_cwnd},
		{"unacked", URING_SNAPSHOT_TCP_INFO, NULL, s->unacked},
		{"retrans", URING_SNAPSHOT_TCP_INFO, NULL, s->retrans},
		{"total_retrans",
		 URING_SNAPSHOT_TCP_INFO,
		 NULL,
		 s->total_retrans},
		{"snd_mss", URING_SNAPSHOT_TCP_INFO, NULL, s->snd_mss},
		{"delivery_rate",
		 URING_SNAPSHOT_TCP_INFO,
		 NULL,
		 s->delivery_rate},
		{"pacing_rate", URING_SNAPSHOT_TCP_INFO, NULL, s->pacing_rate},
		{"bytes_acked", URING_SNAPSHOT_TCP_INFO, NULL, s->bytes_acked},
		{"bytes_received",
		 URING_SNAPSHOT_TCP_INFO,
		 NULL,
		 s->bytes_received},
		{"outq", URING_SNAPSHOT_SIOCOUTQ, NULL, s->outq},
		{"inq", URING_SNAPSHOT_SIOCINQ, NULL, s->inq},
		{"sndbuf", URING_SNAPSHOT_SO_SNDBUF, NULL, s->sndbuf},
		{"rcvbuf", URING_SNAPSHOT_SO_RCVBUF, NULL, s->rcvbuf},
		{"priority", URING_SNAPSHOT_SO_PRIORITY, NULL, s->priority},
		{"mark", URING_SNAPSHOT_SO_MARK, NULL, (uint32_t)s->mark},
		{"maxseg", URING_SNAPSHOT_TCP_MAXSEG, NULL, s->maxseg},
		{"congestion", URING_SNAPSHOT_TCP_CONGESTION, s->congestion, 0},
		{"tos", URING_SNAPSHOT_TOS, NULL, s->tos},
		{"mtu", URING_SNAPSHOT_MTU, NULL, s->mtu},
	};

	_Static_assert(sizeof(all) / sizeof(all[0]) == URING_SNAPSHOT_FIELDS,
		       "the header says how many there are");
	memcpy(fields, all, sizeof(all));
}

char *uring_snapshot_string(TALLOC_CTX *mem_ctx,
			    const struct uring_snapshot *snapshot)
{
	struct uring_snapshot_field fields[URING_SNAPSHOT_FIELDS];
	char *s = NULL;
	size_t i;

	uring_snapshot_fields(snapshot, fields);
	s = talloc_strdup(mem_ctx, "");
	for (i = 0; i < URING_SNAPSHOT_FIELDS; i++) {
		const struct uring_snapshot_field *f = &fields[i];

		if (snapshot->items[f->item].error != 0) {
			continue;
		}
		if (f->string != NULL) {
			s = talloc_asprintf_append_buffer(s,
							  "%s=%s ",
							  f->name,
							  f->string);
		} else {
			s = talloc_asprintf_append_buffer(s,
							  "%s=%ju ",
							  f->name,
							  (uintmax_t)f->number);
		}
	}
	s = talloc_strdup_append_buffer(s, "via");
	for (i = 0; i < URING_SNAPSHOT_ITEMS; i++) {
		const char *name = uring_snapshot_item_name(snapshot, i);
		enum uring_reason reason = snapshot->items[i].reason;
		int error = snapshot->items[i].error;

		if (error != 0) {
			s = talloc_asprintf_append_buffer(s,
							  " %s=error(%s)",
							  name,
							  uring_errno_name(
								  error));
		} else if (reason != URING_REASON_NONE) {
			s = talloc_asprintf_append_buffer(s,
							  " %s=syscall(%s)",
							  name,
							  uring_reason_name(
								  reason));
		} else {
			s = talloc_asprintf_append_buffer(s, " %s=ring", name);
		}
	}
	return s;
}
