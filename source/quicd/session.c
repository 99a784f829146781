/* SPDX-License-Identifier: LGPL-3.0-or-later */
/*
 * The QUIC side: UDP sockets, and the connections that come by them.
 *
 * ngtcp2 is the protocol; here are the datagrams, the clock, the connection
 * IDs, and the limits.
 *
 * Workers.  Each address has a socket for each worker (SO_REUSEPORT), and a
 * classic BPF program picks the socket by the first byte of the destination
 * connection ID, modulo their number.  The first packet of a client has an ID
 * that the client made up: it lands anywhere, and that worker gives the
 * connection IDs that lead back to it.  So no worker ever sees another one's
 * packets, whatever address a client moves to.  The sockets belong to the
 * parent as well, so that their order does not change when a worker dies; its
 * successor answers with stateless resets, and the clients come back.
 *
 * What an unknown sender can cause is bounded: QUICD_FREE_HANDSHAKES may be
 * under way before an address has to be proved by a Retry, which keeps nothing
 * here; QUICD_MAX_HANDSHAKES in all; stateless answers are smaller than what
 * they answer and, but for Retry, limited in number.
 *
 * ngtcp2's callbacks must not call ngtcp2's writers.  They note what there is
 * to do; quicd_session_work() does it after each batch of datagrams, once for
 * each connection that got some.
 *
 * tevent's clock ticks in milliseconds.  On a near network ngtcp2 wants to go
 * on sooner than that, to send evenly what there is: then a timerfd of the
 * endpoint wakes its sessions.
 *
 * What is not sent since the socket is full is kept once for a socket, and
 * nothing more is made for it meanwhile.
 *
 * Each connection has a row in what the worker publishes (transport/publish.h).
 * ngtcp2 is asked about once a second while there is work, and when all is
 * acknowledged: an idle connection must not look as if it was stuck.
 *
 * The stream of the client is SMB with direct-TCP headers ([MS-SMB2] 2.1).
 * There is one of them: a second one is against the limit that we announce,
 * which ngtcp2 makes an error of.
 */

#include "config.h"

#include <errno.h>
#include <gnutls/crypto.h>
#include <linux/filter.h>
#include <netinet/udp.h>
#include <ngtcp2/ngtcp2.h>
#include <search.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/timerfd.h>
#include <unistd.h>

#include "relay.h"
#include "session.h"
#include "transport/publish.h"

#define QUICD_CID_LEN 16

/* Handshakes of a worker before clients have to prove their address. */
#define QUICD_FREE_HANDSHAKES 32
#define QUICD_MAX_HANDSHAKES 512
#define QUICD_RETRY_TIMEOUT (10 * NGTCP2_SECONDS)
#define QUICD_HANDSHAKE_TIMEOUT (10 * NGTCP2_SECONDS)

/*
 * From the handshake to the first byte of SMB, until smbd has answered, and
 * from smbd's end to ours.
 */
#define QUICD_FIRST_MESSAGE_TIMEOUT (30 * NGTCP2_SECONDS)
#define QUICD_CONNECT_TIMEOUT (5 * NGTCP2_SECONDS)
#define QUICD_END_TIMEOUT (5 * NGTCP2_SECONDS)

/* Stateless resets and the like, of a worker in a second. */
#define QUICD_STATELESS_RATE 200

/* A reset must not be longer than what it answers, and looks like a packet. */
#define QUICD_RESET_MIN_PACKET 43
#define QUICD_RESET_RANDOM 22

#define QUICD_DATAGRAM_MAX 65536
#define QUICD_RECEIVES_AT_ONCE 16
#define QUICD_SEGMENTS_MAX 64 /* UDP_MAX_SEGMENTS of older kernels */
#define QUICD_MAX_PAYLOAD 8952	   /* of an MTU of 9000, IPv6 */
#define QUICD_STREAM_BUFFERS 16
#define QUICD_UDP_HEADER 8
#define QUICD_IPV4_HEADER 20
#define QUICD_IPV6_HEADER 40
#define QUICD_STATUS_INTERVAL NGTCP2_SECONDS
#define QUICD_TICK NGTCP2_MILLISECONDS /* of tevent */

/* Our application error codes; SMB over QUIC defines none. */
enum quicd_error {
	QUICD_ERROR_NONE = 0,
	QUICD_ERROR_PROTOCOL = 1,
	QUICD_ERROR_SMBD = 2,
	QUICD_ERROR_REFUSED = 3,
	QUICD_ERROR_TIMEOUT = 4,
};

struct quicd_path {
	struct quicd_address local;
	struct quicd_address remote;
	uint8_t ecn;
};

/* A UDP socket, and what it did not take. */
struct quicd_socket {
	struct quicd_socket *next;
	struct quicd_endpoint *endpoint;
	int fd;
	struct tevent_fd *fde;
	struct quicd_address bound;
	bool segmentation; /* UDP_SEGMENT works */
	struct quicd_path tx_path;
	size_t tx_len;
	size_t tx_segment;
	bool tx_blocked;
	uint8_t tx[QUICD_DATAGRAM_MAX];
};

/* A connection ID of ours, or the one that a client began with. */
struct quicd_cid {
	ngtcp2_cid cid; /* first, see quicd_cid_compare() */
	struct quicd_cid *next;
	struct quicd_session *session;
};

enum quicd_state {
	QUICD_STATE_HANDSHAKE,
	QUICD_STATE_OPEN,
	QUICD_STATE_OVER, /* closed by either side; answers late packets */
};

struct quicd_session {
	struct quicd_session *prev;
	struct quicd_session *next;
	struct quicd_endpoint *endpoint;
	struct quicd_socket *sock;
	enum quicd_state state;
	ngtcp2_conn *conn;
	struct quicd_tls_peer tls;
	struct quicd_cid *cids;
	struct quicd_slot *slot;
	struct quicd_address peer;
	struct quicd_address validated; /* where it has answered last */
	uint64_t start;

	struct tevent_timer *timer;
	uint64_t timer_at;
	uint64_t paced_at; /* in endpoint->paced, or 0 */
	struct quicd_session *paced_next;
	uint64_t deadline; /* of ours, or UINT64_MAX */
	const char *deadline_reason;

	int64_t stream;
	struct quicd_relay *relay;
	bool connecting;
	uint64_t bytes_from_client;
	uint64_t bytes_to_client;
	uint64_t bytes_acked;
	uint64_t packets; /* with bytes for the client */

	bool published;
	size_t row;
	uint64_t publish_at;
	bool published_unacked;

	/* there is something to do, see quicd_session_work() */
	bool queued;
	struct quicd_session *work_prev;
	struct quicd_session *work_next;

	/* noted by a callback: the connection is to be closed */
	bool failed;
	bool reset;
	enum quicd_error error;
	char reason[200];

	/* in QUICD_STATE_OVER: what we say to late packets */
	struct quicd_path close_path;
	uint8_t *close_packet;
	size_t close_len;
	unsigned late;
};

struct quicd_endpoint {
	struct tevent_context *ev;
	const struct quicd_shared *shared;
	uint32_t worker;
	struct quicd_settings *settings;
	struct quicd_tls *tls;
	struct uring_status *status; /* or NULL */
	struct quicd_socket *sockets;
	struct quicd_session *sessions;
	struct quicd_session *work;
	void *cids; /* tsearch(3): nobody can make it slow by choosing IDs */
	unsigned handshakes; /* sessions in QUICD_STATE_HANDSHAKE */
	unsigned over;	     /* and in QUICD_STATE_OVER */
	int pacer; /* a timerfd, or -1 */
	uint64_t pacer_at; /* or 0 */
	struct quicd_session *paced;
	uint64_t stateless_second;
	unsigned stateless;
	uint8_t rx[QUICD_DATAGRAM_MAX];
};

static void quicd_session_work(struct quicd_session *session);
static void quicd_session_arm(struct quicd_session *session, uint64_t at);
static void quicd_session_wait(struct quicd_session *session);

static void quicd_random(void *data, size_t len)
{
	if (gnutls_rnd(GNUTLS_RND_RANDOM, data, len) != 0) {
		quicd_log("no random numbers");
		_exit(1);
	}
}

static void quicd_random_cb(uint8_t *data,
			    size_t len,
			    const ngtcp2_rand_ctx *context)
{
	quicd_random(data, len);
}

/* The list of sessions that have something to do. */

static void quicd_session_queue(struct quicd_session *session)
{
	struct quicd_endpoint *endpoint = session->endpoint;

	if (session->queued) {
		return;
	}
	session->queued = true;
	session->work_prev = NULL;
	session->work_next = endpoint->work;
	if (endpoint->work != NULL) {
		endpoint->work->work_prev = session;
	}
	endpoint->work = session;
}

static void quicd_session_dequeue(struct quicd_session *session)
{
	if (!session->queued) {
		return;
	}
	session->queued = false;
	if (session->work_next != NULL) {
		session->work_next->work_prev = session->work_prev;
	}
	if (session->work_prev != NULL) {
		session->work_prev->work_next = session->work_next;
	} else {
		session->endpoint->work = session->work_next;
	}
}

/* No more of it: neither work nor the pacer. */
static void quicd_session_leave(struct quicd_session *session)
{
	struct quicd_session **link = &session->endpoint->paced;

	quicd_session_dequeue(session);
	if (session->paced_at == 0) {
		return;
	}
	while (*link != session) {
		link = &(*link)->paced_next;
	}
	*link = session->paced_next;
	session->paced_at = 0;
}

