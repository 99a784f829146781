/* SPDX-License-Identifier: LGPL-3.0-or-later */
/*
 * The work of a QUIC connection: read, expire, relay, send; see conn.h.
 */

#include "config.h"

#include "conn_internal.h"
#include "convert.h"
#include "log.h"
#include "util/clock.h"

/* A packet is shorter than a full chunk of the relay. */
#define QUICD_STREAM_BUFFERS 2

/* Timers that need not be precise expire at multiples of it. */
#define QUICD_TICK CLOCK_NS_PER_MS

/* A connection without bytes of SMB for longer counts as idle. */
#define QUICD_BUSY CLOCK_NS_PER_S

/* The time that we need ourselves in a round trip, until we grant credit. */
#define QUICD_SERVICE_TIME CLOCK_NS_PER_MS

/* See quicd_conn_watch_path(). */
#define QUICD_NARROW_AFTER CLOCK_NS_PER_S
#define QUICD_NARROW_TIME (600 * CLOCK_NS_PER_S)

/* Another path of the client was validated. */
static void quicd_conn_path_validated(struct quicd_conn *conn)
{
	char old[ADDRESS_TEXT_SIZE];
	char new[ADDRESS_TEXT_SIZE];

	if (conn->slot == NULL || address_equal(&conn->validated, &conn->peer))
	{
		return;
	}
	quicd_log_limited("client moved: %s -> %s",
			  address_print(&conn->peer.u.sa, old),
			  address_print(&conn->validated.u.sa, new));
	conn->peer = conn->validated;
	conn->changed = true;
	quicd_slot_move(conn->slot, &conn->peer);
}

/* Note how many of the relay's bytes ngtcp2 took; end: and the last one. */
static void quicd_conn_stream_written(struct quicd_conn *conn,
				      size_t len,
				      bool end)
{
	quicd_relay_sent(conn->relay, len, end);
	conn->bytes_to_client += len;
	conn->packets++;
	if (end && conn->state == QUICD_OPEN) {
		quicd_conn_set_state(conn, QUICD_ENDING);
	}
}

/* Write one packet.  Returns its length, 0 if there is none, or an error. */
static ngtcp2_ssize quicd_conn_write_packet(struct quicd_conn *conn,
					    ngtcp2_path_storage *path,
					    ngtcp2_pkt_info *info,
					    uint8_t *buf,
					    size_t size,
					    uint64_t now)
{
	struct iovec iov[QUICD_STREAM_BUFFERS];
	ngtcp2_vec vec[QUICD_STREAM_BUFFERS];
	int64_t stream = -1;
	size_t count = 0;
	size_t len = 0;
	size_t i;
	bool end = false;
	ngtcp2_ssize taken = -1;
	ngtcp2_ssize n;

	if (conn->relay != NULL && !quicd_relay_ended(conn->relay)) {
		count = quicd_relay_peek(conn->relay,
					 iov,
					 QUICD_STREAM_BUFFERS,
					 &end);
	}
	for (i = 0; i < count; i++) {
		vec[i].base = iov[i].iov_base;
		vec[i].len = iov[i].iov_len;
		len += iov[i].iov_len;
	}
	if (count > 0 || end) {
		stream = conn->stream;
	}

	ngtcp2_path_storage_zero(path);
	n = ngtcp2_conn_writev_stream(conn->ngtcp2,
				      &path->path,
				      info,
				      buf,
				      size,
				      &taken,
				      end ? NGTCP2_WRITE_STREAM_FLAG_FIN
					  : NGTCP2_WRITE_STREAM_FLAG_NONE,
				      stream,
				      vec,
				      count,
				      now);
	if (n == NGTCP2_ERR_STREAM_DATA_BLOCKED) {
		/* everything else, without that stream */
		taken = -1;
		n = ngtcp2_conn_writev_stream(conn->ngtcp2,
					      &path->path,
					      info,
					      buf,
					      size,
					      NULL,
					      NGTCP2_WRITE_STREAM_FLAG_NONE,
					      -1,
					      NULL,
					      0,
					      now);
	}
	if (taken >= 0) {
		quicd_conn_stream_written(conn,
					  (size_t)taken,
					  end && (size_t)taken == len);
	}
	return n;
}

