/* SPDX-License-Identifier: LGPL-3.0-or-later */
/*
 * The drop-in for a distribution's smbd: preload it, and smb.conf decides.
 *
 * The constructor only registers the backend and makes it the default:
 * smbd has not read smb.conf then, and may be a process that has none (what
 * smbd executes inherits LD_PRELOAD).  When smbd creates its first event
 * context smb.conf is loaded, and the context either runs on io_uring or is
 * epoll's, untouched.
 *
 * A stock smbd has no hook for us, but everything passes by: its SMB
 * connections are descriptors that are added to the event context by a
 * handler whose name says so, and its own socket queries are calls of
 * getsockopt(), which is interposed here.
 *
 * lp_parm_const_string() and the debug functions are looked up at run time:
 * libsmbconf has the former under a version that fits every Samba, the
 * latter are private to one build.
 */

#include "config.h"

#include <arpa/inet.h>
#include <dlfcn.h>
#include <errno.h>
#include <inttypes.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

#include "smbd_uring_backend.h"
#include "transport/snapshot.h"
#include "transport/watch.h"

/* lib/util/debug.h: the class of everything else, and the lowest level */
#define SMBD_DBGC_ALL 0
#define SMBD_DBGLVL_ERR 0

/* lib/param/loadparm.h */
#define SMBD_GLOBAL_SECTION_SNUM (-1)

/* An SMB connection of this process. */
struct preload_connection {
	struct preload_connection *prev;
	struct preload_connection *next;
	struct tevent_fd *fde;
	struct uring_socket sock;
	char peer[INET6_ADDRSTRLEN + sizeof("[]:65535")];
	tevent_fd_close_fn_t close_fn;
	bool ended;
	struct tevent_req *sample;
};

static struct {
	const struct tevent_ops *uring_ops;
	const struct tevent_ops *epoll_ops;
	struct tevent_ops ops;

	/* smb.conf, as of the last context */
	bool use_backend;
	bool active;
	struct uring_watch_settings watch_settings;

	pid_t announced;
	struct preload_connection *connections;
	struct uring_watch *watch;

	/* the last connection that lost its fde and was not closed with it */
	int detached_fd;
	char detached_peer[sizeof(((struct preload_connection *)NULL)->peer)];

	/* smbd's own getsockopt() calls */
	struct {
		atomic_uint_fast64_t ring;
		atomic_uint_fast64_t syscall;
		atomic_uint_fast64_t tcp_info_ring;
		atomic_uint_fast64_t tcp_info_syscall;
	} own;
} preload;

static void preload_log(const char *line)
{
	static bool (*hdr)(int level,
			   int cls,
			   const char *location,
			   const char *func);
	static bool (*text)(const char *format, ...);

	if (hdr == NULL) {
		hdr = dlsym(RTLD_DEFAULT, "dbghdrclass");
		text = dlsym(RTLD_DEFAULT, "dbgtext");
	}
	if (hdr == NULL || text == NULL) {
		fprintf(stderr, "%s\n", line);
		return;
	}
	(void)hdr(SMBD_DBGLVL_ERR, SMBD_DBGC_ALL, __location__, __func__);
	(void)text("%s\n", line);
}

static void preload_log_talloc(char *line)
{
	if (line != NULL) {
		preload_log(line);
	}
	TALLOC_FREE(line);
}

/* The library does not know whose it is. */
static void preload_log_library(const char *line)
{
	preload_log_talloc(talloc_asprintf(NULL, "smbd_uring: %s", line));
}

static const char *preload_parm(const char *option, const char *def)
{
	static bool (*loaded)(void);
	static const char *(*parm)(int snum,
				   const char *type,
				   const char *option,
				   const char *def);

	if (loaded == NULL) {
		loaded = dlsym(RTLD_DEFAULT, "lp_loaded");
		parm = dlsym(RTLD_DEFAULT, "lp_parm_const_string");
	}
	if (loaded == NULL || parm == NULL || !loaded()) {
		return def;
	}
	return parm(SMBD_GLOBAL_SECTION_SNUM, "smbd_uring", option, def);
}

/* Once for a value, and not again in every child. */
static void preload_bad_value(bool *said,
			      const char *option,
			      const char *value,
			      const char *allowed,
			      const char *def)
{
	if (*said) {
		return;
	}
	*said = true;
	preload_log_talloc(talloc_asprintf(
		NULL,
		"smbd_uring: smbd_uring:%s = %s: unknown value, "
		"allowed: %s; using %s",
		option,
		value,
		allowed,
		def));
}

