/* SPDX-License-Identifier: LGPL-3.0-or-later */
/*
 * What the files of the parent share: parent.c (its life), parent_reload.c (new
 * settings), parent_listeners.c (addresses) and parent_status.c (what it tells
 * systemd and smbd-uring).
 */
#ifndef QUICD_PARENT_INTERNAL_H
#define QUICD_PARENT_INTERNAL_H

#include <stdbool.h>
#include <stdint.h>
#include <time.h>

#include "configuration.h"
#include "context.h"
#include "listeners.h"
#include "parent.h"
#include "rights.h"
#include "workers.h"

struct quicd_parent {
	const char *config; /* the path of smb.conf, or NULL */
	bool prepared;	    /* "smbd-quicd --prepare" has read it for us */
	struct quicd_configuration in_force;
	struct quicd_shared shared;
	struct quicd_rights rights; /* of the workers */
	struct quicd_listeners *listeners;
	struct quicd_workers *workers;
	struct pollfd *polled; /* the sockets to workers, signals, control */
	int signals;
	int control;
	uint32_t reloads;
	time_t expires; /* when something expires next; 0: never */
	const char *expires_what;
	uint64_t watch;	   /* how often we tell systemd we live; 0: never */
	uint64_t watch_at; /* when we tell systemd next */
	bool end;	   /* a signal has told us to end */
	bool stopping;	   /* we have told the workers to end */
};

/* parent_reload.c */

/** @brief Have the first settings in force; false after log lines. */
bool quicd_parent_load(struct quicd_parent *parent);

/** @brief SIGHUP: read with our own rights. */
void quicd_parent_hup(struct quicd_parent *parent);

/** @brief Take what "smbd-quicd --reload" has read with the rights of root. */
void quicd_parent_control(struct quicd_parent *parent);

/* parent_listeners.c */

/** @brief At the start, open the addresses of the settings; false after a log
 * line. */
bool quicd_parent_listen(struct quicd_parent *parent);

/**
 * @brief After a reload, use the new listeners and drain the removed ones.
 *
 * quicd_listeners_open() has opened the new listeners.
 */
void quicd_parent_change_listeners(struct quicd_parent *parent);

/** @brief A reload has failed: close the listeners that it opened. */
void quicd_parent_keep_listeners(struct quicd_parent *parent);

/** @brief A worker has died, or no longer needs an address (quicd_heard_fn). */
void quicd_parent_drained(void *private_data,
			  uint32_t worker,
			  const struct quicd_message *message);

/* parent_status.c */

/** @brief Publish the certificates in force for smbd-uring. */
void quicd_parent_publish_certificates(const struct quicd_parent *parent);

/** @brief Look up which of the certificates in force expires next. */
void quicd_parent_note_expiry(struct quicd_parent *parent);

/**
 * @brief Log what has expired.
 *
 * @return the nanoseconds until this has to be called again, or UINT64_MAX.
 */
uint64_t quicd_parent_check_expiry(struct quicd_parent *parent);

/** @brief Find out whether systemd watches us, as sd_watchdog_enabled(3). */
void quicd_parent_watch_begin(struct quicd_parent *parent);

/**
 * @brief Tell systemd that we live, if it is time and all workers' loops turn.
 *
 * @return the nanoseconds until the next time, or UINT64_MAX.
 */
uint64_t quicd_parent_watch(struct quicd_parent *parent);

/** @brief Tell systemd how we are, for "systemctl status". */
void quicd_parent_notify_status(struct quicd_parent *parent);

#endif /* QUICD_PARENT_INTERNAL_H */
