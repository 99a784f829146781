/* SPDX-License-Identifier: LGPL-3.0-or-later */
/*
 * The addresses on which smbd-quicd listens, see listeners.h.
 *
 * All sockets of an address stay open until no worker needs any of them.  The
 * kernel chooses the worker by the order of the sockets (udp_open.c), and the
 * order changes when a socket is closed.
 */

#include "config.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "control.h"
#include "listeners.h"
#include "log.h"
#include "udp.h"
#include "util/dlinklist.h"

static int quicd_listener_destructor(struct quicd_listener *listener)
{
	uint32_t i;

	for (i = 0; i < listener->workers; i++) {
		if (listener->fds[i] >= 0) {
			close(listener->fds[i]);
		}
	}
	return 0;
}

struct quicd_listeners *quicd_listeners_create(TALLOC_CTX *mem_ctx,
					       uint32_t workers)
{
	struct quicd_listeners *listeners = talloc_zero(mem_ctx,
							struct quicd_listeners);

	if (listeners != NULL) {
		listeners->workers = workers;
	}
	return listeners;
}

static struct quicd_listener *quicd_listeners_find(
	const struct quicd_listeners *listeners,
	const struct address *address)
{
	struct quicd_listener *listener = listeners->list;

	while (listener != NULL && !address_equal(&listener->address, address))
	{
		listener = listener->next;
	}
	return listener;
}

/* Whether a socket of ours at the same port covers the address, or the other
 * way round: 0.0.0.0 covers every IPv4 address. */
static bool quicd_listeners_overlap(const struct quicd_listeners *listeners,
				    const struct address *address)
{
	const struct quicd_listener *listener = listeners->list;

	while (listener != NULL &&
	       !address_covers(&listener->address, &address->u.sa) &&
	       !address_covers(address, &listener->address.u.sa))
	{
		listener = listener->next;
	}
	return listener != NULL;
}

/* 0 or an errno. */
static int quicd_listeners_add(struct quicd_listeners *listeners,
			       const struct address *address)
{
	const uint32_t workers = listeners->workers;
	struct quicd_listener *listener = talloc_zero(listeners,
						      struct quicd_listener);
	int error;

	if (listener == NULL) {
		return ENOMEM;
	}
	listener->address = *address;
	listener->fds = talloc_array(listener, int, workers);
	listener->drained = talloc_zero_array(listener, bool, workers);
	if (listener->fds == NULL || listener->drained == NULL) {
		talloc_free(listener);
		return ENOMEM;
	}
	error = quicd_udp_open(address,
			       workers,
			       quicd_listeners_overlap(listeners, address),
			       listener->fds);
	if (error != 0) {
		talloc_free(listener);
		return error;
	}
	listener->workers = workers;
	talloc_set_destructor(listener, quicd_listener_destructor);
	listeners->last++;
	listener->number = listeners->last;
	DLIST_ADD_END(listeners->list, listener);
	return 0;
}

void quicd_listeners_hold(struct quicd_listeners *listeners,
			  const struct quicd_settings *settings)
{
	struct quicd_listener *listener = NULL;

	for (listener = listeners->list; listener != NULL;
	     listener = listener->next)
	{
		listener->held = quicd_listener_wanted(listener, settings);
	}
}

bool quicd_listeners_open(struct quicd_listeners *listeners,
			  const struct quicd_settings *settings)
{
	const size_t num = talloc_array_length(settings->listen);
	char text[ADDRESS_TEXT_SIZE];
	bool any = false;
	size_t i;

	for (i = 0; i < num; i++) {
		const struct address *address = &settings->listen[i];
		int error = 0;

		if (quicd_listeners_find(listeners, address) == NULL) {
			error = quicd_listeners_add(listeners, address);
		}
		(void)address_print(&address->u.sa, text);
		if (error == EAFNOSUPPORT && num > 1) {
			quicd_log_at(QUICD_LOG_WARNING,
				     "not on %s: %s",
				     text,
				     strerror(error));
			continue;
		}
		if (error != 0) {
			quicd_log_at(
				QUICD_LOG_ERROR,
				"smbd_uring:quic listen: %s: %s%s",
				text,
				strerror(error),
				error == EADDRINUSE
					? ": is another smbd-quicd running?"
					: "");
			return false;
		}
		any = true;
	}
	return any;
}

void quicd_listeners_try(struct quicd_report *report,
			 const struct quicd_settings *settings)
{
	const size_t num = talloc_array_length(settings->listen);
	char text[ADDRESS_TEXT_SIZE];
	size_t i;

	for (i = 0; i < num; i++) {
		const struct address *address = &settings->listen[i];
		int fd = -1;
		const int error = quicd_udp_open(address, 1, false, &fd);

		if (error == 0) {
			close(fd);
			continue;
		}
		/* the running smbd-quicd has it; or a start would skip it */
		if ((error == EADDRINUSE && quicd_control_is_there()) ||
		    (error == EAFNOSUPPORT && num > 1))
		{
			continue;
		}
		quicd_report_obstacle(report,
				      "smbd_uring:quic listen: %s: %s",
				      address_print(&address->u.sa, text),
				      strerror(error));
	}
}

void quicd_listeners_abandon(struct quicd_listeners *listeners)
{
	struct quicd_listener *listener = NULL;
	struct quicd_listener *next = NULL;

	for (listener = listeners->list; listener != NULL; listener = next) {
		next = listener->next;
		listener->held = false;
		if (listener->state == QUICD_LISTENER_NEW) {
			quicd_listener_close(listeners, listener);
		}
	}
}

bool quicd_listener_wanted(const struct quicd_listener *listener,
			   const struct quicd_settings *settings)
{
	const size_t num = talloc_array_length(settings->listen);
	size_t i;

	for (i = 0; i < num; i++) {
		if (address_equal(&settings->listen[i], &listener->address)) {
			return true;
		}
	}
	return false;
}

static void quicd_listener_keep(struct quicd_listener *listener,
				uint32_t number)
{
	uint32_t i;

	for (i = 0; i < listener->workers; i++) {
		if (i != number || listener->state == QUICD_LISTENER_NEW) {
			close(listener->fds[i]);
			listener->fds[i] = -1;
		}
	}
}

void quicd_listeners_keep(struct quicd_listeners *listeners, uint32_t number)
{
	struct quicd_listener *listener = NULL;

	for (listener = listeners->list; listener != NULL;
	     listener = listener->next)
	{
		quicd_listener_keep(listener, number);
	}
}

void quicd_listener_close(struct quicd_listeners *listeners,
			  struct quicd_listener *listener)
{
	DLIST_REMOVE(listeners->list, listener);
	talloc_free(listener);
}
