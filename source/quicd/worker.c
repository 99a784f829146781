/* SPDX-License-Identifier: LGPL-3.0-or-later */
/*
 * A worker: the process that serves connections.
 *
 * The parent sends new settings first, and tells the workers to use them only
 * when all of them can.  So either all workers have the new settings, or none.
 */

#include "config.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <unistd.h>

#include "configuration.h"
#include "endpoint.h"
#include "message.h"
#include "service.h"
#include "worker.h"

#define WORKER_SHUTDOWN "smbd-quicd is shutting down"
#define WORKER_ADDRESS_GOES "smbd-quicd leaves this address"

struct quicd_worker_state {
	const struct quicd_worker_start *start;
	struct quicd_endpoint *endpoint;
	/* the parent has not decided yet whether to use it */
	struct quicd_configuration next;
	bool draining;
	bool end;
};

static void worker_drained(void *owner)
{
	struct quicd_worker_state *state = owner;

	state->end = true;
}

/* The sender is the parent, systemd, or the kernel when the parent dies. */
static void worker_term(struct tevent_context *ev,
			struct tevent_signal *se,
			int sig,
			int count,
			void *info,
			void *private_data)
{
	struct quicd_worker_state *state = private_data;

	if (state->draining) {
		return;
	}
	state->draining = true;
	quicd_endpoint_drain(
		state->endpoint, WORKER_SHUTDOWN, worker_drained, state);
}

static bool worker_prepare(struct quicd_worker_state *state, int fd)
{
	struct quicd_bundle *bundle = quicd_bundle_load(state->endpoint, fd);
	bool good;

	quicd_configuration_release(&state->next);
	good = bundle != NULL &&
	       quicd_configuration_load(state->endpoint, bundle, &state->next);
	talloc_free(bundle);
	return good;
}

static void worker_socket_drained(void *owner, uint32_t number)
{
	const struct quicd_worker_state *state = owner;
	const struct quicd_message message = {
		.what = 'D',
		.number = number,
	};

	(void)quicd_message_send(state->start->parent, message, -1);
}

static void worker_drain_socket(struct quicd_worker_state *state,
				uint32_t number)
{
	quicd_endpoint_drain_socket(state->endpoint,
				    number,
				    WORKER_ADDRESS_GOES,
				    worker_socket_drained,
				    state);
}

static void worker_listen(struct quicd_worker_state *state,
			  uint32_t number,
			  int fd)
{
	if (fd < 0 ||
	    quicd_endpoint_add_socket(state->endpoint, number, fd) == NULL)
	{
		/* the successor has all of them */
		quicd_log_at(QUICD_LOG_ERROR,
			     "a worker cannot take a new socket");
		_exit(1);
	}
}

/* Handle a message about an address; false if it is another message. */
static bool worker_address(struct quicd_worker_state *state,
			   const struct quicd_message *message,
			   int *fd)
{
	switch (message->what) {
	case 'L':
		worker_listen(state, message->number, *fd);
		*fd = -1;
		return true;
	case 'G':
		worker_drain_socket(state, message->number);
		return true;
	case 'K':
		quicd_endpoint_keep_socket(state->endpoint, message->number);
		return true;
	case 'R':
		quicd_endpoint_remove_socket(state->endpoint,
					     message->number,
					     WORKER_ADDRESS_GOES);
		return true;
	default:
		return false;
	}
}

static void worker_parent(struct tevent_context *ev,
			  struct tevent_fd *fde,
			  uint16_t flags,
			  void *private_data)
{
	struct quicd_worker_state *state = private_data;
	int fd = -1;
	struct quicd_message message = quicd_message_recv(state->start->parent,
							  &fd,
							  UINT64_MAX);

	switch (message.what) {
	case 'P':
		message.what = fd >= 0 && worker_prepare(state, fd) ? 'Y' : 'N';
		(void)quicd_message_send(state->start->parent, message, -1);
		break;
	case 'C':
		if (state->next.settings != NULL) {
			quicd_endpoint_reload(state->endpoint,
					      state->next.settings,
					      state->next.tls);
			state->next = (struct quicd_configuration){};
		}
		break;
	case 'A':
		quicd_configuration_release(&state->next);
		break;
	case 'W': /* our loop runs */
		(void)quicd_message_send(state->start->parent, message, -1);
		break;
	default:
		if (worker_address(state, &message, &fd)) {
			break;
		}
		/* 'E'; or the parent is gone, and the next needs the ports */
		TALLOC_FREE(fde);
		state->end = true;
		break;
	}
	if (fd >= 0) {
		close(fd);
	}
}

static struct quicd_endpoint *worker_begin(struct tevent_context *ev,
					   struct quicd_worker_state *state)
{
	const struct quicd_worker_start *start = state->start;
	struct quicd_listener *listener = NULL;

	state->endpoint = quicd_endpoint_create(ev,
						ev,
						start->shared,
						start->number,
						start->settings,
						start->tls,
						quicd_runtime_directory());
	if (state->endpoint == NULL ||
	    tevent_add_signal(ev, ev, SIGTERM, 0, worker_term, state) == NULL ||
	    tevent_add_fd(ev,
			  ev,
			  start->parent,
			  TEVENT_FD_READ,
			  worker_parent,
			  state) == NULL)
	{
		return NULL;
	}
	for (listener = start->listeners->list; listener != NULL;
	     listener = listener->next)
	{
		int *fd = &listener->fds[start->number];

		if (*fd < 0) {
			continue;
		}
		if (quicd_endpoint_add_socket(
			    state->endpoint, listener->number, *fd) == NULL)
		{
			return NULL;
		}
		*fd = -1;
		/* a reload may want the address again */
		if (listener->state == QUICD_LISTENER_GOING) {
			worker_drain_socket(state, listener->number);
		}
	}
	/* all that needs root is open, and we have received nothing yet */
	if (!quicd_rights_drop(start->rights, start->settings->transparent)) {
		return NULL;
	}
	quicd_endpoint_open_qlogs(state->endpoint);
	return state->endpoint;
}

/* End with the parent; false if it is gone.  Call it after rights_drop(). */
static bool worker_follow(const struct quicd_worker_start *start)
{
	return prctl(PR_SET_PDEATHSIG, SIGTERM) == 0 &&
	       getppid() == start->parent_pid;
}

void quicd_worker_main(TALLOC_CTX *mem_ctx,
		       const struct quicd_worker_start *start)
{
	struct quicd_worker_state state = {.start = start};
	/* quicd_timers_loop_once() needs epoll_wait() */
	struct tevent_context *ev = tevent_context_init_byname(mem_ctx,
							       "epoll");
	sigset_t none;

	if (ev == NULL || worker_begin(ev, &state) == NULL) {
		quicd_log_at(QUICD_LOG_ERROR,
			     "a worker could not begin: %s",
			     strerror(errno));
		_exit(1);
	}
	if (!worker_follow(start)) {
		_exit(0);
	}
	/* whoever sends them to all processes means the parent */
	signal(SIGINT, SIG_IGN);
	signal(SIGHUP, SIG_IGN);
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
	while (!state.end) {
		if (quicd_endpoint_loop_once(state.endpoint) != 0) {
			quicd_log_at(QUICD_LOG_ERROR,
				     "the event loop has failed: %s",
				     strerror(errno));
			_exit(1);
		}
	}
	quicd_configuration_release(&state.next);
	quicd_endpoint_close_all(state.endpoint, WORKER_SHUTDOWN);
	talloc_free(ev); /* for leak checkers */
	talloc_free(mem_ctx);
	exit(0);
}
