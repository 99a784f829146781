/* SPDX-License-Identifier: LGPL-3.0-or-later */
/*
 * The counters of smbd-quicd in the text format of OpenMetrics.
 */

#include "config.h"

#include <stdio.h>
#include <string.h>

#include "openmetrics.h"
#include "util/macros.h"

/* A metric has one series, or one by the value of a label. */
static const struct {
	enum quicd_counter counter;
	const char *metric;
	const char *labels;
	const char *help;
} quicd_metrics[] = {
	{QUICD_COUNT_ACCEPTED,
	 "connections_accepted",
	 "",
	 "Connections that were accepted."},
	{QUICD_COUNT_REFUSED_HOSTS,
	 "connections_refused",
	 "{reason=\"hosts\"}",
	 "Connections that were refused."},
	{QUICD_COUNT_REFUSED_LIMITS,
	 "connections_refused",
	 "{reason=\"limits\"}",
	 NULL},
	{QUICD_COUNT_REFUSED_TLS,
	 "connections_refused",
	 "{reason=\"tls\"}",
	 NULL},
	{QUICD_COUNT_RETRIES, "retries", "", "Retry packets that were sent."},
	{QUICD_COUNT_WRONG_TOKENS, "wrong_tokens", "", "Tokens that were wrong."},
	{QUICD_COUNT_RESETS,
	 "stateless_resets",
	 "",
	 "Stateless resets that were sent."},
	{QUICD_COUNT_HANDSHAKE_TIMEOUT,
	 "handshake_timeouts",
	 "",
	 "Handshakes that timed out."},
};

_Static_assert(ARRAY_SIZE(quicd_metrics) == QUICD_COUNTERS, "all of them");

/* Prometheus refuses all lines if two series are alike. */
static bool is_first(const struct quicd_counters_read *quicd, size_t number)
{
	size_t i;

	for (i = 0; i < number; i++) {
		if (strcmp(quicd->certificates[i].name,
			   quicd->certificates[number].name) == 0)
		{
			return false;
		}
	}
	return true;
}

void openmetrics_quicd(FILE *out, const struct quicd_counters_read *quicd)
{
	static const char ends[] =
		"smbd_quicd_certificate_expiry_timestamp_seconds";
	size_t i;

	if (quicd == NULL) {
		return;
	}
	for (i = 0; i < ARRAY_SIZE(quicd_metrics); i++) {
		/* no line with the type, see openmetrics_head() */
		if (quicd_metrics[i].help != NULL) {
			fprintf(out,
				"# HELP smbd_quicd_%s_total %s\n",
				quicd_metrics[i].metric,
				quicd_metrics[i].help);
		}
		fprintf(out,
			"smbd_quicd_%s_total%s %ju\n",
			quicd_metrics[i].metric,
			quicd_metrics[i].labels,
			(uintmax_t)quicd->values[quicd_metrics[i].counter]);
	}
	fprintf(out, "# HELP %s The end of each certificate.\n", ends);
	fprintf(out, "# TYPE %s gauge\n", ends);
	for (i = 0; i < quicd->num_certificates; i++) {
		if (is_first(quicd, i)) {
			fprintf(out, "%s{", ends);
			openmetrics_label(out,
					  "certificate",
					  quicd->certificates[i].name,
					  true);
			fprintf(out,
				"%jd\n",
				(intmax_t)quicd->certificates[i].ends);
		}
	}
}
