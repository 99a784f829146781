/* SPDX-License-Identifier: LGPL-3.0-or-later */
/*
 * Warnings: samples against the limits of the shares.
 *
 * Each share compares the worst channel with its limits.  A warning begins when
 * a limit is reached.  It ends when the value is below three quarters of the
 * limit, so that a value that swings about the limit causes one warning.
 */

#include "config.h"

#include "util/clock.h"
#include "util/macros.h"
#include "util/printable.h"
#include "watch_internal.h"

/* A rate of fewer segments is chance. */
#define WARN_MIN_SEGMENTS 50

static const struct {
	const char *name;
	const char *unit;
} warn_limits[WATCH_LIMITS] = {
	[WATCH_RTT] = {"rtt", "ms"},
	[WATCH_RETRANS] = {"retrans", "%"},
	[WATCH_STALL] = {"stall", "s"},
};

/* What a warning says of the worst channel. */
static const enum figure_index warn_figures[] = {
	FIGURE_rtt_us,
	FIGURE_rttvar_us,
	FIGURE_rto_us,
	FIGURE_retrans_total,
	FIGURE_segments_total,
	FIGURE_unacked_bytes,
	FIGURE_delivery_rate,
};

/* How much was retransmitted lately, in percent; too little is chance. */
static void warn_measure_loss(struct uring_watch_channel *channel,
			      const uint64_t *now,
			      const uint64_t *then)
{
	/* the kernel's counters have 32 bits */
	uint32_t segments = (uint32_t)(now[FIGURE_segments_total] -
				       then[FIGURE_segments_total]);
	uint32_t retrans = (uint32_t)(now[FIGURE_retrans_total] -
				      then[FIGURE_retrans_total]);

	if (segments > 0) {
		channel->segments = channel->segments * 3 / 4 + segments;
		channel->retrans = channel->retrans * 3 / 4 + retrans;
	}
	if (channel->segments >= WARN_MIN_SEGMENTS) {
		channel->values[WATCH_RETRANS] = 100 * channel->retrans /
						 channel->segments;
	}
}

void watch_measure(struct uring_watch_channel *channel,
		   const struct uring_status_row *before)
{
	static const uint64_t nothing[FIGURES_COUNT];
	const uint64_t *then = before->sampled != 0 ? before->figures : nothing;
	uint64_t *now = channel->row.figures;
	bool acked = now[FIGURE_bytes_acked] != then[FIGURE_bytes_acked];
	bool received = now[FIGURE_bytes_received] !=
			then[FIGURE_bytes_received];
	uint64_t stall = 0;

	channel->values[WATCH_RTT] = (double)now[FIGURE_rtt_us] / 1000;
	warn_measure_loss(channel, now, then);

	if (now[FIGURE_unacked_bytes] == 0) {
		channel->stalled_since = 0;
	} else if (channel->stalled_since == 0 || acked) {
		channel->stalled_since = channel->row.sampled;
	}
	if (channel->stalled_since != 0) {
		stall = channel->row.sampled - channel->stalled_since;
	}
	channel->values[WATCH_STALL] = (double)stall / CLOCK_NS_PER_S;

	if (channel->segments >= WARN_MIN_SEGMENTS) {
		now[FIGURE_loss_ppm] =
			(uint64_t)(channel->values[WATCH_RETRANS] * 10000);
	}
	now[FIGURE_stall_ms] = stall / CLOCK_NS_PER_MS;

	if (now[FIGURE_unacked_bytes] > 0 || acked || received) {
		channel->watch->busy = true;
	}
}

static uint64_t warn_strictest(uint64_t limit, uint64_t other)
{
	if (limit == 0) {
		return other;
	}
	return other == 0 || limit < other ? limit : other;
}