static void quicd_endpoint_work(struct quicd_endpoint *endpoint)
{
	struct quicd_session *todo = endpoint->work;

	/* not those that are queued meanwhile: their socket is full */
	endpoint->work = NULL;
	while (todo != NULL) {
		struct quicd_session *session = todo;

		todo = session->work_next;
		if (todo != NULL) {
			todo->work_prev = NULL;
		}
		session->queued = false;
		quicd_session_work(session);
	}
}

/* Connection IDs. */

static int quicd_cid_compare(const void *a, const void *b)
{
	const ngtcp2_cid *one = a;
	const ngtcp2_cid *other = b;

	if (one->datalen != other->datalen) {
		return one->datalen < other->datalen ? -1 : 1;
	}
	return memcmp(one->data, other->data, one->datalen);
}

static struct quicd_session *quicd_cid_find(struct quicd_endpoint *endpoint,
					    const uint8_t *data,
					    size_t len)
{
	struct quicd_cid **found = NULL;
	ngtcp2_cid cid;

	if (len > NGTCP2_MAX_CIDLEN) {
		return NULL;
	}
	ngtcp2_cid_init(&cid, data, len);
	found = tfind(&cid, &endpoint->cids, quicd_cid_compare);
	return found != NULL ? (*found)->session : NULL;
}

static bool quicd_cid_add(struct quicd_session *session, const ngtcp2_cid *cid)
{
	struct quicd_cid *entry = talloc_zero(session, struct quicd_cid);
	struct quicd_cid **found = NULL;

	if (entry == NULL) {
		return false;
	}
	entry->cid = *cid;
	entry->session = session;
	found = tsearch(entry, &session->endpoint->cids, quicd_cid_compare);
	if (found == NULL || *found != entry) {
		talloc_free(entry);
		return false;
	}
	entry->next = session->cids;
	session->cids = entry;
	return true;
}

static void quicd_cid_remove(struct quicd_session *session,
			     const ngtcp2_cid *cid)
{
	struct quicd_cid **entry = NULL;

	for (entry = &session->cids; *entry != NULL; entry = &(*entry)->next) {
		struct quicd_cid *found = *entry;

		if (cid != NULL && quicd_cid_compare(&found->cid, cid) != 0) {
			continue;
		}
		tdelete(found, &session->endpoint->cids, quicd_cid_compare);
		*entry = found->next;
		talloc_free(found);
		return;
	}
}

/* A connection ID whose first byte leads to this worker. */
static void quicd_cid_make(const struct quicd_endpoint *endpoint,
			   ngtcp2_cid *cid,
			   size_t len)
{
	const unsigned workers = endpoint->shared->workers;
	unsigned first;

	quicd_random(cid->data, len);
	cid->datalen = len;
	first = cid->data[0];
	first = first - first % workers + endpoint->worker;
	if (first > UINT8_MAX) {
		first -= workers;
	}
	cid->data[0] = (uint8_t)first;
}

/* Sockets. */

static bool quicd_address_equal(const struct quicd_address *a,
				const struct quicd_address *b)
{
	return a->len == b->len && memcmp(&a->u, &b->u, a->len) == 0;
}

static void quicd_address_set(struct quicd_address *address,
			      const ngtcp2_addr *from)
{
	*address = (struct quicd_address){.len = from->addrlen};
	memcpy(&address->u, from->addr, from->addrlen);
}

static bool quicd_path_equal(const struct quicd_path *a,
			     const struct quicd_path *b)
{
	return a->ecn == b->ecn && quicd_address_equal(&a->local, &b->local) &&
	       quicd_address_equal(&a->remote, &b->remote);
}

static bool quicd_socket_options(int fd, bool ipv6)
{
	const int one = 1;
	const int probe = ipv6 ? IPV6_PMTUDISC_PROBE : IP_PMTUDISC_PROBE;
	const int buffer = 4 * 1024 * 1024;
	const int level = ipv6 ? IPPROTO_IPV6 : IPPROTO_IP;

	/* the system's limits may not allow it, and need not */
	(void)setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &buffer, sizeof(buffer));
	(void)setsockopt(fd, SOL_SOCKET, SO_SNDBUF, &buffer, sizeof(buffer));
	/* from Linux 5.0 on */
	(void)setsockopt(fd, IPPROTO_UDP, UDP_GRO, &one, sizeof(one));
	if (ipv6 &&
	    (setsockopt(fd, level, IPV6_V6ONLY, &one, sizeof(one)) != 0 ||
	     setsockopt(fd, level, IPV6_RECVPKTINFO, &one, sizeof(one)) != 0 ||
	     setsockopt(fd, level, IPV6_RECVTCLASS, &one, sizeof(one)) != 0))
	{
		return false;
	}
	if (!ipv6 &&
	    (setsockopt(fd, level, IP_PKTINFO, &one, sizeof(one)) != 0 ||
	     setsockopt(fd, level, IP_RECVTOS, &one, sizeof(one)) != 0))
	{
		return false;
	}
	return setsockopt(fd,
			  level,
			  ipv6 ? IPV6_MTU_DISCOVER : IP_MTU_DISCOVER,
			  &probe,
			  sizeof(probe)) == 0 &&
	       setsockopt(fd, SOL_SOCKET, SO_REUSEPORT, &one, sizeof(one)) ==
		       0;
}

/* Which socket: the first byte of the connection ID modulo their number. */
static bool quicd_socket_steer(int fd, uint32_t workers)
{
	struct sock_filter code[] = {
		BPF_STMT(BPF_LD | BPF_B | BPF_ABS, 0),
		BPF_JUMP(BPF_JMP | BPF_JSET | BPF_K, 0x80, 0, 2),
		/* long header: flags, version, length of the ID */
		BPF_STMT(BPF_LD | BPF_B | BPF_ABS, 6),
		BPF_JUMP(BPF_JMP | BPF_JA, 1, 0, 0),
		/* short header: flags */
		BPF_STMT(BPF_LD | BPF_B | BPF_ABS, 1),
		BPF_STMT(BPF_ALU | BPF_MOD | BPF_K, workers),
		BPF_STMT(BPF_RET | BPF_A, 0),
	};
	const struct sock_fprog program = {
		.len = sizeof(code) / sizeof(code[0]),
		.filter = code,
	};

	return setsockopt(fd,
			  SOL_SOCKET,
			  SO_ATTACH_REUSEPORT_CBPF,
			  &program,
			  sizeof(program)) == 0;
}

int quicd_endpoint_open(const struct quicd_address *address,
			uint32_t workers,
			int *fds)
{
	const bool ipv6 = address->u.sa.sa_family == AF_INET6;
	uint32_t i;
	int error;

	for (i = 0; i < workers; i++) {
		fds[i] = socket(address->u.sa.sa_family,
				SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC,
				0);
		/* the sockets' order is that of bind() */
		if (fds[i] < 0 || !quicd_socket_options(fds[i], ipv6) ||
		    bind(fds[i], &address->u.sa, address->len) != 0)
		{
			break;
		}
	}
	if (i == workers && quicd_socket_steer(fds[0], workers)) {
		return 0;
	}

	error = errno;
	for (; i != UINT32_MAX; i--) {
		if (i < workers && fds[i] >= 0) {
			close(fds[i]);
		}
	}
	return error;
}

/* One datagram, or several of one length.  0 or an errno. */
static int quicd_socket_sendmsg(struct quicd_socket *sock,
				const struct quicd_path *path,
				const uint8_t *data,
				size_t len,
				size_t segment)
{
	union {
		struct cmsghdr align;
		uint8_t buf[CMSG_SPACE(sizeof(struct in6_pktinfo)) +
			    CMSG_SPACE(sizeof(int)) +
			    CMSG_SPACE(sizeof(uint16_t))];
	} control = {};
	struct quicd_address remote = path->remote;
	struct iovec iov = {
		.iov_base = (void *)(uintptr_t)data,
		.iov_len = len,
	};
	struct msghdr msg = {
		.msg_name = &remote.u,
		.msg_namelen = remote.len,
		.msg_iov = &iov,
		.msg_iovlen = 1,
		.msg_control = &control,
		.msg_controllen = sizeof(control),
	};
	const bool ipv6 = remote.u.sa.sa_family == AF_INET6;
	const int tos = path->ecn;
	struct cmsghdr *cmsg = CMSG_FIRSTHDR(&msg);
	size_t used = 0;
	ssize_t n;

	if (ipv6) {
		const struct in6_pktinfo info = {
			.ipi6_addr = path->local.u.in6.sin6_addr,
			.ipi6_ifindex = remote.u.in6.sin6_scope_id,
		};

		cmsg->cmsg_level = IPPROTO_IPV6;
		cmsg->cmsg_type = IPV6_PKTINFO;
		cmsg->cmsg_len = CMSG_LEN(sizeof(info));
		memcpy(CMSG_DATA(cmsg), &info, sizeof(info));
		used += CMSG_SPACE(sizeof(info));
	} else {
		const struct in_pktinfo info = {
			.ipi_spec_dst = path->local.u.in.sin_addr,
		};

		cmsg->cmsg_level = IPPROTO_IP;
		cmsg->cmsg_type = IP_PKTINFO;
		cmsg->cmsg_len = CMSG_LEN(sizeof(info));
		memcpy(CMSG_DATA(cmsg), &info, sizeof(info));
		used += CMSG_SPACE(sizeof(info));
	}
	if (tos != 0) {
		cmsg = CMSG_NXTHDR(&msg, cmsg);
		cmsg->cmsg_level = ipv6 ? IPPROTO_IPV6 : IPPROTO_IP;
		cmsg->cmsg_type = ipv6 ? IPV6_TCLASS : IP_TOS;
		cmsg->cmsg_len = CMSG_LEN(sizeof(tos));
		memcpy(CMSG_DATA(cmsg), &tos, sizeof(tos));
		used += CMSG_SPACE(sizeof(tos));
	}
	if (len > segment) {
		const uint16_t size = (uint16_t)segment;

		cmsg = CMSG_NXTHDR(&msg, cmsg);
		cmsg->cmsg_level = IPPROTO_UDP;
		cmsg->cmsg_type = UDP_SEGMENT;
		cmsg->cmsg_len = CMSG_LEN(sizeof(size));
		memcpy(CMSG_DATA(cmsg), &size, sizeof(size));
		used += CMSG_SPACE(sizeof(size));
	}
	msg.msg_controllen = used;

	do {
		n = sendmsg(sock->fd, &msg, MSG_DONTWAIT);
	} while (n < 0 && errno == EINTR);
	return n < 0 ? errno : 0;
}

