/* SPDX-License-Identifier: LGPL-3.0-or-later */
/*
 * Measures the client's network if smbd-quicd relays the connection: the TCP
 * connection to smbd shows nothing of that network.  smbd-quicd publishes its
 * row at once, so a few attempts to find the row are enough.
 */

#include "config.h"

#include "publish_read.h"
#include "util/clock.h"
#include "watch_internal.h"

/* The default directory in which smbd-quicd publishes. */
#define WATCH_QUIC_DIRECTORY "/run/smbd-quicd"

bool watch_measure_quic(struct uring_watch_channel *channel)
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
	return watch_meter_take(&quic->meter,
				quic->row.figures,
				channel->row.sampled,
				channel->watch->interval * CLOCK_NS_PER_S);
}
