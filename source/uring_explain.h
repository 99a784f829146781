/* SPDX-License-Identifier: LGPL-3.0-or-later */
/*
 * Why there is no ring, in words for administrators.  Internal; uring_probe.h
 * and uring_process.h declare what programs may call.
 */
#ifndef URING_EXPLAIN_H
#define URING_EXPLAIN_H

#include <stddef.h>

/**
 * Cause and remedy of an errno of uring_ring_create() or uring_ring_run(), as
 * "CAUSE; REMEDY", in buf.
 */
const char *uring_ring_explain(int error, char *buf, size_t buflen);

/** The line in the log for such an errno, without a newline, in buf. */
const char *uring_explain_fallback(int error, char *buf, size_t buflen);

#endif /* URING_EXPLAIN_H */
