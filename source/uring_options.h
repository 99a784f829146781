/* SPDX-License-Identifier: LGPL-3.0-or-later */
/*
 * What is peculiar about single socket options: the place to edit when Linux
 * gets one more.  Internal.
 */
#ifndef URING_OPTIONS_H
#define URING_OPTIONS_H

#include "uring_sockopt.h"

/**
 * Whether getsockopt(2) may write past the stated length of this query: by a
 * count in the value, or by a length that does not count bytes.
 */
bool uring_option_overruns(const struct uring_query *query);

/**
 * Whether asking changes the answer.  Such an option must not be asked twice,
 * by a ring that fails after it did the work and then by system call.
 */
bool uring_option_once(const struct uring_query *query);

#endif /* URING_OPTIONS_H */
