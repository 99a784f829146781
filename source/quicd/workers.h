/* SPDX-License-Identifier: LGPL-3.0-or-later */
/*
 * The processes of all workers, as the parent has them: start, messages, death.
 */
#ifndef QUICD_WORKERS_H
#define QUICD_WORKERS_H

#include "context.h"
#include "message.h"

struct quicd_workers;

/**
 * @brief Called in the new process; must not return.
 *
 * @param[in] parent_pid  the process that has forked it
 * @param[in] fd          the socket to the parent
 */
typedef void (*quicd_workers_fn)(void *private_data,
				 uint32_t number,
				 pid_t parent_pid,
				 int fd);

/**
 * @brief Called when a worker says 'D' unasked.
 *
 * @param[in] message  NULL: the worker has died
 */
typedef void (*quicd_heard_fn)(void *private_data,
			       uint32_t number,
			       const struct quicd_message *message);

/**
 * @brief Prepare as many workers as shared->workers; none is started yet.
 *
 * @param[in] shared  has to live as long
 *
 * @return NULL without memory.
 */
struct quicd_workers *quicd_workers_create(TALLOC_CTX *mem_ctx,
					   const struct quicd_shared *shared,
					   quicd_workers_fn become,
					   quicd_heard_fn heard,
					   void *private_data);

/**
 * @brief Start the workers that are missing.
 *
 * A worker that lived for a short time is not replaced at once.
 *
 * @return the nanoseconds until another one has to be started, or UINT64_MAX.
 */
uint64_t quicd_workers_start(struct quicd_workers *workers);

/** @brief Send a message to each worker, with a descriptor unless fd is -1. */
void quicd_workers_tell(const struct quicd_workers *workers,
			struct quicd_message message,
			int fd);

/** @brief Send a message to each worker, with a descriptor of its own. */
void quicd_workers_give(const struct quicd_workers *workers,
			struct quicd_message message,
			const int *fds);

/** @brief Whether this worker runs. */
bool quicd_workers_runs(const struct quicd_workers *workers, uint32_t number);

/** @brief A descriptor that is readable when this worker has sent something, or
 * -1. */
int quicd_workers_fd(const struct quicd_workers *workers, uint32_t number);

/** @brief Receive a message of this worker. */
void quicd_workers_hear(struct quicd_workers *workers, uint32_t number);

/**
 * @brief Wait for the answers to a request.
 *
 * A worker that has died does not count: the parent starts its successor with
 * the settings that are in force then.
 *
 * @param[in] number  the request's
 *
 * @return whether all have said yes; false after a log line.
 */
bool quicd_workers_agree(const struct quicd_workers *workers, uint32_t number);

/**
 * @brief Whether the event loop of each worker has turned since the last call.
 *
 * The call also asks each worker again.  A worker that does not run does not
 * count, because it is about to be started.  If a worker does not answer, the
 * function logs it once.
 */
bool quicd_workers_turn(struct quicd_workers *workers);

/**
 * @brief After SIGCHLD: take back the slots and the memory of dead workers.
 *
 * @param[in] stopping  whether a worker may end by itself, without a log line
 */
void quicd_workers_reap(struct quicd_workers *workers, bool stopping);

/** @brief Have all workers end when their connections allow it. */
void quicd_workers_stop(const struct quicd_workers *workers);

/** @brief Whether there is a worker left. */
bool quicd_workers_left(const struct quicd_workers *workers);

#endif /* QUICD_WORKERS_H */
