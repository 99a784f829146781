/* SPDX-License-Identifier: LGPL-3.0-or-later */
/*
 * A QUIC connection, see conn.h.
 *
 * ngtcp2's callbacks must not call ngtcp2's writers.  They note what there is
 * to do; quicd_conn_work() does it after each batch of datagrams.
 *
 * The stream of the client is SMB with the headers of direct TCP (framing.h).
 * There is one of them: a second one is against the limit that we announce,
 * which ngtcp2 makes an error of.
 */

#include "config.h"

#include <gnutls/crypto.h>
#include <ngtcp2/ngtcp2_crypto.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "conn.h"
#include "log.h"
#include "util/clock.h"
#include "util/macros.h"

/* A packet is shorter than a full chunk of the relay. */
#define QUICD_STREAM_BUFFERS 2

/* The longest closing period; PTO is what a client's path makes it. */
#define QUICD_CLOSING_MAX (3 * CLOCK_NS_PER_S)

/* What need not be precise waits for a multiple of it. */
#define QUICD_TICK CLOCK_NS_PER_MS

static void quicd_address_from(struct address *address, const ngtcp2_addr *from)
{
	*address = (struct address){.len = from->addrlen};
	memcpy(&address->u, from->addr, from->addrlen);
}

static void quicd_path_from(struct quicd_path *to,
			    const ngtcp2_path *path,
			    const ngtcp2_pkt_info *info)
{
	quicd_address_from(&to->local, &path->local);
	quicd_address_from(&to->remote, &path->remote);
	to->ecn = (uint8_t)(info->ecn & NGTCP2_ECN_MASK);
}

ngtcp2_path quicd_ngtcp2_path(const struct quicd_path *path)
{
	/* ngtcp2 only reads them */
	return (ngtcp2_path){
		.local.addr = (ngtcp2_sockaddr *)(uintptr_t)&path->local.u.sa,
		.local.addrlen = path->local.len,
		.remote.addr = (ngtcp2_sockaddr *)(uintptr_t)&path->remote.u.sa,
		.remote.addrlen = path->remote.len,
	};
}

static struct quicd_cid quicd_cid_from(const ngtcp2_cid *from)
{
	struct quicd_cid cid = {.len = from->datalen};

	memcpy(cid.data, from->data, from->datalen);
	return cid;
}

/* The state, and the end. */

static void quicd_conn_set_state(struct quicd_conn *conn,
				 enum quicd_state state)
{
	const struct quicd_deadline *deadline = quicd_deadline(state);

	if (!quicd_state_may_follow(conn->state, state)) {
		abort();
	}
	conn->context->conns[conn->state]--;
	conn->context->conns[state]++;
	conn->state = state;
	conn->deadline = QUICD_TIMER_NEVER;
	if (deadline->seconds > 0 && state != QUICD_HANDSHAKE) {
		conn->deadline = clock_monotonic_ns() +
				 deadline->seconds * CLOCK_NS_PER_S;
	}
	conn->changed = true;
}

/* Close it when ngtcp2 has returned; the first reason counts. */
static void quicd_conn_fail(struct quicd_conn *conn,
			    enum quicd_error error,
			    const char *reason)
{
	if (conn->state >= QUICD_FAILED) {
		return;
	}
	quicd_conn_set_state(conn, QUICD_FAILED);
	conn->error = error;
	(void)snprintf(conn->reason, sizeof(conn->reason), "%s", reason);
}

static void quicd_conn_deadline_missed(struct quicd_conn *conn)
{
	const struct quicd_deadline *deadline = quicd_deadline(conn->state);
	const char *reason = deadline->reason;

	if (conn->transparent && deadline->reason_transparent != NULL) {
		reason = deadline->reason_transparent;
	}
	quicd_conn_fail(conn, QUICD_ERROR_TIMEOUT, reason);
}