static void preload_configure_watch(struct uring_watch_settings *settings)
{
	static bool said[URING_WATCH_PARAMETERS];
	size_t i;

	*settings = (struct uring_watch_settings){};
	for (i = 0; i < URING_WATCH_PARAMETERS; i++) {
		const struct uring_watch_parameter *p =
			&uring_watch_parameters[i];
		const char *value = preload_parm(p->name, "0");

		if (!uring_watch_set(settings, i, value)) {
			preload_bad_value(
				&said[i], p->name, value, p->allowed, "0");
		}
	}
}

static void preload_configure(void)
{
	static bool said_backend;
	static bool said_sockopt;
	static bool said_epoll;
	const char *backend = preload_parm("backend", "epoll");
	const char *sockopt = preload_parm("sockopt", "syscall");
	enum uring_mode mode = URING_MODE_SYSCALL;

	preload.use_backend = strcasecmp(backend, "io_uring") == 0;
	if (!preload.use_backend && strcasecmp(backend, "epoll") != 0) {
		preload_bad_value(&said_backend,
				  "backend",
				  backend,
				  "epoll, io_uring",
				  "epoll");
	}

	if (!uring_mode_parse(sockopt, &mode)) {
		preload_bad_value(&said_sockopt,
				  "sockopt",
				  sockopt,
				  "syscall, auto, ring",
				  "syscall");
	}
	uring_set_mode(mode);

	preload_configure_watch(&preload.watch_settings);
	if (preload.watch_settings.interval != 0 && !preload.use_backend &&
	    !said_epoll)
	{
		said_epoll = true;
		preload_log("smbd_uring: smbd_uring:sample interval needs "
			    "smbd_uring:backend = io_uring; nothing is "
			    "sampled");
	}

	preload.active = preload.use_backend || mode != URING_MODE_SYSCALL;
	if (preload.active) {
		uring_set_log_fn(preload_log_library);
	}
}

/* A stock smbd that has loaded smb.conf again does not say so. */
static void preload_watch_settings(struct uring_watch_settings *settings,
				   void *private_data)
{
	preload_configure();
	*settings = preload.watch_settings;
}

static int preload_context_init(struct tevent_context *ev)
{
	preload_configure();

	if (preload.use_backend) {
		return preload.uring_ops->context_init(ev);
	}
	return preload.epoll_ops->context_init(ev);
}

static void preload_report(const struct preload_connection *conn,
			   const char *when,
			   const struct uring_snapshot *snapshot)
{
	char *values = uring_snapshot_string(NULL, snapshot);

	preload_log_talloc(talloc_asprintf(NULL,
					   "smbd_uring: transport when=%s "
					   "peer=%s %s",
					   when,
					   conn->peer,
					   values != NULL ? values : ""));
	TALLOC_FREE(values);
}

static void preload_report_queries(void)
{
	struct uring_counters c;
	char *line = NULL;
	int i;

	uring_counters_get(&c, sizeof(c));
	line = talloc_asprintf(NULL,
			       "smbd_uring: queries when=end ring=%" PRIu64
			       " syscall=%" PRIu64 " enters=%" PRIu64
			       " own_ring=%" PRIuFAST64
			       " own_syscall=%" PRIuFAST64
			       " own_tcp_info_ring=%" PRIuFAST64
			       " own_tcp_info_syscall=%" PRIuFAST64,
			       c.ring,
			       c.syscall,
			       c.enters,
			       atomic_load(&preload.own.ring),
			       atomic_load(&preload.own.syscall),
			       atomic_load(&preload.own.tcp_info_ring),
			       atomic_load(&preload.own.tcp_info_syscall));
	for (i = URING_REASON_NONE + 1; uring_reason_name(i) != NULL; i++) {
		line = talloc_asprintf_append_buffer(line,
						     " %s=%" PRIu64,
						     uring_reason_name(i),
						     uring_counters_reason(i));
	}
	preload_log_talloc(line);
}

static void preload_start_done(struct tevent_req *req)
{
	struct preload_connection *conn = tevent_req_callback_data(
		req, struct preload_connection);
	struct uring_snapshot snapshot;
	int ret;

	ret = uring_snapshot_recv(req, &snapshot);
	if (ret == 0) {
		preload_report(conn, "start", &snapshot);
	}
	conn->sample = NULL;
	talloc_free(req);
}

/*
 * The watch of this process, made with its first connection: smbd is root
 * then.
 */
