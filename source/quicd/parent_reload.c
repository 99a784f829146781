/* SPDX-License-Identifier: LGPL-3.0-or-later */
/*
 * Settings of the parent: the first ones, and new ones while it serves.
 *
 * New settings are parsed here first, then by each worker, and are used by all
 * of them or by none.
 */

#include "config.h"

#include <unistd.h>

#include "control.h"
#include "message.h"
#include "parent_internal.h"
#include "prepared.h"
#include "reading.h"

bool quicd_parent_load(struct quicd_parent *parent)
{
	struct quicd_report report = {};
	struct quicd_bundle *bundle = NULL;
	bool good;

	if (parent->prepared) {
		bundle = quicd_prepared_take(parent, &report);
	} else {
		bundle = quicd_reading(parent, &report, parent->config, true);
	}
	good = bundle != NULL &&
	       quicd_configuration_load(parent, bundle, &parent->in_force);
	talloc_free(bundle);
	if (good) {
		quicd_parent_note_expiry(parent);
	}
	return good;
}

static void parent_tell(const struct quicd_parent *parent,
			uint32_t what,
			int fd)
{
	const struct quicd_message message = {
		.what = what,
		.number = parent->reloads,
	};

	quicd_workers_tell(parent->workers, message, fd);
}

static void parent_say_restart(const struct quicd_parent *parent,
			       const struct quicd_settings *settings)
{
	const struct quicd_settings *old = parent->in_force.settings;

	if (settings->workers != parent->shared.workers ||
	    settings->max_connections > old->max_connections)
	{
		quicd_log_at(QUICD_LOG_WARNING,
			     "another number of workers, and more connections "
			     "than before, need a restart");
	}
}

static bool parent_reload_fd(struct quicd_parent *parent, int fd)
{
	struct quicd_bundle *bundle = quicd_bundle_load(parent, fd);
	struct quicd_configuration next = {};
	bool good;

	good = bundle != NULL &&
	       quicd_configuration_load(parent, bundle, &next);
	talloc_free(bundle);
	if (!good) {
		return false;
	}
	parent->reloads++;
	quicd_listeners_hold(parent->listeners, next.settings);
	parent_tell(parent, 'P', fd);
	/*
	 * Open the sockets last.  An answer shows that the worker has closed
	 * the sockets of addresses that went before.  And from bind(2) on, a
	 * new socket takes datagrams which another one got.
	 */
	good = quicd_workers_agree(parent->workers, parent->reloads) &&
	       quicd_listeners_open(parent->listeners, next.settings);
	if (!good) {
		parent_tell(parent, 'A', -1);
		quicd_parent_keep_listeners(parent);
		quicd_configuration_release(&next);
		return false;
	}
	parent_tell(parent, 'C', -1);
	parent_say_restart(parent, next.settings);
	quicd_budget_set(parent->shared.budget,
			 quicd_settings_memory(next.settings));
	quicd_configuration_release(&parent->in_force);
	parent->in_force = next;
	quicd_parent_change_listeners(parent);
	quicd_parent_note_expiry(parent);
	quicd_parent_publish_certificates(parent);
	return true;
}

static void parent_said_reload(bool good)
{
	if (good) {
		quicd_log("smb.conf and certificates read again");
	} else {
		quicd_log_at(QUICD_LOG_ERROR,
			     "smb.conf and certificates stay as they were");
	}
}

void quicd_parent_hup(struct quicd_parent *parent)
{
	struct quicd_report report = {};
	struct quicd_bundle *bundle = NULL;
	int fd = -1;

	if (parent->prepared) {
		quicd_log_at(QUICD_LOG_ERROR,
			     "SIGHUP: nothing is read, as this needs the "
			     "rights of root: systemctl reload smbd-quicd");
		return;
	}
	bundle = quicd_reading(parent, &report, parent->config, true);
	if (bundle != NULL) {
		fd = quicd_bundle_seal(bundle);
		talloc_free(bundle);
	}
	parent_said_reload(fd >= 0 && parent_reload_fd(parent, fd));
	if (fd >= 0) {
		close(fd);
	}
}

void quicd_parent_control(struct quicd_parent *parent)
{
	int fd = -1;
	const int sock = quicd_control_accept(parent->control, &fd);
	struct quicd_message answer = {};
	bool good;

	if (sock < 0) {
		return;
	}
	good = parent_reload_fd(parent, fd);
	parent_said_reload(good);
	answer.what = good ? 'Y' : 'N';
	(void)quicd_message_send(sock, answer, -1);
	close(sock);
	close(fd);
}
