/* SPDX-License-Identifier: LGPL-3.0-or-later */
/*
 * The row of a connection for "smbd-uring status", see publish.h.
 *
 * While a connection works, we ask ngtcp2 about once a second.  We also ask
 * when all bytes are acknowledged, so that an idle connection does not look
 * stuck.
 */

#include "config.h"

#include <stdio.h>
#include <string.h>

#include "conn.h"
#include "publish.h"
#include "util/clock.h"

#define QUICD_PUBLISH_INTERVAL CLOCK_NS_PER_S
#define QUICD_UDP_HEADER 8
#define QUICD_IPV4_HEADER 20
#define QUICD_IPV6_HEADER 40

/* A child of its connection. */
struct quicd_published {
	struct uring_status *status;
	bool added; /* false: there was no room, and we try again */
	size_t row;
	uint64_t again; /* when the row is due */
	bool unacked;	/* it says that bytes are not acknowledged */
};

static int quicd_published_destructor(struct quicd_published *published)
{
	if (published->added) {
		uring_status_remove(published->status, published->row);
	}
	return 0;
}

static struct quicd_published *quicd_published_create(
	struct quicd_conn *conn,
	struct uring_status *status)
{
	struct quicd_published *published = talloc_zero(conn,
							struct quicd_published);

	if (published == NULL) {
		return NULL;
	}
	published->status = status;
	talloc_set_destructor(published, quicd_published_destructor);
	return published;
}

static void quicd_publish_address(char *text,
				  size_t size,
				  const struct address *address)
{
	char buf[ADDRESS_TEXT_SIZE];

	(void)snprintf(text, size, "%s", address_print(&address->u.sa, buf));
}

static void quicd_publish_row(const struct quicd_conn *conn,
			      struct uring_status_row *row)
{
	const bool ipv6 = conn->peer.u.sa.sa_family == AF_INET6;
	uint64_t *f = row->figures;
	struct address relay;
	ngtcp2_conn_info info;

	ngtcp2_conn_get_conn_info(conn->ngtcp2, &info);
	uring_status_row_init(row);
	strcpy(row->transport, "quic");
	row->started = conn->start;
	f[FIGURE_rtt_us] = info.smoothed_rtt / CLOCK_NS_PER_US;
	f[FIGURE_rttvar_us] = info.rttvar / CLOCK_NS_PER_US;
	f[FIGURE_rto_us] =
		ngtcp2_conn_get_pto(conn->ngtcp2) / CLOCK_NS_PER_US;
	f[FIGURE_unacked_bytes] = info.bytes_in_flight;
	f[FIGURE_mss] =
		ngtcp2_conn_get_path_max_tx_udp_payload_size(conn->ngtcp2);
	f[FIGURE_mtu] = f[FIGURE_mss] + QUICD_UDP_HEADER +
			(ipv6 ? QUICD_IPV6_HEADER : QUICD_IPV4_HEADER);
	f[FIGURE_dscp] = 0;
	f[FIGURE_bytes_acked] = conn->bytes_acked;
	f[FIGURE_bytes_received] = conn->bytes_from_client;
	f[FIGURE_cwnd_segments] = info.cwnd / f[FIGURE_mss];
	f[FIGURE_retrans_total] = 0;
	if (conn->stream >= 0) {
		f[FIGURE_retrans_total] = ngtcp2_conn_get_stream_loss_count(
			conn->ngtcp2, conn->stream);
	}
	f[FIGURE_segments_total] = conn->packets + f[FIGURE_retrans_total];
	quicd_publish_address(row->client, sizeof(row->client), &conn->peer);
	if (conn->relay != NULL) {
		f[FIGURE_unacked_bytes] += quicd_relay_unsent(conn->relay);
		if (quicd_relay_local(conn->relay, &relay)) {
			quicd_publish_address(row->relay,
					      sizeof(row->relay),
					      &relay);
		}
	}
}

static bool quicd_publish_due(const struct quicd_conn *conn, uint64_t now)
{
	const struct quicd_published *published = conn->published;
	ngtcp2_conn_info info;

	if (conn->changed || now >= published->again) {
		return true;
	}
	if (!published->unacked) {
		return false;
	}
	ngtcp2_conn_get_conn_info(conn->ngtcp2, &info);
	return info.bytes_in_flight == 0;
}

void quicd_publish(struct uring_status *status,
		   struct quicd_conn *conn,
		   uint64_t now)
{
	struct quicd_published *published = conn->published;
	struct uring_status_row row;

	if (status == NULL || conn->slot == NULL) {
		return;
	}
	if (published == NULL) {
		published = quicd_published_create(conn, status);
		conn->published = published;
	}
	if (published == NULL || !quicd_publish_due(conn, now)) {
		return;
	}
	conn->changed = false;
	published->again = now + QUICD_PUBLISH_INTERVAL;
	quicd_publish_row(conn, &row);
	row.sampled = now;
	published->unacked = row.figures[FIGURE_unacked_bytes] > 0;
	if (published->added) {
		uring_status_set(status, published->row, &row);
	} else {
		published->added = uring_status_add(status,
						    &row,
						    &published->row) == 0;
	}
}
