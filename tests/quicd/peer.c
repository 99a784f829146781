/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * A QUIC client that does what no well-behaved one does, or only when asked:
 *
 * quicd-peer PORT [OPTION=NUMBER ...]
 *
 * idle: the idle timeout that it announces, in seconds; it sends no keep-alives
 * window: the credit of the stream in bytes, renewed as bytes come
 * hold=1: not renewed
 * put: so many bytes are sent, in messages of 64 KiB
 * frame: in one message instead, whose header announces so many bytes
 * get: it ends when so many bytes have come
 * stop=1: it ends when all is acknowledged that it has put
 * cubic=0: BBR in its place
 * first: the first byte of its first connection ID, which chooses the worker
 * late=1: its ClientHello needs two packets, and the first one is lost once
 *
 * It prints a line for each thing that happens, and ends with the connection.
 */

#include "config.h"

#include <arpa/inet.h>
#include <errno.h>
#include <gnutls/crypto.h>
#include <gnutls/gnutls.h>
#include <ngtcp2/ngtcp2.h>
#include <ngtcp2/ngtcp2_crypto.h>
#include <ngtcp2/ngtcp2_crypto_gnutls.h>
#include <poll.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "util/clock.h"

#define PEER_MESSAGE 65536U
#define PEER_HEADER 4U
#define PEER_ANY 256

enum peer_option {
	PEER_IDLE,
	PEER_WINDOW,
	PEER_HOLD,
	PEER_PUT,
	PEER_GET,
	PEER_CUBIC,
	PEER_STOP,
	PEER_LATE,
	PEER_FRAME,
	PEER_FIRST,
	PEER_OPTIONS,
};

static const char *const peer_names[PEER_OPTIONS] = {
	"idle", "window", "hold", "put", "get", "cubic", "stop", "late",
	"frame", "first"};

static uint64_t peer_option[PEER_OPTIONS] = {
	[PEER_IDLE] = 30, [PEER_WINDOW] = 1 << 20, [PEER_CUBIC] = 1,
	[PEER_FIRST] = PEER_ANY};

static struct {
	int fd;
	struct sockaddr_in local;
	struct sockaddr_in remote;
	ngtcp2_conn *conn;
	ngtcp2_crypto_conn_ref ref;
	gnutls_session_t session;
	int64_t stream;
	uint64_t received;
	uint64_t sent;
	uint64_t acked;
	uint64_t window; /* the largest credit beyond what was acknowledged */
	uint8_t message[PEER_MESSAGE];
} peer = {.stream = -1};

static void peer_check(bool good, const char *what)
{
	if (!good) {
		(void)fprintf(stderr, "quicd-peer: %s\n", what);
		exit(1);
	}
}

static void peer_say(const char *what, uint64_t number)
{
	printf("%s %llu\n", what, (unsigned long long)number);
	(void)fflush(stdout);
}

static ngtcp2_conn *peer_get_conn(ngtcp2_crypto_conn_ref *ref)
{
	return peer.conn;
}

static void peer_random(uint8_t *data, size_t len, const ngtcp2_rand_ctx *ctx)
{
	peer_check(gnutls_rnd(GNUTLS_RND_NONCE, data, len) == 0, "random");
}

static int peer_new_cid(ngtcp2_conn *conn,
			ngtcp2_cid *cid,
			uint8_t *token,
			size_t len,
			void *user_data)
{
	cid->datalen = len;
	peer_random(cid->data, len, NULL);
	peer_random(token, NGTCP2_STATELESS_RESET_TOKENLEN, NULL);
	return 0;
}

static int peer_connected(ngtcp2_conn *conn, void *user_data)
{
	const ngtcp2_transport_params *params =
		ngtcp2_conn_get_remote_transport_params(conn);

	peer_say("connected", params->active_connection_id_limit);
	return 0;
}

static int peer_received(ngtcp2_conn *conn,
			 uint32_t flags,
			 int64_t stream,
			 uint64_t offset,
			 const uint8_t *data,
			 size_t len,
			 void *user_data,
			 void *stream_user_data)
{
	peer.received += len;
	if (peer_option[PEER_HOLD] == 0) {
		(void)ngtcp2_conn_extend_max_stream_offset(conn, stream, len);
		ngtcp2_conn_extend_max_offset(conn, len);
	}
	return 0;
}

static int peer_acked(ngtcp2_conn *conn,
		      int64_t stream,
		      uint64_t offset,
		      uint64_t len,
		      void *user_data,
		      void *stream_user_data)
{
	peer.acked = offset + len;
	return 0;
}