static struct uring_watch *preload_watch(struct tevent_context *ev)
{
	char *(*lock_path)(TALLOC_CTX *mem_ctx, const char *name) = NULL;
	char *directory = NULL;

	if (preload.watch != NULL) {
		return preload.watch;
	}
	lock_path = dlsym(RTLD_DEFAULT, "lock_path");
	if (lock_path == NULL) {
		return NULL;
	}
	directory = lock_path(NULL, "smbd_uring");
	if (directory == NULL) {
		return NULL;
	}
	preload.watch = uring_watch_create(ev, ev, directory, preload_log);
	TALLOC_FREE(directory);
	if (preload.watch == NULL) {
		return NULL;
	}
	(void)uring_watch_add_share(preload.watch,
				    preload.watch,
				    "",
				    "",
				    preload_watch_settings,
				    NULL);
	return preload.watch;
}

static void preload_connection_end(struct preload_connection *conn)
{
	struct uring_snapshot snapshot;

	if (uring_snapshot(&conn->sock, &snapshot) == 0) {
		preload_report(conn, "end", &snapshot);
	}
	preload_report_queries();
	conn->ended = true;
}

static int preload_connection_destructor(struct preload_connection *conn)
{
	if (conn->prev != NULL) {
		conn->prev->next = conn->next;
	} else {
		preload.connections = conn->next;
	}
	if (conn->next != NULL) {
		conn->next->prev = conn->prev;
	}
	if (!conn->ended) {
		preload.detached_fd = conn->sock.fd;
		memcpy(preload.detached_peer, conn->peer, sizeof(conn->peer));
	}
	return 0;
}

/*
 * smbd replaces the fde of a connection when it turns out to be SMB2; which
 * of the two goes or comes first depends on its version.
 */
static bool preload_connection_resumed(const struct preload_connection *conn)
{
	const struct preload_connection *other = NULL;

	for (other = preload.connections; other != NULL; other = other->next) {
		if (other != conn && other->sock.fd == conn->sock.fd &&
		    strcmp(other->peer, conn->peer) == 0)
		{
			return true;
		}
	}
	return preload.detached_fd == conn->sock.fd &&
	       strcmp(preload.detached_peer, conn->peer) == 0;
}

static struct preload_connection *preload_connection_find(
	const struct tevent_fd *fde)
{
	struct preload_connection *conn = NULL;

	for (conn = preload.connections; conn != NULL; conn = conn->next) {
		if (conn->fde == fde) {
			break;
		}
	}
	return conn;
}

static bool preload_connection_peer(struct preload_connection *conn)
{
	union {
		struct sockaddr sa;
		struct sockaddr_in in;
		struct sockaddr_in6 in6;
	} addr = {};
	socklen_t len = sizeof(addr);
	char text[INET6_ADDRSTRLEN];
	int ret;

	ret = getpeername(conn->sock.fd, &addr.sa, &len);
	if (ret != 0) {
		return false;
	}
	if (addr.sa.sa_family == AF_INET6) {
		inet_ntop(AF_INET6, &addr.in6.sin6_addr, text, sizeof(text));
		snprintf(conn->peer,
			 sizeof(conn->peer),
			 "[%s]:%u",
			 text,
			 ntohs(addr.in6.sin6_port));
	} else {
		inet_ntop(AF_INET, &addr.in.sin_addr, text, sizeof(text));
		snprintf(conn->peer,
			 sizeof(conn->peer),
			 "%s:%u",
			 text,
			 ntohs(addr.in.sin_port));
	}
	return true;
}

static void preload_connection_start(struct tevent_context *ev,
				     struct tevent_fd *fde,
				     int fd)
{
	struct preload_connection *conn = NULL;
	struct uring_watch *watch = NULL;
	pid_t pid = tevent_cached_getpid();

	/*
	 * A child of the fde, so that it goes when smbd stops watching.
	 */
	conn = talloc_zero(fde, struct preload_connection);
	if (conn == NULL) {
		return;
	}
	conn->fde = fde;
	if (uring_socket_init(fd, &conn->sock) != 0 ||
	    conn->sock.type != SOCK_STREAM ||
	    conn->sock.protocol != IPPROTO_TCP ||
	    !preload_connection_peer(conn))
	{
		TALLOC_FREE(conn);
		return;
	}

	conn->next = preload.connections;
	if (conn->next != NULL) {
		conn->next->prev = conn;
	}
	preload.connections = conn;
	talloc_set_destructor(conn, preload_connection_destructor);

	watch = preload_watch(ev);
	if (watch != NULL) {
		(void)uring_watch_add_channel(
			conn, watch, &conn->sock, conn->peer);
	}

	if (preload_connection_resumed(conn)) {
		return;
	}
	if (preload.announced != pid) {
		preload.announced = pid;
		preload_log_talloc(talloc_asprintf(
			NULL,
			"smbd_uring: backend=%s sockopt=%s pid=%d",
			preload.use_backend ? "io_uring" : "epoll",
			uring_mode_name(uring_get_mode()),
			(int)pid));
	}

	conn->sample = uring_snapshot_send(conn, ev, &conn->sock, URING_PROMPT);
	if (conn->sample != NULL) {
		tevent_req_set_callback(conn->sample, preload_start_done, conn);
	}
}

