/* SPDX-License-Identifier: LGPL-3.0-or-later */
/*
 * A transport snapshot as a line of text, for logs.
 */
#ifndef TRANSPORT_SNAPSHOT_TEXT_H
#define TRANSPORT_SNAPSHOT_TEXT_H

#include "snapshot.h"

/**
 * @brief One line: "rtt_us=21 ... via TCP_INFO=ring IP_MTU=syscall(level)".
 *
 * @return a talloc string, NULL without memory.
 */
char *uring_snapshot_string(TALLOC_CTX *mem_ctx,
			    const struct uring_snapshot *snapshot);

#endif /* TRANSPORT_SNAPSHOT_TEXT_H */