/*
 * Send what is in sock->tx.  false if the socket is full; all other errors
 * are lost packets, which is what they are: a path that is too narrow, a
 * route that is gone, a firewall.
 */
static bool quicd_socket_flush(struct quicd_socket *sock)
{
	size_t done = 0;
	int error = 0;

	sock->tx_blocked = false;
	if (sock->tx_len > sock->tx_segment && sock->segmentation) {
		error = quicd_socket_sendmsg(sock,
					     &sock->tx_path,
					     sock->tx,
					     sock->tx_len,
					     sock->tx_segment);
		if (error == EIO) {
			/* a device that cannot do it */
			sock->segmentation = false;
		}
		if (error != EAGAIN && error != EIO && error != EINVAL &&
		    error != EMSGSIZE)
		{
			done = sock->tx_len;
		}
	}
	while (done < sock->tx_len && error != EAGAIN) {
		size_t len = sock->tx_len - done;

		len = len < sock->tx_segment ? len : sock->tx_segment;
		error = quicd_socket_sendmsg(
			sock, &sock->tx_path, &sock->tx[done], len, len);
		if (error != EAGAIN) {
			done += len;
		}
	}
	sock->tx_len -= done;
	if (sock->tx_len > 0) {
		memmove(sock->tx, &sock->tx[done], sock->tx_len);
		sock->tx_blocked = true;
		tevent_fd_set_flags(sock->fde,
				    TEVENT_FD_READ | TEVENT_FD_WRITE);
		return false;
	}
	return true;
}

/* A single datagram that nobody waits for. */
static void quicd_socket_send_alone(struct quicd_socket *sock,
				    const struct quicd_path *path,
				    const uint8_t *data,
				    size_t len)
{
	if (!sock->tx_blocked) {
		(void)quicd_socket_sendmsg(sock, path, data, len, len);
	}
}

/* Sessions: their end. */

static void quicd_session_forget(struct quicd_session *session)
{
	if (session->published) {
		uring_status_remove(session->endpoint->status, session->row);
		session->published = false;
	}
	if (session->slot != NULL) {
		quicd_slot_release(session->slot);
		session->slot = NULL;
	}
}

static int quicd_session_destructor(struct quicd_session *session)
{
	struct quicd_endpoint *endpoint = session->endpoint;

	quicd_session_leave(session);
	TALLOC_FREE(session->timer);
	TALLOC_FREE(session->relay);
	while (session->cids != NULL) {
		quicd_cid_remove(session, NULL);
	}
	quicd_session_forget(session);
	if (session->state == QUICD_STATE_HANDSHAKE) {
		endpoint->handshakes--;
	} else if (session->state == QUICD_STATE_OVER) {
		endpoint->over--;
	}
	if (session->conn != NULL) {
		ngtcp2_conn_del(session->conn);
		session->conn = NULL;
	}
	quicd_tls_peer_done(&session->tls);
	if (session->next != NULL) {
		session->next->prev = session->prev;
	}
	if (session->prev != NULL) {
		session->prev->next = session->next;
	} else {
		endpoint->sessions = session->next;
	}
	return 0;
}

static void quicd_session_late(struct tevent_context *ev,
			       struct tevent_timer *te,
			       struct timeval now,
			       void *private_data)
{
	struct quicd_session *session =
		talloc_get_type_abort(private_data, struct quicd_session);

	session->timer = NULL; /* freed by tevent */
	talloc_free(session);
}

static struct timeval quicd_in(uint64_t ns)
{
	return tevent_timeval_current_ofs(
		(uint32_t)(ns / NGTCP2_SECONDS),
		(uint32_t)(ns % NGTCP2_SECONDS / NGTCP2_MICROSECONDS));
}

static void quicd_session_log_end(const struct quicd_session *session,
				  const char *reason)
{
	struct quicd_address_buf buf;
	void (*log)(const char *format, ...) =
		session->slot != NULL ? quicd_log : quicd_log_limited;

	log("%s closed: %s; certificate=\"%s\" cipher=%s from_client=%llu "
	    "to_client=%llu seconds=%llu",
	    quicd_address_print(&session->peer, &buf),
	    reason,
	    session->tls.name,
	    session->state == QUICD_STATE_OPEN
		    ? quicd_tls_peer_cipher(&session->tls)
		    : "none",
	    (unsigned long long)session->bytes_from_client,
	    (unsigned long long)session->bytes_to_client,
	    (unsigned long long)((quicd_now() - session->start) /
				 NGTCP2_SECONDS));
}

/*
 * The connection is over.  What is heavy is freed now; the connection IDs stay
 * for three PTOs, to answer late packets by the same close (RFC 9000, 10.2).
 * ccerr: NULL if the client is not to be told; then nothing stays.
 */
static void quicd_session_end(struct quicd_session *session,
			      const ngtcp2_ccerr *ccerr,
			      const char *reason)
{
	struct quicd_endpoint *endpoint = session->endpoint;
	uint64_t linger = 3 * ngtcp2_conn_get_pto(session->conn);
	ngtcp2_path_storage path;
	ngtcp2_pkt_info info;
	uint8_t packet[NGTCP2_MAX_UDP_PAYLOAD_SIZE];
	ngtcp2_ssize n = 0;
	size_t taken;

	quicd_session_log_end(session, reason);
	quicd_session_leave(session);

	ngtcp2_path_storage_zero(&path);
	if (ccerr != NULL) {
		n = ngtcp2_conn_write_connection_close(session->conn,
						       &path.path,
						       &info,
						       packet,
						       sizeof(packet),
						       ccerr,
						       quicd_now());
	}
	if (n > 0) {
		session->close_packet =
			talloc_memdup(session, packet, (size_t)n);
	}
	if (session->close_packet != NULL) {
		session->close_len = (size_t)n;
		quicd_address_set(&session->close_path.local, &path.path.local);
		quicd_address_set(&session->close_path.remote,
				  &path.path.remote);
		quicd_socket_send_alone(session->sock,
					&session->close_path,
					session->close_packet,
					session->close_len);
	}

	if (session->relay != NULL && session->reset) {
		quicd_relay_reset(session->relay);
	} else if (session->relay != NULL) {
		/* what the client has sent before it closed */
		(void)quicd_relay_flush(session->relay, &taken);
	}
	TALLOC_FREE(session->relay);
	if (session->close_packet == NULL ||
	    endpoint->over >= QUICD_MAX_HANDSHAKES)
	{
		talloc_free(session);
		return;
	}
	ngtcp2_conn_del(session->conn);
	session->conn = NULL;
	quicd_tls_peer_done(&session->tls);
	quicd_session_forget(session);
	if (session->state == QUICD_STATE_HANDSHAKE) {
		endpoint->handshakes--;
	}
	session->state = QUICD_STATE_OVER;
	endpoint->over++;

	TALLOC_FREE(session->timer);
	if (linger > 3 * NGTCP2_SECONDS) {
		linger = 3 * NGTCP2_SECONDS;
	}
	session->timer = tevent_add_timer(endpoint->ev,
					  session,
					  quicd_in(linger),
					  quicd_session_late,
					  session);
	if (session->timer == NULL) {
		talloc_free(session);
	}
}

static void quicd_session_end_application(struct quicd_session *session,
					  enum quicd_error error,
					  const char *reason)
{
	ngtcp2_ccerr ccerr;

	ngtcp2_ccerr_default(&ccerr);
	ngtcp2_ccerr_set_application_error(
		&ccerr, error, (const uint8_t *)reason, strlen(reason));
	quicd_session_end(session, &ccerr, reason);
}

