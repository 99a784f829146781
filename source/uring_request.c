/* SPDX-License-Identifier: LGPL-3.0-or-later */
/*
 * Socket queries as tevent requests: each has a batch that is asked once.
 */

#include "config.h"

#include <errno.h>
#include <string.h>

#include "uring_batch.h"
#include "uring_request.h"

struct uring_query_batch_state {
	struct uring_batch *batch;
};

static bool uring_query_batch_cancel(struct tevent_req *req)
{
	struct uring_query_batch_state *state = tevent_req_data(
		req, struct uring_query_batch_state);

	if (!uring_batch_cancel(state->batch)) {
		return false;
	}
	tevent_req_error(req, ECANCELED);
	return true;
}

static void uring_query_batch_cleanup(struct tevent_req *req,
				      enum tevent_req_state req_state)
{
	struct uring_query_batch_state *state = tevent_req_data(
		req, struct uring_query_batch_state);

	/* also after a time-out: the queue must forget the batch */
	if (req_state != TEVENT_REQ_DONE) {
		TALLOC_FREE(state->batch);
	}
}

static void uring_query_batch_done(struct uring_batch *batch,
				   const struct uring_query *queries,
				   void *private_data)
{
	struct tevent_req *req = talloc_get_type_abort(private_data,
						       struct tevent_req);

	tevent_req_done(req);
}

struct tevent_req *uring_query_batch_send(TALLOC_CTX *mem_ctx,
					  struct tevent_context *ev,
					  const struct uring_socket *sock,
					  const struct uring_query *queries,
					  size_t num_queries,
					  enum uring_urgency urgency)
{
	struct tevent_req *req = NULL;
	struct uring_query_batch_state *state = NULL;

	req = tevent_req_create(mem_ctx,
				&state,
				struct uring_query_batch_state);
	if (req == NULL) {
		return NULL;
	}
	state->batch = uring_batch_create(state,
					  ev,
					  sock,
					  queries,
					  num_queries,
					  uring_query_batch_done,
					  req);
	if (tevent_req_nomem(state->batch, req)) {
		return tevent_req_post(req, ev);
	}
	tevent_req_set_cleanup_fn(req, uring_query_batch_cleanup);
	tevent_req_set_cancel_fn(req, uring_query_batch_cancel);
	(void)uring_batch_ask(state->batch, urgency);
	return req;
}

int uring_req_errno(struct tevent_req *req)
{
	enum tevent_req_state req_state;
	uint64_t error;

	if (!tevent_req_is_error(req, &req_state, &error)) {
		return 0;
	}
	switch (req_state) {
	case TEVENT_REQ_NO_MEMORY:
		return ENOMEM;
	case TEVENT_REQ_TIMED_OUT:
		return ETIMEDOUT;
	case TEVENT_REQ_USER_ERROR:
		return (int)error;
	default:
		return EIO;
	}
}

bool uring_subreq_failed(int error, struct tevent_req *req)
{
	if (error == 0) {
		return false;
	}
	if (error == ENOMEM) {
		tevent_req_oom(req);
	} else {
		tevent_req_error(req, error);
	}
	return true;
}

int uring_query_batch_recv(struct tevent_req *req,
			   TALLOC_CTX *mem_ctx,
			   struct uring_query **queries)
{
	struct uring_query_batch_state *state = tevent_req_data(
		req, struct uring_query_batch_state);
	int ret;

	ret = uring_req_errno(req);
	if (ret == 0) {
		*queries = talloc_move(mem_ctx, &state->batch->queries);
	}
	tevent_req_received(req);
	return ret;
}

struct uring_getsockopt_state {
	struct uring_query *query;
	socklen_t optlen;
};

static void uring_getsockopt_done(struct tevent_req *subreq);

struct tevent_req *uring_getsockopt_send(TALLOC_CTX *mem_ctx,
					 struct tevent_context *ev,
					 const struct uring_socket *sock,
					 int level,
					 int optname,
					 const void *optval,
					 socklen_t optlen,
					 enum uring_urgency urgency)
{
	struct tevent_req *req = NULL;
	struct tevent_req *subreq = NULL;
	struct uring_getsockopt_state *state = NULL;
	struct uring_query query = {
		.type = URING_QUERY_GETSOCKOPT,
		.level = level,
		.optname = optname,
		.optlen = optlen,
	};

	req = tevent_req_create(mem_ctx, &state, struct uring_getsockopt_state);
	if (req == NULL) {
		return NULL;
	}
	if (optlen > INT32_MAX) {
		/* getsockopt(2) returns it for a negative length */
		tevent_req_error(req, EINVAL);
		return tevent_req_post(req, ev);
	}

	state->optlen = optlen;
	query.optval = talloc_zero_size(state, optlen);
	if (tevent_req_nomem(query.optval, req)) {
		return tevent_req_post(req, ev);
	}
	if (optval != NULL) {
		memcpy(query.optval, optval, optlen);
	}

	subreq = uring_query_batch_send(state, ev, sock, &query, 1, urgency);
	if (tevent_req_nomem(subreq, req)) {
		return tevent_req_post(req, ev);
	}
	tevent_req_set_callback(subreq, uring_getsockopt_done, req);
	return req;
}

static void uring_getsockopt_done(struct tevent_req *subreq)
{
	struct tevent_req *req = tevent_req_callback_data(subreq,
							  struct tevent_req);
	struct uring_getsockopt_state *state = tevent_req_data(
		req, struct uring_getsockopt_state);
	int ret;

	ret = uring_query_batch_recv(subreq, state, &state->query);
	TALLOC_FREE(subreq);
	if (uring_subreq_failed(ret, req)) {
		return;
	}
	if (state->query->error != 0) {
		tevent_req_error(req, state->query->error);
		return;
	}
	tevent_req_done(req);
}

int uring_getsockopt_recv(struct tevent_req *req,
			  TALLOC_CTX *mem_ctx,
			  void **optval,
			  socklen_t *optlen,
			  enum uring_reason *reason)
{
	struct uring_getsockopt_state *state = tevent_req_data(
		req, struct uring_getsockopt_state);
	int ret;

	if (reason != NULL) {
		*reason = URING_REASON_ERROR;
		if (state->query != NULL) {
			*reason = state->query->reason;
		}
	}
	ret = uring_req_errno(req);
	if (ret == 0) {
		*optval = talloc_memdup(mem_ctx,
					state->query->optval,
					state->optlen);
		if (*optval == NULL) {
			ret = ENOMEM;
		}
		*optlen = state->query->optlen;
	}
	tevent_req_received(req);
	return ret;
}
