/* SPDX-License-Identifier: LGPL-3.0-or-later */
/*
 * The TCP side of one QUIC connection: a connection to smbd, and the bytes that
 * are on their way to smbd and to the client.
 */
#ifndef QUICD_RELAY_H
#define QUICD_RELAY_H

#include <sys/uio.h>
#include <tevent.h>

#include "budget.h"
#include "settings.h"

/*
 * The most bytes that may wait each way.  Bytes for smbd are limited by the
 * client's credit.  Bytes for the client wait until it has acknowledged them.
 * This fills 1 Gbit/s at a round trip of 130 ms.
 */
#define QUICD_RELAY_MAX (16U << 20)

/* The bytes for the client that may wait whatever the budget is. */
#define QUICD_RELAY_SHARE (256U << 10)

struct quicd_relay;

/* Upcalls; the relay makes none while its owner is calling it. */
struct quicd_relay_ops {
	/* smbd has accepted the connection; ready() follows */
	void (*connected)(void *owner);
	/* there is something to send, or room for something */
	void (*ready)(void *owner);
	/* the connection to smbd is lost; the owner has to free the relay */
	void (*failed)(void *owner, const char *reason);
};

/**
 * @brief Whether the relay can connect to smbd in the way of the settings.
 *
 * @return false after a log line.
 */
bool quicd_relay_possible(const struct quicd_settings *settings);

/**
 * @brief Begin to connect to smbd.
 *
 * @param[in] account  Pays for the waiting bytes for the client that exceed
 *                     QUICD_RELAY_SHARE.
 *
 * @return NULL, or why the relay cannot connect.
 */
const char *quicd_relay_create(TALLOC_CTX *mem_ctx,
			       struct tevent_context *ev,
			       const struct quicd_settings *settings,
			       const struct address *client,
			       struct quicd_account *account,
			       const struct quicd_relay_ops *ops,
			       void *owner,
			       struct quicd_relay **relay);

/**
 * @brief Take bytes from the client for smbd.
 *
 * @param[in] end  The client sends no more bytes.
 *
 * @return NULL, or why the connection has to end.
 */
const char *quicd_relay_input(struct quicd_relay *relay,
			      const uint8_t *data,
			      size_t len,
			      bool end);

/**
 * @brief Write as many waiting bytes to smbd's socket as it takes.
 *
 * @param[out] taken  The number of written bytes: the client's new credit.
 *
 * @return NULL, or why the connection has to end.
 */
const char *quicd_relay_flush(struct quicd_relay *relay, size_t *taken);

/**
 * @brief Read the bytes that we know to wait at smbd's socket, and watch the
 * socket for more.  Call it after each change, before you send to the client.
 *
 * @return NULL, or why the connection has to end.
 */
const char *quicd_relay_refill(struct quicd_relay *relay);

/**
 * @brief The bytes to send to the client next.
 *
 * @param[in]  max  The number of elements of iov.
 * @param[out] end  smbd sends nothing after these bytes.
 *
 * @return The number of elements of iov that are set.
 */
size_t quicd_relay_peek(const struct quicd_relay *relay,
			struct iovec *iov,
			size_t max,
			bool *end);

/** @brief The owner has sent len more bytes: keep them for retransmission. */
void quicd_relay_sent(struct quicd_relay *relay, size_t len, bool end);

/** @brief The client has acknowledged len more bytes: free them. */
void quicd_relay_acked(struct quicd_relay *relay, size_t len);

/** @brief Whether smbd has closed its side, and all its bytes were sent. */
bool quicd_relay_ended(const struct quicd_relay *relay);

/** @brief End with a reset instead of an orderly close. */
void quicd_relay_reset(struct quicd_relay *relay);

/** @brief Our end of the connection to smbd: for smbd, the client's address. */
bool quicd_relay_local(const struct quicd_relay *relay,
		       struct address *address);

/** @brief How many bytes for the client are unsent or unacknowledged. */
size_t quicd_relay_unacked(const struct quicd_relay *relay);

/** @brief Whether bytes wait for smbd, or for the client. */
bool quicd_relay_busy(const struct quicd_relay *relay);

/** @brief How many bytes for the client are not sent yet. */
size_t quicd_relay_unsent(const struct quicd_relay *relay);

#endif /* QUICD_RELAY_H */
