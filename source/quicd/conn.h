/* SPDX-License-Identifier: LGPL-3.0-or-later */
/*
 * A QUIC connection: ngtcp2's, the TLS session, and the relay to smbd.
 */
#ifndef QUICD_CONN_H
#define QUICD_CONN_H

#include <ngtcp2/ngtcp2.h>

#include "cid.h"
#include "close_wait.h"
#include "context.h"
#include "relay.h"
#include "state.h"
#include "timer.h"
#include "tls.h"
#include "udp.h"

/* Our application error codes; SMB over QUIC defines none. */
enum quicd_error {
	QUICD_ERROR_NONE = 0,
	QUICD_ERROR_PROTOCOL = 1,
	QUICD_ERROR_SMBD = 2,
	QUICD_ERROR_REFUSED = 3,
	QUICD_ERROR_TIMEOUT = 4,
};

/* Each connection's share of the budget: its state, and both queues. */
#define QUICD_CONN_SHARE (65536 + 2 * QUICD_RELAY_SHARE)
#define QUICD_CONN_NO_SHARE "smbd_uring:quic memory"

struct quicd_conn;
struct quicd_qlog;

struct quicd_conn_ops {
	/*
	 * Its timer has expired, or smbd's side has something: the owner has
	 * to call quicd_conn_work().  The connection may be freed in here.
	 */
	void (*ready)(void *owner, struct quicd_conn *conn);
};

/*
 * Only the files of conn_internal.h change a connection.  Other files read it,
 * and change only the members that are marked as theirs.
 */
struct quicd_conn {
	/* the owner's: which of its lists has the connection */
	struct quicd_conn *prev;
	struct quicd_conn *next;
	struct quicd_conn **list;

	/* publish.c's */
	struct quicd_published *published;

	struct quicd_context *context;
	const struct quicd_conn_ops *ops;
	void *owner;
	struct quicd_udp *udp;

	/* set by quicd_conn_set_state() alone */
	enum quicd_state state;
	/* of the state; in QUICD_OPEN, of a client that acknowledges nothing;
	 * or QUICD_TIMER_NEVER */
	uint64_t deadline;

	ngtcp2_conn *ngtcp2;
	struct quicd_tls_peer tls;
	const char *cipher;
	struct quicd_qlog *qlog; /* NULL: no file */
	struct quicd_cid_set cids;
	struct quicd_timer timer;
	struct quicd_slot *slot; /* NULL: not let in yet */
	struct quicd_account account;
	struct address peer;
	struct address validated; /* the last path that was validated */
	uint64_t start;
	bool changed; /* its row in the status is due at once */

	int64_t stream; /* or -1 */
	struct quicd_relay *relay;
	bool transparent; /* the relay connects from the client's address */
	uint64_t bytes_from_client;
	uint64_t bytes_to_client;
	uint64_t bytes_acked;
	uint64_t window;       /* the client's credit */
	uint64_t window_taken; /* bytes that smbd took since window_start */
	uint64_t window_start;
	uint64_t bytes_seen; /* both ways, at the time active */
	uint64_t active;     /* when bytes of SMB came last, either way */
	uint64_t stall_timeout; /* in nanoseconds */
	uint64_t stall_acked;	/* bytes_acked when the deadline was set */
	uint64_t packets; /* sent with bytes of SMB */

	/* no beginning of a ClientHello: quicd_endpoint_retry() */
	bool retry;

	/* for a path that may lose all long packets, see conn.c */
	uint64_t path_acked; /* bytes_acked when path_time was set */
	uint64_t path_time;
	uint64_t narrow_until; /* only small packets until then */

	/* from QUICD_FAILED on: how the connection is closed */
	bool reset; /* close the connection to smbd with a reset */
	enum quicd_error error;
	char reason[200];

	/* in QUICD_CLOSED: packet is NULL if the client is told nothing */
	struct quicd_closing closing;
};

/* What quicd_conn_work() leaves to its caller. */
enum quicd_conn_result {
	QUICD_CONN_IDLE,    /* nothing */
	QUICD_CONN_BLOCKED, /* to call it again when the socket is not full */
	QUICD_CONN_CLOSED,  /* to free the connection, see conn->closing */
};

/**
 * @brief Accept a connection.
 *
 * @param[in] mem_ctx   The connection's parent.  The connection is freed by its
 *                      owner alone.
 * @param[in] hd        The header of its first packet.
 * @param[in] original  The connection ID that the client began with before a
 *                      Retry, or NULL.
 *
 * @return NULL after a log line if there is no memory.
 */
struct quicd_conn *quicd_conn_create(TALLOC_CTX *mem_ctx,
				     struct quicd_context *context,
				     const struct quicd_conn_ops *ops,
				     void *owner,
				     struct quicd_udp *udp,
				     const struct quicd_path *path,
				     const ngtcp2_pkt_hd *hd,
				     const ngtcp2_cid *original,
				     uint64_t now);

/**
 * @brief Read a datagram; quicd_conn_work() has to be called after it, once for
 * several of them.
 *
 * @param[in] now  When it came, on the monotonic clock in nanoseconds.
 */
void quicd_conn_read(struct quicd_conn *conn,
		     const struct quicd_path *path,
		     const uint8_t *data,
		     size_t len,
		     uint64_t now);

/** @brief Do all that there is to do now: expire, relay, send, or close. */
enum quicd_conn_result quicd_conn_work(struct quicd_conn *conn, uint64_t now);

/**
 * @brief Whether a request may be under way: bytes of SMB wait, or some have
 * come in the last second.
 */
bool quicd_conn_busy(const struct quicd_conn *conn, uint64_t now);

/** @brief Close the connection without an error. */
void quicd_conn_shutdown(struct quicd_conn *conn, const char *reason);

#endif /* QUICD_CONN_H */
