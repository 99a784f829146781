// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * A client of smbd-quicd for benchmarks.  It uses little CPU time, so that a
 * benchmark measures the server.
 *
 *     quic_client ADDRESS PORT get|put BYTES [CONNECTIONS]
 *     quic_client ADDRESS PORT echo BYTES COUNT
 *     quic_client ADDRESS PORT idle CONNECTIONS
 *
 * smbd-quicd relays to quic_target.  The commands are:
 * - get, put: transfer BYTES over each connection, all at the same time.  put
 *   rounds BYTES up to whole frames of 64 KiB.
 * - echo: ask COUNT times for BYTES, one after the other.
 * - idle: connect, print "idle", and stay until the end of the input.
 *
 * The client prints one line of "name=value":
 * - seconds: of the transfer, without the handshakes
 * - cpu: CPU seconds of the client
 * - bytes: of all connections
 * - slowest, fastest: seconds of single connections
 * - for echo: the median and the 99th percentile in microseconds
 *
 * It receives by recvmmsg(2) with UDP_GRO, acknowledges as ngtcp2 does by
 * default, and sends by UDP_SEGMENT.  It does not check the certificate of the
 * server.  The cipher is TLS_AES_128_GCM_SHA256.
 */

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/udp.h>
#include <poll.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include <gnutls/crypto.h>
#include <gnutls/gnutls.h>
#include <ngtcp2/ngtcp2.h>
#include <ngtcp2/ngtcp2_crypto.h>
#include <ngtcp2/ngtcp2_crypto_gnutls.h>

#include "util/clock.h"
#include "util/macros.h"

#define FRAME 65536
#define HEADER 4
#define WINDOW (16 << 20)
#define BATCH 16
#define DATAGRAM 65536
#define PAYLOAD_MAX 8952
#define SEGMENTS_MAX 64
#define PRIORITY \
	"NORMAL:-VERS-ALL:+VERS-TLS1.3:-CIPHER-ALL:+AES-128-GCM:%DISABLE_TLS13_COMPAT_MODE"

enum what { GET, PUT, ECHO, IDLE };

struct connection {
	ngtcp2_conn *conn;
	ngtcp2_crypto_conn_ref ref;
	gnutls_session_t tls;
	int fd;
	struct sockaddr_storage local;
	struct sockaddr_storage remote;
	socklen_t addrlen;
	int64_t stream;
	bool ready; /* the handshake is confirmed */
	bool done;

	/* the data to send: a request and, for put, frames */
	uint8_t request[HEADER + 9];
	size_t request_sent;
	uint64_t put_left; /* bytes of frames with their headers */
	uint64_t put_sent;
	uint64_t expected; /* with headers, of the answer under way */
	uint64_t received;

	uint64_t begun;
	uint64_t ended;
	bool blocked;
	size_t tx_len;
	size_t tx_segment;
	uint8_t tx[DATAGRAM];
};

static struct {
	enum what what;
	uint64_t bytes;
	unsigned count;
	gnutls_certificate_credentials_t credentials;
	/* put sends FRAME bytes with a header, repeatedly */
	uint8_t frame[HEADER + FRAME];
	uint64_t *times;
	unsigned answers;
	uint8_t rx[BATCH][DATAGRAM];
} bench;

static void die(const char *what, const char *why)
{
	fprintf(stderr, "quic_client: %s: %s\n", what, why);
	exit(1);
}

/* The size on the stream of so many bytes, in frames of at most FRAME bytes. */
static uint64_t with_headers(uint64_t bytes)
{
	return bytes + (bytes + FRAME - 1) / FRAME * HEADER;
}

static void begin_request(struct connection *c)
{
	static const char letters[] = {
		[GET] = 'G', [PUT] = 'P', [ECHO] = 'E', [IDLE] = 'E'};
	const uint64_t number = bench.what == IDLE ? 1 : bench.bytes;
	unsigned i;

	c->request[3] = 9;
	c->request[4] = (uint8_t)letters[bench.what];
	for (i = 0; i < 8; i++) {
		c->request[HEADER + 1 + i] = (uint8_t)(number >> (56 - 8 * i));
	}
	c->request_sent = 0;
	c->received = 0;
	c->put_sent = 0;
	c->put_left = 0;
	c->expected = HEADER + 1;
	if (bench.what == PUT) {
		c->put_left = with_headers(bench.bytes);
	} else if (bench.what != IDLE) {
		c->expected = with_headers(bench.bytes);
	}
	c->begun = clock_monotonic_ns();
}