/* An error of ngtcp2's; the session is over. */
static void quicd_session_end_liberr(struct quicd_session *session, int error)
{
	const ngtcp2_ccerr *received = NULL;
	ngtcp2_ccerr ccerr;
	char text[200];

	ngtcp2_ccerr_default(&ccerr);
	switch (error) {
	case NGTCP2_ERR_DRAINING:
		received = ngtcp2_conn_get_ccerr(session->conn);
		(void)snprintf(
			text,
			sizeof(text),
			"by the client, %s error %llu",
			received->type == NGTCP2_CCERR_TYPE_APPLICATION
				? "application"
				: "transport",
			(unsigned long long)received->error_code);
		quicd_session_end(session, NULL, text);
		return;
	case NGTCP2_ERR_IDLE_CLOSE:
		quicd_session_end(session, NULL, "the client is silent");
		return;
	case NGTCP2_ERR_HANDSHAKE_TIMEOUT:
		quicd_session_end(session, NULL, "the handshake takes too long");
		return;
	case NGTCP2_ERR_DROP_CONN:
	case NGTCP2_ERR_RETRY:
		quicd_session_end(session, NULL, "not a valid first packet");
		return;
	case NGTCP2_ERR_CRYPTO:
		ngtcp2_ccerr_set_tls_alert(
			&ccerr,
			ngtcp2_conn_get_tls_alert(session->conn),
			NULL,
			0);
		(void)snprintf(
			text,
			sizeof(text),
			"TLS: %s",
			session->tls.reason[0] != '\0'
				? session->tls.reason
				: gnutls_alert_get_strname(
					  ngtcp2_conn_get_tls_alert(
						  session->conn)));
		quicd_session_end(session, &ccerr, text);
		return;
	default:
		break;
	}
	ngtcp2_ccerr_set_liberr(&ccerr, error, NULL, 0);
	(void)snprintf(text, sizeof(text), "QUIC: %s", ngtcp2_strerror(error));
	quicd_session_end(session, &ccerr, text);
}

/* For callbacks: done when ngtcp2 has returned. */
static void quicd_session_fail(struct quicd_session *session,
			       enum quicd_error error,
			       const char *reason)
{
	if (session->failed) {
		return;
	}
	session->failed = true;
	session->error = error;
	(void)snprintf(session->reason, sizeof(session->reason), "%s", reason);
}

/* Sessions: what smbd's side tells. */

static void quicd_session_wake(void *owner)
{
	struct quicd_session *session = owner;

	quicd_session_queue(session);
	quicd_endpoint_work(session->endpoint);
}

static void quicd_session_relay_failed(void *owner, const char *reason)
{
	struct quicd_session *session = owner;

	quicd_session_end_application(session, QUICD_ERROR_SMBD, reason);
}

static const struct quicd_relay_ops quicd_session_relay_ops = {
	.wake = quicd_session_wake,
	.failed = quicd_session_relay_failed,
};

/* Sessions: what ngtcp2 tells. */

static ngtcp2_conn *quicd_session_get_conn(ngtcp2_crypto_conn_ref *ref)
{
	const struct quicd_session *session = ref->user_data;

	return session->conn;
}

static int quicd_session_new_cid(ngtcp2_conn *conn,
				 ngtcp2_cid *cid,
				 uint8_t *token,
				 size_t len,
				 void *user_data)
{
	struct quicd_session *session = user_data;
	const struct quicd_shared *shared = session->endpoint->shared;
	int ret;

	quicd_cid_make(session->endpoint, cid, len);
	ret = ngtcp2_crypto_generate_stateless_reset_token(
		token, shared->secret, sizeof(shared->secret), cid);
	if (ret != 0 || !quicd_cid_add(session, cid)) {
		return NGTCP2_ERR_CALLBACK_FAILURE;
	}
	return 0;
}

static int quicd_session_remove_cid(ngtcp2_conn *conn,
				    const ngtcp2_cid *cid,
				    void *user_data)
{
	quicd_cid_remove(user_data, cid);
	return 0;
}

static int quicd_session_handshake_completed(ngtcp2_conn *conn, void *user_data)
{
	struct quicd_session *session = user_data;
	struct quicd_endpoint *endpoint = session->endpoint;
	const char *limit = NULL;
	struct quicd_address_buf buf;

	session->state = QUICD_STATE_OPEN;
	endpoint->handshakes--;
	if (!quicd_tls_peer_check(&session->tls)) {
		quicd_session_fail(
			session, QUICD_ERROR_REFUSED, session->tls.reason);
		return 0;
	}
	session->slot = quicd_table_take(endpoint->shared->table,
					 endpoint->settings,
					 endpoint->worker,
					 &session->peer,
					 &limit);
	if (session->slot == NULL) {
		quicd_session_fail(session, QUICD_ERROR_REFUSED, limit);
		return 0;
	}
	session->deadline = quicd_now() + QUICD_FIRST_MESSAGE_TIMEOUT;
	session->deadline_reason = "the client sends no SMB";
	quicd_log("%s connected: certificate=\"%s\" cipher=%s",
		  quicd_address_print(&session->peer, &buf),
		  session->tls.name,
		  quicd_tls_peer_cipher(&session->tls));
	return 0;
}

static int quicd_session_stream_open(ngtcp2_conn *conn,
				     int64_t stream,
				     void *user_data)
{
	struct quicd_session *session = user_data;

	if (session->stream >= 0) {
		quicd_session_fail(
			session, QUICD_ERROR_PROTOCOL, "a second stream");
		return 0;
	}
	session->stream = stream;
	return 0;
}

static int quicd_session_recv(ngtcp2_conn *conn,
			      uint32_t flags,
			      int64_t stream,
			      uint64_t offset,
			      const uint8_t *data,
			      size_t len,
			      void *user_data,
			      void *stream_user_data)
{
	struct quicd_session *session = user_data;
	const struct quicd_settings *settings = session->endpoint->settings;
	const bool end = (flags & NGTCP2_STREAM_DATA_FLAG_FIN) != 0;
	const char *wrong = NULL;

	if (session->failed || session->slot == NULL ||
	    stream != session->stream)
	{
		return 0;
	}
	if (session->relay == NULL && len == 0) {
		if (end) {
			quicd_session_fail(session,
					   QUICD_ERROR_NONE,
					   "by the client, without SMB");
		}
		return 0;
	}
	if (session->relay == NULL) {
		wrong = quicd_relay_create(session,
					   session->endpoint->ev,
					   settings,
					   &session->peer,
					   &quicd_session_relay_ops,
					   session,
					   &session->relay);
		if (wrong != NULL) {
			quicd_session_fail(session, QUICD_ERROR_SMBD, wrong);
			return 0;
		}
		session->connecting = true;
		session->deadline = quicd_now() + QUICD_CONNECT_TIMEOUT;
		session->deadline_reason =
			settings->transparent
				? "smbd does not answer; "
				  "smbd_uring:quic transparent needs a route "
				  "back, see smbd-quicd(8)"
				: "smbd does not answer";
	}
	session->bytes_from_client += len;
	wrong = quicd_relay_input(session->relay, data, len, end);
	if (wrong != NULL) {
		session->reset = true;
		quicd_session_fail(session, QUICD_ERROR_PROTOCOL, wrong);
	}
	return 0;
}

static int quicd_session_acked(ngtcp2_conn *conn,
			       int64_t stream,
			       uint64_t offset,
			       uint64_t len,
			       void *user_data,
			       void *stream_user_data)
{
	struct quicd_session *session = user_data;

	if (session->relay != NULL) {
		quicd_relay_acked(session->relay, len);
	}
	session->bytes_acked += len;
	return 0;
}

/* What the client has given up is given up with smbd, too. */
static int quicd_session_stream_reset(ngtcp2_conn *conn,
				      int64_t stream,
				      uint64_t final_size,
				      uint64_t error,
				      void *user_data,
				      void *stream_user_data)
{
	struct quicd_session *session = user_data;

	session->reset = true;
	quicd_session_fail(
		session, QUICD_ERROR_NONE, "the client has reset the stream");
	return 0;
}

static int quicd_session_stream_close(ngtcp2_conn *conn,
				      uint32_t flags,
				      int64_t stream,
				      uint64_t error,
				      void *user_data,
				      void *stream_user_data)
{
	struct quicd_session *session = user_data;
	const bool has_error =
		(flags & NGTCP2_STREAM_CLOSE_FLAG_APP_ERROR_CODE_SET) != 0;

	session->reset = session->reset || (has_error && error != 0);
	quicd_session_fail(session,
			   QUICD_ERROR_NONE,
			   session->reset ? "the client has reset the stream"
					  : "by both sides");
	return 0;
}

/*
 * ngtcp2 goes to a new address at once, and back if nobody answers there.
 * What limits, status and smbd are told waits for the answer: anybody can send
 * from an address that is somebody else's.
 */
static int quicd_session_validated(ngtcp2_conn *conn,
				   uint32_t flags,
				   const ngtcp2_path *path,
				   const ngtcp2_path *fallback,
				   ngtcp2_path_validation_result result,
				   void *user_data)
{
	struct quicd_session *session = user_data;

	if (result == NGTCP2_PATH_VALIDATION_RESULT_SUCCESS) {
		quicd_address_set(&session->validated, &path->remote);
	}
	return 0;
}

static const ngtcp2_callbacks quicd_callbacks = {
	.recv_client_initial = ngtcp2_crypto_recv_client_initial_cb,
	.recv_crypto_data = ngtcp2_crypto_recv_crypto_data_cb,
	.encrypt = ngtcp2_crypto_encrypt_cb,
	.decrypt = ngtcp2_crypto_decrypt_cb,
	.hp_mask = ngtcp2_crypto_hp_mask_cb,
	.update_key = ngtcp2_crypto_update_key_cb,
	.delete_crypto_aead_ctx = ngtcp2_crypto_delete_crypto_aead_ctx_cb,
	.delete_crypto_cipher_ctx = ngtcp2_crypto_delete_crypto_cipher_ctx_cb,
	.get_path_challenge_data = ngtcp2_crypto_get_path_challenge_data_cb,
	.version_negotiation = ngtcp2_crypto_version_negotiation_cb,
	.rand = quicd_random_cb,
	.get_new_connection_id = quicd_session_new_cid,
	.remove_connection_id = quicd_session_remove_cid,
	.path_validation = quicd_session_validated,
	.handshake_completed = quicd_session_handshake_completed,
	.stream_open = quicd_session_stream_open,
	.recv_stream_data = quicd_session_recv,
	.acked_stream_data_offset = quicd_session_acked,
	.stream_reset = quicd_session_stream_reset,
	.stream_close = quicd_session_stream_close,
};

