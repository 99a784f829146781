/* SPDX-License-Identifier: LGPL-3.0-or-later */
/*
 * Watches the connections of a client: the channels and shares, and the times
 * of the samples.
 *
 * A round asks all channels for a sample.  When all have answered, the round
 * ends and warn.c compares the samples with the limits.  Rounds begin while the
 * loop iterates.
 *
 * A sample is one query: TCP_INFO has all figures but the TOS.  The watch asks
 * for the TOS at the start and then once a minute.
 */

#include "config.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>
#include <netinet/in.h>
#include <linux/tcp.h>

#include "smbd_uring_backend_internal.h"
#include "tcp.h"
#include "uring_sockopt.h"
#include "util/clock.h"
#include "util/dlinklist.h"
#include "watch_internal.h"

/* The interval at which the watch reads the settings again. */
#define WATCH_LOOK (1 * CLOCK_NS_PER_S)

/* The interval at which the watch asks for the TOS. */
#define WATCH_TOS (60 * CLOCK_NS_PER_S)

/*
 * Samples
 */

static void watch_start_timer(struct uring_watch *watch);

static void watch_round_done(struct uring_watch *watch)
{
	struct uring_watch_channel *channel = NULL;

	for (channel = watch->channels; channel != NULL;
	     channel = channel->next) {
		if (channel->asked) {
			return;
		}
	}
	watch_judge(watch);
	watch_start_timer(watch);
}

static void watch_ask(struct uring_watch_channel *channel,
		      enum uring_urgency urgency,
		      uint64_t now)
{
	/* first, so that the answer is there before the sample is published */
	if (now >= channel->ask_tos_at &&
	    uring_batch_ask(channel->tos_batch, urgency) == 0)
	{
		channel->ask_tos_at = now + WATCH_TOS;
	}
	if (uring_batch_ask(channel->info_batch, urgency) == 0) {
		channel->asked = true;
		channel->asked_at = now;
	}
}

static void watch_round(struct uring_watch *watch, enum uring_urgency urgency)
{
	struct uring_watch_channel *channel = NULL;
	uint64_t now = clock_monotonic_ns();

	watch->busy = false;
	for (channel = watch->channels; channel != NULL;
	     channel = channel->next) {
		watch_ask(channel, urgency, now);
	}
}

static void watch_timer_handler(struct tevent_context *ev,
				struct tevent_timer *te,
				struct timeval now,
				void *private_data)
{
	struct uring_watch *watch = talloc_get_type_abort(private_data,
							  struct uring_watch);

	TALLOC_FREE(watch->timer);
	if (watch->interval == 0) {
		return;
	}
	watch->next_round = clock_monotonic_ns() +
			    watch->interval * CLOCK_NS_PER_S;
	watch_round(watch, URING_PROMPT);
}

/*
 * No event wakes the loop of a stalled connection: smbd sent data after the
 * last sample, and nothing comes back.  So the timer takes one more sample
 * after the last sample in which data moved.
 */
static void watch_start_timer(struct uring_watch *watch)
{
	if (!watch->stalls || !watch->busy || watch->timer != NULL) {
		return;
	}
	watch->timer = tevent_add_timer(
		watch->ev,
		watch,
		tevent_timeval_current_ofs(watch->interval, 0),
		watch_timer_handler,
		watch);
}

static void watch_tos_done(struct uring_batch *batch,
			   const struct uring_query *queries,
			   void *private_data)
{
	struct uring_watch_channel *channel = talloc_get_type_abort(
		private_data, struct uring_watch_channel);
	int tos = 0;

	channel->row.figures[FIGURE_dscp] = FIGURE_UNKNOWN;
	if (queries[0].error == 0) {
		memcpy(&tos, queries[0].optval, sizeof(tos));
		channel->row.figures[FIGURE_dscp] = tcp_dscp(tos);
	}
}