static void quicd_conn_log_closed(const struct quicd_conn *conn,
				  const char *reason)
{
	char peer[ADDRESS_TEXT_SIZE];
	void (*log)(const char *format,
		    ...) = conn->slot != NULL ? quicd_log : quicd_log_limited;

	log("%s closed: %s; certificate=\"%s\" cipher=%s from_client=%llu "
	    "to_client=%llu seconds=%llu",
	    address_print(&conn->peer.u.sa, peer),
	    reason,
	    conn->tls.name,
	    conn->cipher,
	    (unsigned long long)conn->bytes_from_client,
	    (unsigned long long)conn->bytes_to_client,
	    (unsigned long long)((clock_monotonic_ns() - conn->start) /
				 CLOCK_NS_PER_S));
}

/* Write and send CONNECTION_CLOSE; it stays in conn->closing. */
static void quicd_conn_send_close(struct quicd_conn *conn,
				  const ngtcp2_ccerr *ccerr)
{
	struct quicd_closing *closing = &conn->closing;
	uint8_t packet[NGTCP2_MAX_UDP_PAYLOAD_SIZE];
	ngtcp2_path_storage path;
	ngtcp2_pkt_info info = {};
	ngtcp2_ssize n;

	ngtcp2_path_storage_zero(&path);
	n = ngtcp2_conn_write_connection_close(conn->ngtcp2,
					       &path.path,
					       &info,
					       packet,
					       sizeof(packet),
					       ccerr,
					       clock_monotonic_ns());
	if (n <= 0) {
		return;
	}
	closing->packet = talloc_memdup(conn, packet, (size_t)n);
	if (closing->packet == NULL) {
		return;
	}
	closing->len = (size_t)n;
	quicd_path_from(&closing->path, &path.path, &info);
	closing->path.ecn = 0;
	quicd_udp_send(conn->udp,
		       &closing->path,
		       closing->packet,
		       closing->len);
}

/*
 * Close both sides.  The owner frees the connection, after it has put
 * conn->closing where the closing period has it.
 *
 * ccerr: NULL if the client is not to be told.
 */
static void quicd_conn_close(struct quicd_conn *conn,
			     const ngtcp2_ccerr *ccerr,
			     const char *reason)
{
	const uint64_t period = 3 * ngtcp2_conn_get_pto(conn->ngtcp2);
	size_t taken;

	quicd_conn_log_closed(conn, reason);
	quicd_timer_remove(&conn->timer);
	conn->closing.udp = conn->udp;
	conn->closing.ns = period < QUICD_CLOSING_MAX ? period
						      : QUICD_CLOSING_MAX;
	if (ccerr != NULL) {
		quicd_conn_send_close(conn, ccerr);
	}
	if (conn->relay != NULL && conn->reset) {
		quicd_relay_reset(conn->relay);
	} else if (conn->relay != NULL) {
		/* what the client has sent before it closed */
		(void)quicd_relay_flush(conn->relay, &taken);
	}
	TALLOC_FREE(conn->relay);
	quicd_conn_set_state(conn, QUICD_CLOSED);
}

static void quicd_conn_close_application(struct quicd_conn *conn,
					 enum quicd_error error,
					 const char *reason)
{
	ngtcp2_ccerr ccerr;

	ngtcp2_ccerr_default(&ccerr);
	ngtcp2_ccerr_set_application_error(&ccerr,
					   error,
					   (const uint8_t *)reason,
					   strlen(reason));
	quicd_conn_close(conn, &ccerr, reason);
}

void quicd_conn_shutdown(struct quicd_conn *conn, const char *reason)
{
	quicd_conn_close_application(conn, QUICD_ERROR_NONE, reason);
}

/* The client has closed the connection: we are draining (RFC 9000, 10.2.2). */
static void quicd_conn_close_draining(struct quicd_conn *conn)
{
	const ngtcp2_ccerr *received = ngtcp2_conn_get_ccerr(conn->ngtcp2);
	char text[80];

	(void)snprintf(text,
		       sizeof(text),
		       "client closed the connection, %s error %llu",
		       received->type == NGTCP2_CCERR_TYPE_APPLICATION
			       ? "application"
			       : "transport",
		       (unsigned long long)received->error_code);
	quicd_conn_close(conn, NULL, text);
}

