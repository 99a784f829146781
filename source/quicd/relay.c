/* SPDX-License-Identifier: LGPL-3.0-or-later */
/*
 * The TCP side of a connection, see relay.h.
 *
 * Each direction is a queue of chunks.  We keep the client's bytes until smbd's
 * socket takes them, and then grant the client as much new credit.  We keep
 * smbd's bytes until the client has acknowledged them, because QUIC retransmits
 * from there.  We read at most QUICD_RELAY_MAX of them ahead.  So a slow side
 * stops the other one, and a connection needs limited memory.  An idle
 * connection has no chunks.
 *
 * The relay changes no byte.  It reads the header of each message from the
 * client, to refuse a message that is too long for smbd before its body comes.
 *
 * splice(2) does not help, because every byte is encrypted in between.
 */

#include "config.h"

#include <errno.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "framing.h"
#include "log.h"
#include "queue.h"
#include "relay.h"

#define QUICD_READ_CHUNKS 2
#define QUICD_WRITE_BUFFERS 64

/* The most bytes that may wait unsent for the client: quicd_relay_room(). */
#define QUICD_RELAY_UNSENT_MAX ((size_t)4 * QUICD_CHUNK_SIZE)

struct quicd_relay {
	const struct quicd_relay_ops *ops;
	void *owner;
	struct address server;
	int fd;
	struct tevent_fd *fde;
	bool connecting;

	struct quicd_framing framing;
	struct quicd_queue from_client;
	bool client_ended;
	bool shut_down; /* shutdown() has told smbd that client_ended */

	struct quicd_account *account;
	uint64_t paid; /* the bytes for to_client above the share */
	struct quicd_queue to_client;
	bool more;   /* the last read filled its buffers: read again */
	size_t sent; /* bytes of to_client that are not acknowledged yet */
	bool smbd_ended;
	bool end_sent;
};

bool quicd_relay_busy(const struct quicd_relay *relay)
{
	return relay->connecting || relay->from_client.len > 0 ||
	       relay->to_client.len > 0;
}

size_t quicd_relay_unacked(const struct quicd_relay *relay)
{
	return relay->to_client.len;
}

size_t quicd_relay_unsent(const struct quicd_relay *relay)
{
	return relay->to_client.len - relay->sent;
}

/* Take from the budget what so many bytes for the client need. */
static bool quicd_relay_pay(struct quicd_relay *relay, size_t bytes)
{
	while (bytes > QUICD_RELAY_SHARE + relay->paid) {
		if (!quicd_account_grow(relay->account, QUICD_RELAY_SHARE)) {
			return false;
		}
		relay->paid += QUICD_RELAY_SHARE;
	}
	return true;
}

/*
 * How many chunks we may read from smbd now.  Bytes that wait long leave the
 * processor's cache, so we read only what we can send soon.  While smbd has
 * more, one system call fills several chunks.
 */
static size_t quicd_relay_room(struct quicd_relay *relay)
{
	const size_t count = relay->more ? QUICD_READ_CHUNKS : 1;
	const size_t wanted = count * QUICD_CHUNK_SIZE;

	if (relay->connecting || relay->smbd_ended ||
	    relay->to_client.len + wanted > QUICD_RELAY_MAX ||
	    quicd_relay_unsent(relay) + wanted > QUICD_RELAY_UNSENT_MAX)
	{
		return 0;
	}
	return quicd_relay_pay(relay, relay->to_client.len + wanted) ? count
								     : 0;
}

static bool quicd_relay_wants_write(const struct quicd_relay *relay)
{
	return relay->connecting || relay->from_client.len > 0 ||
	       (relay->client_ended && !relay->shut_down);
}

static void quicd_relay_watch(struct quicd_relay *relay)
{
	uint16_t flags = 0;

	/*
	 * tevent reports errors, even of connect(), only to handlers that wait
	 * for read.  While smbd has more, quicd_relay_refill() reads without
	 * an event.
	 */
	if (relay->connecting || (!relay->more && quicd_relay_room(relay) > 0))
	{
		flags |= TEVENT_FD_READ;
	}
	if (quicd_relay_wants_write(relay)) {
		flags |= TEVENT_FD_WRITE;
	}
	if (tevent_fd_get_flags(relay->fde) != flags) {
		tevent_fd_set_flags(relay->fde, flags);
	}
}

static const char *quicd_relay_error(const struct quicd_relay *relay, int error)
{
	char server[ADDRESS_TEXT_SIZE];
	static char text[160];

	(void)snprintf(text,
		       sizeof(text),
		       "smbd at %s: %s",
		       address_print(&relay->server.u.sa, server),
		       strerror(error));
	return text;
}

const char *quicd_relay_input(struct quicd_relay *relay,
			      const uint8_t *data,
			      size_t len,
			      bool end)
{
	const char *wrong = quicd_framing_check(&relay->framing, data, len);

	if (wrong != NULL) {
		return wrong;
	}
	if (relay->from_client.len + len > QUICD_RELAY_MAX) {
		return "client exceeded its flow-control credit";
	}
	if (!quicd_queue_add(relay, &relay->from_client, data, len)) {
		return "out of memory";
	}
	relay->client_ended = relay->client_ended || end;
	return NULL;
}

