/* SPDX-License-Identifier: LGPL-3.0-or-later */
/*
 * Watch the connections of a client: samples, published; and warnings.
 *
 * A round asks all channels; it ends when all have answered, and then each
 * share compares the worst channel with its limits.  A warning begins when a
 * limit is reached and ends when the value is below three quarters of it, so
 * that a value that swings about the limit is said once.
 */

#include "config.h"

#include <ctype.h>
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>
#include <netinet/in.h>
#include <linux/tcp.h>

#include "uring_sockopt.h"
#include "publish.h"
#include "watch.h"

/* As many channels as Samba gives a client, twice. */
#define WATCH_MAX_CHANNELS 64

/* A rate of fewer segments is chance. */
#define WATCH_MIN_SEGMENTS 50

enum watch_query {
	WATCH_TCP_INFO,
	WATCH_SIOCOUTQ,
	WATCH_TOS,
};
#define WATCH_QUERIES (WATCH_TOS + 1)

enum watch_parameter {
	WATCH_INTERVAL,
	WATCH_WARN_RTT,
	WATCH_WARN_RETRANS,
	WATCH_WARN_STALL,
};

enum watch_limit {
	WATCH_RTT,
	WATCH_RETRANS,
	WATCH_STALL,
};
#define WATCH_LIMITS (WATCH_STALL + 1)

static const struct {
	const char *name;
	const char *unit;
} watch_limits[WATCH_LIMITS] = {
	[WATCH_RTT] = {"rtt", "ms"},
	[WATCH_RETRANS] = {"retrans", "%"},
	[WATCH_STALL] = {"stall", "s"},
};

const struct uring_watch_parameter
	uring_watch_parameters[URING_WATCH_PARAMETERS] = {
		[WATCH_INTERVAL] = {"sample interval", "seconds, 0 or more"},
		[WATCH_WARN_RTT] = {"warn rtt", "milliseconds, 0 or more"},
		[WATCH_WARN_RETRANS] = {"warn retrans", "percent, 0 to 100"},
		[WATCH_WARN_STALL] = {"warn stall", "seconds, 0 or more"},
};

struct uring_watch_channel {
	struct uring_watch_channel *prev;
	struct uring_watch_channel *next;
	struct uring_watch *watch;
	struct uring_batch *batch;
	bool asked;
	/* when, nanoseconds */
	uint64_t asked_at;

	struct uring_status_row row;
	bool published;
	size_t index;

	/* sent lately: each sample counts three quarters of it at the next */
	double segments;
	double retrans;
	/* when the oldest of what is not acknowledged was first seen, or 0 */
	uint64_t stalled_since;
	double values[WATCH_LIMITS];
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

	/* seconds of CLOCK_MONOTONIC */
	time_t next_look;
	time_t next_round;
	/* a channel has moved, or waits */
	bool busy;
	struct tevent_timer *timer;
};

static uint64_t watch_now(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec * UINT64_C(1000000000) + now.tv_nsec;
}

/*
 * For a quoted string of the log: names come from smb.conf and from clients.
 */
static char *watch_quote(TALLOC_CTX *mem_ctx, const char *s)
{
	char *quoted = talloc_asprintf(mem_ctx, "\"%s\"", s);
	size_t length = quoted != NULL ? strlen(quoted) : 0;
	size_t i;

	for (i = 1; i + 1 < length; i++) {
		if (iscntrl((unsigned char)quoted[i]) || quoted[i] == '"') {
			quoted[i] = '?';
		}
	}
	return quoted;
}

static bool watch_parse_unsigned(const char *value, unsigned *number)
{
	unsigned long n;
	char *end = NULL;

	errno = 0;
	n = strtoul(value, &end, 10);
	if (errno != 0 || !isdigit((unsigned char)*value) || *end != '\0' ||
	    n > INT_MAX)
	{
		return false;
	}
	*number = n;
	return true;
}