/* The next bytes to send. */
static size_t pending(struct connection *c, ngtcp2_vec *vec, size_t room)
{
	uint64_t at = c->put_sent;
	uint64_t left = c->put_left;
	size_t count = 0;

	if (c->request_sent < sizeof(c->request)) {
		vec[count].base = &c->request[c->request_sent];
		vec[count].len = sizeof(c->request) - c->request_sent;
		count++;
	}
	while (left > 0 && count < room) {
		const size_t offset = (size_t)(at % sizeof(bench.frame));
		size_t n = sizeof(bench.frame) - offset;

		n = n < left ? n : (size_t)left;
		vec[count].base = &bench.frame[offset];
		vec[count].len = n;
		count++;
		at += n;
		left -= n;
	}
	return count;
}

static void taken(struct connection *c, size_t n)
{
	size_t request = sizeof(c->request) - c->request_sent;

	request = request < n ? request : n;
	c->request_sent += request;
	c->put_sent += n - request;
	c->put_left -= n - request;
}

static void answered(struct connection *c)
{
	const uint64_t now = clock_monotonic_ns();

	if (bench.what == ECHO) {
		bench.times[bench.answers] = now - c->begun;
		bench.answers++;
		if (bench.answers < bench.count) {
			begin_request(c);
			return;
		}
	}
	c->ended = now;
	c->done = true;
}

static void random_cb(uint8_t *data, size_t len, const ngtcp2_rand_ctx *ctx)
{
	(void)gnutls_rnd(GNUTLS_RND_NONCE, data, len);
}

static int new_cid_cb(ngtcp2_conn *conn,
		      ngtcp2_cid *cid,
		      uint8_t *token,
		      size_t len,
		      void *user_data)
{
	(void)gnutls_rnd(GNUTLS_RND_RANDOM, cid->data, len);
	cid->datalen = len;
	(void)gnutls_rnd(
		GNUTLS_RND_RANDOM, token, NGTCP2_STATELESS_RESET_TOKENLEN);
	return 0;
}

static int confirmed_cb(ngtcp2_conn *conn, void *user_data)
{
	struct connection *c = user_data;

	if (ngtcp2_conn_open_bidi_stream(conn, &c->stream, NULL) != 0) {
		return NGTCP2_ERR_CALLBACK_FAILURE;
	}
	c->ready = true;
	return 0;
}

static int recv_cb(ngtcp2_conn *conn,
		   uint32_t flags,
		   int64_t stream,
		   uint64_t offset,
		   const uint8_t *data,
		   size_t len,
		   void *user_data,
		   void *stream_user_data)
{
	struct connection *c = user_data;

	ngtcp2_conn_extend_max_stream_offset(conn, stream, len);
	ngtcp2_conn_extend_max_offset(conn, len);
	c->received += len;
	if (c->received >= c->expected) {
		answered(c);
	}
	return 0;
}

static ngtcp2_conn *get_conn(ngtcp2_crypto_conn_ref *ref)
{
	return ((struct connection *)ref->user_data)->conn;
}

static const ngtcp2_callbacks callbacks = {
	.client_initial = ngtcp2_crypto_client_initial_cb,
	.recv_crypto_data = ngtcp2_crypto_recv_crypto_data_cb,
	.encrypt = ngtcp2_crypto_encrypt_cb,
	.decrypt = ngtcp2_crypto_decrypt_cb,
	.hp_mask = ngtcp2_crypto_hp_mask_cb,
	.recv_retry = ngtcp2_crypto_recv_retry_cb,
	.update_key = ngtcp2_crypto_update_key_cb,
	.delete_crypto_aead_ctx = ngtcp2_crypto_delete_crypto_aead_ctx_cb,
	.delete_crypto_cipher_ctx = ngtcp2_crypto_delete_crypto_cipher_ctx_cb,
	.get_path_challenge_data = ngtcp2_crypto_get_path_challenge_data_cb,
	.version_negotiation = ngtcp2_crypto_version_negotiation_cb,
	.rand = random_cb,
	.get_new_connection_id = new_cid_cb,
	.handshake_confirmed = confirmed_cb,
	.recv_stream_data = recv_cb,
};

