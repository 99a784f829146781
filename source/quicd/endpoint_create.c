/* SPDX-License-Identifier: LGPL-3.0-or-later */
/*
 * What an endpoint is made of: its parts, its sockets, its settings and
 * certificates, what it publishes, and how much it holds.
 */

#include "config.h"

#include <malloc.h>
#include <string.h>
#include <unistd.h>

#include "addresses.h"
#include "endpoint_internal.h"
#include "log.h"
#include "publish.h"
#include "qlog.h"
#include "util/dlinklist.h"

#define QUICD_MAX_CLOSE_WAITS 512

/* So much free memory stays with the worker. */
#define QUICD_KEPT_MEMORY (8 * 1024 * 1024)

static const struct quicd_udp_ops quicd_endpoint_udp_ops = {
	.received = quicd_endpoint_received,
	.done = quicd_endpoint_work,
};

static int quicd_socket_destructor(struct quicd_socket *socket)
{
	DLIST_REMOVE(socket->endpoint->sockets, socket);
	quicd_timer_remove(&socket->timer);
	TALLOC_FREE(socket->udp);
	close(socket->fd);
	return 0;
}

struct quicd_udp *quicd_endpoint_add_socket(struct quicd_endpoint *endpoint,
					    uint32_t number,
					    int fd)
{
	struct quicd_socket *socket = talloc_zero(endpoint,
						  struct quicd_socket);

	if (socket == NULL) {
		return NULL;
	}
	socket->endpoint = endpoint;
	socket->number = number;
	socket->fd = fd;
	socket->udp = quicd_udp_create(socket,
				       endpoint->context.ev,
				       fd,
				       &quicd_endpoint_udp_ops,
				       endpoint,
				       endpoint->context.shared->counters);
	if (socket->udp == NULL) {
		talloc_free(socket);
		return NULL;
	}
	DLIST_ADD_END(endpoint->sockets, socket);
	talloc_set_destructor(socket, quicd_socket_destructor);
	return socket->udp;
}

static void quicd_endpoint_watch_addresses(struct quicd_endpoint *endpoint)
{
	const int error = quicd_addresses_watch(endpoint,
						endpoint->context.ev,
						quicd_endpoint_address_lost,
						endpoint);

	if (error != 0) {
		quicd_log("cannot watch the addresses of this machine: %s; "
			  "clients of one that moves end by their time-out",
			  strerror(error));
	}
}

static int quicd_endpoint_destructor(struct quicd_endpoint *endpoint)
{
	quicd_endpoint_clear(endpoint);
	while (endpoint->sockets != NULL) {
		talloc_free(endpoint->sockets);
	}
	quicd_timer_remove(&endpoint->drain.timer);
	quicd_tls_release(endpoint->context.tls);
	return 0;
}

static void quicd_endpoint_publish(struct quicd_endpoint *endpoint,
				   const char *directory)
{
	int ret;

	if (directory == NULL) {
		return;
	}
	ret = uring_status_create(endpoint,
				  directory,
				  endpoint->context.settings->max_connections,
				  &endpoint->status);
	if (ret != 0) {
		quicd_log("cannot publish connections in %s: %s",
			  directory,
			  strerror(ret));
	}
}

struct quicd_endpoint *quicd_endpoint_create(TALLOC_CTX *mem_ctx,
					     struct tevent_context *ev,
					     const struct quicd_shared *shared,
					     uint32_t worker,
					     struct quicd_settings *settings,
					     struct quicd_tls *tls,
					     const char *status)
{
	struct quicd_endpoint *endpoint = talloc_zero(mem_ctx,
						      struct quicd_endpoint);
	struct quicd_context *context = NULL;

	if (endpoint == NULL) {
		quicd_log("out of memory");
		return NULL;
	}
	/* queues grow and shrink with each batch: do not trim the heap */
	(void)mallopt(M_TRIM_THRESHOLD, QUICD_KEPT_MEMORY);
	context = &endpoint->context;
	context->ev = ev;
	context->shared = shared;
	context->worker = worker;
	context->settings = talloc_steal(endpoint, settings);
	context->tls = tls;
	talloc_set_destructor(endpoint, quicd_endpoint_destructor);
	context->timers = quicd_timers_create(endpoint);
	context->cids = quicd_cids_create(endpoint);
	endpoint->close_waits = quicd_close_waits_create(endpoint,
							 context->timers,
							 QUICD_MAX_CLOSE_WAITS);
	if (context->timers == NULL || context->cids == NULL ||
	    endpoint->close_waits == NULL) {
		quicd_log("out of memory");
		talloc_free(endpoint);
		return NULL;
	}
	quicd_endpoint_publish(endpoint, status);
	quicd_endpoint_watch_addresses(endpoint);
	return endpoint;
}

void quicd_endpoint_open_qlogs(struct quicd_endpoint *endpoint)
{
	struct quicd_context *context = &endpoint->context;

	TALLOC_FREE(context->qlogs);
	context->qlogs = quicd_qlogs_open(endpoint, context->settings);
}

void quicd_endpoint_reload(struct quicd_endpoint *endpoint,
			   struct quicd_settings *settings,
			   struct quicd_tls *tls)
{
	struct quicd_context *context = &endpoint->context;

	talloc_free(context->settings);
	context->settings = talloc_steal(endpoint, settings);
	quicd_tls_release(context->tls);
	context->tls = tls;
	quicd_endpoint_open_qlogs(endpoint);
}

void quicd_endpoint_count(const struct quicd_endpoint *endpoint,
			  struct quicd_endpoint_counts *counts)
{
	memcpy(counts->conns, endpoint->context.conns, sizeof(counts->conns));
	counts->close_waits = quicd_close_waits_count(endpoint->close_waits);
	counts->cids = quicd_cids_count(endpoint->context.cids);
	counts->timers = quicd_timers_count(endpoint->context.timers);
}