bool uring_watch_set(struct uring_watch_settings *settings,
		     size_t parameter,
		     const char *value)
{
	char *end = NULL;
	double percent;

	switch (parameter) {
	case WATCH_INTERVAL:
		return watch_parse_unsigned(value, &settings->interval);
	case WATCH_WARN_RTT:
		return watch_parse_unsigned(value, &settings->warn_rtt);
	case WATCH_WARN_RETRANS:
		percent = strtod(value, &end);
		if (!isdigit((unsigned char)*value) || *end != '\0' ||
		    !(percent <= 100)) {
			return false;
		}
		settings->warn_retrans = percent;
		return true;
	case WATCH_WARN_STALL:
		return watch_parse_unsigned(value, &settings->warn_stall);
	default:
		return false;
	}
}

/*
 * Published rows
 */

/* Add a name to a list if it is not in it and there is room. */
static void watch_list_add(char *list, size_t size, const char *name)
{
	size_t used = strlen(list);
	size_t length = strlen(name);
	const char *p = list;

	if (length == 0 || used + 1 + length >= size) {
		return;
	}
	while ((p = strstr(p, name)) != NULL) {
		if ((p == list || p[-1] == ',') &&
		    (p[length] == '\0' || p[length] == ',')) {
			return;
		}
		p += 1;
	}
	snprintf(list + used, size - used, "%s%s", used > 0 ? "," : "", name);
}

static void watch_publish(struct uring_watch_channel *channel)
{
	struct uring_watch *watch = channel->watch;

	if (watch->status == NULL) {
		return;
	}
	if (channel->published) {
		uring_status_set(watch->status, channel->index, &channel->row);
		return;
	}
	channel->published = uring_status_add(watch->status,
					      &channel->row,
					      &channel->index) == 0;
}

static void watch_publish_shares(struct uring_watch *watch)
{
	struct uring_watch_channel *channel = NULL;
	const struct uring_watch_share *share = NULL;

	for (channel = watch->channels; channel != NULL;
	     channel = channel->next) {
		struct uring_status_row *row = &channel->row;

		row->user[0] = '\0';
		row->shares[0] = '\0';
		for (share = watch->shares; share != NULL; share = share->next)
		{
			watch_list_add(row->user,
				       sizeof(row->user),
				       share->user);
			watch_list_add(row->shares,
				       sizeof(row->shares),
				       share->name);
		}
		watch_publish(channel);
	}
}

/* Samples are published as long as there are any. */
static void watch_update_status(struct uring_watch *watch)
{
	struct uring_watch_channel *channel = NULL;
	char *line = NULL;

	if (watch->interval == 0) {
		if (watch->status == NULL) {
			return;
		}
		for (channel = watch->channels; channel != NULL;
		     channel = channel->next) {
			channel->published = false;
		}
		TALLOC_FREE(watch->status);
		return;
	}
	/* smbd may act for a user just now */
	if (watch->status != NULL || watch->status_error != 0 ||
	    geteuid() != watch->euid)
	{
		return;
	}
	watch->status_error = uring_status_create(watch,
						  watch->directory,
						  WATCH_MAX_CHANNELS,
						  &watch->status);
	if (watch->status_error == 0) {
		watch_publish_shares(watch);
		return;
	}
	line = talloc_asprintf(watch,
			       "smbd_uring: cannot publish samples in %s: %s",
			       watch->directory,
			       strerror(watch->status_error));
	if (line != NULL) {
		watch->log_fn(line);
	}
	TALLOC_FREE(line);
}

/*
 * Warnings
 */

