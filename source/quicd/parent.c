/* SPDX-License-Identifier: LGPL-3.0-or-later */
/*
 * The life of the parent: it prepares what all workers share, and then starts
 * and replaces them until a signal ends it.  It never looks at a datagram.
 */

#include "config.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include "control.h"
#include "message.h"
#include "parent_internal.h"
#include "service.h"
#include "util/clock.h"
#include "worker.h"

/* How often we tell systemd our status, if it is there. */
#define PARENT_STATUS (10 * CLOCK_NS_PER_S)

/* In the new process; never returns. */
static void parent_become_worker(void *private_data,
				 uint32_t number,
				 pid_t parent_pid,
				 int fd)
{
	struct quicd_parent *parent = private_data;
	struct quicd_worker_start start = {
		.shared = &parent->shared,
		.number = number,
		.settings = parent->in_force.settings,
		.tls = parent->in_force.tls,
		.parent = fd,
		.parent_pid = parent_pid,
		.rights = &parent->rights,
		.listeners = parent->listeners,
	};

	close(parent->signals);
	if (parent->control >= 0) {
		close(parent->control);
	}
	quicd_listeners_keep(parent->listeners, number);
	quicd_worker_main(parent, &start);
}

static bool parent_signals(struct quicd_parent *parent)
{
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, SIGCHLD);
	sigaddset(&set, SIGHUP);
	sigaddset(&set, SIGTERM);
	sigaddset(&set, SIGINT);
	sigprocmask(SIG_BLOCK, &set, NULL);
	parent->signals = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
	if (parent->signals < 0) {
		quicd_log_at(QUICD_LOG_ERROR, "signalfd: %s", strerror(errno));
		return false;
	}
	return true;
}

static void parent_signal(struct quicd_parent *parent)
{
	struct signalfd_siginfo info;

	if (read(parent->signals, &info, sizeof(info)) != sizeof(info)) {
		return;
	}
	switch (info.ssi_signo) {
	case SIGCHLD:
		quicd_workers_reap(parent->workers, parent->stopping);
		break;
	case SIGHUP:
		if (!parent->stopping) {
			quicd_parent_hup(parent);
		}
		/* one of testparm's SIGCHLD may stand for a worker's */
		quicd_workers_reap(parent->workers, parent->stopping);
		break;
	default:
		parent->end = true;
		break;
	}
}

/* Do what is due; the milliseconds until there is more to do, or -1. */
static int parent_timers(struct quicd_parent *parent)
{
	uint64_t wait = quicd_workers_start(parent->workers);
	const uint64_t expiry = quicd_parent_check_expiry(parent);
	const uint64_t watch = quicd_parent_watch(parent);

	if (expiry < wait) {
		wait = expiry;
	}
	if (watch < wait) {
		wait = watch;
	}
	if (getenv("NOTIFY_SOCKET") != NULL && wait > PARENT_STATUS) {
		wait = PARENT_STATUS;
	}
	return wait == UINT64_MAX ? -1 : (int)(wait / CLOCK_NS_PER_MS) + 1;
}

/* The workers wait for busy connections; a second signal ends them at once. */
static void parent_stop(struct quicd_parent *parent)
{
	const struct quicd_message end = {.what = 'E'};
	struct pollfd polled = {.fd = parent->signals, .events = POLLIN};

	quicd_notify("STOPPING=1");
	quicd_workers_stop(parent->workers);
	parent->stopping = true;
	parent->end = false;
	while (quicd_workers_left(parent->workers)) {
		(void)poll(&polled, 1, -1);
		parent_signal(parent);
		if (parent->end) {
			quicd_workers_tell(parent->workers, end, -1);
			parent->end = false;
		}
	}
}

static struct pollfd parent_readable(int fd)
{
	return (struct pollfd){
		.fd = fd,
		.events = POLLIN,
	};
}

