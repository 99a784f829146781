/* SPDX-License-Identifier: LGPL-3.0-or-later */
/*
 * Warnings: samples against the limits of the shares.
 *
 * Each share compares the worst channel with its limits.  A warning begins when
 * the value reaches a limit.  It ends when the value is below three quarters of
 * the limit.  So a value that oscillates about the limit causes one warning.
 */

#include "config.h"

#include <string.h>

#include "util/clock.h"
#include "util/macros.h"
#include "util/printable.h"
#include "watch_internal.h"

/* The default directory in which smbd-quicd publishes. */
#define WATCH_QUIC_DIRECTORY "/run/smbd-quicd"

/* The smallest number of segments that makes a rate significant. */
#define WARN_MIN_SEGMENTS 50

static const struct {
	const char *name;
	const char *unit;
} warn_limits[WATCH_LIMITS] = {
	[WATCH_RTT] = {"rtt", "ms"},
	[WATCH_RETRANS] = {"retrans", "%"},
	[WATCH_STALL] = {"stall", "s"},
};

/* The figures of the worst channel in a warning. */
static const enum figure_index warn_figures[] = {
	FIGURE_rtt_us,
	FIGURE_rttvar_us,
	FIGURE_rto_us,
	FIGURE_retrans_total,
	FIGURE_segments_total,
	FIGURE_unacked_bytes,
	FIGURE_delivery_rate,
};

/* A rate of too few segments: below each limit. */
#define WARN_NONE (-1.0)

/* Reduce the counts to three quarters for each interval since the last one. */
static void meter_decay(struct watch_meter *meter,
			uint64_t sampled,
			uint64_t interval)
{
	uint64_t rounds = 0;

	if (interval != 0 && sampled > meter->sampled) {
		rounds = (sampled - meter->sampled + interval / 2) / interval;
	}
	meter->sampled = sampled;
	for (; rounds > 0 && meter->segments >= 1; rounds--) {
		meter->segments = meter->segments * 3 / 4;
		meter->retrans = meter->retrans * 3 / 4;
	}
}

/* The percentage of segments that were retransmitted lately. */
static void meter_loss(struct watch_meter *meter, const uint64_t *now)
{
	/* the kernel's counters have 32 bits */
	uint32_t segments = (uint32_t)(now[FIGURE_segments_total] -
				       meter->last[FIGURE_segments_total]);
	uint32_t retrans = (uint32_t)(now[FIGURE_retrans_total] -
				      meter->last[FIGURE_retrans_total]);

	meter->segments += segments;
	meter->retrans += retrans;
	meter->values[WATCH_RETRANS] = WARN_NONE;
	if (meter->segments >= WARN_MIN_SEGMENTS) {
		meter->values[WATCH_RETRANS] = 100 * meter->retrans /
					       meter->segments;
	}
}

/* Whether data moves or waits; times are nanoseconds. */
static bool meter_take(struct watch_meter *meter,
		       const uint64_t *now,
		       uint64_t sampled,
		       uint64_t interval)
{
	const uint64_t *last = meter->last;
	bool acked = now[FIGURE_bytes_acked] != last[FIGURE_bytes_acked];
	bool received = now[FIGURE_bytes_received] !=
			last[FIGURE_bytes_received];

	meter->values[WATCH_RTT] = (double)now[FIGURE_rtt_us] / 1000;
	meter_decay(meter, sampled, interval);
	meter_loss(meter, now);

	if (now[FIGURE_unacked_bytes] == 0) {
		meter->stalled_since = 0;
	} else if (meter->stalled_since == 0 || acked) {
		meter->stalled_since = sampled;
	}
	meter->values[WATCH_STALL] = 0;
	if (meter->stalled_since != 0) {
		meter->values[WATCH_STALL] = (double)(sampled -
						      meter->stalled_since) /
					     CLOCK_NS_PER_S;
	}
	memcpy(meter->last, now, sizeof(meter->last));
	return now[FIGURE_unacked_bytes] > 0 || acked || received;
}

/*
 * Measure the client's network if smbd-quicd relays the connection: the TCP
 * connection to smbd shows nothing of that network.  smbd-quicd publishes its
 * row at once, so a few attempts to find the row are enough.
 */