static void quicd_conn_close_tls(struct quicd_conn *conn)
{
	const uint8_t alert = ngtcp2_conn_get_tls_alert(conn->ngtcp2);
	ngtcp2_ccerr ccerr;
	char text[200];

	ngtcp2_ccerr_default(&ccerr);
	ngtcp2_ccerr_set_tls_alert(&ccerr, alert, NULL, 0);
	(void)snprintf(text,
		       sizeof(text),
		       "TLS: %s",
		       conn->tls.reason[0] != '\0'
			       ? conn->tls.reason
			       : gnutls_alert_get_strname(alert));
	quicd_conn_close(conn, &ccerr, text);
}

/* After an error of ngtcp2's. */
static void quicd_conn_close_liberr(struct quicd_conn *conn, int error)
{
	ngtcp2_ccerr ccerr;
	char text[200];

	switch (error) {
	case NGTCP2_ERR_DRAINING:
		quicd_conn_close_draining(conn);
		return;
	case NGTCP2_ERR_IDLE_CLOSE:
		quicd_conn_close(conn, NULL, "idle timeout");
		return;
	case NGTCP2_ERR_HANDSHAKE_TIMEOUT:
		quicd_conn_close(conn,
				 NULL,
				 quicd_deadline(QUICD_HANDSHAKE)->reason);
		return;
	case NGTCP2_ERR_DROP_CONN:
	case NGTCP2_ERR_RETRY:
		quicd_conn_close(conn, NULL, "invalid first packet");
		return;
	case NGTCP2_ERR_CRYPTO:
		quicd_conn_close_tls(conn);
		return;
	default:
		break;
	}
	ngtcp2_ccerr_default(&ccerr);
	ngtcp2_ccerr_set_liberr(&ccerr, error, NULL, 0);
	(void)snprintf(text, sizeof(text), "QUIC: %s", ngtcp2_strerror(error));
	quicd_conn_close(conn, &ccerr, text);
}

static int quicd_conn_destructor(struct quicd_conn *conn)
{
	quicd_timer_remove(&conn->timer);
	TALLOC_FREE(conn->relay);
	quicd_cid_clear(&conn->cids);
	if (conn->slot != NULL) {
		quicd_slot_release(conn->slot);
	}
	conn->context->conns[conn->state]--;
	if (conn->ngtcp2 != NULL) {
		ngtcp2_conn_del(conn->ngtcp2);
	}
	quicd_tls_peer_done(&conn->tls);
	return 0;
}

/* Upcalls of the relay and the timer. */

static void quicd_conn_relay_connected(void *owner)
{
	struct quicd_conn *conn = owner;

	if (conn->state == QUICD_CONNECTING) {
		quicd_conn_set_state(conn, QUICD_OPEN);
	}
}

static void quicd_conn_ready(void *owner)
{
	struct quicd_conn *conn = owner;

	conn->ops->ready(conn->owner, conn);
}

static void quicd_conn_relay_failed(void *owner, const char *reason)
{
	struct quicd_conn *conn = owner;

	quicd_conn_fail(conn, QUICD_ERROR_SMBD, reason);
	conn->ops->ready(conn->owner, conn);
}

static const struct quicd_relay_ops quicd_conn_relay_ops = {
	.connected = quicd_conn_relay_connected,
	.ready = quicd_conn_ready,
	.failed = quicd_conn_relay_failed,
};

/* Callbacks of ngtcp2. */

static void quicd_random_cb(uint8_t *data,
			    size_t len,
			    const ngtcp2_rand_ctx *context)
{
	quicd_random(data, len);
}

static ngtcp2_conn *quicd_conn_get_conn(ngtcp2_crypto_conn_ref *ref)
{
	const struct quicd_conn *conn = ref->user_data;

	return conn->ngtcp2;
}

