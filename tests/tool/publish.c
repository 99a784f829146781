/* SPDX-License-Identifier: LGPL-3.0-or-later */
/*
 * publish DIR [TIMES]: publish made rows, each so often, say "ready", and stay
 * until standard input ends.
 */

#include "config.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "transport/name_list.h"
#include "transport/publish.h"
#include "util/clock.h"
#include "util/macros.h"

#define MS 1000

/* An hour from now: the age of such a sample is 0. */
#define FUTURE (3600 * CLOCK_NS_PER_S)

struct made {
	const char *transport;
	const char *client;
	const char *relay;
	const char *user;
	const char *share;
	/* how many more shares there are, with numbers */
	unsigned more_shares;
	uint64_t rtt_us;
	uint64_t loss_ppm;
	uint64_t stall_ms;
	uint64_t rate;
	/* of the whole connection; 0: a few */
	uint64_t retrans;
	bool limits;
	bool no_sample;
};

static const struct made made[] = {
	{.transport = "tcp",
	 .client = "192.0.2.7:50112",
	 .user = "alice",
	 .share = "projects",
	 .rtt_us = 420,
	 .loss_ppm = FIGURE_UNKNOWN,
	 .retrans = 12345,
	 .rate = 118000000,
	 .limits = true},
	{.transport = "tcp",
	 .client = "192.0.2.8:50113",
	 .user = "EXAMPLE\\bob-with-a-rather-long-name",
	 .share = "two words, and a comma",
	 .more_shares = 2,
	 .rtt_us = 86 * MS,
	 .loss_ppm = 3000,
	 .rate = 1450000,
	 .limits = true},
	{.transport = "tcp",
	 .client = "[2001:db8:1234:5678:9abc:def0:1234:5678]:50114",
	 .user = "carol",
	 .share = "data",
	 .more_shares = 60,
	 .rtt_us = 2 * MS,
	 .loss_ppm = 123456,
	 .rate = 9999,
	 .limits = true},
	{.transport = "tcp",
	 .client = "192.0.2.9:50115",
	 .user = "\xe5\xb1\xb1\xe7\x94\xb0\xe5\xa4\xaa\xe9\x83\x8e",
	 .share = "\xe5\x85\xb1\xe6\x9c\x89\xe5\x85\xb1\xe6\x9c\x89"
		  "\xe5\x85\xb1\xe6\x9c\x89\xe5\x85\xb1\xe6\x9c\x89",
	 .rtt_us = 12 * MS,
	 .stall_ms = 42000,
	 .limits = true},
	{.transport = "tcp",
	 .client = "192.0.2.10:50116",
	 .user = "\033[31mmallory\"\\",
	 .share = "a\tb",
	 .rtt_us = 55,
	 .loss_ppm = FIGURE_UNKNOWN,
	 .rate = FIGURE_UNKNOWN},
	{.transport = "tcp",
	 .client = "192.0.2.11:50117",
	 .user = "dave",
	 .share = "data",
	 .no_sample = true},
	{.transport = "quic",
	 .client = "[2001:db8::1]:40000",
	 .relay = "127.0.0.1:41000",
	 /* which only smbd knows */
	 .user = "forged",
	 .share = "forged",
	 .limits = true,
	 .rtt_us = 38 * MS,
	 .loss_ppm = 5000,
	 .stall_ms = FIGURE_UNKNOWN,
	 .rate = FIGURE_UNKNOWN},
	{.transport = "tcp",
	 .client = "127.0.0.1:41000",
	 .user = "erin",
	 .share = "projects",
	 .rtt_us = 21,
	 .limits = true},
};

static void make_row(const struct made *m, struct uring_status_row *row)
{
	uint64_t *f = row->figures;
	char share[64];
	unsigned i;

	uring_status_row_init(row);
	snprintf(row->transport, sizeof(row->transport), "%s", m->transport);
	snprintf(row->client, sizeof(row->client), "%s", m->client);
	snprintf(row->relay,
		 sizeof(row->relay),
		 "%s",
		 m->relay != NULL ? m->relay : "");
	if (m->user != NULL) {
		/* what a writer that is not trusted may do */
		snprintf(row->users, sizeof(row->users), "%s", m->user);
		snprintf(row->shares, sizeof(row->shares), "%s", m->share);
	}
	for (i = 0; i < m->more_shares; i++) {
		snprintf(share, sizeof(share), "share%u", i);
		name_list_add(row->shares, sizeof(row->shares), share);
	}
	if (m->limits) {
		row->limit_rtt_us = 50 * MS;
		row->limit_loss_ppm = 20000;
		row->limit_stall_ms = 10000;
	}
	if (m->no_sample) {
		return;
	}
	row->sampled = clock_monotonic_ns() + FUTURE;
	row->ring = 0;
	row->syscall = 1;
	f[FIGURE_rtt_us] = m->rtt_us;
	f[FIGURE_rttvar_us] = m->rtt_us / 2;
	f[FIGURE_rto_us] = 200 * MS + m->rtt_us;
	f[FIGURE_cwnd_segments] = 10;
	f[FIGURE_unacked_bytes] = m->stall_ms;
	f[FIGURE_retrans_total] = m->retrans != 0 ? m->retrans : 12;
	f[FIGURE_segments_total] = 123456;
	f[FIGURE_loss_ppm] = m->loss_ppm;
	f[FIGURE_stall_ms] = m->stall_ms;
	f[FIGURE_delivery_rate] = m->rate;
	f[FIGURE_mss] = 1448;
	f[FIGURE_mtu] = 1500;
	f[FIGURE_bytes_acked] = 123456 * UINT64_C(1448);
	f[FIGURE_bytes_received] = 999949;
}

int main(int argc, const char *argv[])
{
	struct uring_status *status = NULL;
	struct uring_status_row row;
	size_t times = argc == 3 ? (size_t)atoi(argv[2]) : 1;
	size_t index;
	size_t i;
	char byte;

	errno = argc >= 2 ? uring_status_create(NULL,
						argv[1],
						times * ARRAY_SIZE(made),
						&status)
			  : EINVAL;
	for (i = 0; errno == 0 && i < times * ARRAY_SIZE(made); i++) {
		make_row(&made[i % ARRAY_SIZE(made)], &row);
		errno = uring_status_add(status, &row, &index);
	}
	if (errno != 0) {
		perror("publish");
		return 1;
	}
	printf("ready\n");
	fflush(stdout);
	while (read(STDIN_FILENO, &byte, 1) > 0) {
	}
	talloc_free(status);
	return 0;
}
