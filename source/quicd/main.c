/* SPDX-License-Identifier: LGPL-3.0-or-later */
/*
 * smbd-quicd: SMB over QUIC for any smbd.
 *
 * The parent reads smb.conf, opens the sockets and forks the workers; it
 * never looks at a datagram.  A worker that dies is replaced, with the same
 * sockets.  SIGHUP makes all of them read smb.conf and the certificates
 * again; if there is anything wrong the old ones stay.
 *
 * README.md says what is in the other files.
 *
 * What a worker publishes of its connections is in a directory of its own, as
 * smbd-quicd need not be root, and smbd's is root's.
 */

#include "config.h"

#include <errno.h>
#include <gnutls/crypto.h>
#include <popt.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "endpoint.h"
#include "relay.h"
#include "smbd_uring_backend.h"

/* A worker that does not live longer is not replaced at once. */
#define QUICD_RESTART_SECONDS 1

struct quicd_worker {
	pid_t pid;
	uint64_t started;
};

struct quicd_daemon {
	const char *config; /* or NULL: Samba's own */
	struct quicd_settings *settings;
	struct quicd_tls *tls;
	struct quicd_shared shared;
	size_t num_listen;
	int *fds; /* of the first address for all workers, and so on */
	struct quicd_worker *workers;
};

static void quicd_worker_term(struct tevent_context *ev,
			      struct tevent_signal *se,
			      int sig,
			      int count,
			      void *info,
			      void *private_data)
{
	bool *end = private_data;

	*end = true;
}

struct quicd_reload {
	const struct quicd_daemon *daemon;
	struct quicd_endpoint *endpoint;
};

static bool quicd_load(TALLOC_CTX *mem_ctx,
		       const char *config,
		       struct quicd_settings **settings,
		       struct quicd_tls **tls)
{
	*settings = quicd_settings_load(mem_ctx, config);
	if (*settings == NULL) {
		return false;
	}
	*tls = quicd_relay_possible(*settings) ? quicd_tls_load(*settings)
					      : NULL;
	if (*tls == NULL) {
		TALLOC_FREE(*settings);
		return false;
	}
	return true;
}

static void quicd_worker_hup(struct tevent_context *ev,
			     struct tevent_signal *se,
			     int sig,
			     int count,
			     void *info,
			     void *private_data)
{
	struct quicd_reload *reload = private_data;
	struct quicd_settings *settings = NULL;
	struct quicd_tls *tls = NULL;

	if (!quicd_load(reload->endpoint,
			reload->daemon->config,
			&settings,
			&tls))
	{
		return; /* the parent says that the old ones stay */
	}
	quicd_endpoint_reload(reload->endpoint, settings, tls);
}

static struct tevent_context *quicd_worker_loop(TALLOC_CTX *mem_ctx,
						const char *backend)
{
	struct tevent_context *ev = NULL;

	ev = tevent_context_init_byname(mem_ctx, backend);
	if (ev == NULL) {
		quicd_log("the tevent backend %s does not work", backend);
		ev = tevent_context_init(mem_ctx);
	}
	return ev;
}

/* Of the service manager, or where its unit has it. */
static const char *quicd_status_directory(void)
{
	const char *directory = getenv("RUNTIME_DIRECTORY");

	return directory != NULL ? directory : "/run/smbd-quicd";
}

/* Never returns. */
static void quicd_worker_main(struct quicd_daemon *daemon,
			      uint32_t number,
			      pid_t parent)
{
	const uint32_t workers = daemon->shared.workers;
	struct quicd_reload reload = {.daemon = daemon};
	struct quicd_endpoint *endpoint = NULL;
	struct tevent_context *ev = NULL;
	bool end = false;
	sigset_t none;
	size_t i;

	prctl(PR_SET_PDEATHSIG, SIGTERM);
	if (getppid() != parent) {
		_exit(0);
	}
	ev = quicd_worker_loop(daemon, daemon->settings->backend);
	if (ev == NULL) {
		quicd_log("no event loop");
		_exit(1);
	}
	endpoint = quicd_endpoint_create(daemon,
					 ev,
					 &daemon->shared,
					 number,
					 daemon->settings,
					 daemon->tls,
					 quicd_status_directory());
	reload.endpoint = endpoint;
	if (endpoint == NULL ||
	    tevent_add_signal(
		    ev, ev, SIGTERM, 0, quicd_worker_term, &end) == NULL ||
	    tevent_add_signal(
		    ev, ev, SIGHUP, 0, quicd_worker_hup, &reload) == NULL)
	{
		quicd_log("no memory");
		_exit(1);
	}
	for (i = 0; i < daemon->num_listen * workers; i++) {
		if (i % workers != number) {
			close(daemon->fds[i]);
		} else if (quicd_endpoint_add_socket(
				   endpoint, daemon->fds[i]) == NULL)
		{
			quicd_log("no memory");
			_exit(1);
		}
	}
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
	while (!end) {
		if (tevent_loop_once(ev) != 0) {
			quicd_log("the event loop has failed: %s",
				  strerror(errno));
			_exit(1);
		}
	}
	quicd_endpoint_close_all(endpoint, "smbd-quicd is shutting down");
	talloc_free(daemon); /* for those who look for leaks */
	exit(0);
}