void watch_note_limits(struct uring_watch *watch)
{
	struct uring_watch_channel *channel = NULL;
	const struct uring_watch_share *share = NULL;
	uint64_t rtt = 0;
	uint64_t loss = 0;
	uint64_t stall = 0;

	for (share = watch->shares; share != NULL; share = share->next) {
		const struct uring_watch_settings *s = &share->settings;

		rtt = warn_strictest(rtt, s->warn_rtt * UINT64_C(1000));
		loss = warn_strictest(loss,
				      (uint64_t)(s->warn_retrans * 10000));
		stall = warn_strictest(stall, s->warn_stall * UINT64_C(1000));
	}
	for (channel = watch->channels; channel != NULL;
	     channel = channel->next) {
		channel->row.limit_rtt_us = rtt;
		channel->row.limit_loss_ppm = loss;
		channel->row.limit_stall_ms = stall;
	}
}

static double warn_limit(const struct uring_watch_share *share,
			 enum watch_limit limit)
{
	switch (limit) {
	case WATCH_RTT:
		return share->settings.warn_rtt;
	case WATCH_RETRANS:
		return share->settings.warn_retrans;
	case WATCH_STALL:
		return share->settings.warn_stall;
	}
	return 0;
}

/* Append NAME="VALUE": names come from smb.conf and from clients. */
static char *warn_append_name(char *line, const char *name, const char *value)
{
	char printable[256];

	(void)printable_copy_quoted(printable, sizeof(printable), value);
	return talloc_asprintf_append_buffer(line,
					     " %s=\"%s\"",
					     name,
					     printable);
}

static char *warn_append_figures(char *line, const struct uring_status_row *row)
{
	size_t i;

	for (i = 0; i < ARRAY_SIZE(warn_figures); i++) {
		line = talloc_asprintf_append_buffer(
			line,
			" %s=%ju",
			figures[warn_figures[i]].name,
			(uintmax_t)row->figures[warn_figures[i]]);
	}
	return line;
}

static void warn_say(struct uring_watch_share *share,
		     enum watch_limit limit,
		     const struct uring_watch_channel *worst)
{
	const struct uring_watch_channel *channel = NULL;
	const char *unit = warn_limits[limit].unit;
	char *line = NULL;

	line = talloc_asprintf(share,
			       "smbd_uring: warning %s=%s",
			       warn_limits[limit].name,
			       share->warned[limit] ? "begins" : "ends");
	line = warn_append_name(line, "share", share->name);
	line = warn_append_name(line, "user", share->user);
	line = talloc_asprintf_append_buffer(
		line,
		" client=%s value=%.3g%s limit=%.3g%s",
		worst->row.client,
		worst->values[limit],
		unit,
		warn_limit(share, limit),
		unit);
	line = warn_append_figures(line, &worst->row);
	for (channel = share->watch->channels; channel != NULL;
	     channel = channel->next) {
		if (channel == worst) {
			continue;
		}
		line = talloc_asprintf_append_buffer(line,
						     " other=%s:%.3g%s",
						     channel->row.client,
						     channel->values[limit],
						     unit);
	}
	if (line != NULL) {
		share->watch->log_fn(line);
	}
	TALLOC_FREE(line);
}

static void warn_judge(struct uring_watch_share *share, enum watch_limit limit)
{
	const struct uring_watch_channel *channel = share->watch->channels;
	const struct uring_watch_channel *worst = channel;
	double highest = warn_limit(share, limit);

	if (worst == NULL) {
		return;
	}
	for (; channel != NULL; channel = channel->next) {
		if (channel->values[limit] > worst->values[limit]) {
			worst = channel;
		}
	}
	if (highest == 0) {
		/* no longer asked for */
		share->warned[limit] = false;
	} else if (!share->warned[limit] && worst->values[limit] >= highest) {
		share->warned[limit] = true;
		warn_say(share, limit, worst);
	} else if (share->warned[limit] &&
		   worst->values[limit] < highest * 3 / 4) {
		share->warned[limit] = false;
		warn_say(share, limit, worst);
	}
}

void watch_judge(struct uring_watch *watch)
{
	struct uring_watch_share *share = NULL;
	enum watch_limit limit;

	for (share = watch->shares; share != NULL; share = share->next) {
		for (limit = 0; limit < WATCH_LIMITS; limit++) {
			warn_judge(share, limit);
		}
	}
}