static int quicd_conn_new_cid(ngtcp2_conn *ngtcp2,
			      ngtcp2_cid *cid,
			      uint8_t *token,
			      size_t len,
			      void *user_data)
{
	struct quicd_conn *conn = user_data;
	const struct quicd_shared *shared = conn->context->shared;
	struct quicd_cid made;
	int ret;

	/* len is that of the first one, QUICD_CID_LEN */
	quicd_cid_make(&made, conn->context->worker, shared->workers);
	ngtcp2_cid_init(cid, made.data, made.len);
	ret = ngtcp2_crypto_generate_stateless_reset_token(
		token, shared->secret, sizeof(shared->secret), cid);
	if (ret != 0 || !quicd_cid_add(&conn->cids, &made)) {
		return NGTCP2_ERR_CALLBACK_FAILURE;
	}
	return 0;
}

static int quicd_conn_remove_cid(ngtcp2_conn *ngtcp2,
				 const ngtcp2_cid *cid,
				 void *user_data)
{
	struct quicd_conn *conn = user_data;
	const struct quicd_cid removed = quicd_cid_from(cid);

	quicd_cid_remove(&conn->cids, &removed);
	return 0;
}

static int quicd_conn_handshake_completed(ngtcp2_conn *ngtcp2, void *user_data)
{
	struct quicd_conn *conn = user_data;
	struct quicd_context *context = conn->context;
	const char *limit = NULL;
	char peer[ADDRESS_TEXT_SIZE];

	conn->cipher = quicd_tls_peer_cipher(&conn->tls);
	if (!quicd_tls_peer_check(&conn->tls)) {
		quicd_conn_fail(conn, QUICD_ERROR_REFUSED, conn->tls.reason);
		return 0;
	}
	conn->slot = quicd_limits_take(context->shared->limits,
				       context->settings,
				       context->worker,
				       &conn->peer,
				       &limit);
	if (conn->slot == NULL) {
		quicd_conn_fail(conn, QUICD_ERROR_REFUSED, limit);
		return 0;
	}
	quicd_conn_set_state(conn, QUICD_WAIT_SMB);
	quicd_log("%s connected: certificate=\"%s\" cipher=%s",
		  address_print(&conn->peer.u.sa, peer),
		  conn->tls.name,
		  conn->cipher);
	return 0;
}

static int quicd_conn_stream_open(ngtcp2_conn *ngtcp2,
				  int64_t stream,
				  void *user_data)
{
	struct quicd_conn *conn = user_data;

	if (conn->stream >= 0) {
		quicd_conn_fail(conn,
				QUICD_ERROR_PROTOCOL,
				"client opened a second stream");
		return 0;
	}
	conn->stream = stream;
	return 0;
}

/* The first bytes of SMB have come. */
static bool quicd_conn_connect(struct quicd_conn *conn)
{
	const struct quicd_settings *settings = conn->context->settings;
	const char *wrong = NULL;

	wrong = quicd_relay_create(conn,
				   conn->context->ev,
				   settings,
				   &conn->peer,
				   &quicd_conn_relay_ops,
				   conn,
				   &conn->relay);
	if (wrong != NULL) {
		quicd_conn_fail(conn, QUICD_ERROR_SMBD, wrong);
		return false;
	}
	conn->transparent = settings->transparent;
	quicd_conn_set_state(conn, QUICD_CONNECTING);
	return true;
}

static int quicd_conn_recv_stream_data(ngtcp2_conn *ngtcp2,
				       uint32_t flags,
				       int64_t stream,
				       uint64_t offset,
				       const uint8_t *data,
				       size_t len,
				       void *user_data,
				       void *stream_user_data)
{
	struct quicd_conn *conn = user_data;
	const bool end = (flags & NGTCP2_STREAM_DATA_FLAG_FIN) != 0;
	const char *wrong = NULL;

	if (conn->state == QUICD_HANDSHAKE || conn->state >= QUICD_FAILED ||
	    stream != conn->stream)
	{
		return 0;
	}
	if (conn->relay == NULL && len == 0) {
		if (end) {
			quicd_conn_fail(conn,
					QUICD_ERROR_NONE,
					"client ended the stream without SMB");
		}
		return 0;
	}
	if (conn->relay == NULL && !quicd_conn_connect(conn)) {
		return 0;
	}
	conn->bytes_from_client += len;
	wrong = quicd_relay_input(conn->relay, data, len, end);
	if (wrong != NULL) {
		conn->reset = true;
		quicd_conn_fail(conn, QUICD_ERROR_PROTOCOL, wrong);
	}
	return 0;
}

