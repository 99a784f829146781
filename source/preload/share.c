// SPDX-License-Identifier: LGPL-3.0-or-later
/*
 * The shares that the client of this process uses.
 *
 * libsmbd-base calls smb_vfs_call_connect() for each tree connect and
 * smb_vfs_call_disconnect() at its end, through its procedure linkage table, so
 * the calls come here.  A VFS module calls the first one again for the module
 * below it; only the outermost call counts.
 *
 * smbd also connects for itself for a moment, for instance to answer a DFS
 * referral, and then frees the connection without disconnecting.  So a tree is
 * a talloc child of smbd's handle, and ends with it in any case.
 *
 * Each share in use is one share of the watch, however often the client is
 * connected to it.  IPC$ is a share only while the client uses no other one: a
 * Windows client is nearly always connected to it, and else its settings, which
 * are those of [global], would override a share that wants fewer samples.
 * While the client uses no share at all, the settings of [global] hold.
 */

#include "config.h"

#include <errno.h>
#include <string.h>
#include <strings.h>

#include "log.h"
#include "query.h"
#include "settings.h"
#include "share.h"
#include "smbd_symbols.h"
#include "util/dlinklist.h"
#include "util/printable.h"

#define SHARE_TEXT 256

/*
 * No client sends as much as this without a share: a Kerberos ticket has at
 * most 64 KiB.
 */
#define SHARE_BYTES_WITHOUT UINT64_C(1048576)

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

	/* its number, and its name in smb.conf as of when that was found */
	int snum;
	char *section;

	/* NULL while it does not count */
	struct uring_watch_share *watched;
	enum uring_mode mode;
};

struct preload_tree {
	struct preload_tree *prev;
	struct preload_tree *next;
	const struct vfs_handle_struct *handle;
	struct preload_share *share;
};

static struct {
	const struct preload_functions *next;
	/* calls of connect or disconnect that have not returned */
	unsigned depth;
	bool called;
	bool use_backend;
	struct uring_watch *watch;
	struct preload_share base;
	struct preload_share *shares;
	struct preload_tree *trees;
} shares;

/*
 * Settings
 */

/*
 * smbd tells the name as smb.conf has it, "of %U" for instance.
 * lp_servicenumber() takes the name that a client uses.
 */
static int share_find_snum(const char *name)
{
	const struct smbd_symbols *smbd = smbd_symbols();
	int snum = smbd->lp_servicenumber(name);
	int i;

	if (snum >= 0 || smbd->lp_numservices == NULL) {
		return snum;
	}
	for (i = 0; i < smbd->lp_numservices(); i++) {
		const char *section = smbd->lp_const_servicename(i);

		if (section != NULL && strcasecmp(section, name) == 0) {
			return i;
		}
	}
	return -1;
}

/* The number of a share may change when smb.conf is loaded again. */
static int share_snum(struct preload_share *share)
{
	const struct smbd_symbols *smbd = smbd_symbols();
	const char *section = NULL;

	if (share->name == NULL || smbd->lp_servicenumber == NULL ||
	    smbd->lp_const_servicename == NULL)
	{
		return SMBD_GLOBAL_SECTION_SNUM;
	}
	if (share->section != NULL) {
		section = smbd->lp_const_servicename(share->snum);
		if (section != NULL && strcasecmp(section, share->section) == 0)
		{
			return share->snum;
		}
		TALLOC_FREE(share->section);
	}
	share->snum = share_find_snum(share->name);
	if (share->snum < 0) {
		return SMBD_GLOBAL_SECTION_SNUM;
	}
	section = smbd->lp_const_servicename(share->snum);
	if (section != NULL) {
		share->section = talloc_strdup(share, section);
	}
	return share->snum;
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
	if (settings->watch.interval != 0 && !shares.use_backend) {
		preload_warning_once_format(
			"smbd_uring: smbd_uring:sample interval "
			"needs smbd_uring:backend = io_uring; "
			"nothing is sampled");
	}
	if (settings->watch.interval == 0 &&
	    (settings->watch.warn_rtt != 0 ||
	     settings->watch.warn_retrans != 0 ||
	     settings->watch.warn_stall != 0))
	{
		preload_warning_once_format(
			"smbd_uring: smbd_uring:warn ... needs "
			"smbd_uring:sample interval; nothing is "
			"sampled");
	}
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
 * Trees
 */

static int preload_tree_destructor(struct preload_tree *tree)
{
	struct preload_share *share = tree->share;

	DLIST_REMOVE(shares.trees, tree);
	share->num_trees--;
	if (share->num_trees == 0) {
		DLIST_REMOVE(shares.shares, share);
		/* add the replacement first */
		shares_update();
		TALLOC_FREE(share->watched);
		TALLOC_FREE(share);
		shares_set_mode();
	}
	return 0;
}

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
	preload_settings_check_share(name, share_snum(share));
	return share;
}

static void share_connected(struct vfs_handle_struct *handle,
			    const char *name,
			    const char *user)
{
	struct preload_share *share = share_find(name, user);
	struct preload_tree *tree = NULL;

	tree = talloc_zero(handle, struct preload_tree);
	if (tree == NULL) {
		return;
	}
	if (share == NULL) {
		share = share_create(name, user);
	}
	if (share == NULL) {
		TALLOC_FREE(tree);
		return;
	}
	tree->handle = handle;
	tree->share = share;
	share->num_trees++;
	DLIST_ADD(shares.trees, tree);
	talloc_set_destructor(tree, preload_tree_destructor);
	shares_update();
}

static void share_disconnected(const struct vfs_handle_struct *handle)
{
	struct preload_tree *tree = NULL;

	for (tree = shares.trees; tree != NULL; tree = tree->next) {
		if (tree->handle == handle) {
			TALLOC_FREE(tree);
			return;
		}
	}
}

static int share_connect_hook(struct vfs_handle_struct *handle,
			      const char *service,
			      const char *user)
{
	int saved_errno;
	int ret;

	shares.called = true;
	shares.depth++;
	ret = shares.next->connect(handle, service, user);
	shares.depth--;
	if (ret < 0 || shares.depth > 0 || service == NULL || user == NULL) {
		return ret;
	}
	saved_errno = errno;
	share_connected(handle, service, user);
	errno = saved_errno;
	return ret;
}

static void share_disconnect_hook(struct vfs_handle_struct *handle)
{
	int saved_errno;

	shares.depth++;
	shares.next->disconnect(handle);
	shares.depth--;
	if (shares.depth > 0) {
		return;
	}
	saved_errno = errno;
	share_disconnected(handle);
	errno = saved_errno;
}

void preload_shares_init(const struct preload_functions *next,
			 struct preload_functions *hooks)
{
	shares.next = next;
	if (next->connect != NULL && next->disconnect != NULL) {
		hooks->connect = share_connect_hook;
		hooks->disconnect = share_disconnect_hook;
	}
}

static void shares_not_told(void)
{
	preload_warning_once_format(
		"smbd_uring: cannot find out which shares are "
		"used; only the settings of [global] apply");
}

void preload_shares_check(void)
{
	if (shares.next->connect == NULL || shares.next->disconnect == NULL) {
		shares_not_told();
	}
}

void preload_shares_connection_end(uint64_t bytes_received)
{
	if (!shares.called && bytes_received > SHARE_BYTES_WITHOUT) {
		shares_not_told();
	}
}
