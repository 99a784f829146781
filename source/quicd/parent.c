/* SPDX-License-Identifier: LGPL-3.0-or-later */
/*
 * The parent: sockets, workers, reloads.
 *
 * It never looks at a datagram.  A worker that dies is replaced, with the same
 * sockets and with the settings that are in force.  New settings are parsed
 * here first, then by each worker, and are used by all of them or by none.
 */

#include "config.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/signalfd.h>
#include <sys/wait.h>
#include <unistd.h>

#include "handover.h"
#include "parent.h"
#include "reading.h"
#include "relay.h"
#include "rights.h"
#include "tls.h"
#include "udp.h"
#include "util/clock.h"
#include "worker.h"

/* A worker that does not live longer is not replaced at once. */
#define PARENT_RESTART CLOCK_NS_PER_S

/* How often systemd is told, if it is there. */
#define PARENT_STATUS (10 * CLOCK_NS_PER_S)

/* A worker that does not answer by then keeps what it has, as all do. */
#define PARENT_ANSWER (10 * CLOCK_NS_PER_S)

struct parent_worker {
	pid_t pid; /* 0: to be started */
	int fd;	   /* the socket to it */
	uint64_t started;
	uint64_t start_at;
};

struct quicd_parent {
	const char *config;
	bool prepared;
	struct quicd_settings *settings;
	struct quicd_tls *tls;
	struct quicd_shared shared;
	struct quicd_rights rights; /* of the workers */
	size_t num_listen;
	int *fds; /* of the first address for all workers, and so on */
	struct parent_worker *workers;
	int signals;
	int control;
	uint32_t reloads;
	time_t expires; /* 0: nothing that is not known */
	const char *expires_what;
	bool end;      /* a signal has said so */
	bool stopping; /* the workers were told */
};

/* For smbd-uring. */
static void parent_publish_certificates(const struct quicd_parent *parent)
{
	struct quicd_counters_certificate all[QUICD_COUNTERS_CERTIFICATES] = {};
	size_t num = parent->settings->num_pairs;
	size_t i;

	if (num > QUICD_COUNTERS_CERTIFICATES) {
		num = QUICD_COUNTERS_CERTIFICATES;
	}
	for (i = 0; i < num; i++) {
		const struct quicd_pair *pair = &parent->settings->pairs[i];
		const char *source = pair->certificate.source;
		const char *file = strstr(source, " = ");

		all[i].ends = quicd_tls_certificate_ends(parent->tls, i);
		(void)snprintf(all[i].name,
			       sizeof(all[i].name),
			       "%s",
			       file != NULL ? file + 3 : source);
	}
	quicd_counters_certificates(parent->shared.counters, all, num);
}

static void parent_note_expiry(struct quicd_parent *parent)
{
	parent->expires = quicd_tls_expires(parent->tls, &parent->expires_what);
}

/* Parse a bundle, with what only this process can check. */
static bool parent_parse(TALLOC_CTX *mem_ctx,
			 const struct quicd_bundle *bundle,
			 struct quicd_settings **settings,
			 struct quicd_tls **tls)
{
	struct quicd_report report = {.errors_only = true};

	*tls = NULL;
	*settings = quicd_settings_parse(mem_ctx, &report, bundle);
	if (*settings == NULL) {
		return false;
	}
	if (quicd_relay_possible(*settings)) {
		*tls = quicd_tls_load(&report, *settings);
	}
	if (*tls == NULL) {
		TALLOC_FREE(*settings);
		return false;
	}
	return true;
}

static bool parent_begin(struct quicd_parent *parent)
{
	struct quicd_report report = {};
	struct quicd_bundle *bundle = NULL;
	bool good;

	if (parent->prepared) {
		bundle = quicd_handover_take(parent, &report);
	} else {
		bundle = quicd_reading(
			parent, &report, parent->config, true);
	}
	good = bundle != NULL &&
	       parent_parse(parent, bundle, &parent->settings, &parent->tls);
	talloc_free(bundle);
	if (good) {
		parent_note_expiry(parent);
	}
	return good;
}

