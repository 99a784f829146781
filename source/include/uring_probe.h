/* SPDX-License-Identifier: LGPL-3.0-or-later */
/*
 * Finds out which socket queries io_uring answers on this kernel, for this
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
	/** 0, or the errno of socket(2): there is no such socket here */
	int socket_error;
	/**
	 * 0: the ring answers as the system call does; ENOSYS: the ring of
	 * this kernel has no such command; else the ring's errno
	 */
	int error;
};

/** The result.  Only the library creates it; later versions may add fields. */
struct uring_probe {
	/** 0, or the errno of the ring's creation: for uring_probe_explain() */
	int ring_error;
	/** "SINGLE_ISSUER DEFER_TASKRUN ...", a talloc child */
	const char *ring_flags;
	/** socket_wrapper or quic_ko_wrapper is loaded */
	bool wrapped;
};

/**
 * @brief Ask the ring which queries it answers here, in any mode.
 *
 * The function opens sockets and a ring of its own, and closes them again.
 * The library neither remembers the result nor counts the queries.
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
 * @param[in] ring  true: error is ring_error; false: it is that of a class.
 */
URING_PUBLIC const char *uring_probe_explain(bool ring,
					     int error,
					     char *buf,
					     size_t buflen);

#endif /* URING_PROBE_H */