/* Sessions: what there is to do. */

/* The client may have moved. */
static void quicd_session_follow(struct quicd_session *session)
{
	struct quicd_address_buf old;
	struct quicd_address_buf new;

	if (session->slot == NULL ||
	    quicd_address_equal(&session->validated, &session->peer))
	{
		return;
	}
	quicd_log_limited("%s is %s now",
			  quicd_address_print(&session->peer, &old),
			  quicd_address_print(&session->validated, &new));
	session->peer = session->validated;
	session->publish_at = 0;
	quicd_slot_move(session->slot, &session->peer);
}

static void quicd_row_address(char *text,
			      size_t size,
			      const struct quicd_address *address)
{
	struct quicd_address_buf buf;

	(void)snprintf(text, size, "%s", quicd_address_print(address, &buf));
}

static void quicd_session_row(const struct quicd_session *session,
			      struct uring_status_row *row)
{
	const bool ipv6 = session->peer.u.sa.sa_family == AF_INET6;
	uint64_t *f = row->figures;
	struct quicd_address relay;
	ngtcp2_conn_info info;

	ngtcp2_conn_get_conn_info(session->conn, &info);
	uring_status_row_init(row);
	strcpy(row->transport, "quic");
	row->started = session->start;
	f[FIGURE_rtt_us] = info.smoothed_rtt / NGTCP2_MICROSECONDS;
	f[FIGURE_rttvar_us] = info.rttvar / NGTCP2_MICROSECONDS;
	f[FIGURE_rto_us] = ngtcp2_conn_get_pto(session->conn) /
			   NGTCP2_MICROSECONDS;
	f[FIGURE_unacked_bytes] = info.bytes_in_flight;
	f[FIGURE_mss] = ngtcp2_conn_get_path_max_tx_udp_payload_size(
		session->conn);
	f[FIGURE_mtu] = f[FIGURE_mss] + QUICD_UDP_HEADER +
			(ipv6 ? QUICD_IPV6_HEADER : QUICD_IPV4_HEADER);
	f[FIGURE_dscp] = 0;
	f[FIGURE_bytes_acked] = session->bytes_acked;
	f[FIGURE_bytes_received] = session->bytes_from_client;
	f[FIGURE_cwnd_segments] = info.cwnd / f[FIGURE_mss];
	f[FIGURE_retrans_total] = 0;
	if (session->stream >= 0) {
		f[FIGURE_retrans_total] = ngtcp2_conn_get_stream_loss_count(
			session->conn, session->stream);
	}
	f[FIGURE_segments_total] = session->packets + f[FIGURE_retrans_total];
	quicd_row_address(row->client, sizeof(row->client), &session->peer);
	if (session->relay != NULL) {
		f[FIGURE_unacked_bytes] += quicd_relay_unsent(session->relay);
		if (quicd_relay_local(session->relay, &relay)) {
			quicd_row_address(
				row->relay, sizeof(row->relay), &relay);
		}
	}
}

static void quicd_session_publish(struct quicd_session *session, uint64_t now)
{
	struct uring_status *status = session->endpoint->status;
	struct uring_status_row row;
	ngtcp2_conn_info info;

	if (status == NULL || session->slot == NULL) {
		return;
	}
	if (now < session->publish_at) {
		if (!session->published_unacked) {
			return;
		}
		ngtcp2_conn_get_conn_info(session->conn, &info);
		if (info.bytes_in_flight > 0) {
			return;
		}
	}
	session->publish_at = now + QUICD_STATUS_INTERVAL;
	quicd_session_row(session, &row);
	row.sampled = now;
	session->published_unacked =
		row.figures[FIGURE_unacked_bytes] > 0;
	if (session->published) {
		uring_status_set(status, session->row, &row);
	} else {
		session->published =
			uring_status_add(status, &row, &session->row) == 0;
	}
}

/* One packet into the buffer; its length, 0: nothing to send, or an error. */
static ngtcp2_ssize quicd_session_packet(struct quicd_session *session,
					 ngtcp2_path_storage *path,
					 ngtcp2_pkt_info *info,
					 uint8_t *buf,
					 size_t size,
					 uint64_t now)
{
	struct iovec iov[QUICD_STREAM_BUFFERS];
	ngtcp2_vec vec[QUICD_STREAM_BUFFERS];
	int64_t stream = -1;
	size_t count = 0;
	size_t len = 0;
	size_t i;
	bool end = false;
	ngtcp2_ssize taken = -1;
	ngtcp2_ssize n;

	if (session->relay != NULL && !quicd_relay_ended(session->relay)) {
		count = quicd_relay_peek(
			session->relay, iov, QUICD_STREAM_BUFFERS, &end);
	}
	for (i = 0; i < count; i++) {
		vec[i].base = iov[i].iov_base;
		vec[i].len = iov[i].iov_len;
		len += iov[i].iov_len;
	}
	if (count > 0 || end) {
		stream = session->stream;
	}

	ngtcp2_path_storage_zero(path);
	n = ngtcp2_conn_writev_stream(session->conn,
				      &path->path,
				      info,
				      buf,
				      size,
				      &taken,
				      end ? NGTCP2_WRITE_STREAM_FLAG_FIN
					  : NGTCP2_WRITE_STREAM_FLAG_NONE,
				      stream,
				      vec,
				      count,
				      now);
	if (n == NGTCP2_ERR_STREAM_DATA_BLOCKED) {
		/* all the rest, without that stream */
		taken = -1;
		n = ngtcp2_conn_writev_stream(session->conn,
					      &path->path,
					      info,
					      buf,
					      size,
					      NULL,
					      NGTCP2_WRITE_STREAM_FLAG_NONE,
					      -1,
					      NULL,
					      0,
					      now);
	}
	if (taken >= 0) {
		quicd_relay_sent(session->relay,
				 (size_t)taken,
				 end && (size_t)taken == len);
		session->bytes_to_client += (uint64_t)taken;
		session->packets++;
		if (quicd_relay_ended(session->relay)) {
			session->deadline = now + QUICD_END_TIMEOUT;
			session->deadline_reason = "by smbd";
		}
	}
	return n;
}

static void quicd_path_from(struct quicd_path *to,
			    const ngtcp2_path *path,
			    const ngtcp2_pkt_info *info)
{
	quicd_address_set(&to->local, &path->local);
	quicd_address_set(&to->remote, &path->remote);
	to->ecn = (uint8_t)(info->ecn & NGTCP2_ECN_MASK);
}

static void quicd_session_end_write(struct quicd_session *session, int error)
{
	if (error != NGTCP2_ERR_STREAM_SHUT_WR &&
	    error != NGTCP2_ERR_STREAM_NOT_FOUND)
	{
		quicd_session_end_liberr(session, error);
		return;
	}
	session->reset = true;
	quicd_session_end_application(
		session, QUICD_ERROR_NONE, "the client has stopped to read");
}

/* All that may be sent now; false if the session is over. */
static bool quicd_session_write(struct quicd_session *session, uint64_t now)
{
	struct quicd_socket *sock = session->sock;
	size_t quantum = ngtcp2_conn_get_send_quantum(session->conn);

	while (!sock->tx_blocked) {
		const size_t room = sizeof(sock->tx) - sock->tx_len;
		ngtcp2_path_storage path;
		struct quicd_path to;
		ngtcp2_pkt_info info = {};
		uint8_t *packet = &sock->tx[sock->tx_len];
		ngtcp2_ssize n;
		bool fits;

		n = quicd_session_packet(session,
					 &path,
					 &info,
					 packet,
					 room < QUICD_MAX_PAYLOAD
						 ? room
						 : QUICD_MAX_PAYLOAD,
					 now);
		if (n < 0) {
			if (sock->tx_len > 0) {
				(void)quicd_socket_flush(sock);
			}
			quicd_session_end_write(session, (int)n);
			return false;
		}
		if (n == 0) {
			break;
		}

		quicd_path_from(&to, &path.path, &info);
		fits = sock->tx_len > 0 && (size_t)n <= sock->tx_segment &&
		       quicd_path_equal(&to, &sock->tx_path);
		if (sock->tx_len > 0 && !fits) {
			const bool sent = quicd_socket_flush(sock);

			if (!sent) {
				/* as good as lost on the way */
				break;
			}
			memmove(sock->tx, packet, (size_t)n);
		}
		if (sock->tx_len == 0) {
			sock->tx_path = to;
			sock->tx_segment = (size_t)n;
		}
		sock->tx_len += (size_t)n;
		quantum -= (size_t)n < quantum ? (size_t)n : quantum;

		/* no more after a shorter one, or than the kernel takes */
		if ((size_t)n < sock->tx_segment ||
		    sock->tx_len + sock->tx_segment > UINT16_MAX - 100 ||
		    sock->tx_len / sock->tx_segment >= QUICD_SEGMENTS_MAX)
		{
			(void)quicd_socket_flush(sock);
		}
		if (quantum == 0) {
			break;
		}
	}
	if (sock->tx_len > 0 && !sock->tx_blocked) {
		(void)quicd_socket_flush(sock);
	}
	ngtcp2_conn_update_pkt_tx_time(session->conn, now);
	return true;
}

