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

/* One list; NULL is a list without a word. */
struct quicd_access;

enum quicd_access_list {
	QUICD_ACCESS_ALLOW,
	QUICD_ACCESS_DENY,
};

/**
 * @brief Take the words of a list, as Samba has split them.
 *
 * A word that matches no client in smbd either is a warning where it would let
 * somebody in, and an error where it would keep somebody out.  A word that
 * smbd may decide by a name server or in a way that is not known here is an
 * error.  A word by which smbd lets in more than it says (LOCAL: all of IPv6)
 * is a warning.  Each line has the word.
 *
 * @param[in]  lookups  "hostname lookups": smbd compares names, too
 * @param[out] list     allocated; NULL if there is no word
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

/** @brief Whether smbd would let this client in. */
bool quicd_access_admit(const struct quicd_access *allow,
			const struct quicd_access *deny,
			const struct address *client);

/**
 * @brief Whether smbd would let somebody in whom no list names.
 *
 * With "hosts deny" it does, even if there is a "hosts allow".
 *
 * @param[in] family  AF_INET or AF_INET6
 */
bool quicd_access_admits_others(const struct quicd_access *allow,
				const struct quicd_access *deny,
				int family);

#endif /* QUICD_ACCESS_H */
