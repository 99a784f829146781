/* SPDX-License-Identifier: LGPL-3.0-or-later */
/*
 * Connection IDs (RFC 9000, 5.1): which connection a datagram belongs to.
 */
#ifndef QUICD_CID_H
#define QUICD_CID_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <talloc.h>

/* The length of ours; a client may begin with a longer or shorter one. */
#define QUICD_CID_LEN 16
#define QUICD_CID_MAX 20

struct quicd_cid {
	size_t len;
	uint8_t data[QUICD_CID_MAX];
};

/* The connection IDs of a worker. */
struct quicd_cids;

/* The receiver of datagrams with a connection ID. */
enum quicd_cid_owner {
	QUICD_CID_OF_CONN,
	QUICD_CID_OF_CLOSE_WAIT,
};

struct quicd_cid_entry;

/* All connection IDs of one owner, of which this is a member. */
struct quicd_cid_set {
	enum quicd_cid_owner owner;
	struct quicd_cids *cids;
	struct quicd_cid_entry *entries;
};

struct quicd_cids *quicd_cids_create(TALLOC_CTX *mem_ctx);

/** @brief How many connection IDs there are. */
size_t quicd_cids_count(const struct quicd_cids *cids);

/** @brief The set that has a connection ID, or NULL. */
struct quicd_cid_set *quicd_cid_find(const struct quicd_cids *cids,
				     const uint8_t *data,
				     size_t len);

void quicd_cid_set_init(struct quicd_cid_set *set,
			struct quicd_cids *cids,
			enum quicd_cid_owner owner);

/**
 * @brief Add a connection ID to a set.
 *
 * @return false if a set of this worker has it already, or without memory.
 */
bool quicd_cid_add(struct quicd_cid_set *set, const struct quicd_cid *cid);

/** @brief Take an ID out; nothing happens if it is not in the set. */
void quicd_cid_remove(struct quicd_cid_set *set, const struct quicd_cid *cid);

/** @brief Take all IDs out. */
void quicd_cid_clear(struct quicd_cid_set *set);

/** @brief Give all IDs to another owner.  It cannot fail. */
void quicd_cid_move(struct quicd_cid_set *to, struct quicd_cid_set *from);

/** @brief Random bytes; ends the process if the kernel has none. */
void quicd_random(void *data, size_t len);

/**
 * @brief Make a connection ID by which the kernel finds a worker's socket: its
 * first byte modulo the number of workers is the worker's number.
 *
 * @param[in] mark  of the secret with which its reset token is made; it is in
 *                  the byte QUICD_CID_MARK
 */
void quicd_cid_make(struct quicd_cid *cid,
		    uint32_t worker,
		    uint32_t workers,
		    uint8_t mark);

#define QUICD_CID_MARK 1

/**
 * @brief Whether datagrams with this connection ID are for this worker, as
 * quicd_cid_make() has it.
 */
bool quicd_cid_leads_to(const uint8_t *data,
			size_t len,
			uint32_t worker,
			uint32_t workers);

#endif /* QUICD_CID_H */