static void watch_info_done(struct uring_batch *batch,
			    const struct uring_query *queries,
			    void *private_data)
{
	struct uring_watch_channel *channel = talloc_get_type_abort(
		private_data, struct uring_watch_channel);
	struct uring_watch *watch = channel->watch;
	struct uring_status_row *row = &channel->row;
	const uint64_t dscp = row->figures[FIGURE_dscp];
	struct tcp_info info = {};

	channel->asked = false;
	if (queries[0].error != 0) {
		/* the row keeps the old sample and shows its age */
		watch_round_done(watch);
		return;
	}
	memcpy(&info, queries[0].optval, queries[0].optlen);

	row->sampled = channel->asked_at;
	row->ring = queries[0].reason == URING_REASON_NONE;
	row->syscall = !row->ring;
	tcp_figures(&info, row->figures);
	row->figures[FIGURE_unacked_bytes] = tcp_unacked_bytes(
		&info, &channel->unacked_off);
	row->figures[FIGURE_dscp] = dscp;

	watch_measure(channel);
	watch_publish(channel);
	watch_round_done(watch);
}

/* Read the settings of the shares. */
static void watch_look(struct uring_watch *watch)
{
	struct uring_watch_share *share = NULL;

	watch->interval = 0;
	watch->stalls = false;
	for (share = watch->shares; share != NULL; share = share->next) {
		share->settings = (struct uring_watch_settings){};
		share->settings_fn(&share->settings, share->private_data);
		if (share->settings.interval == 0) {
			share->settings = (struct uring_watch_settings){};
			continue;
		}
		if (watch->interval == 0 ||
		    share->settings.interval < watch->interval) {
			watch->interval = share->settings.interval;
		}
		if (share->settings.warn_stall != 0) {
			watch->stalls = true;
		}
	}
	watch_note_limits(watch);
	watch_update_status(watch);
}

static void watch_turn(void *private_data)
{
	struct uring_watch *watch = talloc_get_type_abort(private_data,
							  struct uring_watch);
	uint64_t now = clock_monotonic_coarse_ns();
	uint64_t interval;

	if (now < watch->next_look) {
		watch_update_status(watch);
		return;
	}
	watch->next_look = now + WATCH_LOOK;
	watch_look(watch);
	if (watch->interval == 0) {
		watch->next_round = 0;
		return;
	}
	interval = watch->interval * CLOCK_NS_PER_S;
	/* apply a shorter interval at once */
	if (now >= watch->next_round || watch->next_round - now > interval) {
		watch->next_round = now + interval;
		watch_round(watch, URING_LAZY);
	}
}

/* A channel or a share is new: the next iteration takes a sample. */
static void watch_renew(struct uring_watch *watch)
{
	watch_look(watch);
	watch_publish_shares(watch);
	watch->next_look = 0;
	watch->next_round = 0;
}

/*
 * Channels and shares
 */

static int uring_watch_destructor(struct uring_watch *watch)
{
	struct uring_watch_channel *channel = NULL;
	struct uring_watch_share *share = NULL;

	(void)smbd_uring_backend_set_loop_hook(watch->ev, NULL, NULL);
	for (channel = watch->channels; channel != NULL;
	     channel = channel->next) {
		channel->watch = NULL;
		TALLOC_FREE(channel->info_batch);
		TALLOC_FREE(channel->tos_batch);
	}
	for (share = watch->shares; share != NULL; share = share->next) {
		share->watch = NULL;
	}
	return 0;
}

struct uring_watch *uring_watch_create(TALLOC_CTX *mem_ctx,
				       struct tevent_context *ev,
				       const char *directory,
				       void (*log_fn)(const char *line))
{
	struct uring_watch *watch = NULL;

	watch = talloc_zero(mem_ctx, struct uring_watch);
	if (watch == NULL) {
		return NULL;
	}
	watch->ev = ev;
	watch->euid = geteuid();
	watch->log_fn = log_fn;
	watch->log_once_fn = log_fn;
	watch->directory = talloc_strdup(watch, directory);
	if (watch->directory == NULL ||
	    !smbd_uring_backend_set_loop_hook(ev, watch_turn, watch))
	{
		TALLOC_FREE(watch);
		return NULL;
	}
	talloc_set_destructor(watch, uring_watch_destructor);
	return watch;
}

