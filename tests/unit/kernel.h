/* SPDX-License-Identifier: LGPL-3.0-or-later */
/* The features that a test may expect of the running kernel. */
#ifndef TEST_KERNEL_H
#define TEST_KERNEL_H

#include <stdbool.h>
#include <stdio.h>
#include <sys/utsname.h>

/* Whether its io_uring can ask getsockopt at all (6.7). */
static inline bool kernel_has_ring_getsockopt(void)
{
	struct utsname uts = {};
	unsigned major = 0;
	unsigned minor = 0;

	(void)uname(&uts);
	(void)sscanf(uts.release, "%u.%u", &major, &minor);
	return major > 6 || (major == 6 && minor >= 7);
}

#endif /* TEST_KERNEL_H */