static bool quicd_worker_start(struct quicd_daemon *daemon, uint32_t number)
{
	struct quicd_worker *worker = &daemon->workers[number];
	const pid_t parent = getpid();

	worker->started = quicd_now();
	worker->pid = fork();
	if (worker->pid == 0) {
		quicd_worker_main(daemon, number, parent);
	}
	if (worker->pid < 0) {
		quicd_log("fork: %s", strerror(errno));
		return false;
	}
	return true;
}

static bool quicd_listen(struct quicd_daemon *daemon)
{
	const struct quicd_settings *settings = daemon->settings;
	const uint32_t workers = settings->workers;
	const size_t num = talloc_array_length(settings->listen);
	struct quicd_address_buf buf;
	size_t i;

	daemon->fds = talloc_array(daemon, int, num * workers);
	if (daemon->fds == NULL) {
		return false;
	}
	for (i = 0; i < num; i++) {
		const struct address *address = &settings->listen[i];
		const char *text = quicd_address_print(address, &buf);
		const int error = quicd_udp_open(
			address,
			workers,
			&daemon->fds[daemon->num_listen * workers]);

		if (error == EAFNOSUPPORT && num > 1) {
			quicd_log("not on %s: %s", text, strerror(error));
			continue;
		}
		if (error != 0) {
			quicd_log("smbd_uring:quic listen: %s: %s",
				  text,
				  strerror(error));
			return false;
		}
		daemon->num_listen++;
		quicd_log("listening on %s, %u workers", text, workers);
	}
	return daemon->num_listen > 0;
}

/* For the workers that are yet to come, and to say what has no effect. */
static void quicd_reload(struct quicd_daemon *daemon)
{
	struct quicd_settings *settings = NULL;
	struct quicd_tls *tls = NULL;
	const size_t len = talloc_get_size(daemon->settings->listen);

	if (!quicd_load(daemon, daemon->config, &settings, &tls)) {
		quicd_log("smb.conf and certificates stay as they were");
		return;
	}
	if (settings->workers != daemon->shared.workers ||
	    settings->backend != daemon->settings->backend ||
	    settings->max_connections > daemon->settings->max_connections ||
	    talloc_get_size(settings->listen) != len ||
	    memcmp(settings->listen, daemon->settings->listen, len) != 0)
	{
		quicd_log("addresses, workers, backend, and more connections "
			  "than before need a restart");
	}
	talloc_free(daemon->settings);
	daemon->settings = settings;
	quicd_tls_release(daemon->tls);
	daemon->tls = tls;
	quicd_log("smb.conf and certificates read again");
}

static void quicd_signal_workers(const struct quicd_daemon *daemon, int sig)
{
	uint32_t i;

	for (i = 0; i < daemon->shared.workers; i++) {
		if (daemon->workers[i].pid > 0) {
			kill(daemon->workers[i].pid, sig);
		}
	}
}

