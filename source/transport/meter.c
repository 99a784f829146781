/* SPDX-License-Identifier: LGPL-3.0-or-later */
/*
 * Computes the values that have limits from a channel's samples: the round-trip
 * time, the recent loss, and the time without an acknowledgement.  warn.c
 * compares them with the limits.
 */

#include "config.h"

#include <string.h>

#include "util/clock.h"
#include "watch_internal.h"

/* The smallest number of segments that makes a rate significant. */
#define METER_MIN_SEGMENTS 50

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
	meter->values[WATCH_RETRANS] = WATCH_NONE;
	if (meter->segments >= METER_MIN_SEGMENTS) {
		meter->values[WATCH_RETRANS] = 100 * meter->retrans /
					       meter->segments;
	}
}

bool watch_meter_take(struct watch_meter *meter,
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

void watch_measure(struct uring_watch_channel *channel)
{
	struct watch_meter *meter = &channel->meter;
	uint64_t *figure = channel->row.figures;
	bool busy = watch_meter_take(meter,
				     figure,
				     channel->row.sampled,
				     channel->watch->interval *
					     CLOCK_NS_PER_S);

	if (meter->segments >= METER_MIN_SEGMENTS) {
		figure[FIGURE_loss_ppm] =
			(uint64_t)(meter->values[WATCH_RETRANS] * 10000);
	}
	figure[FIGURE_stall_ms] = (uint64_t)(meter->values[WATCH_STALL] * 1000);

	if (watch_measure_quic(channel) || busy) {
		channel->watch->busy = true;
	}
}