static bool warn_measure_quic(struct uring_watch_channel *channel)
{
	struct watch_quic *quic = channel->quic;

	if (quic == NULL && channel->quic_tries > 0 &&
	    channel->row.limit_rtt_us + channel->row.limit_loss_ppm +
			    channel->row.limit_stall_ms >
		    0)
	{
		channel->quic_tries -= 1;
		quic = talloc_zero(channel, struct watch_quic);
		if (quic != NULL && uring_status_follow(quic,
							WATCH_QUIC_DIRECTORY,
							channel->row.client,
							&quic->follower) != 0)
		{
			TALLOC_FREE(quic);
		}
		channel->quic = quic;
	}
	if (quic == NULL) {
		return false;
	}
	if (!uring_status_follow_read(quic->follower, &quic->row)) {
		TALLOC_FREE(channel->quic);
		return false;
	}
	return meter_take(&quic->meter,
			  quic->row.figures,
			  channel->row.sampled,
			  channel->watch->interval * CLOCK_NS_PER_S);
}

void watch_measure(struct uring_watch_channel *channel)
{
	struct watch_meter *meter = &channel->meter;
	uint64_t *figure = channel->row.figures;
	bool busy = meter_take(meter,
			       figure,
			       channel->row.sampled,
			       channel->watch->interval * CLOCK_NS_PER_S);

	if (meter->segments >= WARN_MIN_SEGMENTS) {
		figure[FIGURE_loss_ppm] =
			(uint64_t)(meter->values[WATCH_RETRANS] * 10000);
	}
	figure[FIGURE_stall_ms] = (uint64_t)(meter->values[WATCH_STALL] * 1000);

	if (warn_measure_quic(channel) || busy) {
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

static double warn_value(const struct uring_watch_channel *channel,
			 enum watch_limit limit)
{
	if (channel->quic != NULL) {
		return channel->quic->meter.values[limit];
	}
	return channel->meter.values[limit];
}

static const struct uring_status_row *warn_row(
	const struct uring_watch_channel *channel)
{
	return channel->quic != NULL ? &channel->quic->row : &channel->row;
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
		if (row->figures[warn_figures[i]] == FIGURE_UNKNOWN) {
			continue;
		}
		line = talloc_asprintf_append_buffer(
			line,
			" %s=%ju",
			figures[warn_figures[i]].name,
			(uintmax_t)row->figures[warn_figures[i]]);
	}
	return line;
}

static char *warn_append_value(char *line,
			       const struct uring_watch_channel *channel,
			       enum watch_limit limit)
{
	double value = warn_value(channel, limit);

	if (value == WARN_NONE) {
		return talloc_asprintf_append_buffer(line, "none");
	}
	return talloc_asprintf_append_buffer(line,
					     "%.3g%s",
					     value,
					     warn_limits[limit].unit);
}

static void warn_say(struct uring_watch_share *share,
		     enum watch_limit limit,
		     const struct uring_watch_channel *worst)
{
	const struct uring_watch_channel *channel = NULL;
	char *line = NULL;

	line = talloc_asprintf(share,
			       "smbd_uring: warning %s=%s",
			       warn_limits[limit].name,
			       share->warned[limit] ? "begins" : "ends");
	line = warn_append_name(line, "share", share->name);
	line = warn_append_name(line, "user", share->user);
	line = talloc_asprintf_append_buffer(line,
					     " client=%s value=",
					     warn_row(worst)->client);
	line = warn_append_value(line, worst, limit);
	line = talloc_asprintf_append_buffer(line,
					     " limit=%.3g%s",
					     warn_limit(share, limit),
					     warn_limits[limit].unit);
	line = warn_append_figures(line, warn_row(worst));
	for (channel = share->watch->channels; channel != NULL;
	     channel = channel->next) {
		if (channel == worst) {
			continue;
		}
		line = talloc_asprintf_append_buffer(line,
						     " other=%s:",
						     warn_row(channel)->client);
		line = warn_append_value(line, channel, limit);
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
		if (warn_value(channel, limit) > warn_value(worst, limit)) {
			worst = channel;
		}
	}
	if (highest == 0) {
		/* the share no longer has a limit */
		share->warned[limit] = false;
	} else if (!share->warned[limit] && warn_value(worst, limit) >= highest)
	{
		share->warned[limit] = true;
		warn_say(share, limit, worst);
	} else if (share->warned[limit] &&
		   warn_value(worst, limit) < highest * 3 / 4) {
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