static int peer_credit(ngtcp2_conn *conn,
		       int64_t stream,
		       uint64_t max_data,
		       void *user_data,
		       void *stream_user_data)
{
	if (max_data - peer.acked > peer.window) {
		peer.window = max_data - peer.acked;
	}
	return 0;
}

static int peer_token(ngtcp2_conn *conn,
		      const uint8_t *token,
		      size_t len,
		      void *user_data)
{
	size_t i;

	printf("token ");
	for (i = 0; i < len; i++) {
		printf("%02x", token[i]);
	}
	peer_say("", len);
	return 0;
}

static int peer_retry(ngtcp2_conn *conn,
		      const ngtcp2_pkt_hd *hd,
		      void *user_data)
{
	peer_say("retry", hd->tokenlen);
	return ngtcp2_crypto_recv_retry_cb(conn, hd, user_data);
}

/* That of an earlier connection, from the environment. */
static void peer_use_token(ngtcp2_settings *settings)
{
	static uint8_t token[256];
	const char *text = getenv("QUICD_TOKEN");
	size_t len = 0;
	unsigned byte;

	for (; text != NULL && sscanf(text, "%2x", &byte) == 1; text += 2) {
		peer_check(len < sizeof(token), "QUICD_TOKEN");
		token[len++] = (uint8_t)byte;
	}
	if (len > 0) {
		settings->token = token;
		settings->tokenlen = len;
		settings->token_type = NGTCP2_TOKEN_TYPE_NEW_TOKEN;
	}
}

static const ngtcp2_callbacks peer_callbacks = {
	.client_initial = ngtcp2_crypto_client_initial_cb,
	.recv_crypto_data = ngtcp2_crypto_recv_crypto_data_cb,
	.encrypt = ngtcp2_crypto_encrypt_cb,
	.decrypt = ngtcp2_crypto_decrypt_cb,
	.hp_mask = ngtcp2_crypto_hp_mask_cb,
	.recv_retry = peer_retry,
	.update_key = ngtcp2_crypto_update_key_cb,
	.delete_crypto_aead_ctx = ngtcp2_crypto_delete_crypto_aead_ctx_cb,
	.delete_crypto_cipher_ctx = ngtcp2_crypto_delete_crypto_cipher_ctx_cb,
	.get_path_challenge_data = ngtcp2_crypto_get_path_challenge_data_cb,
	.version_negotiation = ngtcp2_crypto_version_negotiation_cb,
	.rand = peer_random,
	.get_new_connection_id = peer_new_cid,
	.handshake_completed = peer_connected,
	.recv_stream_data = peer_received,
	.recv_new_token = peer_token,
	.acked_stream_data_offset = peer_acked,
	.extend_max_stream_data = peer_credit,
};

static void peer_tls(void)
{
	static uint8_t smb[] = {'s', 'm', 'b'};
	const gnutls_datum_t alpn = {smb, sizeof(smb)};
	const bool late = peer_option[PEER_LATE] != 0;
	gnutls_certificate_credentials_t credentials;

	peer_check(gnutls_certificate_allocate_credentials(&credentials) == 0 &&
			   gnutls_init(&peer.session,
				       late ? GNUTLS_CLIENT |
						       GNUTLS_KEY_SHARE_TOP2
					    : GNUTLS_CLIENT) == 0 &&
			   ngtcp2_crypto_gnutls_configure_client_session(
				   peer.session) == 0 &&
			   gnutls_priority_set_direct(
				   peer.session,
				   /* a key of 1,024 bytes makes it long */
				   late ? "NORMAL:-VERS-ALL:+VERS-TLS1.3:"
					  "-GROUP-ALL:+GROUP-X25519:"
					  "+GROUP-FFDHE8192"
					: "NORMAL:-VERS-ALL:+VERS-TLS1.3",
				   NULL) == 0 &&
			   gnutls_alpn_set_protocols(
				   peer.session, &alpn, 1, 0) == 0 &&
			   gnutls_server_name_set(peer.session,
						  GNUTLS_NAME_DNS,
						  "server",
						  strlen("server")) == 0 &&
			   gnutls_credentials_set(peer.session,
						  GNUTLS_CRD_CERTIFICATE,
						  credentials) == 0,
		   "TLS");
	peer.ref.get_conn = peer_get_conn;
	gnutls_session_set_ptr(peer.session, &peer.ref);
}

