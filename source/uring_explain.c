/* SPDX-License-Identifier: LGPL-3.0-or-later */
/*
 * Why there is no ring, in words for administrators: the cause and the remedy.
 *
 * docs/troubleshooting.md and smbd_uring(7) have the same causes; tests/checks/test_docs
 * compares the lists.
 */

#include "config.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "uring_ring.h"
#include "uring_ring_try.h"

static int io_uring_disabled_sysctl(void)
{
	FILE *f = NULL;
	int value = 0;

	f = fopen("/proc/sys/kernel/io_uring_disabled", "re");
	if (f == NULL) {
		return 0;
	}
	if (fscanf(f, "%d", &value) != 1) {
		value = 0;
	}
	fclose(f);
	return value;
}

const char *uring_ring_explain(int error, char *buf, size_t buflen)
{
	const char *cause = NULL;
	const char *remedy = NULL;
	const char *name = strerrorname_np(error);
	int disabled = 0;

	switch (error) {
	case ENOSYS:
		cause = "the kernel has no io_uring, or a seccomp filter "
			"hides it";
		remedy = "use a kernel with CONFIG_IO_URING, or allow "
			 "io_uring_setup, io_uring_enter and "
			 "io_uring_register in the filter";
		break;
	case EPERM:
		disabled = io_uring_disabled_sysctl();
		if (disabled == 2) {
			cause = "kernel.io_uring_disabled is 2";
			remedy = "set it to 0 with sysctl";
		} else if (disabled == 1) {
			cause = "kernel.io_uring_disabled is 1 and this "
				"process is not in kernel.io_uring_group";
			remedy = "set it to 0 with sysctl, or add the group";
		} else {
			cause = "a seccomp filter refuses io_uring";
			remedy = "allow io_uring_setup, io_uring_enter and "
				 "io_uring_register in the filter "
				 "(container or systemd unit)";
		}
		break;
	case EACCES:
		cause = "a security module refuses io_uring";
		remedy = "look for denials of io_uring in the audit log";
		break;
	case ENOMEM:
		cause = "no memory for a ring within RLIMIT_MEMLOCK";
		remedy = "raise it (LimitMEMLOCK= in the systemd unit)";
		break;
	case EMFILE:
	case ENFILE:
		cause = "no file descriptor left for a ring";
		remedy = "raise RLIMIT_NOFILE (LimitNOFILE= in the systemd "
			 "unit)";
		break;
	case EINVAL:
	case EOPNOTSUPP:
		cause = "the kernel's io_uring is too old";
		remedy = "use Linux 6.7 or newer";
		break;
	case URING_RING_KILLED:
		name = "SIGSYS";
		cause = "a seccomp filter kills a process that uses io_uring";
		remedy = "allow io_uring_setup, io_uring_enter and "
			 "io_uring_register in the filter "
			 "(SystemCallFilter= in the systemd unit)";
		break;
	case ETIME:
		cause = "a socket command did not complete within a second";
		remedy = "use a kernel with commit 2554b855a2f8 "
			 "(Linux 6.11)";
		break;
	default:
		cause = "the ring failed";
		remedy = "restart the service to try again";
		break;
	}
	snprintf(buf,
		 buflen,
		 "%s (%s); %s",
		 cause,
		 name != NULL ? name : "E?",
		 remedy);
	return buf;
}
