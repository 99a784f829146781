/* SPDX-License-Identifier: LGPL-3.0-or-later */
/*
 * "hosts allow" and "hosts deny": the verdict of smbd.
 */
#ifndef QUICD_ACCESS_H
#define QUICD_ACCESS_H

#include <stdbool.h>
#include <talloc.h>

#include "log.h"
#include "util/address.h"

/* A list of hosts; NULL is an empty list. */
struct quicd_access;

enum quicd_access_list {
	QUICD_ACCESS_ALLOW,
	QUICD_ACCESS_DENY,
};

/**
 * @brief Take the words of a list, as Samba has split them.
 *
 * Some words need a line in the report, which names the word:
 * - The word matches no client, neither here nor in smbd.  That is a warning if
 *   the word should let clients in, and an error if it should keep them out.
 * - smbd may ask a name server about the word, or decide in a way that this
 *   code does not know.  That is an error.
 * - smbd lets in more clients than the word says (LOCAL: all of IPv6).  That is
 *   a warning.
 *
 * @param[in]  lookups  "hostname lookups": smbd also compares names.
 * @param[out] list     The list, a child of mem_ctx; NULL if there is no word.
 *
 * @return false after an error in the report.
 */
bool quicd_access_parse(TALLOC_CTX *mem_ctx,
			struct quicd_report *report,
			enum quicd_access_list which,
			const char *const *words,
			size_t num_words,
			bool lookups,
			const struct quicd_access **list);

/** @brief Whether smbd would let a client in that has this address. */
bool quicd_access_admit(const struct quicd_access *allow,
			const struct quicd_access *deny,
			const struct address *client);

/**
 * @brief Whether smbd would let in a client that neither list names.
 *
 * If there is a "hosts deny", smbd lets such a client in, even if there is a
 * "hosts allow".
 *
 * @param[in] family  AF_INET or AF_INET6
 */
bool quicd_access_admits_others(const struct quicd_access *allow,
				const struct quicd_access *deny,
				int family);

#endif /* QUICD_ACCESS_H */
