/* SPDX-License-Identifier: LGPL-3.0-or-later */
/*
 * What of socket queries through io_uring works on this kernel, for this
 * user.
 */
#ifndef URING_PROBE_H
#define URING_PROBE_H

#include <stdbool.h>
#include <stddef.h>
#include <talloc.h>

#include "uring_process.h"

/** One line of a probe: a level of a kind of socket. */
struct uring_probe_class {
	const char *socket; /* "tcp4", "udp6", ... */
	const char *level;  /* "IPPROTO_TCP", "SIOCOUTQ", ... */
	/** why there is no such socket here; 0 or an errno */
	int socket_error;
	/**
	 * 0: the ring answers as the system call does; ENOSYS: this kernel's
	 * ring has no command for that; else its errno
	 */
	int error;
};

/** What works.  Only the library creates it; later versions may have more. */
struct uring_probe {
	/** 0, or why there is no ring: for uring_probe_explain() */
	int ring_error;
	/** "SINGLE_ISSUER DEFER_TASKRUN ...", a talloc child */
	const char *ring_flags;
	/** socket_wrapper or quic_ko_wrapper is loaded */
	bool wrapped;
};

/**
 * @brief Find out by asking what the ring answers here, whatever the mode.
 *
 * Opens sockets and a ring of its own and closes them again; what it finds
 * is not remembered, and is not counted.
 *
 * @return a talloc structure, NULL without memory.
 */
URING_PUBLIC struct uring_probe *uring_probe(TALLOC_CTX *mem_ctx);

/** @brief The i-th line of a probe, from 0; NULL behind the last. */
URING_PUBLIC const struct uring_probe_class *uring_probe_class(
	const struct uring_probe *probe,
	size_t i);

/**
 * @brief Cause and remedy of an errno of a probe, "CAUSE; REMEDY", in buf.
 *
 * @param[in] ring  whether it is ring_error or that of a class.
 */
URING_PUBLIC const char *uring_probe_explain(bool ring,
					     int error,
					     char *buf,
					     size_t buflen);

#endif /* URING_PROBE_H */
