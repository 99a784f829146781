/* SPDX-License-Identifier: LGPL-3.0-or-later */
/*
 * The counters of smbd-quicd by their names, see quicd.h.
 */

#include "config.h"

#include <stddef.h>
#include <string.h>

#include "quicd.h"
#include "util/macros.h"

const struct quicd_metric quicd_metrics[] = {
	{QUICD_COUNT_ACCEPTED,
	 "accepted",
	 "connections_accepted",
	 NULL,
	 "Connections that were accepted."},
	{QUICD_COUNT_REFUSED_HOSTS,
	 "refused_hosts",
	 "connections_refused",
	 "hosts",
	 "Connections that were refused."},
	{QUICD_COUNT_REFUSED_LIMITS,
	 "refused_limits",
	 "connections_refused",
	 "limits",
	 NULL},
	{QUICD_COUNT_REFUSED_TLS,
	 "refused_tls",
	 "connections_refused",
	 "tls",
	 NULL},
	{QUICD_COUNT_RETRIES,
	 "retries",
	 "retries",
	 NULL,
	 "Retry packets that were sent."},
	{QUICD_COUNT_WRONG_TOKENS,
	 "wrong_tokens",
	 "wrong_tokens",
	 NULL,
	 "Tokens that were wrong."},
	{QUICD_COUNT_RESETS,
	 "stateless_resets",
	 "stateless_resets",
	 NULL,
	 "Stateless resets that were sent."},
	{QUICD_COUNT_HANDSHAKE_TIMEOUT,
	 "handshake_timeouts",
	 "handshake_timeouts",
	 NULL,
	 "Handshakes that timed out."},
	{QUICD_COUNT_DROPPED,
	 "datagrams_dropped",
	 "datagrams_dropped",
	 NULL,
	 "Datagrams that the kernel dropped, since our socket was full."},
	{QUICD_COUNT_SEGMENTATION_OFF,
	 "segmentation_off",
	 "segmentation_off",
	 NULL,
	 "Sockets that send single datagrams: a device refused GSO."},
	{QUICD_COUNT_BYTES_RECEIVED,
	 "bytes_received",
	 "received_bytes",
	 NULL,
	 "Bytes of SMB received from clients."},
	{QUICD_COUNT_BYTES_ACKED,
	 "bytes_acked",
	 "sent_bytes",
	 NULL,
	 "Bytes of SMB sent to clients and acknowledged."},
};

const struct quicd_gauge quicd_gauges[] = {
	{offsetof(struct quicd_counters_read, memory_used),
	 "memory_used",
	 "memory_used_bytes",
	 "Memory of connections that is in use."},
	{offsetof(struct quicd_counters_read, memory_max),
	 "memory_limit",
	 "memory_limit_bytes",
	 "Memory that connections may use."},
};

_Static_assert(ARRAY_SIZE(quicd_metrics) == QUICD_COUNTERS, "all of them");
_Static_assert(ARRAY_SIZE(quicd_gauges) == QUICD_GAUGES, "all of them");

bool quicd_get(const struct status_rows *rows,
	       size_t number,
	       struct quicd_shown *shown)
{
	*shown = (struct quicd_shown){};
	if (!rows->cluster) {
		shown->read = rows->quicd;
		return number == 0;
	}
	if (number >= rows->num_nodes) {
		return false;
	}
	shown->read = rows->nodes[number].quicd;
	shown->node = rows->nodes[number].name;
	return true;
}

bool quicd_any(const struct status_rows *rows)
{
	struct quicd_shown shown;
	size_t i;

	for (i = 0; quicd_get(rows, i, &shown); i++) {
		if (shown.read != NULL) {
			return true;
		}
	}
	return false;
}

uint64_t quicd_gauge(const struct quicd_counters_read *read, size_t number)
{
	uint64_t value;

	memcpy(&value,
	       (const char *)read + quicd_gauges[number].offset,
	       sizeof(value));
	return value;
}