static ngtcp2_path peer_path(void)
{
	return (ngtcp2_path){
		.local = {(ngtcp2_sockaddr *)&peer.local, sizeof(peer.local)},
		.remote = {(ngtcp2_sockaddr *)&peer.remote,
			   sizeof(peer.remote)},
	};
}

static void peer_connect(uint16_t port)
{
	socklen_t len = sizeof(peer.local);
	const int size = 16 << 20;
	const ngtcp2_path path = peer_path();
	ngtcp2_settings settings;
	ngtcp2_transport_params params;
	ngtcp2_cid dcid = {.datalen = NGTCP2_MAX_CIDLEN};
	ngtcp2_cid scid = {.datalen = 8};

	peer.fd = socket(AF_INET, SOCK_DGRAM, 0);
	peer.remote.sin_family = AF_INET;
	peer.remote.sin_port = htons(port);
	peer.remote.sin_addr.s_addr = inet_addr(
		getenv("QUICD_PEER") != NULL ? getenv("QUICD_PEER")
					     : "127.0.0.1");
	(void)setsockopt(
		peer.fd, SOL_SOCKET, SO_RCVBUFFORCE, &size, sizeof(size));
	peer_check(connect(peer.fd,
			   (struct sockaddr *)&peer.remote,
			   sizeof(peer.remote)) == 0 &&
			   getsockname(peer.fd,
				       (struct sockaddr *)&peer.local,
				       &len) == 0,
		   "socket");
	peer_tls();
	peer_random(dcid.data, dcid.datalen, NULL);
	if (peer_option[PEER_FIRST] != PEER_ANY) {
		dcid.data[0] = (uint8_t)peer_option[PEER_FIRST];
	}
	peer_random(scid.data, scid.datalen, NULL);
	ngtcp2_settings_default(&settings);
	settings.initial_ts = clock_monotonic_ns();
	peer_use_token(&settings);
	if (peer_option[PEER_CUBIC] == 0) {
		settings.cc_algo = NGTCP2_CC_ALGO_BBR;
	}
	ngtcp2_transport_params_default(&params);
	params.initial_max_stream_data_bidi_local = peer_option[PEER_WINDOW];
	params.initial_max_data = peer_option[PEER_WINDOW];
	params.max_idle_timeout = peer_option[PEER_IDLE] * CLOCK_NS_PER_S;
	peer_check(ngtcp2_conn_client_new(&peer.conn,
					  &dcid,
					  &scid,
					  &path,
					  NGTCP2_PROTO_VER_V1,
					  &peer_callbacks,
					  &settings,
					  &params,
					  NULL,
					  NULL) == 0,
		   "ngtcp2_conn_client_new");
	ngtcp2_conn_set_tls_native_handle(peer.conn, peer.session);
}

/* The rest of the message that is being sent; its length. */
static size_t peer_rest(ngtcp2_vec *vec)
{
	const uint64_t left = peer_option[PEER_PUT] - peer.sent;
	size_t at = peer.sent % PEER_MESSAGE;

	if (peer_option[PEER_FRAME] > 0 && peer.sent >= PEER_HEADER) {
		at = PEER_HEADER + peer.sent % (PEER_MESSAGE - PEER_HEADER);
	}
	vec->base = &peer.message[at];
	vec->len = PEER_MESSAGE - at;
	if (left < vec->len) {
		vec->len = (size_t)left;
	}
	return vec->len;
}

static void peer_end(int error)
{
	const ngtcp2_ccerr *closed = ngtcp2_conn_get_ccerr(peer.conn);

	peer_say("received", peer.received);
	peer_say("sent", peer.sent);
	if (error == NGTCP2_ERR_DRAINING) {
		printf("closed %llu %.*s\n",
		       (unsigned long long)closed->error_code,
		       (int)closed->reasonlen,
		       (const char *)closed->reason);
	} else {
		printf("over %s\n", ngtcp2_strerror(error));
	}
	exit(0);
}