/* In the new process; never returns. */
static void parent_become_worker(struct quicd_parent *parent,
				 uint32_t number,
				 pid_t pid,
				 int fd)
{
	const uint32_t workers = parent->shared.workers;
	struct quicd_worker_start start = {
		.shared = &parent->shared,
		.number = number,
		.settings = parent->settings,
		.tls = parent->tls,
		.parent = fd,
		.parent_pid = pid,
		.rights = &parent->rights,
	};
	int *fds = talloc_array(parent, int, parent->num_listen);
	size_t i;

	if (fds == NULL) {
		_exit(1);
	}
	close(parent->signals);
	if (parent->control >= 0) {
		close(parent->control);
	}
	for (i = 0; i < workers; i++) {
		if (parent->workers[i].fd >= 0) {
			close(parent->workers[i].fd);
		}
	}
	for (i = 0; i < parent->num_listen * workers; i++) {
		if (i % workers == number) {
			fds[start.num_fds] = parent->fds[i];
			start.num_fds++;
		} else {
			close(parent->fds[i]);
		}
	}
	start.fds = fds;
	quicd_worker_main(parent, &start);
}

static bool parent_start_worker(struct quicd_parent *parent, uint32_t number)
{
	struct parent_worker *worker = &parent->workers[number];
	const pid_t pid = getpid();
	int fds[2];

	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, fds) != 0) {
		quicd_log_at(QUICD_LOG_ERROR,
			     "socketpair: %s",
			     strerror(errno));
		return false;
	}
	worker->started = clock_monotonic_ns();
	worker->pid = fork();
	if (worker->pid == 0) {
		close(fds[0]);
		parent_become_worker(parent, number, pid, fds[1]);
	}
	close(fds[1]);
	worker->fd = fds[0];
	if (worker->pid < 0) {
		quicd_log_at(QUICD_LOG_ERROR, "fork: %s", strerror(errno));
		close(worker->fd);
		worker->fd = -1;
		worker->pid = 0;
		return false;
	}
	return true;
}

static bool parent_listen(struct quicd_parent *parent)
{
	const struct quicd_settings *settings = parent->settings;
	const uint32_t workers = settings->workers;
	const size_t num = talloc_array_length(settings->listen);
	char text[ADDRESS_TEXT_SIZE];
	size_t i;

	parent->fds = talloc_array(parent, int, num *workers);
	if (parent->fds == NULL) {
		return false;
	}
	for (i = 0; i < num; i++) {
		const struct address *address = &settings->listen[i];
		const int error = quicd_udp_open(
			address,
			workers,
			&parent->fds[parent->num_listen * workers]);

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
		parent->num_listen++;
		quicd_log("listening on %s, %u workers", text, workers);
	}
	return parent->num_listen > 0;
}

static void parent_tell_workers(const struct quicd_parent *parent,
				uint32_t what,
				int fd)
{
	const struct quicd_message message = {
		.what = what,
		.number = parent->reloads,
	};
	uint32_t i;

	for (i = 0; i < parent->shared.workers; i++) {
		if (parent->workers[i].pid > 0) {
			(void)quicd_handover_send(parent->workers[i].fd,
						  message,
						  fd);
		}
	}
}

/* A worker that has died is not reaped here. */
static bool parent_worker_lives(const struct parent_worker *worker)
{
	siginfo_t info = {};

	return waitid(P_PID,
		      (id_t)worker->pid,
		      &info,
		      WEXITED | WNOHANG | WNOWAIT) == 0 &&
	       info.si_pid == 0;
}

/*
 * Whether all workers can use what they were sent.
 *
 * One that has died has no say: its successor begins with what is in force
 * then.
 */
static bool parent_workers_agree(const struct quicd_parent *parent)
{
	const uint64_t deadline = clock_monotonic_ns() + PARENT_ANSWER;
	bool agree = true;
	uint32_t i;

	for (i = 0; i < parent->shared.workers; i++) {
		const struct parent_worker *worker = &parent->workers[i];
		struct quicd_message answer;
		int fd = -1;

		if (worker->pid == 0) {
			continue;
		}
		do { /* what comes late for an earlier one does not count */
			answer = quicd_handover_recv(worker->fd, &fd, deadline);
			if (fd >= 0) {
				close(fd);
			}
		} while (answer.what != 0 && answer.number != parent->reloads);
		if (answer.what != 'Y' && parent_worker_lives(worker)) {
			quicd_log_at(QUICD_LOG_ERROR,
				     "worker %u cannot use the new settings%s",
				     i,
				     answer.what == 0 ? ": no answer" : "");
			agree = false;
		}
	}
	return agree;
}

static void parent_say_restart(const struct quicd_parent *parent,
			       const struct quicd_settings *settings)
{
	const size_t len = talloc_get_size(parent->settings->listen);

	if (settings->workers != parent->shared.workers ||
	    settings->max_connections > parent->settings->max_connections ||
	    talloc_get_size(settings->listen) != len ||
	    memcmp(settings->listen, parent->settings->listen, len) != 0)
	{
		quicd_log_at(QUICD_LOG_WARNING,
			     "addresses, workers, and more connections than "
			     "before need a restart");
	}
}

