/* SPDX-License-Identifier: LGPL-3.0-or-later */
/*
 * The functions of liburing that a unit test can replace by its own, as the
 * linker names them (--wrap).  The test defines the __wrap_ ones of its row in
 * wscript, and may call the __real_ ones of these.
 */
#ifndef TESTS_WRAPPED_H
#define TESTS_WRAPPED_H

#include <liburing.h>

#define WRAPPED(_name, ...)              \
	int __real_##_name(__VA_ARGS__); \
	int __wrap_##_name(__VA_ARGS__);

WRAPPED(io_uring_queue_init_params,
	unsigned entries,
	struct io_uring *ring,
	struct io_uring_params *p)
WRAPPED(io_uring_register_ring_fd, struct io_uring *ring)
WRAPPED(io_uring_ring_dontfork, struct io_uring *ring)
WRAPPED(io_uring_register,
	unsigned fd,
	unsigned opcode,
	const void *arg,
	unsigned nr_args)
WRAPPED(io_uring_submit, struct io_uring *ring)
WRAPPED(io_uring_get_events, struct io_uring *ring)
WRAPPED(io_uring_enter2,
	unsigned fd,
	unsigned to_submit,
	unsigned min_complete,
	unsigned flags,
	sigset_t *arg,
	size_t size)

#endif /* TESTS_WRAPPED_H */