static int quicd_conn_acked(ngtcp2_conn *ngtcp2,
			    int64_t stream,
			    uint64_t offset,
			    uint64_t len,
			    void *user_data,
			    void *stream_user_data)
{
	struct quicd_conn *conn = user_data;

	if (conn->relay != NULL) {
		quicd_relay_acked(conn->relay, len);
	}
	conn->bytes_acked += len;
	return 0;
}

/* The client has given up; smbd is told by a reset as well. */
static int quicd_conn_stream_reset(ngtcp2_conn *ngtcp2,
				   int64_t stream,
				   uint64_t final_size,
				   uint64_t error,
				   void *user_data,
				   void *stream_user_data)
{
	struct quicd_conn *conn = user_data;

	conn->reset = true;
	quicd_conn_fail(conn, QUICD_ERROR_NONE, "client reset the stream");
	return 0;
}

static int quicd_conn_stream_close(ngtcp2_conn *ngtcp2,
				   uint32_t flags,
				   int64_t stream,
				   uint64_t error,
				   void *user_data,
				   void *stream_user_data)
{
	struct quicd_conn *conn = user_data;
	const bool has_error = (flags &
				NGTCP2_STREAM_CLOSE_FLAG_APP_ERROR_CODE_SET) !=
			       0;

	conn->reset = conn->reset || (has_error && error != 0);
	quicd_conn_fail(conn,
			QUICD_ERROR_NONE,
			conn->reset ? "client reset the stream"
				    : "both sides ended the stream");
	return 0;
}

/*
 * ngtcp2 uses a new address at once, and goes back if nobody answers there.
 * The limits, the status and smbd hear of it only after path validation:
 * anybody can send from an address that is somebody else's.
 */
static int quicd_conn_path_validation(ngtcp2_conn *ngtcp2,
				      uint32_t flags,
				      const ngtcp2_path *path,
				      const ngtcp2_path *fallback,
				      ngtcp2_path_validation_result result,
				      void *user_data)
{
	struct quicd_conn *conn = user_data;

	if (result == NGTCP2_PATH_VALIDATION_RESULT_SUCCESS) {
		quicd_address_from(&conn->validated, &path->remote);
	}
	return 0;
}

static const ngtcp2_callbacks quicd_callbacks = {
	.recv_client_initial = ngtcp2_crypto_recv_client_initial_cb,
	.recv_crypto_data = ngtcp2_crypto_recv_crypto_data_cb,
	.encrypt = ngtcp2_crypto_encrypt_cb,
	.decrypt = ngtcp2_crypto_decrypt_cb,
	.hp_mask = ngtcp2_crypto_hp_mask_cb,
	.update_key = ngtcp2_crypto_update_key_cb,
	.delete_crypto_aead_ctx = ngtcp2_crypto_delete_crypto_aead_ctx_cb,
	.delete_crypto_cipher_ctx = ngtcp2_crypto_delete_crypto_cipher_ctx_cb,
	.get_path_challenge_data = ngtcp2_crypto_get_path_challenge_data_cb,
	.version_negotiation = ngtcp2_crypto_version_negotiation_cb,
	.rand = quicd_random_cb,
	.get_new_connection_id = quicd_conn_new_cid,
	.remove_connection_id = quicd_conn_remove_cid,
	.path_validation = quicd_conn_path_validation,
	.handshake_completed = quicd_conn_handshake_completed,
	.stream_open = quicd_conn_stream_open,
	.recv_stream_data = quicd_conn_recv_stream_data,
	.acked_stream_data_offset = quicd_conn_acked,
	.stream_reset = quicd_conn_stream_reset,
	.stream_close = quicd_conn_stream_close,
};

/* Work. */

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

/* The relay has handed over so many bytes, of which end was the last one. */
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

