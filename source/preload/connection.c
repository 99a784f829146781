// SPDX-License-Identifier: LGPL-3.0-or-later
/*
 * The SMB connections of this process.
 *
 * A connection is a talloc child of the tevent_fd by which smbd watches it, so
 * it goes when smbd stops watching.  smbd replaces that tevent_fd once, when
 * the connection turns out to speak SMB2; whether the old or the new one goes
 * first depends on its version.
 */

#include "config.h"

#include <string.h>
#include <netinet/in.h>

#include "connection.h"
#include "log.h"
#include "query.h"
#include "share.h"
#include "transport/snapshot.h"
#include "transport/snapshot_text.h"
#include "transport/watch.h"
#include "tree.h"
#include "util/address.h"
#include "util/dlinklist.h"

struct preload_connection {
	struct preload_connection *prev;
	struct preload_connection *next;
	struct tevent_fd *fde;
	struct uring_socket sock;
	char peer[ADDRESS_TEXT_SIZE];
	tevent_fd_close_fn_t close_fn;
	bool ended;
	struct tevent_req *sample;
};

static struct {
	pid_t announced;
	struct preload_connection *list;
	/* smbd closes all its connections by the same function */
	tevent_fd_close_fn_t close_fn;

	/* the last one that lost its tevent_fd and was not closed with it */
	int detached_fd;
	char detached_peer[ADDRESS_TEXT_SIZE];
} connections = {
	.detached_fd = -1,
};

static void connection_report(const struct preload_connection *conn,
			      const char *when,
			      const struct uring_snapshot *snapshot)
{
	char *values = uring_snapshot_string(NULL, snapshot);

	preload_information("smbd_uring: transport when=%s peer=%s %s",
			    when,
			    conn->peer,
			    values != NULL ? values : "");
	TALLOC_FREE(values);
}

static void connection_start_done(struct tevent_req *req)
{
	struct preload_connection *conn = tevent_req_callback_data(
		req, struct preload_connection);
	struct uring_snapshot snapshot;
	int ret;

	ret = uring_snapshot_recv(req, &snapshot);
	if (ret == 0) {
		connection_report(conn, "start", &snapshot);
	}
	conn->sample = NULL;
	talloc_free(req);
}

static void connection_end(struct preload_connection *conn)
{
	struct uring_snapshot snapshot;

	conn->ended = true;
	if (uring_snapshot(&conn->sock, &snapshot) != 0) {
		return;
	}
	if (uring_snapshot_has(&snapshot, FIGURE_bytes_received)) {
		preload_trees_connection_end(
			snapshot.figures[FIGURE_bytes_received]);
	}
	if (preload_informs()) {
		connection_report(conn, "end", &snapshot);
		preload_query_report();
	}
}

static int preload_connection_destructor(struct preload_connection *conn)
{
	DLIST_REMOVE(connections.list, conn);
	if (!conn->ended) {
		connections.detached_fd = conn->sock.fd;
		memcpy(connections.detached_peer,
		       conn->peer,
		       sizeof(conn->peer));
	}
	return 0;
}

/* Whether this was a connection of ours before, by another tevent_fd. */
static bool connection_resumed(const struct preload_connection *conn)
{
	const struct preload_connection *other = NULL;

	for (other = connections.list; other != NULL; other = other->next) {
		if (other != conn && other->sock.fd == conn->sock.fd &&
		    strcmp(other->peer, conn->peer) == 0)
		{
			return true;
		}
	}
	return connections.detached_fd == conn->sock.fd &&
	       strcmp(connections.detached_peer, conn->peer) == 0;
}

static struct preload_connection *connection_find(const struct tevent_fd *fde)
{
	struct preload_connection *conn = NULL;

	for (conn = connections.list; conn != NULL; conn = conn->next) {
		if (conn->fde == fde) {
			break;
		}
	}
	return conn;
}

static bool connection_init(struct preload_connection *conn, int fd)
{
	struct address peer = {
		.len = sizeof(peer.u),
	};

	if (uring_socket_init(fd, &conn->sock) != 0 ||
	    conn->sock.type != SOCK_STREAM ||
	    conn->sock.protocol != IPPROTO_TCP ||
	    getpeername(fd, &peer.u.sa, &peer.len) != 0)
	{
		return false;
	}
	(void)address_print(&peer.u.sa, conn->peer);
	return true;
}

static void connection_announce(const char *backend)
{
	pid_t pid = tevent_cached_getpid();

	if (connections.announced == pid) {
		return;
	}
	connections.announced = pid;
	preload_information("smbd_uring: backend=%s sockopt=%s pid=%d",
			    backend,
			    uring_mode_name(uring_get_mode()),
			    (int)pid);
}

void preload_connection_start(struct tevent_context *ev,
			      struct tevent_fd *fde,
			      int fd,
			      const char *backend)
{
	struct preload_connection *conn = NULL;
	struct uring_watch *watch = NULL;

	conn = talloc_zero(fde, struct preload_connection);
	if (conn == NULL) {
		return;
	}
	conn->fde = fde;
	if (!connection_init(conn, fd)) {
		TALLOC_FREE(conn);
		return;
	}
	DLIST_ADD(connections.list, conn);
	talloc_set_destructor(conn, preload_connection_destructor);

	watch = preload_shares_watch(ev);
	if (watch != NULL) {
		(void)uring_watch_add_channel(
			conn, watch, &conn->sock, conn->peer);
	}

	if (connection_resumed(conn)) {
		return;
	}
	connection_announce(backend);
	if (!preload_informs()) {
		return;
	}
	conn->sample = uring_snapshot_send(conn, ev, &conn->sock, URING_PROMPT);
	if (conn->sample != NULL) {
		tevent_req_set_callback(conn->sample,
					connection_start_done,
					conn);
	}
}

static void connection_close_fn(struct tevent_context *ev,
				struct tevent_fd *fde,
				int fd,
				void *private_data)
{
	struct preload_connection *conn = connection_find(fde);

	if (conn == NULL) {
		connections.close_fn(ev, fde, fd, private_data);
		return;
	}
	connection_end(conn);
	conn->close_fn(ev, fde, fd, private_data);
}

tevent_fd_close_fn_t preload_connection_set_close_fn(
	struct tevent_fd *fde,
	tevent_fd_close_fn_t close_fn)
{
	struct preload_connection *conn = connection_find(fde);

	if (conn == NULL || close_fn == NULL) {
		return close_fn;
	}
	conn->close_fn = close_fn;
	connections.close_fn = close_fn;
	return connection_close_fn;
}