static void quicd_conn_close_write(struct quicd_conn *conn, int error)
{
	if (error != NGTCP2_ERR_STREAM_SHUT_WR &&
	    error != NGTCP2_ERR_STREAM_NOT_FOUND) {
		quicd_conn_close_liberr(conn, error);
		return;
	}
	conn->reset = true;
	quicd_conn_close_application(conn,
				     QUICD_ERROR_NONE,
				     "client stopped reading");
}

/* Send all that may be sent now; false if the connection is closed. */
static bool quicd_conn_write(struct quicd_conn *conn, uint64_t now)
{
	struct quicd_udp *udp = conn->udp;
	size_t quantum = ngtcp2_conn_get_send_quantum(conn->ngtcp2);

	while (!quicd_udp_blocked(udp)) {
		ngtcp2_path_storage path;
		struct quicd_path to;
		ngtcp2_pkt_info info = {};
		size_t size;
		uint8_t *packet = quicd_udp_reserve(udp, &size);
		ngtcp2_ssize n;

		if (now < conn->narrow_until) {
			size = NGTCP2_MAX_UDP_PAYLOAD_SIZE;
		}
		n = quicd_conn_write_packet(
			conn, &path, &info, packet, size, now);
		if (n < 0) {
			quicd_udp_flush(udp);
			quicd_conn_close_write(conn, (int)n);
			return false;
		}
		if (n == 0) {
			break;
		}
		quicd_path_from(&to, &path.path, &info);
		/* a packet that the socket does not take counts as lost */
		(void)quicd_udp_commit(udp, &to, (size_t)n);
		/* a short rest would make a packet of its own */
		if (quantum < 2 * (size_t)n) {
			break;
		}
		quantum -= (size_t)n;
	}
	quicd_udp_flush(udp);
	ngtcp2_conn_update_pkt_tx_time(conn->ngtcp2, now);
	return true;
}

/*
 * Grant the client new credit for the bytes that smbd took.  If smbd took the
 * whole credit in less than four round trips, the credit limits the client.
 * Then double the credit, as far as the budget allows.
 *
 * The round trips are the shortest ones.  The time that packets wait in our own
 * socket makes later ones longer.  More credit would only wait there as well,
 * until the socket's buffer overflows.
 */
static void quicd_conn_give_credit(struct quicd_conn *conn,
				   size_t taken,
				   uint64_t now)
{
	uint64_t credit = taken;
	ngtcp2_conn_info info;

	conn->window_taken += taken;
	if (conn->window_taken >= conn->window) {
		ngtcp2_conn_get_conn_info(conn->ngtcp2, &info);
		if (now - conn->window_start <
			    4 * (info.min_rtt + QUICD_SERVICE_TIME) &&
		    2 * conn->window <= QUICD_RELAY_MAX &&
		    quicd_account_grow(&conn->account, conn->window))
		{
			credit += conn->window;
			conn->window *= 2;
		}
		conn->window_taken = 0;
		conn->window_start = now;
	}
	(void)ngtcp2_conn_extend_max_stream_offset(
		conn->ngtcp2, conn->stream, credit);
	ngtcp2_conn_extend_max_offset(conn->ngtcp2, credit);
}

/* Pass bytes to smbd, grant the client credit for them, and read from smbd. */
static void quicd_conn_work_relay(struct quicd_conn *conn, uint64_t now)
{
	const char *wrong = NULL;
	size_t taken = 0;

	wrong = quicd_relay_flush(conn->relay, &taken);
	if (wrong != NULL) {
		quicd_conn_fail(conn, QUICD_ERROR_SMBD, wrong);
	}
	if (taken > 0) {
		quicd_conn_give_credit(conn, taken, now);
	}
	if (conn->state < QUICD_FAILED) {
		wrong = quicd_relay_refill(conn->relay);
		if (wrong != NULL) {
			quicd_conn_fail(conn, QUICD_ERROR_SMBD, wrong);
		}
	}
}

/*
 * The MTU of a path may become smaller, and the ICMP message about it may be
 * lost, or may not reach our socket.  Then all long packets are lost, and
 * ngtcp2 retransmits them at the same length.  If the client acknowledges no
 * bytes for a while, we send small packets, which every path of QUIC carries.
 * Much later we try long packets again (PMTU_RAISE_TIMER of RFC 8899).
 */