/* One packet into the buffer; its length, 0: nothing to send, or an error. */
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
		/* all the rest, without that stream */
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
		/* what is left for less than a packet would go alone */
		if (quantum < 2 * (size_t)n) {
			break;
		}
		quantum -= (size_t)n;
	}
	quicd_udp_flush(udp);
	ngtcp2_conn_update_pkt_tx_time(conn->ngtcp2, now);
	return true;
}

/* Give smbd what the client has sent, the client as much credit; read on. */
static void quicd_conn_work_relay(struct quicd_conn *conn)
{
	const char *wrong = NULL;
	size_t taken = 0;

	wrong = quicd_relay_flush(conn->relay, &taken);
	if (wrong != NULL) {
		quicd_conn_fail(conn, QUICD_ERROR_SMBD, wrong);
	}
	if (taken > 0) {
		(void)ngtcp2_conn_extend_max_stream_offset(conn->ngtcp2,
							   conn->stream,
							   taken);
		ngtcp2_conn_extend_max_offset(conn->ngtcp2, taken);
	}
	if (conn->state < QUICD_FAILED) {
		wrong = quicd_relay_refill(conn->relay);
		if (wrong != NULL) {
			quicd_conn_fail(conn, QUICD_ERROR_SMBD, wrong);
		}
	}
}

/* Until it is time again. */
static void quicd_conn_wait(struct quicd_conn *conn, uint64_t now)
{
	const uint64_t expiry = ngtcp2_conn_get_expiry(conn->ngtcp2);
	uint64_t at = expiry < conn->deadline ? expiry : conn->deadline;
	const bool sending = conn->relay != NULL &&
			     quicd_relay_unsent(conn->relay) > 0;

	/* pacing alone has to be precise: fewer wake-ups for all else */
	if (!sending && at < now + QUICD_TICK) {
		at = now + QUICD_TICK;
	}
	quicd_timer_set(&conn->timer, at);
}

enum quicd_conn_result quicd_conn_work(struct quicd_conn *conn, uint64_t now)
{
	int ret;