static double watch_limit(const struct uring_watch_share *share,
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

static void watch_say(struct uring_watch_share *share,
		      enum watch_limit limit,
		      const struct uring_watch_channel *worst)
{
	const struct uring_watch_channel *channel = NULL;
	const char *unit = watch_limits[limit].unit;
	char *name = watch_quote(share, share->name);
	char *user = watch_quote(share, share->user);
	char *line = NULL;

	line = talloc_asprintf(
		share,
		"smbd_uring: warning %s=%s share=%s user=%s client=%s "
		"value=%.3g%s limit=%.3g%s rtt_us=%ju rttvar_us=%ju rto_us=%ju "
		"retrans=%ju segments=%ju unacked=%ju delivery_rate=%ju",
		watch_limits[limit].name,
		share->warned[limit] ? "begins" : "ends",
		name,
		user,
		worst->row.client,
		worst->values[limit],
		unit,
		watch_limit(share, limit),
		unit,
		(uintmax_t)worst->row.rtt_us,
		(uintmax_t)worst->row.rttvar_us,
		(uintmax_t)worst->row.rto_us,
		(uintmax_t)worst->row.retrans,
		(uintmax_t)worst->row.segments,
		(uintmax_t)worst->row.unacked,
		(uintmax_t)worst->row.delivery_rate);
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
	TALLOC_FREE(user);
	TALLOC_FREE(name);
}

static void watch_judge(struct uring_watch_share *share, enum watch_limit limit)
{
	const struct uring_watch_channel *channel = share->watch->channels;
	const struct uring_watch_channel *worst = channel;
	double highest = watch_limit(share, limit);

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
		watch_say(share, limit, worst);
	} else if (share->warned[limit] &&
		   worst->values[limit] < highest * 3 / 4) {
		share->warned[limit] = false;
		watch_say(share, limit, worst);
	}
}

/*
 * Samples
 */

static void watch_start_timer(struct uring_watch *watch);

static void watch_round_done(struct uring_watch *watch)
{
	struct uring_watch_channel *channel = NULL;
	struct uring_watch_share *share = NULL;

	for (channel = watch->channels; channel != NULL;
	     channel = channel->next) {
		if (channel->asked) {
			return;
		}
	}
	for (share = watch->shares; share != NULL; share = share->next) {
		enum watch_limit limit;

		for (limit = 0; limit < WATCH_LIMITS; limit++) {
			watch_judge(share, limit);
		}
	}
	watch_start_timer(watch);
}

