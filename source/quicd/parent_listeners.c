/* SPDX-License-Identifier: LGPL-3.0-or-later */
/*
 * The addresses of the parent: at the start, and as a reload changes them.
 *
 * If a reload removes an address, the workers drain its connections.  When no
 * worker has a connection left, all sockets of the address are closed
 * (listeners.c).
 */

#include "config.h"

#include "parent_internal.h"

static void parent_say_open(const struct quicd_listener *listener)
{
	char text[ADDRESS_TEXT_SIZE];

	quicd_log("listening on %s, %u workers",
		  address_print(&listener->address.u.sa, text),
		  listener->workers);
}

static void parent_say_closed(const struct quicd_listener *listener)
{
	char text[ADDRESS_TEXT_SIZE];

	quicd_log("no longer listening on %s, %u workers",
		  address_print(&listener->address.u.sa, text),
		  listener->workers);
}

static struct quicd_message parent_message(
	const struct quicd_listener *listener,
	uint32_t what)
{
	return (struct quicd_message){
		.what = what,
		.number = listener->number,
	};
}

bool quicd_parent_listen(struct quicd_parent *parent)
{
	const struct quicd_settings *settings = parent->in_force.settings;
	struct quicd_listener *listener = NULL;

	parent->listeners = quicd_listeners_create(parent, settings->workers);
	if (parent->listeners == NULL ||
	    !quicd_listeners_open(parent->listeners, settings))
	{
		return false;
	}
	for (listener = parent->listeners->list; listener != NULL;
	     listener = listener->next)
	{
		listener->state = QUICD_LISTENER_IN_USE;
		parent_say_open(listener);
	}
	return true;
}

/* Close a listener that is GOING if no worker needs it any more. */
static void parent_release(struct quicd_parent *parent,
			   struct quicd_listener *listener)
{
	uint32_t i;

	if (listener->state != QUICD_LISTENER_GOING || listener->held) {
		return;
	}
	for (i = 0; i < listener->workers; i++) {
		if (!listener->drained[i]) {
			return;
		}
	}
	quicd_workers_tell(parent->workers, parent_message(listener, 'R'), -1);
	parent_say_closed(listener);
	quicd_listener_close(parent->listeners, listener);
}

static void parent_drain(struct quicd_parent *parent,
			 struct quicd_listener *listener)
{
	uint32_t i;

	listener->state = QUICD_LISTENER_GOING;
	for (i = 0; i < listener->workers; i++) {
		listener->drained[i] = !quicd_workers_runs(parent->workers, i);
	}
	quicd_workers_tell(parent->workers, parent_message(listener, 'G'), -1);
	parent_release(parent, listener);
}

/* Have the workers use the new listeners. */
static void parent_use_new(struct quicd_parent *parent)
{
	struct quicd_listener *listener = NULL;

	for (listener = parent->listeners->list; listener != NULL;
	     listener = listener->next)
	{
		if (listener->state == QUICD_LISTENER_NEW) {
			quicd_workers_give(parent->workers,
					   parent_message(listener, 'L'),
					   listener->fds);
			listener->state = QUICD_LISTENER_IN_USE;
			parent_say_open(listener);
		}
	}
}

void quicd_parent_change_listeners(struct quicd_parent *parent)
{
	struct quicd_listener *listener = NULL;
	struct quicd_listener *next = NULL;

	/* first, so that connections can continue through a new socket */
	parent_use_new(parent);
	for (listener = parent->listeners->list; listener != NULL;
	     listener = next)
	{
		const bool wanted = quicd_listener_wanted(
			listener, parent->in_force.settings);
		const bool going = listener->state == QUICD_LISTENER_GOING;

		next = listener->next;
		listener->held = false;
		if (wanted && going) {
			listener->state = QUICD_LISTENER_IN_USE;
			quicd_workers_tell(parent->workers,
					   parent_message(listener, 'K'),
					   -1);
		} else if (!wanted && !going) {
			parent_drain(parent, listener);
		}
	}
}

void quicd_parent_keep_listeners(struct quicd_parent *parent)
{
	struct quicd_listener *listener = NULL;
	struct quicd_listener *next = NULL;

	quicd_listeners_abandon(parent->listeners);
	for (listener = parent->listeners->list; listener != NULL;
	     listener = next)
	{
		next = listener->next;
		parent_release(parent, listener);
	}
}

void quicd_parent_drained(void *private_data,
			  uint32_t worker,
			  const struct quicd_message *message)
{
	struct quicd_parent *parent = private_data;
	struct quicd_listener *listener = NULL;
	struct quicd_listener *next = NULL;

	for (listener = parent->listeners->list; listener != NULL;
	     listener = next)
	{
		next = listener->next;
		if (listener->state == QUICD_LISTENER_GOING &&
		    (message == NULL || message->number == listener->number))
		{
			listener->drained[worker] = true;
			parent_release(parent, listener);
		}
	}
}