static void open_socket(struct connection *c, const char *host, uint16_t port)
{
	const int buffer = 8 << 20;
	const int one = 1;
	const int probe = IP_PMTUDISC_PROBE;
	struct sockaddr_in in = {
		.sin_family = AF_INET,
		.sin_port = htons(port),
	};

	if (inet_pton(AF_INET, host, &in.sin_addr) != 1) {
		die(host, "not an IPv4 address");
	}
	c->addrlen = sizeof(in);
	memcpy(&c->remote, &in, sizeof(in));
	c->fd = socket(AF_INET, SOCK_DGRAM | SOCK_NONBLOCK, 0);
	if (c->fd < 0 ||
	    connect(c->fd, (struct sockaddr *)&c->remote, c->addrlen) != 0 ||
	    getsockname(c->fd, (struct sockaddr *)&c->local, &c->addrlen) != 0)
	{
		die(host, strerror(errno));
	}
	/* FORCE lets root exceed the limit */
	(void)setsockopt(
		c->fd, SOL_SOCKET, SO_RCVBUFFORCE, &buffer, sizeof(buffer));
	(void)setsockopt(
		c->fd, SOL_SOCKET, SO_SNDBUFFORCE, &buffer, sizeof(buffer));
	(void)setsockopt(c->fd, IPPROTO_UDP, UDP_GRO, &one, sizeof(one));
	(void)setsockopt(
		c->fd, IPPROTO_IP, IP_MTU_DISCOVER, &probe, sizeof(probe));
}

static void open_tls(struct connection *c)
{
	static unsigned char alpn_name[] = "smb";
	const gnutls_datum_t alpn = {.data = alpn_name, .size = 3};

	c->ref.get_conn = get_conn;
	c->ref.user_data = c;
	if (gnutls_init(&c->tls, GNUTLS_CLIENT | GNUTLS_NONBLOCK) != 0 ||
	    gnutls_priority_set_direct(c->tls, PRIORITY, NULL) != 0 ||
	    ngtcp2_crypto_gnutls_configure_client_session(c->tls) != 0 ||
	    gnutls_credentials_set(c->tls,
				   GNUTLS_CRD_CERTIFICATE,
				   bench.credentials) != 0 ||
	    gnutls_server_name_set(c->tls, GNUTLS_NAME_DNS, "server", 6) != 0 ||
	    gnutls_alpn_set_protocols(
		    c->tls, &alpn, 1, GNUTLS_ALPN_MANDATORY) != 0)
	{
		die("TLS", "cannot be set up");
	}
	gnutls_session_set_ptr(c->tls, &c->ref);
}

static void open_connection(struct connection *c,
			    const char *host,
			    uint16_t port)
{
	/* the same values as in smbd-quicd */
	static const uint16_t probes[] = {1406, 1452, PAYLOAD_MAX};
	ngtcp2_settings settings;
	ngtcp2_transport_params params;
	ngtcp2_path path = {};
	ngtcp2_cid dcid;
	ngtcp2_cid scid;

	c->stream = -1;
	c->request_sent = sizeof(c->request); /* none yet */
	open_socket(c, host, port);
	open_tls(c);
	path.local.addr = (ngtcp2_sockaddr *)&c->local;
	path.local.addrlen = c->addrlen;
	path.remote.addr = (ngtcp2_sockaddr *)&c->remote;
	path.remote.addrlen = c->addrlen;
	ngtcp2_settings_default(&settings);
	settings.initial_ts = clock_monotonic_ns();
	settings.max_tx_udp_payload_size = PAYLOAD_MAX;
	settings.pmtud_probes = probes;
	settings.pmtud_probeslen = ARRAY_SIZE(probes);
	ngtcp2_transport_params_default(&params);
	params.initial_max_stream_data_bidi_local = WINDOW;
	params.initial_max_data = WINDOW;
	params.max_idle_timeout = 60 * NGTCP2_SECONDS;
	dcid.datalen = 16;
	scid.datalen = 8;
	random_cb(dcid.data, dcid.datalen, NULL);
	random_cb(scid.data, scid.datalen, NULL);
	if (ngtcp2_conn_client_new(&c->conn,
				   &dcid,
				   &scid,
				   &path,
				   NGTCP2_PROTO_VER_V1,
				   &callbacks,
				   &settings,
				   &params,
				   NULL,
				   c) != 0)
	{
		die("QUIC", "cannot be set up");
	}
	ngtcp2_conn_set_tls_native_handle(c->conn, c->tls);
	ngtcp2_conn_set_keep_alive_timeout(c->conn, 20 * NGTCP2_SECONDS);
}