static void quicd_conn_watch_path(struct quicd_conn *conn, uint64_t now)
{
	const uint64_t wait = 3 * ngtcp2_conn_get_pto(conn->ngtcp2);
	const bool sent = conn->relay != NULL &&
			  quicd_relay_unacked(conn->relay) >
				  quicd_relay_unsent(conn->relay);

	if (!sent || conn->bytes_acked != conn->path_acked) {
		conn->path_acked = conn->bytes_acked;
		conn->path_time = now;
		return;
	}
	if (now >= conn->narrow_until &&
	    now - conn->path_time >=
		    (wait > QUICD_NARROW_AFTER ? wait : QUICD_NARROW_AFTER))
	{
		conn->narrow_until = now + QUICD_NARROW_TIME;
	}
}

static void quicd_conn_note_activity(struct quicd_conn *conn, uint64_t now)
{
	const uint64_t bytes = conn->bytes_from_client + conn->bytes_to_client;

	if (bytes != conn->bytes_seen) {
		conn->bytes_seen = bytes;
		conn->active = now;
	}
}

bool quicd_conn_busy(const struct quicd_conn *conn, uint64_t now)
{
	return conn->relay != NULL && conn->state < QUICD_FAILED &&
	       (quicd_relay_busy(conn->relay) ||
		now < conn->active + QUICD_BUSY);
}

/* Until it is time again. */
static void quicd_conn_wait(struct quicd_conn *conn, uint64_t now)
{
	const uint64_t expiry = ngtcp2_conn_get_expiry(conn->ngtcp2);
	uint64_t at = expiry < conn->deadline ? expiry : conn->deadline;
	const bool sending = conn->relay != NULL &&
			     quicd_relay_unsent(conn->relay) > 0;

	/* only pacing has to be precise; the rest shares wake-ups */
	if (!sending && at < now + QUICD_TICK) {
		at = now + QUICD_TICK;
	}
	quicd_timer_set(&conn->timer, at);
}

enum quicd_conn_result quicd_conn_work(struct quicd_conn *conn, uint64_t now)
{
	int ret;

	quicd_conn_watch_stall(conn, now);
	if (conn->state < QUICD_FAILED && now >= conn->deadline) {
		quicd_conn_deadline_missed(conn);
	}
	if (conn->state < QUICD_FAILED && conn->relay != NULL) {
		quicd_conn_work_relay(conn, now);
	}
	if (conn->state == QUICD_FAILED) {
		quicd_conn_close_application(conn, conn->error, conn->reason);
	}
	if (conn->state == QUICD_CLOSED) {
		return QUICD_CONN_CLOSED;
	}
	if (quicd_udp_blocked(conn->udp)) {
		/* ngtcp2's timers also wait until the socket has room */
		quicd_timer_set(&conn->timer, conn->deadline);
		return QUICD_CONN_BLOCKED;
	}
	if (now >= ngtcp2_conn_get_expiry(conn->ngtcp2)) {
		ret = ngtcp2_conn_handle_expiry(conn->ngtcp2, now);
		if (ret != 0) {
			quicd_conn_close_liberr(conn, ret);
			return QUICD_CONN_CLOSED;
		}
	}
	quicd_conn_watch_path(conn, now);
	if (!quicd_conn_write(conn, now)) {
		return QUICD_CONN_CLOSED;
	}
	quicd_conn_path_validated(conn);
	quicd_conn_note_activity(conn, now);
	quicd_conn_watch_stall(conn, now);
	quicd_conn_wait(conn, now);
	return quicd_udp_blocked(conn->udp) ? QUICD_CONN_BLOCKED
					    : QUICD_CONN_IDLE;
}

void quicd_conn_read(struct quicd_conn *conn,
		     const struct quicd_path *path,
		     const uint8_t *data,
		     size_t len,
		     uint64_t now)
{
	const ngtcp2_path ngtcp2_path = quicd_ngtcp2_path(path);
	const ngtcp2_pkt_info info = {.ecn = path->ecn};
	int ret;

	if (conn->state >= QUICD_FAILED) {
		return;
	}
	ret = ngtcp2_conn_read_pkt(
		conn->ngtcp2, &ngtcp2_path, &info, data, len, now);
	if (ret != 0) {
		quicd_conn_close_liberr(conn, ret);
	}
}
