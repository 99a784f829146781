// SPDX-License-Identifier: LGPL-3.0-or-later
/*
 * The tree connects of the client of this process: how smbd tells us of them.
 *
 * libsmbd-base calls smb_vfs_call_connect() for each tree connect and
 * smb_vfs_call_disconnect() at its end, through its procedure linkage table, so
 * the calls come here.  A VFS module calls the first one again for the module
 * below it; only the outermost call counts.
 *
 * smbd also connects for itself for a moment, for instance to answer a DFS
 * referral, and then frees the connection without disconnecting.  So a tree is
 * a talloc child of smbd's handle, and ends with it in any case.
 */

#include "config.h"

#include <errno.h>
#include <stdbool.h>
#include <talloc.h>

#include "log_once.h"
#include "share.h"
#include "tree.h"
#include "util/dlinklist.h"

/*
 * No client sends as much as this without a share: a Kerberos ticket has at
 * most 64 KiB.
 */
#define TREE_BYTES_WITHOUT UINT64_C(1048576)

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
	struct preload_tree *list;
} trees;

static int preload_tree_destructor(struct preload_tree *tree)
{
	DLIST_REMOVE(trees.list, tree);
	preload_share_disconnected(tree->share);
	return 0;
}

static void tree_connected(struct vfs_handle_struct *handle,
			   const char *name,
			   const char *user)
{
	struct preload_tree *tree = NULL;

	tree = talloc_zero(handle, struct preload_tree);
	if (tree == NULL) {
		return;
	}
	tree->share = preload_share_connected(name, user);
	if (tree->share == NULL) {
		TALLOC_FREE(tree);
		return;
	}
	tree->handle = handle;
	DLIST_ADD(trees.list, tree);
	talloc_set_destructor(tree, preload_tree_destructor);
}

static void tree_disconnected(const struct vfs_handle_struct *handle)
{
	struct preload_tree *tree = NULL;

	for (tree = trees.list; tree != NULL; tree = tree->next) {
		if (tree->handle == handle) {
			TALLOC_FREE(tree);
			return;
		}
	}
}

static int tree_connect_hook(struct vfs_handle_struct *handle,
			     const char *service,
			     const char *user)
{
	int saved_errno;
	int ret;

	trees.called = true;
	trees.depth++;
	ret = trees.next->connect(handle, service, user);
	trees.depth--;
	if (ret < 0 || trees.depth > 0 || service == NULL || user == NULL) {
		return ret;
	}
	saved_errno = errno;
	tree_connected(handle, service, user);
	errno = saved_errno;
	return ret;
}

static void tree_disconnect_hook(struct vfs_handle_struct *handle)
{
	int saved_errno;

	trees.depth++;
	trees.next->disconnect(handle);
	trees.depth--;
	if (trees.depth > 0) {
		return;
	}
	saved_errno = errno;
	tree_disconnected(handle);
	errno = saved_errno;
}

void preload_trees_init(const struct preload_functions *next,
			struct preload_functions *hooks)
{
	trees.next = next;
	if (next->connect != NULL && next->disconnect != NULL) {
		hooks->connect = tree_connect_hook;
		hooks->disconnect = tree_disconnect_hook;
	}
}

static void trees_not_told(void)
{
	preload_warning_once_format(
		"smbd_uring: cannot find out which shares are "
		"used; only the settings of [global] apply");
}

void preload_trees_check(void)
{
	if (trees.next->connect == NULL || trees.next->disconnect == NULL) {
		trees_not_told();
	}
}

void preload_trees_connection_end(uint64_t bytes_received)
{
	if (!trees.called && bytes_received > TREE_BYTES_WITHOUT) {
		trees_not_told();
	}
}