static bool quicd_replace_dead(struct quicd_daemon *daemon)
{
	int status;
	pid_t pid;
	uint32_t i;

	while ((pid = waitpid(-1, &status, WNOHANG)) > 0) {
		for (i = 0; i < daemon->shared.workers; i++) {
			struct quicd_worker *worker = &daemon->workers[i];

			if (worker->pid != pid) {
				continue;
			}
			quicd_log("worker %u (pid %d) has died: %s %d",
				  i,
				  (int)pid,
				  WIFSIGNALED(status) ? "signal" : "status",
				  WIFSIGNALED(status) ? WTERMSIG(status)
						      : WEXITSTATUS(status));
			quicd_limits_release_worker(daemon->shared.limits, i);
			if (quicd_now() - worker->started <
			    QUICD_RESTART_SECONDS * NGTCP2_SECONDS)
			{
				sleep(QUICD_RESTART_SECONDS);
			}
			if (!quicd_worker_start(daemon, i)) {
				return false;
			}
		}
	}
	return true;
}

static int quicd_parent(struct quicd_daemon *daemon)
{
	sigset_t set;
	uint32_t i;
	int sig;

	sigemptyset(&set);
	sigaddset(&set, SIGCHLD);
	sigaddset(&set, SIGHUP);
	sigaddset(&set, SIGTERM);
	sigaddset(&set, SIGINT);
	sigprocmask(SIG_BLOCK, &set, NULL);

	for (i = 0; i < daemon->shared.workers; i++) {
		if (!quicd_worker_start(daemon, i)) {
			quicd_signal_workers(daemon, SIGTERM);
			return 1;
		}
	}
	while (true) {
		sig = sigwaitinfo(&set, NULL);
		if (sig == SIGHUP) {
			quicd_signal_workers(daemon, SIGHUP);
			quicd_reload(daemon);
		} else if (sig == SIGCHLD && !quicd_replace_dead(daemon)) {
			quicd_signal_workers(daemon, SIGTERM);
			return 1;
		} else if (sig == SIGTERM || sig == SIGINT) {
			break;
		}
	}
	quicd_signal_workers(daemon, SIGTERM);
	while (waitpid(-1, NULL, 0) > 0 || errno == EINTR) {
		;
	}
	return 0;
}

static int quicd_run(const char *config)
{
	struct quicd_daemon *daemon = talloc_zero(NULL, struct quicd_daemon);
	int ret = 1;

	if (daemon == NULL) {
		return 1;
	}
	daemon->config = config;
	if (quicd_load(daemon, config, &daemon->settings, &daemon->tls) &&
	    quicd_listen(daemon))
	{
		daemon->shared.workers = daemon->settings->workers;
		daemon->shared.limits = quicd_limits_create(
			daemon, daemon->settings->max_connections);
		daemon->workers = talloc_zero_array(
			daemon, struct quicd_worker, daemon->shared.workers);
		if (daemon->shared.limits == NULL || daemon->workers == NULL) {
			quicd_log("no memory for %u connections",
				  daemon->settings->max_connections);
		} else if (gnutls_rnd(GNUTLS_RND_KEY,
				      daemon->shared.secret,
				      sizeof(daemon->shared.secret)) != 0)
		{
			quicd_log("no random numbers");
		} else {
			ret = quicd_parent(daemon);
		}
	}
	if (daemon->tls != NULL) {
		quicd_tls_release(daemon->tls);
	}
	talloc_free(daemon);
	return ret;
}

int main(int argc, const char **argv)
{
	char *config = NULL;
	const struct poptOption options[] = {
		{"configfile", 's', POPT_ARG_STRING, &config, 0,
		 "read this smb.conf", "FILE"},
		{"version", 'V', POPT_ARG_NONE, NULL, 'V', "print the version",
		 NULL},
		POPT_AUTOHELP
		POPT_TABLEEND
	};
	poptContext popt;
	int ret;

	popt = poptGetContext("smbd-quicd", argc, argv, options, 0);
	while ((ret = poptGetNextOpt(popt)) > 0) {
		if (ret == 'V') {
			printf("%s\n", SMBD_URING_VERSION);
			poptFreeContext(popt);
			return 0;
		}
	}
	if (ret < -1 || poptPeekArg(popt) != NULL) {
		fprintf(stderr,
			"smbd-quicd: %s: %s\n",
			ret < -1 ? poptBadOption(popt, 0) : poptPeekArg(popt),
			ret < -1 ? poptStrerror(ret) : "no argument expected");
		poptFreeContext(popt);
		return 2;
	}
	poptFreeContext(popt);

	if (!smbd_uring_backend_register()) {
		quicd_log("tevent has no epoll");
		return 1;
	}
	ret = quicd_run(config);
	free(config);
	return ret;
}
