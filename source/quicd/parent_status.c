/* SPDX-License-Identifier: LGPL-3.0-or-later */
/*
 * What the parent tells others: systemd, smbd-uring, and the log when a
 * certificate has expired.
 */

#include "config.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "parent_internal.h"
#include "service.h"
#include "transport/quicd_counters_text.h"
#include "util/clock.h"

void quicd_parent_publish_certificates(const struct quicd_parent *parent)
{
	const struct quicd_configuration *in_force = &parent->in_force;
	struct quicd_counters_certificate all[QUICD_COUNTERS_CERTIFICATES] = {};
	size_t num = in_force->settings->num_pairs;
	size_t i;

	if (num > QUICD_COUNTERS_CERTIFICATES) {
		num = QUICD_COUNTERS_CERTIFICATES;
	}
	for (i = 0; i < num; i++) {
		const struct quicd_pair *pair = &in_force->settings->pairs[i];
		const char *source = pair->certificate.source;
		const char *file = strstr(source, " = ");

		all[i].ends = quicd_tls_certificate_ends(in_force->tls, i);
		(void)snprintf(all[i].name,
			       sizeof(all[i].name),
			       "%s",
			       file != NULL ? file + 3 : source);
	}
	quicd_counters_certificates(parent->shared.counters, all, num);
}

void quicd_parent_note_expiry(struct quicd_parent *parent)
{
	parent->expires = quicd_tls_expires(parent->in_force.tls,
					    &parent->expires_what);
}

uint64_t quicd_parent_check_expiry(struct quicd_parent *parent)
{
	const time_t wall = time(NULL);
	uint64_t wait = 3600; /* the wall clock may be set */

	if (parent->expires != 0 && parent->expires <= wall) {
		quicd_log_at(QUICD_LOG_ERROR,
			     "%s has expired: clients will be refused",
			     parent->expires_what);
		quicd_parent_note_expiry(parent);
	}
	if (parent->expires == 0) {
		return UINT64_MAX;
	}
	if ((uint64_t)(parent->expires - wall) < wait) {
		wait = (uint64_t)(parent->expires - wall);
	}
	return wait * CLOCK_NS_PER_S;
}

void quicd_parent_watch_begin(struct quicd_parent *parent)
{
	const char *usec = getenv("WATCHDOG_USEC");
	const char *pid = getenv("WATCHDOG_PID");

	if (usec != NULL &&
	    (pid == NULL || strtol(pid, NULL, 10) == (long)getpid()))
	{
		/* workers may be late three times */
		parent->watch = strtoull(usec, NULL, 10) * CLOCK_NS_PER_US / 4;
	}
}

uint64_t quicd_parent_watch(struct quicd_parent *parent)
{
	const uint64_t now = clock_monotonic_ns();

	if (parent->watch == 0) {
		return UINT64_MAX;
	}
	if (now >= parent->watch_at) {
		parent->watch_at = now + parent->watch;
		if (quicd_workers_turn(parent->workers)) {
			quicd_notify("WATCHDOG=1");
		}
	}
	return parent->watch_at - now;
}

void quicd_parent_notify_status(struct quicd_parent *parent)
{
	const struct quicd_shared *shared = &parent->shared;
	const uint64_t used = quicd_budget_used(shared->budget);
	const uint64_t all = quicd_settings_memory(parent->in_force.settings);
	char *counters = quicd_counters_print(parent, shared->counters);
	char *line = NULL;

	if (counters != NULL) {
		line = talloc_asprintf(
			counters,
			"STATUS=%u connections, %llu of %llu MiB in use%s",
			quicd_limits_used(shared->limits),
			(unsigned long long)(used >> 20),
			(unsigned long long)(all >> 20),
			counters);
	}
	if (line != NULL && parent->expires != 0) {
		line = talloc_asprintf_append(
			line,
			"; %s ends in %lld days",
			parent->expires_what,
			(long long)(parent->expires - time(NULL)) / 86400);
	}
	if (line != NULL) {
		quicd_notify(line);
	}
	talloc_free(counters);
}
