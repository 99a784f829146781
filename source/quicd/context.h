/* SPDX-License-Identifier: LGPL-3.0-or-later */
/*
 * What connections share: those of all workers, and those of one worker.
 */
#ifndef QUICD_CONTEXT_H
#define QUICD_CONTEXT_H

#include <tevent.h>

#include "budget.h"
#include "cid.h"
#include "limits.h"
#include "secret.h"
#include "settings.h"
#include "state.h"
#include "timer.h"
#include "transport/quicd_counters.h"

struct quicd_qlogs;
struct quicd_tls;

/* What all workers share; the parent makes it before it forks them. */
struct quicd_shared {
	struct quicd_limits *limits;
	struct quicd_budget *budget; /* NULL: no limit */
	struct quicd_counters *counters; /* NULL: not counted */
	uint32_t workers;
	/* in use if no file has secrets; lost when the parent ends */
	struct quicd_secrets secrets;
};

/* What the connections of one worker share. */
struct quicd_context {
	struct tevent_context *ev;
	const struct quicd_shared *shared;
	uint32_t worker;
	/* for new connections; a reload replaces both */
	struct quicd_settings *settings;
	struct quicd_tls *tls;
	struct quicd_qlogs *qlogs; /* NULL: no files */
	struct quicd_timers *timers;
	struct quicd_cids *cids;
	unsigned conns[QUICD_STATES]; /* how many are in each state */
};

/** @brief The secrets in force; the first one is for new connections. */
static inline const struct quicd_secrets *quicd_context_secrets(
	const struct quicd_context *context)
{
	return context->settings->secrets.num > 0 ? &context->settings->secrets
						  : &context->shared->secrets;
}

#endif /* QUICD_CONTEXT_H */
