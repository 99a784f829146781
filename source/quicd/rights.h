/* SPDX-License-Identifier: LGPL-3.0-or-later */
/*
 * The rights of workers.
 */
#ifndef QUICD_RIGHTS_H
#define QUICD_RIGHTS_H

#include <stdbool.h>
#include <sys/types.h>

/* The user of the workers; all zero if we are not root, and keep our own. */
struct quicd_rights {
	bool drop;
	uid_t uid;
	gid_t gid;
};

/**
 * @brief Find the user whose rights workers will have, if this process is root:
 * smbd-quicd, or nobody.
 *
 * @return false after a log line.
 */
bool quicd_rights_find(struct quicd_rights *rights);

/**
 * @brief Give up the rights of root, for good.
 *
 * The signal at the parent's death (PR_SET_PDEATHSIG) has to be set again.
 *
 * @param[in] raw  Keep CAP_NET_RAW, for "quic transparent".
 *
 * @return false with errno; then the process has to end.
 */
bool quicd_rights_drop(const struct quicd_rights *rights, bool raw);

#endif /* QUICD_RIGHTS_H */
