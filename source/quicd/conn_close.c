/* SPDX-License-Identifier: LGPL-3.0-or-later */
/*
 * The end of a connection: CONNECTION_CLOSE, the closing period, the log line.
 */

#include "config.h"

#include <stdio.h>
#include <string.h>

#include "conn_internal.h"
#include "convert.h"
#include "log.h"
#include "util/clock.h"

/* The longest closing period, as a client's path can make the PTO long. */
#define QUICD_CLOSING_MAX (3 * CLOCK_NS_PER_S)

static void quicd_conn_log_closed(const struct quicd_conn *conn,
				  const char *reason)
{
	char peer[ADDRESS_TEXT_SIZE];
	char line[512];

	(void)address_print(&conn->peer.u.sa, peer);
	(void)snprintf(line,
		       sizeof(line),
		       "%s; certificate=\"%s\" cipher=%s from_client=%llu "
		       "to_client=%llu seconds=%llu id=%s",
		       reason,
		       conn->tls.name,
		       conn->cipher,
		       (unsigned long long)conn->bytes_from_client,
		       (unsigned long long)conn->bytes_to_client,
		       (unsigned long long)((clock_monotonic_ns() -
					     conn->start) /
					    CLOCK_NS_PER_S),
		       conn->tls.id);
	if (conn->slot != NULL) {
		quicd_log("%s closed: %s", peer, line);
	} else {
		quicd_log_limited("%s closed: %s", peer, line);
	}
}

/* Write CONNECTION_CLOSE, send it, and keep it in conn->closing. */
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
 * Close both sides.  The owner begins a closing period with conn->closing, and
 * then frees the connection.
 *
 * ccerr: NULL if the client is not told; reason: NULL if nobody is told.
 */
static void quicd_conn_close(struct quicd_conn *conn,
			     const ngtcp2_ccerr *ccerr,
			     const char *reason)
{
	const uint64_t period = 3 * ngtcp2_conn_get_pto(conn->ngtcp2);
	size_t taken;

	if (reason != NULL) {
		quicd_conn_log_closed(conn, reason);
	}
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
		/* smbd gets what the client sent before it closed */
		(void)quicd_relay_flush(conn->relay, &taken);
	}
	TALLOC_FREE(conn->relay);
	quicd_conn_set_state(conn, QUICD_CLOSED);
}

void quicd_conn_close_application(struct quicd_conn *conn,
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

void quicd_conn_close_liberr(struct quicd_conn *conn, int error)
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
		quicd_count(conn->context->shared->counters,
			    QUICD_COUNT_HANDSHAKE_TIMEOUT);
		quicd_conn_close(conn,
				 NULL,
				 quicd_deadline(QUICD_HANDSHAKE)->reason);
		return;
	case NGTCP2_ERR_DROP_CONN:
	case NGTCP2_ERR_RETRY:
		conn->retry = true;
		quicd_conn_close(conn, NULL, NULL);
		return;
	case NGTCP2_ERR_CRYPTO:
		quicd_count(conn->context->shared->counters,
			    QUICD_COUNT_REFUSED_TLS);
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
