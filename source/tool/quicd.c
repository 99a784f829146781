/* SPDX-License-Identifier: LGPL-3.0-or-later */
/*
 * The counters of smbd-quicd in each format.
 */

#include "config.h"

#include <stdio.h>
#include <string.h>
#include <time.h>

#include "openmetrics.h"
#include "output.h"
#include "util/macros.h"

/* A metric has one series, or one by the value of a label. */
static const struct {
	enum quicd_counter counter;
	const char *name; /* in JSON */
	const char *metric;
	const char *labels;
	const char *help;
} quicd_metrics[] = {
	{QUICD_COUNT_ACCEPTED,
	 "accepted",
	 "connections_accepted",
	 "",
	 "Connections that were accepted."},
	{QUICD_COUNT_REFUSED_HOSTS,
	 "refused_hosts",
	 "connections_refused",
	 "{reason=\"hosts\"}",
	 "Connections that were refused."},
	{QUICD_COUNT_REFUSED_LIMITS,
	 "refused_limits",
	 "connections_refused",
	 "{reason=\"limits\"}",
	 NULL},
	{QUICD_COUNT_REFUSED_TLS,
	 "refused_tls",
	 "connections_refused",
	 "{reason=\"tls\"}",
	 NULL},
	{QUICD_COUNT_RETRIES,
	 "retries",
	 "retries",
	 "",
	 "Retry packets that were sent."},
	{QUICD_COUNT_WRONG_TOKENS,
	 "wrong_tokens",
	 "wrong_tokens",
	 "",
	 "Tokens that were wrong."},
	{QUICD_COUNT_RESETS,
	 "stateless_resets",
	 "stateless_resets",
	 "",
	 "Stateless resets that were sent."},
	{QUICD_COUNT_HANDSHAKE_TIMEOUT,
	 "handshake_timeouts",
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

json_t *quicd_json(const struct quicd_counters_read *quicd)
{
	json_t *json = json_object();
	json_t *certificates = json_array();
	size_t i;

	for (i = 0; i < ARRAY_SIZE(quicd_metrics); i++) {
		const uint64_t value = quicd->values[quicd_metrics[i].counter];

		json_object_set_new(json,
				    quicd_metrics[i].name,
				    json_integer((json_int_t)value));
	}
	for (i = 0; i < quicd->num_certificates; i++) {
		json_array_append_new(
			certificates,
			json_pack("{s:s, s:I}",
				  "certificate",
				  quicd->certificates[i].name,
				  "ends",
				  (json_int_t)quicd->certificates[i].ends));
	}
	json_object_set_new(json, "certificates", certificates);
	return json;
}

void quicd_text(const struct quicd_counters_read *quicd)
{
	const int64_t now = time(NULL);
	size_t i;

	if (quicd == NULL) {
		return;
	}
	printf("\nsmbd-quicd: %ju accepted",
	       (uintmax_t)quicd->values[QUICD_COUNT_ACCEPTED]);
	for (i = 0; i < ARRAY_SIZE(quicd_metrics); i++) {
		const enum quicd_counter counter = quicd_metrics[i].counter;

		if (counter != QUICD_COUNT_ACCEPTED &&
		    quicd->values[counter] != 0)
		{
			printf(", %ju %s",
			       (uintmax_t)quicd->values[counter],
			       quicd_counter_name(counter));
		}
	}
	printf("\n");
	for (i = 0; i < quicd->num_certificates; i++) {
		const int64_t ends = quicd->certificates[i].ends;

		/* an untrusted writer may publish any number */
		if (ends > now) {
			printf("%s ends in %jd days\n",
			       quicd->certificates[i].name,
			       (intmax_t)(ends - now) / 86400);
		} else {
			printf("%s has ended\n", quicd->certificates[i].name);
		}
	}
}