const char *quicd_relay_flush(struct quicd_relay *relay, size_t *taken)
{
	struct iovec iov[QUICD_WRITE_BUFFERS];

	*taken = 0;
	while (!relay->connecting && relay->from_client.len > 0) {
		struct msghdr msg = {.msg_iov = iov};
		ssize_t n;

		msg.msg_iovlen = quicd_queue_peek(&relay->from_client,
						  iov,
						  QUICD_WRITE_BUFFERS);
		n = sendmsg(relay->fd, &msg, MSG_NOSIGNAL | MSG_DONTWAIT);
		if (n < 0 && errno == EINTR) {
			continue;
		}
		if (n < 0 && errno == EAGAIN) {
			break;
		}
		if (n < 0) {
			return quicd_relay_error(relay, errno);
		}
		*taken += (size_t)n;
		quicd_queue_drop(&relay->from_client, (size_t)n);
	}
	if (!relay->connecting && relay->from_client.len == 0 &&
	    relay->client_ended && !relay->shut_down)
	{
		relay->shut_down = true;
		(void)shutdown(relay->fd, SHUT_WR);
	}
	return NULL;
}

size_t quicd_relay_peek(const struct quicd_relay *relay,
			struct iovec *iov,
			size_t max,
			bool *end)
{
	const size_t n = quicd_queue_peek(&relay->to_client, iov, max);
	size_t len = relay->sent;
	size_t i;

	for (i = 0; i < n; i++) {
		len += iov[i].iov_len;
	}
	*end = relay->smbd_ended && !relay->end_sent &&
	       len == relay->to_client.len;
	return n;
}

void quicd_relay_sent(struct quicd_relay *relay, size_t len, bool end)
{
	quicd_queue_advance(&relay->to_client, len);
	relay->sent += len;
	relay->end_sent = relay->end_sent || end;
}

void quicd_relay_acked(struct quicd_relay *relay, size_t len)
{
	if (len > relay->sent) {
		len = relay->sent; /* does not happen */
	}
	relay->sent -= len;
	quicd_queue_drop(&relay->to_client, len);
	/* give back two steps late, or each packet would take and give */
	if (relay->to_client.len == 0 ||
	    relay->to_client.len + 2 * QUICD_RELAY_SHARE < relay->paid)
	{
		const uint64_t steps = relay->to_client.len / QUICD_RELAY_SHARE;

		quicd_account_shrink(relay->account,
				     relay->paid - steps * QUICD_RELAY_SHARE);
		relay->paid = steps * QUICD_RELAY_SHARE;
	}
}

bool quicd_relay_ended(const struct quicd_relay *relay)
{
	return relay->end_sent;
}

void quicd_relay_reset(struct quicd_relay *relay)
{
	const struct linger linger = {.l_onoff = 1};

	(void)setsockopt(
		relay->fd, SOL_SOCKET, SO_LINGER, &linger, sizeof(linger));
}

bool quicd_relay_local(const struct quicd_relay *relay, struct address *address)
{
	*address = (struct address){.len = sizeof(address->u)};
	return getsockname(relay->fd, &address->u.sa, &address->len) == 0;
}

/* Read what smbd has sent.  Returns what is wrong, or NULL. */
static const char *quicd_relay_read(struct quicd_relay *relay)
{
	struct quicd_queue *queue = &relay->to_client;
	struct iovec iov[QUICD_READ_CHUNKS];
	size_t count;

	while ((count = quicd_relay_room(relay)) > 0) {
		struct quicd_chunk *first = quicd_queue_reserve(relay,
								queue,
								iov,
								count);
		ssize_t n;

		if (first == NULL) {
			return "out of memory";
		}
		do {
			n = readv(relay->fd, iov, (int)count);
		} while (n < 0 && errno == EINTR);
		relay->more = quicd_queue_commit(queue,
						 first,
						 n > 0 ? (size_t)n : 0);
		if (n < 0 && errno != EAGAIN) {
			return quicd_relay_error(relay, errno);
		}
		if (n == 0) {
			relay->smbd_ended = true;
		}
		if (!relay->more) {
			break;
		}
	}
	return NULL;
}

const char *quicd_relay_refill(struct quicd_relay *relay)
{
	const char *wrong = NULL;

	if (relay->more) {
		wrong = quicd_relay_read(relay);
	}
	if (wrong == NULL) {
		quicd_relay_watch(relay);
	}
	return wrong;
}

static const char *quicd_relay_connect_done(struct quicd_relay *relay)
{
	socklen_t len = sizeof(int);
	int error = 0;
	int ret;

	ret = getsockopt(relay->fd, SOL_SOCKET, SO_ERROR, &error, &len);
	if (ret != 0) {
		error = errno;
	}
	if (error != 0) {
		return quicd_relay_error(relay, error);
	}
	relay->connecting = false;
	return NULL;
}