static void peer_send(uint64_t now)
{
	uint8_t packet[1452];

	for (;;) {
		ngtcp2_vec vec;
		ngtcp2_ssize taken = -1;
		ngtcp2_ssize n;
		size_t len = peer.stream >= 0 ? peer_rest(&vec) : 0;

		n = ngtcp2_conn_writev_stream(peer.conn,
					      NULL,
					      NULL,
					      packet,
					      sizeof(packet),
					      &taken,
					      NGTCP2_WRITE_STREAM_FLAG_NONE,
					      len > 0 ? peer.stream : -1,
					      &vec,
					      len > 0 ? 1 : 0,
					      now);
		if (n == NGTCP2_ERR_STREAM_DATA_BLOCKED) {
			n = ngtcp2_conn_write_pkt(peer.conn,
						  NULL,
						  NULL,
						  packet,
						  sizeof(packet),
						  now);
		}
		if (n < 0) {
			peer_end((int)n);
		}
		if (taken > 0) {
			peer.sent += (uint64_t)taken;
		}
		if (n == 0) {
			break;
		}
		if (peer_option[PEER_LATE] != 0) {
			peer_option[PEER_LATE] = 0;
			continue;
		}
		/* what the socket does not take is lost */
		(void)send(peer.fd, packet, (size_t)n, 0);
	}
	ngtcp2_conn_update_pkt_tx_time(peer.conn, now);
}

static void peer_receive(void)
{
	uint8_t packet[65536];
	const ngtcp2_path path = peer_path();
	ssize_t n;

	while ((n = recv(peer.fd, packet, sizeof(packet), MSG_DONTWAIT)) >= 0) {
		const ngtcp2_pkt_info info = {};
		const int ret = ngtcp2_conn_read_pkt(peer.conn,
						     &path,
						     &info,
						     packet,
						     (size_t)n,
						     clock_monotonic_ns());

		if (ret != 0) {
			peer_end(ret);
		}
	}
}

static void peer_wait(void)
{
	const uint64_t now = clock_monotonic_ns();
	const uint64_t expiry = ngtcp2_conn_get_expiry(peer.conn);
	struct pollfd polled = {.fd = peer.fd, .events = POLLIN};
	struct timespec wait = {.tv_sec = 1};
	int ret;

	if (expiry <= now) {
		wait.tv_sec = 0;
	} else if (expiry - now < CLOCK_NS_PER_S) {
		wait.tv_sec = 0;
		wait.tv_nsec = (long)(expiry - now);
	}
	(void)ppoll(&polled, 1, &wait, NULL);
	peer_receive();
	if (clock_monotonic_ns() >= expiry) {
		ret = ngtcp2_conn_handle_expiry(peer.conn,
						clock_monotonic_ns());
		if (ret != 0) {
			peer_end(ret);
		}
	}
}

static void peer_options(char **arguments)
{
	size_t i;

	for (; *arguments != NULL; arguments++) {
		const char *value = strchr(*arguments, '=');

		for (i = 0; value != NULL && i < PEER_OPTIONS; i++) {
			const size_t len = (size_t)(value - *arguments);

			if (strlen(peer_names[i]) == len &&
			    strncmp(*arguments, peer_names[i], len) == 0)
			{
				peer_option[i] = strtoull(value + 1, NULL, 10);
				break;
			}
		}
		peer_check(value != NULL && i < PEER_OPTIONS, *arguments);
	}
}

/* The length, in network byte order, and SMB2's magic number. */
static void peer_begin_message(void)
{
	uint32_t len = PEER_MESSAGE - PEER_HEADER;

	if (peer_option[PEER_FRAME] > 0) {
		len = (uint32_t)peer_option[PEER_FRAME];
	}
	len = htonl(len);
	memcpy(peer.message, &len, PEER_HEADER);
	memcpy(&peer.message[PEER_HEADER], "\376SMB", 4);
}

int main(int argc, char **argv)
{
	peer_check(argc > 1, "quicd-peer PORT [OPTION=NUMBER ...]");
	peer_options(&argv[2]);
	peer_begin_message();
	peer_connect((uint16_t)strtoul(argv[1], NULL, 10));
	for (;;) {
		if (peer.stream < 0 && peer_option[PEER_PUT] > 0 &&
		    ngtcp2_conn_get_streams_bidi_left(peer.conn) > 0)
		{
			(void)ngtcp2_conn_open_bidi_stream(
				peer.conn, &peer.stream, NULL);
		}
		peer_send(clock_monotonic_ns());
		if (peer_option[PEER_GET] > 0 &&
		    peer.received >= peer_option[PEER_GET]) {
			break;
		}
		if (peer.acked == peer_option[PEER_PUT] &&
		    peer_option[PEER_STOP] != 0) {
			break;
		}
		peer_wait();
	}
	peer_say("received", peer.received);
	peer_say("window", peer.window);
	return 0;
}