static void quicd_session_work(struct quicd_session *session)
{
	const uint64_t now = quicd_now();
	const char *wrong = NULL;
	size_t taken = 0;
	int ret;

	if (session->state == QUICD_STATE_OVER) {
		return;
	}
	if (now >= session->deadline) {
		quicd_session_end_application(session,
					      QUICD_ERROR_TIMEOUT,
					      session->deadline_reason);
		return;
	}
	if (session->connecting && quicd_relay_connected(session->relay)) {
		session->connecting = false;
		session->deadline = UINT64_MAX;
		session->publish_at = 0;
	}
	if (!session->failed && session->relay != NULL) {
		wrong = quicd_relay_flush(session->relay, &taken);
		if (wrong != NULL) {
			quicd_session_fail(session, QUICD_ERROR_SMBD, wrong);
		}
		if (taken > 0) {
			(void)ngtcp2_conn_extend_max_stream_offset(
				session->conn, session->stream, taken);
			ngtcp2_conn_extend_max_offset(session->conn, taken);
		}
	}
	if (session->failed) {
		quicd_session_end_application(
			session, session->error, session->reason);
		return;
	}
	if (session->sock->tx_blocked) {
		/* what ngtcp2 waits for comes when the socket is free */
		quicd_session_queue(session);
		quicd_session_arm(session, session->deadline);
		return;
	}
	if (now >= ngtcp2_conn_get_expiry(session->conn)) {
		ret = ngtcp2_conn_handle_expiry(session->conn, now);
		if (ret != 0) {
			quicd_session_end_liberr(session, ret);
			return;
		}
	}
	if (!quicd_session_write(session, now)) {
		return;
	}
	if (session->sock->tx_blocked) {
		quicd_session_queue(session);
	}
	quicd_session_follow(session);
	quicd_session_publish(session, now);
	quicd_session_wait(session);
}

static void quicd_session_timer(struct tevent_context *ev,
				struct tevent_timer *te,
				struct timeval tv,
				void *private_data)
{
	struct quicd_session *session =
		talloc_get_type_abort(private_data, struct quicd_session);
	const uint64_t now = quicd_now();

	session->timer = NULL; /* freed by tevent */
	if (now < session->deadline &&
	    now < ngtcp2_conn_get_expiry(session->conn))
	{
		quicd_session_wait(session);
		return;
	}
	quicd_session_queue(session);
	quicd_endpoint_work(session->endpoint);
}

/* Let the pacer be there at a time, or earlier. */
static bool quicd_endpoint_pace(struct quicd_endpoint *endpoint, uint64_t at)
{
	const struct itimerspec when = {
		.it_value.tv_sec = (time_t)(at / NGTCP2_SECONDS),
		.it_value.tv_nsec = (long)(at % NGTCP2_SECONDS),
	};
	int ret;

	if (endpoint->pacer == -1) {
		return false;
	}
	if (endpoint->pacer_at != 0 && endpoint->pacer_at <= at) {
		return true;
	}
	ret = timerfd_settime(endpoint->pacer, TFD_TIMER_ABSTIME, &when, NULL);
	if (ret != 0) {
		return false;
	}
	endpoint->pacer_at = at;
	return true;
}

static void quicd_endpoint_paced(struct tevent_context *ev,
				 struct tevent_fd *fde,
				 uint16_t flags,
				 void *private_data)
{
	struct quicd_endpoint *endpoint =
		talloc_get_type_abort(private_data, struct quicd_endpoint);
	struct quicd_session **link = &endpoint->paced;
	struct quicd_session *session = NULL;
	const uint64_t now = quicd_now();
	uint64_t next = 0;
	uint64_t times;
	ssize_t n;

	n = read(endpoint->pacer, &times, sizeof(times));
	if (n != (ssize_t)sizeof(times)) {
		return;
	}
	while ((session = *link) != NULL) {
		if (session->paced_at <= now) {
			*link = session->paced_next;
			session->paced_at = 0;
			quicd_session_queue(session);
			continue;
		}
		if (next == 0 || session->paced_at < next) {
			next = session->paced_at;
		}
		link = &session->paced_next;
	}
	endpoint->pacer_at = 0;
	if (next != 0) {
		(void)quicd_endpoint_pace(endpoint, next);
	}
	quicd_endpoint_work(endpoint);
}

static void quicd_endpoint_close_pacer(struct tevent_context *ev,
				       struct tevent_fd *fde,
				       int fd,
				       void *private_data)
{
	close(fd);
}

/* Without it the ticks of tevent have to do. */
static void quicd_endpoint_make_pacer(struct quicd_endpoint *endpoint)
{
	struct tevent_fd *fde = NULL;

	endpoint->pacer = timerfd_create(CLOCK_MONOTONIC,
					 TFD_NONBLOCK | TFD_CLOEXEC);
	if (endpoint->pacer == -1) {
		quicd_log("no timerfd, so timers are of milliseconds: %s",
			  strerror(errno));
		return;
	}
	fde = tevent_add_fd(endpoint->ev,
			    endpoint,
			    endpoint->pacer,
			    TEVENT_FD_READ,
			    quicd_endpoint_paced,
			    endpoint);
	if (fde == NULL) {
		close(endpoint->pacer);
		endpoint->pacer = -1;
		return;
	}
	tevent_fd_set_close_fn(fde, quicd_endpoint_close_pacer);
}

/* Come back to the session at a time that is less than a tick away. */
static bool quicd_session_pace(struct quicd_session *session, uint64_t at)
{
	struct quicd_endpoint *endpoint = session->endpoint;

	if (!quicd_endpoint_pace(endpoint, at)) {
		return false;
	}
	if (session->paced_at == 0) {
		session->paced_next = endpoint->paced;
		endpoint->paced = session;
	}
	session->paced_at = at;
	return true;
}

/*
 * The timer may be early, never late: moving it each time that ngtcp2's next
 * expiry moves away would cost more than a look now and then.  One that is
 * overdue waits for a wall clock that was set back.
 */
static void quicd_session_arm(struct quicd_session *session, uint64_t at)
{
	const uint64_t now = quicd_now();

	if (session->timer != NULL && session->timer_at <= at &&
	    now < session->timer_at + 10 * QUICD_TICK)
	{
		return;
	}
	TALLOC_FREE(session->timer);
	if (at == UINT64_MAX) {
		return;
	}
	session->timer_at = at;
	session->timer = tevent_add_timer(session->endpoint->ev,
					  session,
					  quicd_in(at > now ? at - now : 0),
					  quicd_session_timer,
					  session);
	if (session->timer == NULL) {
		quicd_session_end(session, NULL, "no memory");
	}
}

/* Until it is time again. */
static void quicd_session_wait(struct quicd_session *session)
{
	const uint64_t expiry = ngtcp2_conn_get_expiry(session->conn);
	const uint64_t at =
		expiry < session->deadline ? expiry : session->deadline;
	const uint64_t now = quicd_now();

	if (at > now && at - now < QUICD_TICK && session->relay != NULL &&
	    quicd_relay_unsent(session->relay) > 0 &&
	    quicd_session_pace(session, at))
	{
		return;
	}
	quicd_session_arm(session, at);
}

/* Sessions: their beginning. */

static void quicd_ngtcp2_addr(ngtcp2_addr *to,
			      const struct quicd_address *address)
{
	to->addr = (ngtcp2_sockaddr *)(uintptr_t)&address->u.sa;
	to->addrlen = address->len;
}

static bool quicd_session_begin(struct quicd_session *session,
				const ngtcp2_pkt_hd *hd,
				const ngtcp2_cid *original,
				const struct quicd_path *path)
{
	/* around what the routes of today can do, and jumbo frames */
	static const uint16_t probes[] = {1406, 1452, QUICD_MAX_PAYLOAD};
	struct quicd_endpoint *endpoint = session->endpoint;
	const struct quicd_shared *shared = endpoint->shared;
	const uint64_t idle =
		endpoint->settings->idle_timeout * NGTCP2_SECONDS;
	ngtcp2_settings settings;
	ngtcp2_transport_params params;
	ngtcp2_path ngtcp2_path = {};
	ngtcp2_cid cid;
	int ret;

	if (!quicd_tls_peer_init(&session->tls, endpoint->tls)) {
		return false;
	}
	session->tls.ref.get_conn = quicd_session_get_conn;
	session->tls.ref.user_data = session;

	quicd_cid_make(endpoint, &cid, QUICD_CID_LEN);
	ngtcp2_settings_default(&settings);
	settings.initial_ts = quicd_now();
	settings.handshake_timeout = QUICD_HANDSHAKE_TIMEOUT;
	settings.max_tx_udp_payload_size = QUICD_MAX_PAYLOAD;
	settings.pmtud_probes = probes;
	settings.pmtud_probeslen = sizeof(probes) / sizeof(probes[0]);
	if (original != NULL) {
		settings.token = hd->token;
		settings.tokenlen = hd->tokenlen;
		settings.token_type = NGTCP2_TOKEN_TYPE_RETRY;
	}

	ngtcp2_transport_params_default(&params);
	params.initial_max_stream_data_bidi_remote =
		QUICD_RELAY_FROM_CLIENT_MAX;
	params.initial_max_data = QUICD_RELAY_FROM_CLIENT_MAX;
	params.initial_max_streams_bidi = 1;
	params.max_idle_timeout = idle;
	params.stateless_reset_token_present = 1;
	ret = ngtcp2_crypto_generate_stateless_reset_token(
		params.stateless_reset_token,
		shared->secret,
		sizeof(shared->secret),
		&cid);
	if (ret != 0) {
		return false;
	}
	params.original_dcid_present = 1;
	params.original_dcid = hd->dcid;
	if (original != NULL) {
		params.original_dcid = *original;
		params.retry_scid_present = 1;
		params.retry_scid = hd->dcid;
	}

	quicd_ngtcp2_addr(&ngtcp2_path.local, &path->local);
	quicd_ngtcp2_addr(&ngtcp2_path.remote, &path->remote);
	ret = ngtcp2_conn_server_new(&session->conn,
				     &hd->scid,
				     &cid,
				     &ngtcp2_path,
				     hd->version,
				     &quicd_callbacks,
				     &settings,
				     &params,
				     NULL,
				     session);
	if (ret != 0) {
		session->conn = NULL;
		return false;
	}
	ngtcp2_conn_set_tls_native_handle(session->conn, session->tls.session);
	/* a client that is there answers; the others end by idle timeout */
	ngtcp2_conn_set_keep_alive_timeout(session->conn, idle / 3);
	return quicd_cid_add(session, &cid) &&
	       quicd_cid_add(session, &hd->dcid);
}