static void watch_round(struct uring_watch *watch, enum uring_urgency urgency)
{
	struct uring_watch_channel *channel = NULL;
	uint64_t now = watch_now();

	watch->busy = false;
	for (channel = watch->channels; channel != NULL;
	     channel = channel->next) {
		if (uring_batch_ask(channel->batch, urgency) == 0) {
			channel->asked = true;
			channel->asked_at = now;
		}
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
	watch->next_round = (time_t)(watch_now() / 1000000000) +
			    watch->interval;
	watch_round(watch, URING_PROMPT);
}

/*
 * A stall is a loop that is not woken: something was sent after the last
 * sample, and nothing comes back.  So there is one more sample after the
 * last that has seen something move.
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

/* What the values that have limits are after this sample. */
static void watch_measure(struct uring_watch_channel *channel,
			  const struct uring_status_row *before)
{
	const struct uring_status_row *row = &channel->row;
	/* the kernel's counters have 32 bits */
	uint32_t segments = (uint32_t)(row->segments - before->segments);
	uint32_t retrans = (uint32_t)(row->retrans - before->retrans);

	channel->values[WATCH_RTT] = (double)row->rtt_us / 1000;

	if (segments > 0) {
		channel->segments = channel->segments * 3 / 4 + segments;
		channel->retrans = channel->retrans * 3 / 4 + retrans;
	}
	if (channel->segments >= WATCH_MIN_SEGMENTS) {
		channel->values[WATCH_RETRANS] = 100 * channel->retrans /
						 channel->segments;
	}

	if (row->unacked == 0) {
		channel->stalled_since = 0;
	} else if (channel->stalled_since == 0 ||
		   row->bytes_acked != before->bytes_acked)
	{
		channel->stalled_since = row->sampled;
	}
	channel->values[WATCH_STALL] = 0;
	if (channel->stalled_since != 0) {
		channel->values[WATCH_STALL] =
			(double)(row->sampled - channel->stalled_since) / 1e9;
	}

	if (row->unacked > 0 || row->bytes_acked != before->bytes_acked ||
	    row->bytes_received != before->bytes_received)
	{
		channel->watch->busy = true;
	}
}

static void watch_sample_done(struct uring_batch *batch,
			      const struct uring_query *queries,
			      void *private_data)
{
	struct uring_watch_channel *channel = talloc_get_type_abort(
		private_data, struct uring_watch_channel);
	struct uring_watch *watch = channel->watch;
	struct uring_status_row before = channel->row;
	struct uring_status_row *row = &channel->row;
	struct tcp_info info = {};
	int outq = 0;
	int tos = 0;
	size_t i;

	channel->asked = false;
	if (queries[WATCH_TCP_INFO].error != 0) {
		/* keeps its old sample, whose age tells */
		watch_round_done(watch);
		return;
	}
	memcpy(&info,
	       queries[WATCH_TCP_INFO].optval,
	       queries[WATCH_TCP_INFO].optlen);
	if (queries[WATCH_SIOCOUTQ].error == 0) {
		memcpy(&outq, queries[WATCH_SIOCOUTQ].optval, sizeof(outq));
	}
	if (queries[WATCH_TOS].error == 0) {
		memcpy(&tos, queries[WATCH_TOS].optval, sizeof(tos));
	}

	row->sampled = channel->asked_at;
	row->ring = 0;
	for (i = 0; i < WATCH_QUERIES; i++) {
		row->ring += queries[i].reason == URING_REASON_NONE;
	}
	row->syscall = WATCH_QUERIES - row->ring;
	row->rtt_us = info.tcpi_rtt;
	row->rttvar_us = info.tcpi_rttvar;
	row->rto_us = info.tcpi_rto;
	row->cwnd = info.tcpi_snd_cwnd;
	row->unacked = outq;
	row->retrans = info.tcpi_total_retrans;
	row->segments = info.tcpi_data_segs_out;
	row->delivery_rate = info.tcpi_delivery_rate;
	row->pacing_rate = info.tcpi_pacing_rate;
	row->mss = info.tcpi_snd_mss;
	row->mtu = info.tcpi_pmtu;
	row->dscp = (tos & 0xff) >> 2;
	row->bytes_acked = info.tcpi_bytes_acked;
	row->bytes_received = info.tcpi_bytes_received;

	watch_measure(channel, &before);
	watch_publish(channel);
	watch_round_done(watch);
}

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
	watch_update_status(watch);
}

static void watch_turn(void *private_data)
{
	struct uring_watch *watch = talloc_get_type_abort(private_data,
							  struct uring_watch);
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC_COARSE, &now);
	if (now.tv_sec < watch->next_look) {
		watch_update_status(watch);
		return;
	}
	watch->next_look = now.tv_sec + 1;
	watch_look(watch);
	if (watch->interval == 0) {
		watch->next_round = 0;
		return;
	}
	/* a shorter interval than before is heeded at once */
	if (now.tv_sec >= watch->next_round ||
	    watch->next_round - now.tv_sec > watch->interval)
	{
		watch->next_round = now.tv_sec + watch->interval;
		watch_round(watch, URING_LAZY);
	}
}

/*
 * What is watched
 */