static bool parent_reload_fd(struct quicd_parent *parent, int fd)
{
	struct quicd_bundle *bundle = quicd_bundle_load(parent, fd);
	struct quicd_settings *settings = NULL;
	struct quicd_tls *tls = NULL;
	bool good;

	good = bundle != NULL && parent_parse(parent, bundle, &settings, &tls);
	talloc_free(bundle);
	if (!good) {
		return false;
	}
	parent->reloads++;
	parent_tell_workers(parent, 'P', fd);
	if (!parent_workers_agree(parent)) {
		parent_tell_workers(parent, 'A', -1);
		talloc_free(settings);
		quicd_tls_release(tls);
		return false;
	}
	parent_tell_workers(parent, 'C', -1);
	parent_say_restart(parent, settings);
	quicd_budget_set(parent->shared.budget,
			 quicd_settings_memory(settings));
	talloc_free(parent->settings);
	parent->settings = settings;
	quicd_tls_release(parent->tls);
	parent->tls = tls;
	parent_note_expiry(parent);
	parent_publish_certificates(parent);
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

/* SIGHUP: read with our own rights. */
static void parent_hup(struct quicd_parent *parent)
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

/* smbd-quicd --reload, which has read with the rights of root. */
static void parent_control(struct quicd_parent *parent)
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
	(void)quicd_handover_send(sock, answer, -1);
	close(sock);
	close(fd);
}

static void parent_say_death(uint32_t number, pid_t pid, int status)
{
	quicd_log_at(QUICD_LOG_ERROR,
		     "worker %u (pid %d) has died: %s %d",
		     number,
		     (int)pid,
		     WIFSIGNALED(status) ? "signal" : "status",
		     WIFSIGNALED(status) ? WTERMSIG(status)
					 : WEXITSTATUS(status));
}

static void parent_reap(struct quicd_parent *parent)
{
	int status;
	pid_t pid;
	uint32_t i;

	while ((pid = waitpid(-1, &status, WNOHANG)) > 0) {
		for (i = 0; i < parent->shared.workers; i++) {
			struct parent_worker *worker = &parent->workers[i];

			if (worker->pid != pid) {
				continue;
			}
			if (!parent->stopping || status != 0) {
				parent_say_death(i, pid, status);
			}
			quicd_limits_release_worker(parent->shared.limits, i);
			quicd_budget_release_worker(parent->shared.budget, i);
			close(worker->fd);
			worker->fd = -1;
			worker->pid = 0;
			worker->start_at = worker->started + PARENT_RESTART;
		}
	}
}

static void parent_signal(struct quicd_parent *parent)
{
	struct signalfd_siginfo info;

	if (read(parent->signals, &info, sizeof(info)) != sizeof(info)) {
		return;
	}
	switch (info.ssi_signo) {
	case SIGCHLD:
		parent_reap(parent);
		break;
	case SIGHUP:
		if (!parent->stopping) {
			parent_hup(parent);
		}
		/* one of testparm's SIGCHLD may stand for a worker's */
		parent_reap(parent);
		break;
	default:
		parent->end = true;
		break;
	}
}

/* For systemctl status. */
static void parent_notify_status(struct quicd_parent *parent)
{
	const struct quicd_shared *shared = &parent->shared;
	char *counters = quicd_counters_print(parent, shared->counters);
	char *line = NULL;

	if (counters != NULL) {
		line = talloc_asprintf(
			counters,
			"STATUS=%u connections, %llu of %llu MiB in use%s",
			quicd_limits_used(shared->limits),
			(unsigned long long)(quicd_budget_used(shared->budget) >>
					     20),
			(unsigned long long)(quicd_settings_memory(
						     parent->settings) >>
					     20),
			counters);
	}
	if (line != NULL && parent->expires != 0) {
		line = talloc_asprintf_append(
			line,
			"; %s ends in %lld days",
			parent->expires_what,
			(long long)(parent->expires - time(NULL)) / 86400);
	}
	if (line != NULL) {
		quicd_notify(line);
	}
	talloc_free(counters);
}

