/* SPDX-License-Identifier: LGPL-3.0-or-later */
/*
 * Peculiarities of single socket options.  Edit uring_options.c when Linux
 * gets another option of that kind.  Internal.
 */
#ifndef URING_OPTIONS_H
#define URING_OPTIONS_H

#include "uring_sockopt.h"

/**
 * Whether getsockopt(2) may write past optlen of this query: because the value
 * contains a count, or because optlen does not count bytes.
 */
bool uring_option_overruns(const struct uring_query *query);

/**
 * Whether a query changes the answer.  Such an option must not be asked twice:
 * first by a ring that fails after it did the work, then by system call.
 */
bool uring_option_once(const struct uring_query *query);

#endif /* URING_OPTIONS_H */
