/* SPDX-License-Identifier: LGPL-3.0-or-later */
/*
 * The addresses on which smbd-quicd listens: the parent opens a socket of each
 * for each worker, and keeps it as long as any worker needs it.
 */
#ifndef QUICD_LISTENERS_H
#define QUICD_LISTENERS_H

#include <stdbool.h>
#include <stdint.h>
#include <talloc.h>

#include "settings.h"

enum quicd_listener_state {
	QUICD_LISTENER_NEW,   /* opened, and the workers do not know it */
	QUICD_LISTENER_IN_USE,
	QUICD_LISTENER_GOING, /* workers drain its connections */
};

struct quicd_listener {
	struct quicd_listener *prev;
	struct quicd_listener *next;
	struct address address;
	uint32_t number; /* names it between processes */
	enum quicd_listener_state state;
	bool held; /* GOING: a reload under way wants it: do not close it */
	uint32_t workers;
	int *fds;      /* one socket of each worker */
	bool *drained; /* GOING: the workers that no longer need it */
};

struct quicd_listeners {
	struct quicd_listener *list;
	uint32_t workers;
	uint32_t last; /* the highest number that a listener got */
};

/**
 * @brief An empty list of listeners; NULL without memory.
 *
 * A listener closes its sockets when it is freed.
 */
struct quicd_listeners *quicd_listeners_create(TALLOC_CTX *mem_ctx,
					       uint32_t workers);

/**
 * @brief Hold the listeners of the settings that are open, so that a GOING one
 * is not closed until quicd_listeners_abandon(), or until it is in use again.
 */
void quicd_listeners_hold(struct quicd_listeners *listeners,
			  const struct quicd_settings *settings);

/**
 * @brief Open the addresses of the settings that are not open yet.
 *
 * Such a listener is NEW.  No worker may have a socket left of an earlier
 * listener of the same address: it would be one of the new sockets for the
 * kernel, and their order would be wrong (udp_open.c).
 *
 * @return false after an error line; quicd_listeners_abandon() has to follow.
 */
bool quicd_listeners_open(struct quicd_listeners *listeners,
			  const struct quicd_settings *settings);

/**
 * @brief Open each address of the settings, and close it again: an obstacle if
 * quicd_listeners_open() would fail at a start.
 */
void quicd_listeners_try(struct quicd_report *report,
			 const struct quicd_settings *settings);

/** @brief Close all NEW listeners, and hold no listener any more. */
void quicd_listeners_abandon(struct quicd_listeners *listeners);

/** @brief Whether the settings have this address. */
bool quicd_listener_wanted(const struct quicd_listener *listener,
			   const struct quicd_settings *settings);

/**
 * @brief In the process of a worker: close the sockets of other workers, and of
 * listeners that are NEW.
 */
void quicd_listeners_keep(struct quicd_listeners *listeners, uint32_t number);

/** @brief Close a listener in this process. */
void quicd_listener_close(struct quicd_listeners *listeners,
			  struct quicd_listener *listener);

#endif /* QUICD_LISTENERS_H */
