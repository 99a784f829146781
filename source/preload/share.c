// SPDX-License-Identifier: LGPL-3.0-or-later
/*
 * The shares that the client of this process uses: which of them count, and
 * whose settings hold.  tree.c tells of tree connects.
 *
 * Each share in use is one share of the watch, however often the client is
 * connected to it.  IPC$ is a share only while the client uses no other one: a
 * Windows client is nearly always connected to it, and else its settings, which
 * are those of [global], would override a share that wants fewer samples.
 * While the client uses no share at all, the settings of [global] hold.
 */

#include "config.h"

#include <string.h>
#include <strings.h>

#include "log.h"
#include "log_once.h"
#include "names.h"
#include "query.h"
#include "section.h"
#include "settings.h"
#include "share.h"
#include "smbd_symbols.h"
#include "util/dlinklist.h"

/* A share that a user of the client is connected to. */
struct preload_share {
	struct preload_share *prev;
	struct preload_share *next;
	/* NULL: what holds while there is no other one */
	const char *name;
	const char *user;
	bool ipc;
	/* the connections to it */
	size_t num_trees;

	struct preload_section section;

	/* NULL while it does not count */
	struct uring_watch_share *watched;
	enum uring_mode mode;
};

static struct {
	bool use_backend;
	struct uring_watch *watch;
	struct preload_share base;
	struct preload_share *shares;
} shares;

/*
 * Settings
 */

static int share_snum(struct preload_share *share)
{
	return preload_section_snum(share, &share->section, share->name);
}

/* The mode that uses the ring most has priority. */
static void shares_set_mode(void)
{
	const struct preload_share *share = NULL;
	enum uring_mode mode = URING_MODE_SYSCALL;
	bool any = false;

	for (share = shares.shares; share != NULL; share = share->next) {
		if (share->watched != NULL || shares.watch == NULL) {
			any = true;
			mode = share->mode > mode ? share->mode : mode;
		}
	}
	preload_query_set_mode(any ? mode : shares.base.mode);
}

static void share_load(struct preload_share *share,
		       struct preload_settings *settings)
{
	preload_settings_get(share->name, share_snum(share), settings);
	share->mode = settings->mode;
	preload_settings_check(settings, shares.use_backend);
}

/* The watch calls this once a second: a stock smbd reports no reload. */
static void share_settings(struct uring_watch_settings *watch_settings,
			   void *private_data)
{
	struct preload_share *share = private_data;
	struct preload_settings settings;

	(void)preload_settings_load();
	share_load(share, &settings);
	*watch_settings = settings.watch;
	shares_set_mode();
}

void preload_shares_load(bool use_backend)
{
	struct preload_settings settings;

	shares.use_backend = use_backend;
	share_load(&shares.base, &settings);
	shares_set_mode();
}

/*
 * What the watch judges
 */

/* The watch may be freed before the share, so this belongs to the share. */
static void share_watch(struct preload_share *share)
{
	if (share->watched == NULL) {
		share->watched = uring_watch_add_share(
			share == &shares.base ? NULL : share,
			shares.watch,
			share->name != NULL ? share->name : "",
			share->user != NULL ? share->user : "",
			share_settings,
			share);
	}
}

/* Add before removing: the watch ends when it has no share. */
static void shares_update(void)
{
	struct preload_share *share = NULL;
	bool files = false;

	if (shares.watch == NULL) {
		shares_set_mode();
		return;
	}
	for (share = shares.shares; share != NULL; share = share->next) {
		files = files || !share->ipc;
	}
	for (share = shares.shares; share != NULL; share = share->next) {
		if (!share->ipc || !files) {
			share_watch(share);
		}
	}
	if (shares.shares == NULL) {
		share_watch(&shares.base);
	} else {
		TALLOC_FREE(shares.base.watched);
	}
	for (share = shares.shares; share != NULL; share = share->next) {
		if (share->ipc && files) {
			TALLOC_FREE(share->watched);
		}
	}
	shares_set_mode();
}

/* A child of the watch: it goes with its event context. */
struct share_guard {
	bool unused;
};

static int share_guard_destructor(struct share_guard *guard)
{
	struct preload_share *share = NULL;

	shares.watch = NULL;
	TALLOC_FREE(shares.base.watched);
	for (share = shares.shares; share != NULL; share = share->next) {
		TALLOC_FREE(share->watched);
	}
	return 0;
}

struct uring_watch *preload_shares_watch(struct tevent_context *ev)
{
	const struct smbd_symbols *smbd = smbd_symbols();
	struct share_guard *guard = NULL;
	char *directory = NULL;

	if (shares.watch != NULL || smbd->lock_path == NULL) {
		return shares.watch;
	}
	directory = smbd->lock_path(NULL, "smbd_uring");
	if (directory == NULL) {
		return NULL;
	}
	shares.watch = uring_watch_create(ev, ev, directory, preload_warning);
	TALLOC_FREE(directory);
	if (shares.watch == NULL) {
		return NULL;
	}
	uring_watch_set_log_once_fn(shares.watch, preload_warning_once);
	guard = talloc_zero(shares.watch, struct share_guard);
	if (guard == NULL) {
		TALLOC_FREE(shares.watch);
		return NULL;
	}
	talloc_set_destructor(guard, share_guard_destructor);
	shares_update();
	return shares.watch;
}

/*
 * Connects
 */

static struct preload_share *share_find(const char *name, const char *user)
{
	struct preload_share *share = NULL;

	for (share = shares.shares; share != NULL; share = share->next) {
		if (strcasecmp(share->name, name) == 0 &&
		    strcmp(share->user, user) == 0) {
			return share;
		}
	}
	return NULL;
}

static struct preload_share *share_create(const char *name, const char *user)
{
	struct preload_share *share = NULL;
	struct preload_settings settings;

	share = talloc_zero(NULL, struct preload_share);
	if (share == NULL) {
		return NULL;
	}
	share->name = talloc_strdup(share, name);
	share->user = talloc_strdup(share, user);
	if (share->name == NULL || share->user == NULL) {
		TALLOC_FREE(share);
		return NULL;
	}
	share->ipc = strcasecmp(name, "IPC$") == 0;
	share_load(share, &settings);
	DLIST_ADD(shares.shares, share);
	preload_names_check_share(name, share_snum(share));
	return share;
}

struct preload_share *preload_share_connected(const char *name,
					      const char *user)
{
	struct preload_share *share = share_find(name, user);

	if (share == NULL) {
		share = share_create(name, user);
	}
	if (share == NULL) {
		return NULL;
	}
	share->num_trees++;
	shares_update();
	return share;
}

void preload_share_disconnected(struct preload_share *share)
{
	share->num_trees--;
	if (share->num_trees == 0) {
		DLIST_REMOVE(shares.shares, share);
		/* add the replacement first */
		shares_update();
		TALLOC_FREE(share->watched);
		TALLOC_FREE(share);
		shares_set_mode();
	}
}