static int uring_watch_destructor(struct uring_watch *watch)
{
	struct uring_queue *queue = uring_queue_find(watch->ev);
	struct uring_watch_channel *channel = NULL;
	struct uring_watch_share *share = NULL;

	if (queue != NULL) {
		uring_queue_set_turn(queue, NULL, NULL);
	}
	for (channel = watch->channels; channel != NULL;
	     channel = channel->next) {
		channel->watch = NULL;
		TALLOC_FREE(channel->batch);
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
	struct uring_queue *queue = uring_queue_find(ev);
	struct uring_watch *watch = NULL;

	if (queue == NULL) {
		return NULL;
	}
	watch = talloc_zero(mem_ctx, struct uring_watch);
	if (watch == NULL) {
		return NULL;
	}
	watch->ev = ev;
	watch->euid = geteuid();
	watch->log_fn = log_fn;
	watch->directory = talloc_strdup(watch, directory);
	if (watch->directory == NULL ||
	    !uring_queue_set_turn(queue, watch_turn, watch)) {
		TALLOC_FREE(watch);
		return NULL;
	}
	talloc_set_destructor(watch, uring_watch_destructor);
	return watch;
}

static int uring_watch_channel_destructor(struct uring_watch_channel *channel)
{
	struct uring_watch *watch = channel->watch;

	if (watch == NULL) {
		return 0;
	}
	if (channel->published) {
		uring_status_remove(watch->status, channel->index);
	}
	if (channel->prev != NULL) {
		channel->prev->next = channel->next;
	} else {
		watch->channels = channel->next;
	}
	if (channel->next != NULL) {
		channel->next->prev = channel->prev;
	}
	return 0;
}

struct uring_watch_channel *uring_watch_add_channel(
	TALLOC_CTX *mem_ctx,
	struct uring_watch *watch,
	const struct uring_socket *sock,
	const char *client)
{
	struct uring_watch_channel *channel = NULL;
	bool ipv6 = sock->family == AF_INET6;
	struct tcp_info info = {};
	int outq = 0;
	int tos = 0;
	const struct uring_query queries[WATCH_QUERIES] = {
		[WATCH_TCP_INFO] =
			{
				.level = IPPROTO_TCP,
				.optname = TCP_INFO,
				.optval = &info,
				.optlen = sizeof(info),
			},
		[WATCH_SIOCOUTQ] =
			{
				.type = URING_QUERY_SIOCOUTQ,
				.optval = &outq,
				.optlen = sizeof(outq),
			},
		[WATCH_TOS] =
			{
				.level = ipv6 ? IPPROTO_IPV6 : IPPROTO_IP,
				.optname = ipv6 ? IPV6_TCLASS : IP_TOS,
				.optval = &tos,
				.optlen = sizeof(tos),
			},
	};

	channel = talloc_zero(mem_ctx, struct uring_watch_channel);
	if (channel == NULL) {
		return NULL;
	}
	channel->batch = uring_batch_create(channel,
					    watch->ev,
					    sock,
					    queries,
					    WATCH_QUERIES,
					    watch_sample_done,
					    channel);
	if (channel->batch == NULL) {
		TALLOC_FREE(channel);
		return NULL;
	}
	channel->row.started = watch_now();
	strcpy(channel->row.transport, "tcp");
	snprintf(channel->row.client,
		 sizeof(channel->row.client),
		 "%s",
		 client);

	channel->watch = watch;
	channel->next = watch->channels;
	if (channel->next != NULL) {
		channel->next->prev = channel;
	}
	watch->channels = channel;
	talloc_set_destructor(channel, uring_watch_channel_destructor);

	watch_look(watch);
	watch_publish_shares(watch);
	/* the next turn takes a sample of it */
	watch->next_look = 0;
	watch->next_round = 0;
	return channel;
}

static int uring_watch_share_destructor(struct uring_watch_share *share)
{
	struct uring_watch *watch = share->watch;

	if (watch == NULL) {
		return 0;
	}
	if (share->prev != NULL) {
		share->prev->next = share->next;
	} else {
		watch->shares = share->next;
	}
	if (share->next != NULL) {
		share->next->prev = share->prev;
	}
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
	share->next = watch->shares;
	if (share->next != NULL) {
		share->next->prev = share;
	}
	watch->shares = share;
	talloc_set_destructor(share, uring_watch_share_destructor);

	watch_look(watch);
	watch_publish_shares(watch);
	watch->next_look = 0;
	watch->next_round = 0;
	return share;
}
