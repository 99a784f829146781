/* SPDX-License-Identifier: LGPL-3.0-or-later */
/*
 * For requests (tevent_req) on top of those of uring_sockopt.h.  Internal.
 */
#ifndef URING_REQUEST_H
#define URING_REQUEST_H

#include <stdbool.h>
#include <tevent.h>

/** The errno of a request that ends with 0, an errno, or a time-out. */
int uring_req_errno(struct tevent_req *req);

/** Pass the errno of a subrequest on; whether there was one. */
bool uring_subreq_failed(int error, struct tevent_req *req);

#endif /* URING_REQUEST_H */
