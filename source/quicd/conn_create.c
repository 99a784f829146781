/* SPDX-License-Identifier: LGPL-3.0-or-later */
/*
 * The beginning of a connection, and its destructor.
 */

#include "config.h"

#include <ngtcp2/ngtcp2_crypto.h>

#include "conn_internal.h"
#include "convert.h"
#include "log.h"
#include "qlog.h"
#include "util/clock.h"
#include "util/macros.h"

/* Connection IDs that the client may give us. */
#define QUICD_PEER_CIDS 8

static int quicd_conn_destructor(struct quicd_conn *conn)
{
	quicd_timer_remove(&conn->timer);
	TALLOC_FREE(conn->relay);
	quicd_cid_clear(&conn->cids);
	quicd_account_close(&conn->account);
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

static ngtcp2_conn *quicd_conn_get_conn(ngtcp2_crypto_conn_ref *ref)
{
	const struct quicd_conn *conn = ref->user_data;

	return conn->ngtcp2;
}

static void quicd_conn_settings(ngtcp2_settings *settings,
				const ngtcp2_pkt_hd *hd,
				bool retried,
				size_t payload,
				bool bbr,
				uint64_t now)
{
	/* around what the routes of today can do, and jumbo frames */
	static const uint16_t probes[] = {1406, 1452, QUICD_MAX_PAYLOAD};
	size_t num_probes = ARRAY_SIZE(probes);

	ngtcp2_settings_default(settings);
	settings->initial_ts = now;
	settings->handshake_timeout = quicd_deadline(QUICD_HANDSHAKE)->seconds *
				      CLOCK_NS_PER_S;
	settings->cc_algo = bbr ? NGTCP2_CC_ALGO_BBR : NGTCP2_CC_ALGO_CUBIC;
	settings->max_tx_udp_payload_size = payload;
	settings->pmtud_probes = probes;
	/* no probe that the device cannot send */
	while (num_probes > 1 && probes[num_probes - 1] > payload) {
		num_probes--;
	}
	settings->pmtud_probeslen = num_probes;
	if (hd->tokenlen > 0) {
		settings->token = hd->token;
		settings->tokenlen = hd->tokenlen;
		settings->token_type = retried ? NGTCP2_TOKEN_TYPE_RETRY
					       : NGTCP2_TOKEN_TYPE_NEW_TOKEN;
	}
}

/* ngtcp2 calls it in the destructor, too, before the file is closed. */
static void quicd_conn_qlog(void *user_data,
			    uint32_t flags,
			    const void *data,
			    size_t len)
{
	struct quicd_conn *conn = user_data;

	quicd_qlog_write(conn->qlog, data, len);
}

static bool quicd_conn_parameters(const struct quicd_conn *conn,
				  ngtcp2_transport_params *params,
				  const ngtcp2_pkt_hd *hd,
				  const ngtcp2_cid *original,
				  const ngtcp2_cid *cid)
{
	const struct quicd_secret *secret =
		quicd_context_secrets(conn->context)->list;

	ngtcp2_transport_params_default(params);
	params->initial_max_stream_data_bidi_remote = conn->window;
	params->initial_max_data = conn->window;
	params->initial_max_streams_bidi = 1;
	/* for paths that change, and clients that send one more than agreed */
	params->active_connection_id_limit = QUICD_PEER_CIDS;
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
		       secret->key,
		       sizeof(secret->key),
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

	quicd_cid_make(&made,
		       context->worker,
		       context->shared->workers,
		       quicd_context_secrets(context)->list[0].mark);
	quicd_tls_peer_name(&conn->tls, &made, &path->remote);
	ngtcp2_cid_init(&cid, made.data, made.len);
	quicd_conn_settings(&settings,
			    hd,
			    original != NULL,
			    quicd_udp_payload(path),
			    context->settings->congestion_control ==
				    QUICD_CONGESTION_CONTROL_BBR,
			    now);
	conn->qlog = quicd_qlog_begin(
		conn, context->qlogs, &path->remote, conn->tls.id);
	if (conn->qlog != NULL) {
		settings.qlog_write = quicd_conn_qlog;
	}
	if (!quicd_conn_parameters(conn, &params, hd, original, &cid)) {
		return false;
	}
	ret = ngtcp2_conn_server_new(&conn->ngtcp2,
				     &hd->scid,
				     &cid,
				     &ngtcp2_path,
				     hd->version,
				     &quicd_conn_callbacks,
				     &settings,
				     &params,
				     NULL,
				     conn);
	if (ret != 0) {
		conn->ngtcp2 = NULL;
		return false;
	}
	ngtcp2_conn_set_tls_native_handle(conn->ngtcp2, conn->tls.session);
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
	conn->window = QUICD_RELAY_SHARE;
	conn->stall_timeout = context->settings->stall_timeout * CLOCK_NS_PER_S;
	quicd_cid_set_init(&conn->cids, context->cids, QUICD_CID_OF_CONN);
	talloc_set_destructor(conn, quicd_conn_destructor);
	if (!quicd_conn_begin(conn, path, hd, original, now)) {
		quicd_log_limited("cannot accept a connection: out of memory");
		talloc_free(conn);
		return NULL;
	}
	return conn;
}