/* Handle a signal, or a request, or what workers say. */
static void parent_wait(struct quicd_parent *parent)
{
	const uint32_t workers = parent->shared.workers;
	const int timeout = parent_timers(parent);
	struct pollfd *polled = parent->polled;
	uint32_t i;

	for (i = 0; i < workers; i++) {
		polled[i] = parent_readable(
			quicd_workers_fd(parent->workers, i));
	}
	polled[workers] = parent_readable(parent->control);
	polled[workers + 1] = parent_readable(parent->signals);
	if (poll(polled, workers + 2, timeout) <= 0) {
		quicd_parent_notify_status(parent);
		return;
	}
	if (polled[workers + 1].revents != 0) {
		parent_signal(parent);
		return;
	}
	if (polled[workers].revents != 0) {
		quicd_parent_control(parent);
		return;
	}
	for (i = 0; i < workers; i++) {
		if (polled[i].revents != 0) {
			quicd_workers_hear(parent->workers, i);
		}
	}
}

static void parent_serve(struct quicd_parent *parent)
{
	(void)parent_timers(parent); /* starts all workers */
	quicd_notify("READY=1");
	while (!parent->end) {
		parent_wait(parent);
	}
	parent_stop(parent);
	if (parent->control >= 0) {
		quicd_control_remove();
	}
}

static bool parent_prepare(struct quicd_parent *parent)
{
	struct quicd_shared *shared = &parent->shared;
	const struct quicd_settings *settings = parent->in_force.settings;
	int error;

	shared->workers = settings->workers;
	shared->limits = quicd_limits_create(parent, settings->max_connections);
	shared->counters = quicd_counters_create(
		parent, quicd_runtime_directory(), &error);
	if (shared->counters != NULL) {
		shared->budget = quicd_budget_create(
			parent,
			shared->workers,
			quicd_settings_memory(settings),
			quicd_counters_memory(shared->counters));
	}
	parent->workers = quicd_workers_create(parent,
					       shared,
					       parent_become_worker,
					       quicd_parent_drained,
					       parent);
	parent->polled = talloc_array(parent,
				      struct pollfd,
				      shared->workers + 2);
	if (shared->limits == NULL || shared->budget == NULL ||
	    parent->workers == NULL || parent->polled == NULL)
	{
		quicd_log_at(QUICD_LOG_ERROR,
			     "no memory for %u connections",
			     settings->max_connections);
		return false;
	}
	if (error != 0) {
		quicd_log_at(QUICD_LOG_WARNING,
			     "cannot publish counters in %s: %s",
			     quicd_runtime_directory(),
			     strerror(error));
	}
	quicd_parent_publish_certificates(parent);
	quicd_secrets_random(&shared->secrets);
	parent->control = quicd_control_listen();
	return true;
}

static bool parent_begin(struct quicd_parent *parent)
{
	/* whoever reads "listening" may send a signal at once */
	return quicd_rights_find(&parent->rights) &&
	       quicd_parent_load(parent) && parent_signals(parent) &&
	       quicd_parent_listen(parent) && parent_prepare(parent);
}

/*
 * A connection needs a descriptor.  The usual soft limit of 1024 is for
 * programs that call select(2), and a worker may have more connections.
 */
static void parent_allow_descriptors(void)
{
	struct rlimit limit;

	if (getrlimit(RLIMIT_NOFILE, &limit) == 0) {
		limit.rlim_cur = limit.rlim_max;
		(void)setrlimit(RLIMIT_NOFILE, &limit);
	}
}

int quicd_parent_run(const char *config, bool prepared)
{
	struct quicd_parent *parent = talloc_zero(NULL, struct quicd_parent);
	int ret = 1;

	if (parent == NULL) {
		return 1;
	}
	parent->config = config;
	parent->prepared = prepared;
	parent_allow_descriptors();
	quicd_parent_watch_begin(parent);
	if (parent_begin(parent)) {
		parent_serve(parent);
		ret = 0;
	}
	quicd_configuration_release(&parent->in_force);
	talloc_free(parent);
	return ret;
}
