/* SPDX-License-Identifier: LGPL-3.0-or-later */
/*
 * The UDP sockets of all workers, see listeners.h.
 */

#include "config.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "listeners.h"
#include "log.h"
#include "udp.h"

struct quicd_listeners {
	uint32_t workers;
	size_t num; /* addresses */
	int *fds;   /* of the first address for all workers, and so on */
};

/* Whether to go on; an address that is skipped is not counted. */
static bool listeners_add(struct quicd_listeners *listeners,
			  const struct address *address,
			  bool only)
{
	const uint32_t workers = listeners->workers;
	char text[ADDRESS_TEXT_SIZE];
	const int error = quicd_udp_open(
		address, workers, &listeners->fds[listeners->num * workers]);

	(void)address_print(&address->u.sa, text);
	if (error == EAFNOSUPPORT && !only) {
		quicd_log_at(QUICD_LOG_WARNING,
			     "not on %s: %s",
			     text,
			     strerror(error));
		return true;
	}
	if (error != 0) {
		quicd_log_at(QUICD_LOG_ERROR,
			     "smbd_uring:quic listen: %s: %s%s",
			     text,
			     strerror(error),
			     error == EADDRINUSE
				     ? ": is another smbd-quicd running?"
				     : "");
		return false;
	}
	listeners->num++;
	quicd_log("listening on %s, %u workers", text, workers);
	return true;
}

struct quicd_listeners *quicd_listeners_open(
	TALLOC_CTX *mem_ctx,
	const struct quicd_settings *settings)
{
	const size_t num = talloc_array_length(settings->listen);
	struct quicd_listeners *listeners = talloc_zero(mem_ctx,
							struct quicd_listeners);
	size_t i;

	if (listeners == NULL) {
		return NULL;
	}
	listeners->workers = settings->workers;
	listeners->fds = talloc_array(listeners, int, num * settings->workers);
	for (i = 0; i < num && listeners->fds != NULL; i++) {
		if (!listeners_add(listeners, &settings->listen[i], num == 1)) {
			listeners->num = 0;
			break;
		}
	}
	if (listeners->num == 0) {
		TALLOC_FREE(listeners);
	}
	return listeners;
}

const int *quicd_listeners_keep(struct quicd_listeners *listeners,
				uint32_t number,
				size_t *num)
{
	int *fds = talloc_array(listeners, int, listeners->num);
	size_t i;

	*num = 0;
	for (i = 0; i < listeners->num * listeners->workers; i++) {
		if (i % listeners->workers != number) {
			close(listeners->fds[i]);
		} else if (fds != NULL) {
			fds[*num] = listeners->fds[i];
			*num += 1;
		}
	}
	return fds;
}