static struct quicd_session *quicd_session_create(struct quicd_socket *sock,
						  const ngtcp2_pkt_hd *hd,
						  const ngtcp2_cid *original,
						  const struct quicd_path *path)
{
	struct quicd_endpoint *endpoint = sock->endpoint;
	struct quicd_session *session = NULL;

	session = talloc_zero(endpoint, struct quicd_session);
	if (session == NULL) {
		return NULL;
	}
	session->endpoint = endpoint;
	session->sock = sock;
	session->peer = path->remote;
	session->validated = path->remote;
	session->start = quicd_now();
	session->stream = -1;
	session->deadline = UINT64_MAX;
	session->next = endpoint->sessions;
	if (session->next != NULL) {
		session->next->prev = session;
	}
	endpoint->sessions = session;
	endpoint->handshakes++;
	talloc_set_destructor(session, quicd_session_destructor);
	if (!quicd_session_begin(session, hd, original, path)) {
		quicd_log_limited("a connection could not begin: no memory");
		talloc_free(session);
		return NULL;
	}
	return session;
}

/* Datagrams that belong to no connection. */

static bool quicd_stateless_allowed(struct quicd_endpoint *endpoint)
{
	const uint64_t second = quicd_now() / NGTCP2_SECONDS;

	if (endpoint->stateless_second != second) {
		endpoint->stateless_second = second;
		endpoint->stateless = 0;
	}
	endpoint->stateless++;
	return endpoint->stateless <= QUICD_STATELESS_RATE;
}

static void quicd_answer_version(struct quicd_socket *sock,
				 const struct quicd_path *path,
				 const ngtcp2_version_cid *vc,
				 size_t len)
{
	static const uint32_t versions[] = {NGTCP2_PROTO_VER_V1};
	uint8_t packet[NGTCP2_MAX_UDP_PAYLOAD_SIZE];
	uint8_t random;
	ngtcp2_ssize n;

	/* an answer must not be what somebody wants to be sent elsewhere */
	if (len < NGTCP2_MAX_UDP_PAYLOAD_SIZE ||
	    !quicd_stateless_allowed(sock->endpoint))
	{
		return;
	}
	quicd_random(&random, sizeof(random));
	n = ngtcp2_pkt_write_version_negotiation(
		packet,
		sizeof(packet),
		random,
		vc->scid,
		vc->scidlen,
		vc->dcid,
		vc->dcidlen,
		versions,
		sizeof(versions) / sizeof(versions[0]));
	if (n > 0) {
		quicd_socket_send_alone(sock, path, packet, (size_t)n);
	}
}

static void quicd_answer_reset(struct quicd_socket *sock,
			       const struct quicd_path *path,
			       const ngtcp2_version_cid *vc,
			       size_t len)
{
	const struct quicd_shared *shared = sock->endpoint->shared;
	uint8_t packet[QUICD_RESET_MIN_PACKET];
	uint8_t token[NGTCP2_STATELESS_RESET_TOKENLEN];
	uint8_t random[QUICD_RESET_RANDOM];
	ngtcp2_cid cid;
	ngtcp2_ssize n;

	if (len < QUICD_RESET_MIN_PACKET ||
	    vc->dcidlen != QUICD_CID_LEN ||
	    !quicd_stateless_allowed(sock->endpoint))
	{
		return;
	}
	ngtcp2_cid_init(&cid, vc->dcid, vc->dcidlen);
	if (ngtcp2_crypto_generate_stateless_reset_token(
		    token, shared->secret, sizeof(shared->secret), &cid) != 0)
	{
		return;
	}
	quicd_random(random, sizeof(random));
	n = ngtcp2_pkt_write_stateless_reset(
		packet, sizeof(packet), token, random, sizeof(random));
	if (n > 0) {
		quicd_socket_send_alone(sock, path, packet, (size_t)n);
	}
}

static void quicd_answer_retry(struct quicd_socket *sock,
			       const struct quicd_path *path,
			       const ngtcp2_pkt_hd *hd)
{
	const struct quicd_shared *shared = sock->endpoint->shared;
	uint8_t token[NGTCP2_CRYPTO_MAX_RETRY_TOKENLEN];
	uint8_t packet[NGTCP2_MAX_UDP_PAYLOAD_SIZE];
	ngtcp2_cid cid;
	ngtcp2_ssize n;

	quicd_cid_make(sock->endpoint, &cid, QUICD_CID_LEN);
	n = ngtcp2_crypto_generate_retry_token(
		token,
		shared->secret,
		sizeof(shared->secret),
		hd->version,
		(const ngtcp2_sockaddr *)&path->remote.u.sa,
		path->remote.len,
		&cid,
		&hd->dcid,
		quicd_now());
	if (n < 0) {
		return;
	}
	n = ngtcp2_crypto_write_retry(packet,
				      sizeof(packet),
				      hd->version,
				      &hd->scid,
				      &cid,
				      &hd->dcid,
				      token,
				      (size_t)n);
	if (n > 0) {
		quicd_socket_send_alone(sock, path, packet, (size_t)n);
	}
}

static void quicd_answer_close(struct quicd_socket *sock,
			       const struct quicd_path *path,
			       const ngtcp2_pkt_hd *hd,
			       uint64_t error)
{
	uint8_t packet[NGTCP2_MAX_UDP_PAYLOAD_SIZE];
	ngtcp2_ssize n;

	if (!quicd_stateless_allowed(sock->endpoint)) {
		return;
	}
	n = ngtcp2_crypto_write_connection_close(packet,
						 sizeof(packet),
						 hd->version,
						 &hd->scid,
						 &hd->dcid,
						 error,
						 NULL,
						 0);
	if (n > 0) {
		quicd_socket_send_alone(sock, path, packet, (size_t)n);
	}
}

/* A token of our Retry: 1, with the ID that the client began with. */
static int quicd_check_token(struct quicd_socket *sock,
			     const struct quicd_path *path,
			     const ngtcp2_pkt_hd *hd,
			     ngtcp2_cid *original)
{
	const struct quicd_shared *shared = sock->endpoint->shared;
	int ret;

	if (hd->tokenlen == 0 ||
	    hd->token[0] != NGTCP2_CRYPTO_TOKEN_MAGIC_RETRY)
	{
		return 0;
	}
	ret = ngtcp2_crypto_verify_retry_token(
		original,
		hd->token,
		hd->tokenlen,
		shared->secret,
		sizeof(shared->secret),
		hd->version,
		(const ngtcp2_sockaddr *)&path->remote.u.sa,
		path->remote.len,
		&hd->dcid,
		QUICD_RETRY_TIMEOUT,
		quicd_now());
	return ret == 0 ? 1 : -1;
}

static struct quicd_session *quicd_accept(struct quicd_socket *sock,
					  const struct quicd_path *path,
					  const uint8_t *data,
					  size_t len)
{
	struct quicd_endpoint *endpoint = sock->endpoint;
	struct quicd_address_buf buf;
	const char *limit = NULL;
	ngtcp2_pkt_hd hd;
	ngtcp2_cid original;
	int token;

	if (ngtcp2_accept(&hd, data, len) != 0) {
		return NULL;
	}
	if (!quicd_settings_admit(endpoint->settings, &path->remote)) {
		quicd_log_limited("%s refused: hosts allow, hosts deny",
				  quicd_address_print(&path->remote, &buf));
		quicd_answer_close(sock, path, &hd, NGTCP2_CONNECTION_REFUSED);
		return NULL;
	}
	token = quicd_check_token(sock, path, &hd, &original);
	if (token < 0) {
		quicd_log_limited("%s refused: a wrong token",
				  quicd_address_print(&path->remote, &buf));
		quicd_answer_close(sock, path, &hd, NGTCP2_INVALID_TOKEN);
		return NULL;
	}
	if (token == 0 && endpoint->handshakes >= QUICD_FREE_HANDSHAKES) {
		quicd_answer_retry(sock, path, &hd);
		return NULL;
	}
	limit = endpoint->handshakes >= QUICD_MAX_HANDSHAKES
			? "too many handshakes"
			: quicd_table_full(endpoint->shared->table,
					   endpoint->settings,
					   &path->remote);
	if (limit != NULL) {
		quicd_log_limited("%s refused: %s",
				  quicd_address_print(&path->remote, &buf),
				  limit);
		quicd_answer_close(sock, path, &hd, NGTCP2_CONNECTION_REFUSED);
		return NULL;
	}
	return quicd_session_create(
		sock, &hd, token == 1 ? &original : NULL, path);
}

