/* SPDX-License-Identifier: LGPL-3.0-or-later */
/*
 * Queries that are answered at once.  Internal.
 */
#ifndef URING_SOCKOPT_INTERNAL_H
#define URING_SOCKOPT_INTERNAL_H

#include "uring_sockopt.h"

/** Answer a batch at once, through this thread's ring where it is cheaper. */
void uring_batch_answer_now(struct uring_batch *batch);

#endif /* URING_SOCKOPT_INTERNAL_H */
