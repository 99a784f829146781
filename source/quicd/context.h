/* SPDX-License-Identifier: LGPL-3.0-or-later */
/*
 * What connections have in common: all of them, and those of a worker.
 */
#ifndef QUICD_CONTEXT_H
#define QUICD_CONTEXT_H

#include <tevent.h>

#include "budget.h"
#include "cid.h"
#include "counters.h"
#include "limits.h"
#include "settings.h"
#include "state.h"
#include "timer.h"

#define QUICD_SECRET_LEN 32

struct quicd_tls;

/* Of all workers, made before they are forked. */
struct quicd_shared {
	struct quicd_limits *limits;
	struct quicd_budget *budget; /* NULL: no limit */
	struct quicd_counters *counters; /* NULL: not counted */
	uint32_t workers;
	/* of tokens and of stateless resets, so that they outlive a worker */
	uint8_t secret[QUICD_SECRET_LEN];
};

/* Of the connections of one worker. */
struct quicd_context {
	struct tevent_context *ev;
	const struct quicd_shared *shared;
	uint32_t worker;
	/* these two for new connections; a reload puts others in their place */
	struct quicd_settings *settings;
	struct quicd_tls *tls;
	struct quicd_timers *timers;
	struct quicd_cids *cids;
	unsigned conns[QUICD_STATES]; /* how many are in each state */
};

#endif /* QUICD_CONTEXT_H */