/* Start who is missing; the milliseconds until there is more to do, or -1. */
static int parent_timers(struct quicd_parent *parent)
{
	const uint64_t now = clock_monotonic_ns();
	const time_t wall = time(NULL);
	uint64_t wait = UINT64_MAX;
	uint32_t i;

	for (i = 0; i < parent->shared.workers; i++) {
		struct parent_worker *worker = &parent->workers[i];

		if (worker->pid == 0 && worker->start_at <= now &&
		    !parent_start_worker(parent, i))
		{
			worker->start_at = now + PARENT_RESTART;
		}
		if (worker->pid == 0 && worker->start_at - now < wait) {
			wait = worker->start_at - now;
		}
	}
	if (parent->expires != 0 && parent->expires <= wall) {
		quicd_log_at(QUICD_LOG_ERROR,
			     "%s has expired: clients will be refused",
			     parent->expires_what);
		parent_note_expiry(parent);
	}
	/* the wall clock may be set, and poll() takes no more than 24 days */
	if (parent->expires != 0 && wait > 3600 * CLOCK_NS_PER_S) {
		wait = 3600 * CLOCK_NS_PER_S;
	}
	if (parent->expires != 0 &&
	    (uint64_t)(parent->expires - wall) * CLOCK_NS_PER_S < wait)
	{
		wait = (uint64_t)(parent->expires - wall) * CLOCK_NS_PER_S;
	}
	if (getenv("NOTIFY_SOCKET") != NULL && wait > PARENT_STATUS) {
		wait = PARENT_STATUS;
	}
	return wait == UINT64_MAX ? -1 : (int)(wait / CLOCK_NS_PER_MS) + 1;
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

static bool parent_has_workers(const struct quicd_parent *parent)
{
	uint32_t i;

	for (i = 0; i < parent->shared.workers; i++) {
		if (parent->workers[i].pid > 0) {
			return true;
		}
	}
	return false;
}

/* The workers wait for busy connections; a second signal ends them at once. */
static void parent_stop(struct quicd_parent *parent)
{
	struct pollfd polled = {.fd = parent->signals, .events = POLLIN};
	uint32_t i;

	quicd_notify("STOPPING=1");
	for (i = 0; i < parent->shared.workers; i++) {
		if (parent->workers[i].pid > 0) {
			kill(parent->workers[i].pid, SIGTERM);
		}
	}
	parent->stopping = true;
	parent->end = false;
	while (parent_has_workers(parent)) {
		(void)poll(&polled, 1, -1);
		parent_signal(parent);
		if (parent->end) {
			parent_tell_workers(parent, 'E', -1);
			parent->end = false;
		}
	}
}

static void parent_serve(struct quicd_parent *parent)
{
	(void)parent_timers(parent); /* starts all workers */
	quicd_notify("READY=1");
	while (!parent->end) {
		struct pollfd polled[] = {
			{.fd = parent->signals, .events = POLLIN},
			{.fd = parent->control, .events = POLLIN},
		};

		if (poll(polled, 2, parent_timers(parent)) <= 0) {
			parent_notify_status(parent);
			continue;
		}
		if (polled[0].revents != 0) {
			parent_signal(parent);
		} else if (polled[1].revents != 0) {
			parent_control(parent);
		}
	}
	parent_stop(parent);
	if (parent->control >= 0) {
		quicd_control_remove();
	}
}

static bool parent_prepare(struct quicd_parent *parent)
{
	struct quicd_shared *shared = &parent->shared;
	int error;
	uint32_t i;

	shared->workers = parent->settings->workers;
	shared->limits = quicd_limits_create(parent,
					     parent->settings->max_connections);
	shared->counters = quicd_counters_create(
		parent, quicd_runtime_directory(), &error);
	if (shared->counters != NULL) {
		shared->budget = quicd_budget_create(
			parent,
			shared->workers,
			quicd_settings_memory(parent->settings),
			quicd_counters_memory(shared->counters));
	}
	parent->workers = talloc_zero_array(parent,
					    struct parent_worker,
					    shared->workers);
	if (shared->limits == NULL || shared->budget == NULL ||
	    parent->workers == NULL)
	{
		quicd_log_at(QUICD_LOG_ERROR,
			     "no memory for %u connections",
			     parent->settings->max_connections);
		return false;
	}
	if (error != 0) {
		quicd_log_at(QUICD_LOG_WARNING,
			     "cannot publish counters in %s: %s",
			     quicd_runtime_directory(),
			     strerror(error));
	}
	parent_publish_certificates(parent);
	for (i = 0; i < shared->workers; i++) {
		parent->workers[i].fd = -1;
	}
	quicd_secrets_random(&shared->secrets);
	parent->control = quicd_control_listen();
	return true;
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
	/* whoever reads "listening" may send a signal at once */
	if (quicd_rights_find(&parent->rights) && parent_begin(parent) &&
	    parent_signals(parent) && parent_listen(parent) &&
	    parent_prepare(parent)) {
		parent_serve(parent);
		ret = 0;
	}
	if (parent->tls != NULL) {
		quicd_tls_release(parent->tls);
	}
	talloc_free(parent);
	return ret;
}
