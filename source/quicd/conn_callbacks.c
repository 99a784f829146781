/* SPDX-License-Identifier: LGPL-3.0-or-later */
/*
 * What ngtcp2, the relay and the timer report to a connection.
 *
 * ngtcp2's callbacks must not call ngtcp2's writers.  They note what there is
 * to do; quicd_conn_work() does it at the end of the wake-up.
 *
 * The client's stream carries SMB with the headers of direct TCP (framing.h).
 * A client may open one stream only.  ngtcp2 enforces this limit, which we
 * announce.
 */

#include "config.h"

#include <ngtcp2/ngtcp2_crypto.h>

#include "conn_internal.h"
#include "convert.h"
#include "log.h"
#include "stateless.h"
#include "util/clock.h"

#define QUICD_KEEP_ALIVE_MAX (15 * CLOCK_NS_PER_S)

/* Upcalls of the relay and the timer. */

static void quicd_conn_relay_connected(void *owner)
{
	struct quicd_conn *conn = owner;

	if (conn->state == QUICD_CONNECTING) {
		quicd_conn_set_state(conn, QUICD_OPEN);
	}
}

void quicd_conn_ready(void *owner)
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

static int quicd_conn_new_cid(ngtcp2_conn *ngtcp2,
			      ngtcp2_cid *cid,
			      uint8_t *token,
			      size_t len,
			      void *user_data)
{
	struct quicd_conn *conn = user_data;
	const struct quicd_context *context = conn->context;
	const struct quicd_secret *secret =
		quicd_context_secrets(context)->list;
	struct quicd_cid made;
	int ret;

	/* len is that of the first one, QUICD_CID_LEN */
	quicd_cid_make(&made,
		       context->worker,
		       context->shared->workers,
		       secret->mark);
	ngtcp2_cid_init(cid, made.data, made.len);
	ret = ngtcp2_crypto_generate_stateless_reset_token(token,
							   secret->key,
							   sizeof(secret->key),
							   cid);
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

/*
 * Send keep-alives: a client that is there answers, and another one ends by
 * idle timeout.
 *
 * The smaller idle timeout of both ends counts, and we allow for the loss of
 * two of three keep-alives.  The interval has to be below 20 s: after 20 s of
 * silence msquic, which Windows uses, changes its connection ID and says so,
 * and both ends would go on to answer each other.
 */
static void quicd_conn_set_keep_alive(struct quicd_conn *conn)
{
	const uint64_t theirs =
		ngtcp2_conn_get_remote_transport_params(conn->ngtcp2)
			->max_idle_timeout;
	uint64_t idle = ngtcp2_conn_get_local_transport_params(conn->ngtcp2)
				->max_idle_timeout;

	/* 0: the client has no idle timeout */
	if (theirs != 0 && theirs < idle) {
		idle = theirs;
	}
	ngtcp2_conn_set_keep_alive_timeout(
		conn->ngtcp2,
		idle / 3 < QUICD_KEEP_ALIVE_MAX ? idle / 3
						: QUICD_KEEP_ALIVE_MAX);
}

/* Send a token with which the client's next connection needs no Retry. */
static void quicd_conn_give_token(struct quicd_conn *conn)
{
	uint8_t token[NGTCP2_CRYPTO_MAX_REGULAR_TOKENLEN];
	const size_t len = quicd_make_new_token(
		conn->context, &conn->peer, token);

	if (len > 0) {
		(void)ngtcp2_conn_submit_new_token(conn->ngtcp2, token, len);
	}
}

static int quicd_conn_handshake_completed(ngtcp2_conn *ngtcp2, void *user_data)
{
	struct quicd_conn *conn = user_data;
	char peer[ADDRESS_TEXT_SIZE];

	conn->cipher = quicd_tls_peer_cipher(&conn->tls);
	if (!quicd_conn_admit(conn)) {
		return 0;
	}
	quicd_conn_set_keep_alive(conn);
	quicd_conn_give_token(conn);
	quicd_conn_set_state(conn, QUICD_WAIT_SMB);
	quicd_log("%s connected: certificate=\"%s\" cipher=%s id=%s",
		  address_print(&conn->peer.u.sa, peer),
		  conn->tls.name,
		  conn->cipher,
		  conn->tls.id);
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
				   &conn->account,
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
	quicd_count_add(conn->context->shared->counters,
			QUICD_COUNT_BYTES_RECEIVED,
			len);
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
	quicd_count_add(conn->context->shared->counters,
			QUICD_COUNT_BYTES_ACKED,
			len);
	return 0;
}

/* The client has reset its stream, so we reset the connection to smbd. */
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
 * ngtcp2 uses a new address at once, and returns to the old address if nobody
 * answers at the new one.  The limits, the status and smbd learn the new
 * address only after path validation, because anybody can forge a source
 * address.
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

const ngtcp2_callbacks quicd_conn_callbacks = {
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