static bool flush(struct connection *c)
{
	union {
		struct cmsghdr align;
		uint8_t buf[CMSG_SPACE(sizeof(uint16_t))];
	} control = {};
	struct iovec iov = {.iov_base = c->tx, .iov_len = c->tx_len};
	struct msghdr msg = {.msg_iov = &iov, .msg_iovlen = 1};
	ssize_t n;

	c->blocked = false;
	if (c->tx_len == 0) {
		return true;
	}
	if (c->tx_len > c->tx_segment) {
		const uint16_t size = (uint16_t)c->tx_segment;
		struct cmsghdr *cmsg = &control.align;

		msg.msg_control = &control;
		msg.msg_controllen = sizeof(control);
		cmsg->cmsg_level = IPPROTO_UDP;
		cmsg->cmsg_type = UDP_SEGMENT;
		cmsg->cmsg_len = CMSG_LEN(sizeof(size));
		memcpy(CMSG_DATA(cmsg), &size, sizeof(size));
	}
	n = sendmsg(c->fd, &msg, 0);
	if (n < 0 && errno == EAGAIN) {
		c->blocked = true;
		return false;
	}
	c->tx_len = 0; /* other errors are lost packets, a large probe too */
	return true;
}

static ngtcp2_ssize packet(struct connection *c, uint8_t *buf, uint64_t now)
{
	ngtcp2_vec vec[4];
	ngtcp2_ssize consumed = -1;
	ngtcp2_ssize n;
	size_t count = c->ready ? pending(c, vec, ARRAY_SIZE(vec)) : 0;
	ngtcp2_pkt_info info;

	n = ngtcp2_conn_writev_stream(c->conn,
				      NULL,
				      &info,
				      buf,
				      PAYLOAD_MAX,
				      &consumed,
				      NGTCP2_WRITE_STREAM_FLAG_NONE,
				      count > 0 ? c->stream : -1,
				      vec,
				      count,
				      now);
	if (n == NGTCP2_ERR_STREAM_DATA_BLOCKED) {
		consumed = -1;
		n = ngtcp2_conn_writev_stream(
			c->conn, NULL, &info, buf, PAYLOAD_MAX, NULL, 0, -1,
			NULL, 0, now);
	}
	if (consumed > 0) {
		taken(c, (size_t)consumed);
	}
	return n;
}

static void write_all(struct connection *c)
{
	const uint64_t now = clock_monotonic_ns();
	size_t quantum = ngtcp2_conn_get_send_quantum(c->conn);

	if (now >= ngtcp2_conn_get_expiry(c->conn) &&
	    ngtcp2_conn_handle_expiry(c->conn, now) != 0)
	{
		die("connection", "lost");
	}
	while (flush(c) || !c->blocked) {
		bool full = false;

		while (!full) {
			ngtcp2_ssize n = packet(c, &c->tx[c->tx_len], now);

			if (n < 0) {
				die("write", ngtcp2_strerror((int)n));
			}
			if (n == 0) {
				break;
			}
			if (c->tx_len == 0) {
				c->tx_segment = (size_t)n;
			}
			if ((size_t)n > c->tx_segment) {
				/* a probe behind smaller ones: alone */
				const size_t had = c->tx_len;

				(void)flush(c);
				memmove(c->tx, &c->tx[had], (size_t)n);
				c->tx_segment = (size_t)n;
			}
			c->tx_len += (size_t)n;
			quantum -= (size_t)n < quantum ? (size_t)n : quantum;
			full = (size_t)n < c->tx_segment || quantum == 0 ||
			       c->tx_len + PAYLOAD_MAX > DATAGRAM - 100 ||
			       c->tx_len / c->tx_segment >= SEGMENTS_MAX;
		}
		if (!full || quantum == 0) {
			break;
		}
	}
	(void)flush(c);
	ngtcp2_conn_update_pkt_tx_time(c->conn, now);
}

