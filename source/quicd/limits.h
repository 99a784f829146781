/* SPDX-License-Identifier: LGPL-3.0-or-later */
/*
 * The limits on the QUIC connections of all workers together.
 *
 * The table is in memory that the workers share, with a slot for each
 * connection.  A worker first takes a slot and then counts.  So two workers may
 * both refuse a client that one of them could have let in, but together they
 * never exceed a limit.  The parent gives back the slots of a worker that has
 * died.
 */
#ifndef QUICD_LIMITS_H
#define QUICD_LIMITS_H

#include "settings.h"

/* The place of one connection. */
struct quicd_slot;

struct quicd_limits;

/** @brief Create a table of slots, which processes share by fork(). */
struct quicd_limits *quicd_limits_create(TALLOC_CTX *mem_ctx, uint32_t size);

/**
 * @brief Take a slot for a connection.
 *
 * @param[out] limit  The parameter that forbids it, if there is no slot.
 *
 * @return NULL if a limit forbids it.
 */
struct quicd_slot *quicd_limits_take(struct quicd_limits *limits,
				     const struct quicd_settings *settings,
				     uint32_t worker,
				     const struct address *peer,
				     const char **limit);

/** @brief The limit that one more connection would break now, or NULL. */
const char *quicd_limits_check(struct quicd_limits *limits,
			       const struct quicd_settings *settings,
			       const struct address *peer);

/** @brief The connections of all workers. */
uint32_t quicd_limits_used(struct quicd_limits *limits);

/** @brief The client of a slot has moved to another address. */
void quicd_slot_move(struct quicd_slot *slot, const struct address *peer);

void quicd_slot_release(struct quicd_slot *slot);

/** @brief Give back the slots of a worker that has died. */
void quicd_limits_release_worker(struct quicd_limits *limits, uint32_t worker);

#endif /* QUICD_LIMITS_H */
