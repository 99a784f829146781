/* SPDX-License-Identifier: LGPL-3.0-or-later */
/*
 * Shared by the parts of the watch: watch.c takes the samples, meter.c measures
 * for the warnings, warn.c compares with the limits, watch_rows.c publishes,
 * and watch_quic.c does the same for connections that smbd-quicd relays.
 */
#ifndef TRANSPORT_WATCH_INTERNAL_H
#define TRANSPORT_WATCH_INTERNAL_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "publish_row.h"
#include "watch.h"

/** The number of samples in which the watch searches a row of smbd-quicd. */
#define WATCH_QUIC_TRIES 3

/** The limits that a share can have. */
enum watch_limit {
	WATCH_RTT,
	WATCH_RETRANS,
	WATCH_STALL,
};
#define WATCH_LIMITS (WATCH_STALL + 1)

/* A rate of too few segments: below each limit. */
#define WATCH_NONE (-1.0)

/** The values that have limits, from sample to sample of one network. */
struct watch_meter {
	/* the previous sample, zeroes at first */
	uint64_t last[FIGURES_COUNT];
	/* the time of the previous sample */
	uint64_t sampled;
	/* lately: each interval reduces older counts to three quarters */
	double segments;
	double retrans;
	/* when the oldest unacknowledged data was first seen, or 0 */
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

	/* TCP_INFO, whose answer is the sample; and once a minute IP_TOS */
	struct uring_batch *info_batch;
	struct uring_batch *tos_batch;
	bool asked;
	/* all times are nanoseconds of the monotonic clock */
	uint64_t asked_at;
	uint64_t ask_tos_at;
	/* for tcp_unacked_bytes() */
	int64_t unacked_off;

	struct uring_status_row row;
	bool published;
	size_t index;

	struct watch_meter meter;
	/* or NULL; and the number of attempts left to find it */
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
	/* for what every process of the server meets */
	void (*log_once_fn)(const char *line);
	struct uring_watch_channel *channels;
	struct uring_watch_share *shares;

	uid_t euid;
	struct uring_status *status;
	int status_error;

	/* the shortest of all shares; whether one has a limit for stalls */
	unsigned interval;
	bool stalls;

	uint64_t next_look;
	uint64_t next_round;
	/* data of a channel has moved, or waits */
	bool busy;
	struct tevent_timer *timer;
};

/** Update the values that have limits from a new sample. */
void watch_measure(struct uring_watch_channel *channel);

/**
 * @brief Update them from the figures of one network.
 *
 * @param[in] now       by enum figure_index.
 * @param[in] sampled   the time of now, in nanoseconds.
 * @param[in] interval  between two samples, in nanoseconds.
 *
 * @return whether data moves or waits.
 */
bool watch_meter_take(struct watch_meter *meter,
		      const uint64_t *now,
		      uint64_t sampled,
		      uint64_t interval);

/** Measure the client's network, if smbd-quicd relays; whether it is busy. */
bool watch_measure_quic(struct uring_watch_channel *channel);

/** All channels have answered: log warnings that begin or end. */
void watch_judge(struct uring_watch *watch);

/** Set the limits in the rows; the next sample publishes them. */
void watch_note_limits(struct uring_watch *watch);

/** Publish the channel's sample, if the watch publishes. */
void watch_publish(struct uring_watch_channel *channel);

/** Remove the channel's row. */
void watch_unpublish(struct uring_watch_channel *channel);

/** Publish the shares and users after a change, or for a new channel. */
void watch_publish_shares(struct uring_watch *watch);

/** Begin or stop to publish: rows exist as long as there are samples. */
void watch_update_status(struct uring_watch *watch);

#endif /* TRANSPORT_WATCH_INTERNAL_H */