void uring_watch_set_log_once_fn(struct uring_watch *watch,
				 void (*log_fn)(const char *line))
{
	watch->log_once_fn = log_fn;
}

static int uring_watch_channel_destructor(struct uring_watch_channel *channel)
{
	struct uring_watch *watch = channel->watch;

	if (watch == NULL) {
		return 0;
	}
	watch_unpublish(channel);
	DLIST_REMOVE(watch->channels, channel);
	return 0;
}

static bool watch_prepare_queries(struct uring_watch_channel *channel,
				  const struct uring_socket *sock)
{
	bool ipv6 = sock->family == AF_INET6;
	struct tcp_info info = {};
	int tos = 0;
	const struct uring_query ask_info = {
		.level = IPPROTO_TCP,
		.optname = TCP_INFO,
		.optval = &info,
		.optlen = sizeof(info),
	};
	const struct uring_query ask_tos = {
		.level = ipv6 ? IPPROTO_IPV6 : IPPROTO_IP,
		.optname = ipv6 ? IPV6_TCLASS : IP_TOS,
		.optval = &tos,
		.optlen = sizeof(tos),
	};
	struct tevent_context *ev = channel->watch->ev;

	channel->info_batch = uring_batch_create(
		channel, ev, sock, &ask_info, 1, watch_info_done, channel);
	channel->tos_batch = uring_batch_create(
		channel, ev, sock, &ask_tos, 1, watch_tos_done, channel);
	return channel->info_batch != NULL && channel->tos_batch != NULL;
}

struct uring_watch_channel *uring_watch_add_channel(
	TALLOC_CTX *mem_ctx,
	struct uring_watch *watch,
	const struct uring_socket *sock,
	const char *client)
{
	struct uring_watch_channel *channel = NULL;

	channel = talloc_zero(mem_ctx, struct uring_watch_channel);
	if (channel == NULL) {
		return NULL;
	}
	channel->watch = watch;
	channel->quic_tries = WATCH_QUIC_TRIES;
	if (!watch_prepare_queries(channel, sock)) {
		TALLOC_FREE(channel);
		return NULL;
	}
	uring_status_row_init(&channel->row);
	channel->row.started = clock_monotonic_ns();
	strcpy(channel->row.transport, "tcp");
	snprintf(channel->row.client,
		 sizeof(channel->row.client),
		 "%s",
		 client);

	DLIST_ADD(watch->channels, channel);
	talloc_set_destructor(channel, uring_watch_channel_destructor);
	watch_renew(watch);
	return channel;
}

static int uring_watch_share_destructor(struct uring_watch_share *share)
{
	struct uring_watch *watch = share->watch;

	if (watch == NULL) {
		return 0;
	}
	DLIST_REMOVE(watch->shares, share);
	watch_look(watch);
	watch_publish_shares(watch);
	return 0;
}

struct uring_watch_share *uring_watch_add_share(
	TALLOC_CTX *mem_ctx,
	struct uring_watch *watch,
	const char *name,
	const char *user,
	uring_watch_settings_fn_t settings_fn,
	void *private_data)
{
	struct uring_watch_share *share = NULL;

	share = talloc_zero(mem_ctx, struct uring_watch_share);
	if (share == NULL) {
		return NULL;
	}
	share->name = talloc_strdup(share, name);
	share->user = talloc_strdup(share, user);
	if (share->name == NULL || share->user == NULL) {
		TALLOC_FREE(share);
		return NULL;
	}
	share->settings_fn = settings_fn;
	share->private_data = private_data;

	share->watch = watch;
	DLIST_ADD(watch->shares, share);
	talloc_set_destructor(share, uring_watch_share_destructor);
	watch_renew(watch);
	return share;
}