/* A late packet of a connection that is over. */
static void quicd_session_answer_late(struct quicd_session *session)
{
	session->late++;
	/* less and less often */
	if (session->close_packet == NULL ||
	    (session->late & (session->late - 1)) != 0)
	{
		return;
	}
	quicd_socket_send_alone(session->sock,
				&session->close_path,
				session->close_packet,
				session->close_len);
}

static bool quicd_session_admit(struct quicd_session *session,
				const struct quicd_address *remote)
{
	struct quicd_address_buf buf;

	if (quicd_address_equal(remote, &session->peer)) {
		return true;
	}
	if (quicd_settings_admit(session->endpoint->settings, remote)) {
		return true;
	}
	quicd_log_limited("%s refused: hosts allow, hosts deny",
			  quicd_address_print(remote, &buf));
	return false;
}

static void quicd_datagram(struct quicd_socket *sock,
			   const struct quicd_path *path,
			   const uint8_t *data,
			   size_t len)
{
	struct quicd_session *session = NULL;
	const ngtcp2_pkt_info info = {.ecn = path->ecn};
	ngtcp2_path ngtcp2_path = {};
	ngtcp2_version_cid vc;
	int ret;

	if (len == 0) {
		return;
	}
	ret = ngtcp2_pkt_decode_version_cid(&vc, data, len, QUICD_CID_LEN);
	if (ret == NGTCP2_ERR_VERSION_NEGOTIATION) {
		quicd_answer_version(sock, path, &vc, len);
		return;
	}
	if (ret != 0) {
		return;
	}
	session = quicd_cid_find(sock->endpoint, vc.dcid, vc.dcidlen);
	if (session == NULL && vc.version == 0) {
		quicd_answer_reset(sock, path, &vc, len);
		return;
	}
	if (session == NULL) {
		session = quicd_accept(sock, path, data, len);
		if (session == NULL) {
			return;
		}
	}
	if (session->state == QUICD_STATE_OVER) {
		quicd_session_answer_late(session);
		return;
	}
	if (session->failed || !quicd_session_admit(session, &path->remote)) {
		return;
	}

	quicd_ngtcp2_addr(&ngtcp2_path.local, &path->local);
	quicd_ngtcp2_addr(&ngtcp2_path.remote, &path->remote);
	ret = ngtcp2_conn_read_pkt(session->conn,
				   &ngtcp2_path,
				   &info,
				   data,
				   len,
				   quicd_now());
	if (ret != 0) {
		quicd_session_end_liberr(session, ret);
		return;
	}
	quicd_session_queue(session);
}

/* The addresses and so on of what recvmsg() has returned. */
static size_t quicd_socket_control(const struct quicd_socket *sock,
				   struct msghdr *msg,
				   size_t len,
				   struct quicd_path *path)
{
	struct cmsghdr *cmsg = NULL;
	size_t segment = len;

	path->local = sock->bound;
	for (cmsg = CMSG_FIRSTHDR(msg); cmsg != NULL;
	     cmsg = CMSG_NXTHDR(msg, cmsg))
	{
		const int level = cmsg->cmsg_level;
		const int type = cmsg->cmsg_type;

		if (level == IPPROTO_IP && type == IP_PKTINFO) {
			struct in_pktinfo info;

			memcpy(&info, CMSG_DATA(cmsg), sizeof(info));
			path->local.u.in.sin_addr = info.ipi_addr;
		} else if (level == IPPROTO_IPV6 && type == IPV6_PKTINFO) {
			struct in6_pktinfo info;

			memcpy(&info, CMSG_DATA(cmsg), sizeof(info));
			path->local.u.in6.sin6_addr = info.ipi6_addr;
		} else if (level == IPPROTO_IP && type == IP_TOS) {
			path->ecn = *CMSG_DATA(cmsg) & NGTCP2_ECN_MASK;
		} else if (level == IPPROTO_IPV6 && type == IPV6_TCLASS) {
			int tclass;

			memcpy(&tclass, CMSG_DATA(cmsg), sizeof(tclass));
			path->ecn = (uint8_t)(tclass & NGTCP2_ECN_MASK);
		} else if (level == IPPROTO_UDP && type == UDP_GRO) {
			int size;

			memcpy(&size, CMSG_DATA(cmsg), sizeof(size));
			segment = size > 0 ? (size_t)size : len;
		}
	}
	return segment;
}

/* false: nothing there. */
static bool quicd_socket_receive(struct quicd_socket *sock)
{
	uint8_t *rx = sock->endpoint->rx;
	struct quicd_path path = {};
	struct iovec iov = {
		.iov_base = rx,
		.iov_len = QUICD_DATAGRAM_MAX,
	};
	union {
		struct cmsghdr align;
		uint8_t buf[256];
	} control;
	struct msghdr msg = {
		.msg_name = &path.remote.u,
		.msg_namelen = sizeof(path.remote.u),
		.msg_iov = &iov,
		.msg_iovlen = 1,
		.msg_control = &control,
		.msg_controllen = sizeof(control),
	};
	size_t segment;
	size_t left;
	ssize_t n;

	n = recvmsg(sock->fd, &msg, MSG_DONTWAIT);
	if (n < 0) {
		/* what ICMP has told is about some other packet */
		return errno != EAGAIN && errno != EBADF;
	}
	path.remote.len = msg.msg_namelen;
	segment = quicd_socket_control(sock, &msg, (size_t)n, &path);
	if (msg.msg_namelen != sock->bound.len ||
	    (msg.msg_flags & (MSG_TRUNC | MSG_CTRUNC)) != 0)
	{
		return true;
	}
	for (left = (size_t)n; left > 0;) {
		const size_t len = left < segment ? left : segment;

		quicd_datagram(sock, &path, rx, len);
		rx += len;
		left -= len;
	}
	return true;
}

static void quicd_socket_handler(struct tevent_context *ev,
				 struct tevent_fd *fde,
				 uint16_t flags,
				 void *private_data)
{
	struct quicd_socket *sock =
		talloc_get_type_abort(private_data, struct quicd_socket);
	int i;

	if (sock->tx_blocked && quicd_socket_flush(sock)) {
		tevent_fd_set_flags(fde, TEVENT_FD_READ);
	}
	if ((flags & TEVENT_FD_READ) != 0) {
		for (i = 0; i < QUICD_RECEIVES_AT_ONCE; i++) {
			if (!quicd_socket_receive(sock)) {
				break;
			}
		}
	}
	quicd_endpoint_work(sock->endpoint);
}

bool quicd_endpoint_add_socket(struct quicd_endpoint *endpoint, int fd)
{
	struct quicd_socket *sock = talloc_zero(endpoint, struct quicd_socket);
	int ret;

	if (sock == NULL) {
		return false;
	}
	sock->endpoint = endpoint;
	sock->fd = fd;
	sock->segmentation = true;
	sock->bound.len = sizeof(sock->bound.u);
	ret = getsockname(fd, &sock->bound.u.sa, &sock->bound.len);
	if (ret != 0) {
		return false;
	}
	sock->fde = tevent_add_fd(endpoint->ev,
				  sock,
				  fd,
				  TEVENT_FD_READ,
				  quicd_socket_handler,
				  sock);
	if (sock->fde == NULL) {
		return false;
	}
	sock->next = endpoint->sockets;
	endpoint->sockets = sock;
	return true;
}

static int quicd_endpoint_destructor(struct quicd_endpoint *endpoint)
{
	while (endpoint->sessions != NULL) {
		talloc_free(endpoint->sessions);
	}
	quicd_tls_release(endpoint->tls);
	return 0;
}

struct quicd_endpoint *quicd_endpoint_create(TALLOC_CTX *mem_ctx,
					     struct tevent_context *ev,
					     const struct quicd_shared *shared,
					     uint32_t worker,
					     struct quicd_settings *settings,
					     struct quicd_tls *tls,
					     const char *status)
{
	struct quicd_endpoint *endpoint =
		talloc_zero(mem_ctx, struct quicd_endpoint);
	int ret;

	if (endpoint == NULL) {
		return NULL;
	}
	endpoint->ev = ev;
	endpoint->shared = shared;
	endpoint->worker = worker;
	endpoint->settings = talloc_steal(endpoint, settings);
	endpoint->tls = tls;
	talloc_set_destructor(endpoint, quicd_endpoint_destructor);
	quicd_endpoint_make_pacer(endpoint);
	if (status == NULL) {
		return endpoint;
	}
	ret = uring_status_create(
		endpoint, status, settings->max_connections, &endpoint->status);
	if (ret != 0) {
		quicd_log("cannot publish connections in %s: %s",
			  status,
			  strerror(ret));
	}
	return endpoint;
}

void quicd_endpoint_reload(struct quicd_endpoint *endpoint,
			   struct quicd_settings *settings,
			   struct quicd_tls *tls)
{
	talloc_free(endpoint->settings);
	endpoint->settings = talloc_steal(endpoint, settings);
	quicd_tls_release(endpoint->tls);
	endpoint->tls = tls;
}

void quicd_endpoint_close_all(struct quicd_endpoint *endpoint,
			      const char *reason)
{
	struct quicd_session *session = endpoint->sessions;

	while (session != NULL) {
		struct quicd_session *next = session->next;

		if (session->state != QUICD_STATE_OVER) {
			quicd_session_end_application(
				session, QUICD_ERROR_NONE, reason);
		}
		session = next;
	}
}