static struct tevent_fd *preload_add_fd(struct tevent_context *ev,
					TALLOC_CTX *mem_ctx,
					int fd,
					uint16_t flags,
					tevent_fd_handler_t handler,
					void *private_data,
					const char *handler_name,
					const char *location)
{
	struct tevent_fd *fde = NULL;

	fde = preload.epoll_ops->add_fd(ev,
					mem_ctx,
					fd,
					flags,
					handler,
					private_data,
					handler_name,
					location);
	if (fde == NULL || !preload.active) {
		return fde;
	}

	/*
	 * source3/smbd: a new connection is watched by the first until it
	 * is known to speak SMB2, and then by the second.
	 */
	if (strcmp(handler_name, "smbd_server_connection_handler") == 0 ||
	    strcmp(handler_name, "smbd_smb2_connection_handler") == 0)
	{
		preload_connection_start(ev, fde, fd);
	}
	return fde;
}

static void preload_close_fn(struct tevent_context *ev,
			     struct tevent_fd *fde,
			     int fd,
			     void *private_data)
{
	struct preload_connection *conn = preload_connection_find(fde);

	if (conn == NULL) {
		/* it is a child of the fde, so it is still there */
		close(fd);
		return;
	}
	preload_connection_end(conn);
	conn->close_fn(ev, fde, fd, private_data);
}

static void preload_set_fd_close_fn(struct tevent_fd *fde,
				    tevent_fd_close_fn_t close_fn)
{
	struct preload_connection *conn = preload_connection_find(fde);

	if (conn != NULL && close_fn != NULL) {
		conn->close_fn = close_fn;
		close_fn = preload_close_fn;
	}
	preload.epoll_ops->set_fd_close_fn(fde, close_fn);
}

static int (*preload_libc_getsockopt(
	void))(int fd, int level, int optname, void *optval, socklen_t *optlen)
{
	static int (*fn)(int fd,
			 int level,
			 int optname,
			 void *optval,
			 socklen_t *optlen);

	if (fn == NULL) {
		fn = dlsym(RTLD_NEXT, "getsockopt");
	}
	return fn;
}

/* libc's own prototype has no visibility attribute. */
URING_PUBLIC int getsockopt(int fd,
			    int level,
			    int optname,
			    void *optval,
			    socklen_t *optlen)
{
	bool tcp_info = level == IPPROTO_TCP && optname == TCP_INFO;
	enum uring_reason reason = URING_REASON_MODE;
	int ret;

	if (!preload.active) {
		return preload_libc_getsockopt()(
			fd, level, optname, optval, optlen);
	}

	ret = uring_getsockopt(fd, level, optname, optval, optlen, &reason);
	if (reason == URING_REASON_NONE) {
		atomic_fetch_add(&preload.own.ring, 1);
		atomic_fetch_add(&preload.own.tcp_info_ring, tcp_info);
	} else {
		atomic_fetch_add(&preload.own.syscall, 1);
		atomic_fetch_add(&preload.own.tcp_info_syscall, tcp_info);
	}
	return ret;
}

static void __attribute__((constructor)) preload_init(void)
{
	uring_set_libc_getsockopt(preload_libc_getsockopt());

	preload.uring_ops = smbd_uring_backend_ops();
	preload.epoll_ops = tevent_find_ops_byname("epoll");
	if (preload.uring_ops == NULL || preload.epoll_ops == NULL) {
		return;
	}

	preload.detached_fd = -1;
	preload.ops = *preload.uring_ops;
	preload.ops.context_init = preload_context_init;
	preload.ops.add_fd = preload_add_fd;
	preload.ops.set_fd_close_fn = preload_set_fd_close_fn;

	if (tevent_register_backend(SMBD_URING_BACKEND_NAME, &preload.ops)) {
		tevent_set_default_backend(SMBD_URING_BACKEND_NAME);
	}
}