static void read_datagram(struct connection *c,
			  uint8_t *data,
			  size_t len,
			  size_t segment,
			  uint64_t now)
{
	const ngtcp2_pkt_info info = {};
	ngtcp2_path path = {
		.local = {(ngtcp2_sockaddr *)&c->local, c->addrlen},
		.remote = {(ngtcp2_sockaddr *)&c->remote, c->addrlen},
	};

	while (len > 0) {
		const size_t n = len < segment ? len : segment;
		int ret = ngtcp2_conn_read_pkt(
			c->conn, &path, &info, data, n, now);

		if (ret != 0) {
			die("read", ngtcp2_strerror(ret));
		}
		data += n;
		len -= n;
	}
}

static void read_all(struct connection *c)
{
	union {
		struct cmsghdr align;
		uint8_t buf[CMSG_SPACE(sizeof(int))];
	} control[BATCH];
	struct mmsghdr msgs[BATCH] = {};
	struct iovec iov[BATCH];
	int n = BATCH;
	int i;

	while (n == BATCH) {
		uint64_t now;

		for (i = 0; i < BATCH; i++) {
			iov[i].iov_base = bench.rx[i];
			iov[i].iov_len = DATAGRAM;
			msgs[i].msg_hdr.msg_iov = &iov[i];
			msgs[i].msg_hdr.msg_iovlen = 1;
			msgs[i].msg_hdr.msg_control = &control[i];
			msgs[i].msg_hdr.msg_controllen = sizeof(control[i]);
		}
		n = recvmmsg(c->fd, msgs, BATCH, MSG_DONTWAIT, NULL);
		now = clock_monotonic_ns();
		for (i = 0; i < n; i++) {
			struct msghdr *msg = &msgs[i].msg_hdr;
			struct cmsghdr *cmsg = CMSG_FIRSTHDR(msg);
			size_t segment = msgs[i].msg_len;

			if (cmsg != NULL && cmsg->cmsg_type == UDP_GRO) {
				int size;

				memcpy(&size, CMSG_DATA(cmsg), sizeof(size));
				segment = (size_t)size;
			}
			read_datagram(
				c, bench.rx[i], msgs[i].msg_len, segment, now);
		}
	}
}

/* Serve all until each is ready, or each is done. */
static void run(struct connection **all, unsigned count, bool until_done)
{
	struct pollfd *fds = calloc(count, sizeof(*fds));
	unsigned left = count;
	unsigned i;

	if (fds == NULL) {
		die("poll", "no memory");
	}
	while (left > 0) {
		uint64_t next = UINT64_MAX;
		uint64_t now;
		struct timespec wait;

		left = 0;
		for (i = 0; i < count; i++) {
			uint64_t expiry;

			write_all(all[i]);
			expiry = ngtcp2_conn_get_expiry(all[i]->conn);
			next = expiry < next ? expiry : next;
			left += until_done ? !all[i]->done : !all[i]->ready;
			fds[i].fd = all[i]->fd;
			fds[i].events = (short)(POLLIN |
						(all[i]->blocked ? POLLOUT
								 : 0));
		}
		if (left == 0) {
			break;
		}
		now = clock_monotonic_ns();
		next = next > now ? next - now : 0;
		next = next < 100 * NGTCP2_MILLISECONDS
			       ? next
			       : 100 * NGTCP2_MILLISECONDS;
		wait.tv_sec = 0;
		wait.tv_nsec = (long)next;
		(void)ppoll(fds, count, &wait, NULL);
		for (i = 0; i < count; i++) {
			if ((fds[i].revents & POLLIN) != 0) {
				read_all(all[i]);
			}
		}
	}
	free(fds);
}

static void close_all(struct connection **all, unsigned count)
{
	unsigned i;

	for (i = 0; i < count; i++) {
		ngtcp2_ccerr error;
		ngtcp2_ssize n;

		ngtcp2_ccerr_default(&error);
		n = ngtcp2_conn_write_connection_close(all[i]->conn,
						       NULL,
						       NULL,
						       all[i]->tx,
						       PAYLOAD_MAX,
						       &error,
						       clock_monotonic_ns());
		if (n > 0) {
			(void)send(all[i]->fd, all[i]->tx, (size_t)n, 0);
		}
	}
}

static double cpu_seconds(void)
{
	struct rusage u;

	(void)getrusage(RUSAGE_SELF, &u);
	return (double)(u.ru_utime.tv_sec + u.ru_stime.tv_sec) +
	       (double)(u.ru_utime.tv_usec + u.ru_stime.tv_usec) / 1e6;
}