	if (conn->state < QUICD_FAILED && now >= conn->deadline) {
		quicd_conn_deadline_missed(conn);
	}
	if (conn->state < QUICD_FAILED && conn->relay != NULL) {
		quicd_conn_work_relay(conn);
	}
	if (conn->state == QUICD_FAILED) {
		quicd_conn_close_application(conn, conn->error, conn->reason);
	}
	if (conn->state == QUICD_CLOSED) {
		return QUICD_CONN_CLOSED;
	}
	if (quicd_udp_blocked(conn->udp)) {
		/* ngtcp2's timers wait for the socket, too */
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
	if (!quicd_conn_write(conn, now)) {
		return QUICD_CONN_CLOSED;
	}
	quicd_conn_path_validated(conn);
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

/* The beginning. */

static void quicd_conn_settings(ngtcp2_settings *settings,
				const ngtcp2_pkt_hd *hd,
				bool retried,
				uint64_t now)
{
	/* around what the routes of today can do, and jumbo frames */
	static const uint16_t probes[] = {1406, 1452, QUICD_MAX_PAYLOAD};

	ngtcp2_settings_default(settings);
	settings->initial_ts = now;
	settings->handshake_timeout = quicd_deadline(QUICD_HANDSHAKE)->seconds *
				      CLOCK_NS_PER_S;
	settings->max_tx_udp_payload_size = QUICD_MAX_PAYLOAD;
	settings->pmtud_probes = probes;
	settings->pmtud_probeslen = ARRAY_SIZE(probes);
	if (retried) {
		settings->token = hd->token;
		settings->tokenlen = hd->tokenlen;
		settings->token_type = NGTCP2_TOKEN_TYPE_RETRY;
	}
}

static bool quicd_conn_parameters(const struct quicd_conn *conn,
				  ngtcp2_transport_params *params,
				  const ngtcp2_pkt_hd *hd,
				  const ngtcp2_cid *original,
				  const ngtcp2_cid *cid)
{
	const struct quicd_shared *shared = conn->context->shared;

	ngtcp2_transport_params_default(params);
	params->initial_max_stream_data_bidi_remote =
		QUICD_RELAY_FROM_CLIENT_MAX;
	params->initial_max_data = QUICD_RELAY_FROM_CLIENT_MAX;
	params->initial_max_streams_bidi = 1;
	params->max_idle_timeout = conn->context->settings->idle_timeout *
				   CLOCK_NS_PER_S;
	params->original_dcid_present = 1;
	params->original_dcid = hd->dcid;
	if (original != NULL) {
		params->original_dcid = *original;
		params->retry_scid_present = 1;
		params->retry_scid = hd->dcid;
	}
	params->stateless_reset_token_present = 1;
	return ngtcp2_crypto_generate_stateless_reset_token(
		       params->stateless_reset_token,
		       shared->secret,
		       sizeof(shared->secret),
		       cid) == 0;
}

static bool quicd_conn_begin(struct quicd_conn *conn,
			     const struct quicd_path *path,
			     const ngtcp2_pkt_hd *hd,
			     const ngtcp2_cid *original,
			     uint64_t now)
{
	const struct quicd_context *context = conn->context;
	const ngtcp2_path ngtcp2_path = quicd_ngtcp2_path(path);
	const struct quicd_cid first = quicd_cid_from(&hd->dcid);
	ngtcp2_settings settings;
	ngtcp2_transport_params params;
	struct quicd_cid made;
	ngtcp2_cid cid;
	int ret;

	if (!quicd_tls_peer_init(&conn->tls, context->tls)) {
		return false;
	}
	conn->tls.ref.get_conn = quicd_conn_get_conn;
	conn->tls.ref.user_data = conn;

	quicd_cid_make(&made, context->worker, context->shared->workers);
	ngtcp2_cid_init(&cid, made.data, made.len);
	quicd_conn_settings(&settings, hd, original != NULL, now);
	if (!quicd_conn_parameters(conn, &params, hd, original, &cid)) {
		return false;
	}
	ret = ngtcp2_conn_server_new(&conn->ngtcp2,
				     &hd->scid,
				     &cid,
				     &ngtcp2_path,
				     hd->version,
				     &quicd_callbacks,
				     &settings,
				     &params,
				     NULL,
				     conn);
	if (ret != 0) {
		conn->ngtcp2 = NULL;
		return false;
	}
	ngtcp2_conn_set_tls_native_handle(conn->ngtcp2, conn->tls.session);
	/* a client that is there answers; the others end by idle timeout */
	ngtcp2_conn_set_keep_alive_timeout(conn->ngtcp2,
					   params.max_idle_timeout / 3);
	return quicd_timer_add(context->timers,
			       &conn->timer,
			       quicd_conn_ready,
			       conn) &&
	       quicd_cid_add(&conn->cids, &made) &&
	       quicd_cid_add(&conn->cids, &first);
}

struct quicd_conn *quicd_conn_create(TALLOC_CTX *mem_ctx,
				     struct quicd_context *context,
				     const struct quicd_conn_ops *ops,
				     void *owner,
				     struct quicd_udp *udp,
				     const struct quicd_path *path,
				     const ngtcp2_pkt_hd *hd,
				     const ngtcp2_cid *original,
				     uint64_t now)
{
	struct quicd_conn *conn = talloc_zero(mem_ctx, struct quicd_conn);

	if (conn == NULL) {
		return NULL;
	}
	conn->context = context;
	conn->ops = ops;
	conn->owner = owner;
	conn->udp = udp;
	conn->state = QUICD_HANDSHAKE;
	conn->deadline = QUICD_TIMER_NEVER;
	context->conns[conn->state]++;
	conn->cipher = "none";
	conn->peer = path->remote;
	conn->validated = path->remote;
	conn->start = now;
	conn->stream = -1;
	quicd_cid_set_init(&conn->cids, context->cids, QUICD_CID_OF_CONN);
	talloc_set_destructor(conn, quicd_conn_destructor);
	if (!quicd_conn_begin(conn, path, hd, original, now)) {
		quicd_log_limited("cannot accept a connection: out of memory");
		talloc_free(conn);
		return NULL;
	}
	return conn;
}
