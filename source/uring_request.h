/* SPDX-License-Identifier: LGPL-3.0-or-later */
/*
 * Helpers for requests that use the requests of uring_sockopt.h.  Internal.
 */
#ifndef URING_REQUEST_H
#define URING_REQUEST_H

#include <stdbool.h>
#include <tevent.h>

/** The errno of a finished request: 0 for success, ETIMEDOUT, ... */
int uring_req_errno(struct tevent_req *req);

/** Fail req with the errno of a subrequest; false if error is 0. */
bool uring_subreq_failed(int error, struct tevent_req *req);

#endif /* URING_REQUEST_H */
