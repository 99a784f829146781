/* SPDX-License-Identifier: LGPL-3.0-or-later */
/*
 * Which clients come in after their handshake: the certificate, the settings
 * that are in force now, the limits and the memory decide.
 */

#include "conn_internal.h"

/*
 * The settings may have changed since the handshake began.  A client must not
 * hold a handshake open to come in under the old settings.  If the old settings
 * decided about its certificate, we refuse the client and do not check the
 * certificate again.  The client can connect again.
 */
static bool conn_admit_check_reload(struct quicd_conn *conn)
{
	const struct quicd_context *context = conn->context;
	struct quicd_counters *counters = context->shared->counters;

	if (!quicd_settings_admit(context->settings, &conn->peer)) {
		quicd_count(counters, QUICD_COUNT_REFUSED_HOSTS);
		quicd_conn_fail(conn,
				QUICD_ERROR_REFUSED,
				"hosts allow, hosts deny");
		return false;
	}
	if (conn->tls.tls != context->tls &&
	    context->settings->client_certificates !=
		    QUICD_CLIENT_CERTIFICATES_NO)
	{
		quicd_count(counters, QUICD_COUNT_REFUSED_TLS);
		quicd_conn_fail(conn,
				QUICD_ERROR_REFUSED,
				"a reload came during the handshake");
		return false;
	}
	return true;
}

bool quicd_conn_admit(struct quicd_conn *conn)
{
	struct quicd_context *context = conn->context;
	struct quicd_counters *counters = context->shared->counters;
	const char *limit = NULL;

	if (!quicd_tls_peer_check(&conn->tls)) {
		quicd_count(counters, QUICD_COUNT_REFUSED_TLS);
		quicd_conn_fail(conn, QUICD_ERROR_REFUSED, conn->tls.reason);
		return false;
	}
	if (!conn_admit_check_reload(conn)) {
		return false;
	}
	conn->slot = quicd_limits_take(context->shared->limits,
				       context->settings,
				       context->worker,
				       &conn->peer,
				       &limit);
	if (conn->slot == NULL) {
		quicd_count(counters, QUICD_COUNT_REFUSED_LIMITS);
		quicd_conn_fail(conn, QUICD_ERROR_REFUSED, limit);
		return false;
	}
	if (!quicd_account_open(&conn->account,
				context->shared->budget,
				context->worker,
				QUICD_CONN_SHARE))
	{
		quicd_count(counters, QUICD_COUNT_REFUSED_LIMITS);
		quicd_conn_fail(conn, QUICD_ERROR_REFUSED, QUICD_CONN_NO_SHARE);
		return false;
	}
	quicd_count(counters, QUICD_COUNT_ACCEPTED);
	return true;
}