static int compare_times(const void *a, const void *b)
{
	const uint64_t *x = a;
	const uint64_t *y = b;

	return *x < *y ? -1 : *x > *y;
}

static void print_times(struct connection **all,
			unsigned count,
			uint64_t start,
			double cpu)
{
	uint64_t fastest = UINT64_MAX;
	uint64_t slowest = 0;
	unsigned i;

	for (i = 0; i < count; i++) {
		const uint64_t took = all[i]->ended - start;

		fastest = took < fastest ? took : fastest;
		slowest = took > slowest ? took : slowest;
	}
	printf("seconds=%.6f cpu=%.6f bytes=%ju fastest=%.6f slowest=%.6f",
	       (double)slowest / 1e9,
	       cpu_seconds() - cpu,
	       (uintmax_t)(bench.bytes * count *
			   (bench.what == ECHO ? bench.count : 1)),
	       (double)fastest / 1e9,
	       (double)slowest / 1e9);
	if (bench.what == ECHO) {
		qsort(bench.times,
		      bench.count,
		      sizeof(bench.times[0]),
		      compare_times);
		printf(" median_us=%.1f p99_us=%.1f",
		       (double)bench.times[bench.count / 2] / 1e3,
		       (double)bench.times[bench.count * 99 / 100] / 1e3);
	}
	printf("\n");
}

static void arguments(int argc, char **argv, unsigned *connections)
{
	static const char *const names[] = {
		[GET] = "get", [PUT] = "put", [ECHO] = "echo", [IDLE] = "idle"};

	if (argc < 5) {
		die("usage",
		    "quic_client ADDRESS PORT get|put|echo|idle NUMBER [NUMBER]");
	}
	for (bench.what = GET; strcmp(argv[3], names[bench.what]) != 0;
	     bench.what++)
	{
		if (bench.what == IDLE) {
			die(argv[3], "get, put, echo or idle");
		}
	}
	bench.bytes = strtoull(argv[4], NULL, 10);
	bench.count = argc > 5 ? (unsigned)atoi(argv[5]) : 1;
	if (bench.what == PUT) {
		bench.bytes = (bench.bytes + FRAME - 1) / FRAME * FRAME;
	}
	*connections = bench.what == ECHO ? 1 : bench.count;
	if (bench.what == IDLE) {
		*connections = (unsigned)bench.bytes;
	}
	if (bench.what == ECHO && bench.bytes > FRAME) {
		die(argv[4], "an answer is one frame, 65536 bytes at most");
	}
	bench.times = calloc(bench.count, sizeof(bench.times[0]));
	if (bench.bytes == 0 || bench.count == 0 || bench.times == NULL) {
		die(argv[4], "not a number of bytes or connections");
	}
}

int main(int argc, char **argv)
{
	struct connection **all = NULL;
	unsigned count = 0;
	uint64_t start;
	double cpu;
	unsigned i;

	arguments(argc, argv, &count);
	bench.frame[1] = FRAME >> 16 & 0xff;
	bench.frame[2] = FRAME >> 8 & 0xff;
	all = calloc(count, sizeof(struct connection *));
	if (all == NULL ||
	    gnutls_certificate_allocate_credentials(&bench.credentials) != 0)
	{
		die("start", "no memory");
	}
	for (i = 0; i < count; i++) {
		all[i] = calloc(1, sizeof(struct connection));
		if (all[i] == NULL) {
			die("start", "no memory");
		}
		open_connection(all[i], argv[1], (uint16_t)atoi(argv[2]));
		if (i % 16 == 15) {
			run(all, i + 1, false);
		}
	}
	run(all, count, false);
	start = clock_monotonic_ns();
	cpu = cpu_seconds();
	for (i = 0; i < count; i++) {
		begin_request(all[i]);
	}
	run(all, count, true);
	print_times(all, count, start, cpu);
	if (bench.what == IDLE) {
		struct pollfd input = {.fd = 0, .events = POLLIN};

		printf("idle\n");
		fflush(stdout);
		while (poll(&input, 1, 0) == 0) {
			for (i = 0; i < count; i++) {
				read_all(all[i]);
				write_all(all[i]);
			}
			(void)poll(&input, 1, 200);
		}
	}
	close_all(all, count);
	return 0;
}
