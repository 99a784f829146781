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

#include "util/macros.h"
#include "util/message.h"
#include "util/printable.h"
#include "watch_internal.h"

/* which limit, and whether it "begins" or "ends"; the values follow */
#define WARN_LINE "smbd_uring: warning %s=%s"

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

	if (value == WATCH_NONE) {
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

	MESSAGE_INDEX("warning", WARN_LINE);
	line = talloc_asprintf(share,
			       WARN_LINE,
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
