/* SPDX-License-Identifier: LGPL-3.0-or-later */
/*
 * What the parts of the watch share: watch.c samples, warn.c judges the
 * samples, watch_rows.c publishes them.
 */
#ifndef TRANSPORT_WATCH_INTERNAL_H
#define TRANSPORT_WATCH_INTERNAL_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "publish.h"
#include "watch.h"

/** In how many samples a row of smbd-quicd is looked for. */
#define WATCH_QUIC_TRIES 3

/** What a share can have limits for. */
enum watch_limit {
	WATCH_RTT,
	WATCH_RETRANS,
	WATCH_STALL,
};
#define WATCH_LIMITS (WATCH_STALL + 1)

/** What has limits, from sample to sample of one network. */
struct watch_meter {
	/* the sample before, zeroes at first */
	uint64_t last[FIGURES_COUNT];
	/* sent lately: each sample counts three quarters of it at the next */
	double segments;
	double retrans;
	/* when the oldest of what is not acknowledged was first seen, or 0 */
	uint64_t stalled_since;
	double values[WATCH_LIMITS];
};

/** A connection that smbd-quicd relays: the network of the client. */
struct watch_quic {
	struct uring_status_follower *follower;
	struct uring_status_row row;
	struct watch_meter meter;
};

struct uring_watch_channel {
	struct uring_watch_channel *prev;
	struct uring_watch_channel *next;
	struct uring_watch *watch;

	/* TCP_INFO, whose answer is the sample; and at times IP_TOS */
	struct uring_batch *info_batch;
	struct uring_batch *tos_batch;
	bool asked;
	/* nanoseconds of the monotonic clock, as all times here */
	uint64_t asked_at;
	uint64_t ask_tos_at;
	/* for tcp_unacked_bytes() */
	int64_t unacked_off;

	struct uring_status_row row;
	bool published;
	size_t index;

	struct watch_meter meter;
	/* or NULL; and how often it is still looked for */
	struct watch_quic *quic;
	unsigned quic_tries;
};

struct uring_watch_share {
	struct uring_watch_share *prev;
	struct uring_watch_share *next;
	struct uring_watch *watch;
	const char *name;
	const char *user;
	uring_watch_settings_fn_t settings_fn;
	void *private_data;
	struct uring_watch_settings settings;
	bool warned[WATCH_LIMITS];
};

struct uring_watch {
	struct tevent_context *ev;
	const char *directory;
	void (*log_fn)(const char *line);
	struct uring_watch_channel *channels;
	struct uring_watch_share *shares;

	uid_t euid;
	struct uring_status *status;
	int status_error;

	/* the shortest of all shares; whether one wants to hear of stalls */
	unsigned interval;
	bool stalls;

	uint64_t next_look;
	uint64_t next_round;
	/* a channel has moved, or waits */
	bool busy;
	struct tevent_timer *timer;
};

/** Take the values that have limits from a new sample. */
void watch_measure(struct uring_watch_channel *channel);

/** All channels have answered: warn of the worst, or that it is over. */
void watch_judge(struct uring_watch *watch);

/** Note the limits in the rows; they are published with the next sample. */
void watch_note_limits(struct uring_watch *watch);

/** Publish the channel's sample, if there is where to. */
void watch_publish(struct uring_watch_channel *channel);

/** The channel is gone. */
void watch_unpublish(struct uring_watch_channel *channel);

/** The shares and users are others now, or there is one more channel. */
void watch_publish_shares(struct uring_watch *watch);

/** Begin to publish or end it: there are rows as long as there are samples. */
void watch_update_status(struct uring_watch *watch);

#endif /* TRANSPORT_WATCH_INTERNAL_H */