static void quicd_relay_handler(struct tevent_context *ev,
				struct tevent_fd *fde,
				uint16_t flags,
				void *private_data)
{
	struct quicd_relay *relay = talloc_get_type_abort(private_data,
							  struct quicd_relay);
	const char *wrong = NULL;

	if (relay->connecting) {
		wrong = quicd_relay_connect_done(relay);
		if (wrong == NULL) {
			relay->ops->connected(relay->owner);
		}
	} else if ((flags & TEVENT_FD_READ) != 0) {
		wrong = quicd_relay_read(relay);
	}
	if (wrong != NULL) {
		relay->ops->failed(relay->owner, wrong);
		return;
	}
	relay->ops->ready(relay->owner); /* flushes, and may free us */
}

static int quicd_relay_destructor(struct quicd_relay *relay)
{
	quicd_account_shrink(relay->account, relay->paid);
	TALLOC_FREE(relay->fde);
	close(relay->fd);
	return 0;
}

/* 0 or an errno: EPERM without CAP_NET_RAW and CAP_NET_ADMIN. */
static int quicd_relay_transparent(int fd, int family)
{
	const int one = 1;
	int ret;

	if (family == AF_INET6) {
		ret = setsockopt(
			fd, IPPROTO_IPV6, IPV6_TRANSPARENT, &one, sizeof(one));
	} else {
		ret = setsockopt(
			fd, IPPROTO_IP, IP_TRANSPARENT, &one, sizeof(one));
	}
	return ret == 0 ? 0 : errno;
}

bool quicd_relay_possible(const struct quicd_settings *settings)
{
	unsigned i;

	if (!settings->transparent) {
		return true;
	}
	for (i = 0; i < settings->num_servers; i++) {
		const int family = settings->servers[i].u.sa.sa_family;
		const int fd = socket(family, SOCK_STREAM | SOCK_CLOEXEC, 0);
		int error;

		/* then there are no such clients either */
		if (fd < 0) {
			continue;
		}
		error = quicd_relay_transparent(fd, family);
		close(fd);
		if (error != 0) {
			quicd_log("smbd_uring:quic transparent = yes: %s; it "
				  "needs the capability CAP_NET_RAW",
				  strerror(error));
			return false;
		}
	}
	return true;
}

/* Connect from our address or, with "transparent", from the client's. */
static int quicd_relay_connect(struct quicd_relay *relay,
			       const struct quicd_settings *settings,
			       const struct address *client)
{
	const int family = relay->server.u.sa.sa_family;
	const int one = 1;
	int ret;

	(void)setsockopt(
		relay->fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
	(void)setsockopt(
		relay->fd, SOL_SOCKET, SO_KEEPALIVE, &one, sizeof(one));
	if (settings->transparent) {
		struct address from = *client;

		/* at the same place in both families; any port */
		from.u.in.sin_port = 0;
		ret = quicd_relay_transparent(relay->fd, family);
		if (ret != 0) {
			return ret;
		}
		/* one that is free for this peer; both families have it here */
		(void)setsockopt(relay->fd,
				 IPPROTO_IP,
				 IP_BIND_ADDRESS_NO_PORT,
				 &one,
				 sizeof(one));
		ret = bind(relay->fd, &from.u.sa, from.len);
		if (ret != 0) {
			return errno;
		}
	}
	ret = connect(relay->fd, &relay->server.u.sa, relay->server.len);
	return ret == 0 || errno == EINPROGRESS ? 0 : errno;
}

const char *quicd_relay_create(TALLOC_CTX *mem_ctx,
			       struct tevent_context *ev,
			       const struct quicd_settings *settings,
			       const struct address *client,
			       struct quicd_account *account,
			       const struct quicd_relay_ops *ops,
			       void *owner,
			       struct quicd_relay **_relay)
{
	const struct address *server = quicd_settings_server(settings, client);
	struct quicd_relay *relay = NULL;
	const char *wrong = NULL;
	int error;

	if (server == NULL) {
		return "smbd_uring:quic server has no address of the client's "
		       "family, as smbd_uring:quic transparent needs";
	}
	relay = talloc_zero(mem_ctx, struct quicd_relay);
	if (relay == NULL) {
		return "out of memory";
	}
	relay->account = account;
	relay->ops = ops;
	relay->owner = owner;
	relay->server = *server;
	relay->framing.max_message = settings->max_message;
	relay->fd = socket(server->u.sa.sa_family,
			   SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC,
			   0);
	if (relay->fd < 0) {
		wrong = quicd_relay_error(relay, errno);
		talloc_free(relay);
		return wrong;
	}
	talloc_set_destructor(relay, quicd_relay_destructor);
	error = quicd_relay_connect(relay, settings, client);
	if (error != 0) {
		wrong = quicd_relay_error(relay, error);
		talloc_free(relay);
		return wrong;
	}
	relay->connecting = true; /* even if it is connected at once */
	relay->fde = tevent_add_fd(ev,
				   relay,
				   relay->fd,
				   TEVENT_FD_READ | TEVENT_FD_WRITE,
				   quicd_relay_handler,
				   relay);
	if (relay->fde == NULL) {
		talloc_free(relay);
		return "out of memory";
	}
	*_relay = relay;
	return NULL;
}
