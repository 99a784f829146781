/* SPDX-License-Identifier: LGPL-3.0-or-later */
/*
 * Why the ring does not answer, in words for administrators: the cause and the
 * remedy, and the line in the log that has them.
 *
 * docs/troubleshooting.md and smbd_uring(7) have the same causes;
 * tests/checks/test_docs compares the lists.
 */

#include "config.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "uring_explain.h"
#include "uring_probe.h"
#include "uring_ring_try.h"
#include "util/message.h"

#define EXPLAIN_FALLBACK "falling back to system calls: %s"

const char *uring_errno_name(int error)
{
	const char *name = strerrorname_np(error);

	return name != NULL ? name : "E?";
}

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
	const char *name = uring_errno_name(error);
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
	snprintf(buf, buflen, "%s (%s); %s", cause, name, remedy);
	return buf;
}

const char *uring_explain_fallback(int error, char *buf, size_t buflen)
{
	char explained[256];

	MESSAGE_INDEX("warning", EXPLAIN_FALLBACK);
	snprintf(buf,
		 buflen,
		 EXPLAIN_FALLBACK,
		 uring_ring_explain(error, explained, sizeof(explained)));
	return buf;
}

const char *uring_probe_explain(bool ring, int error, char *buf, size_t buflen)
{
	if (ring) {
		return uring_ring_explain(error, buf, buflen);
	}

	switch (error) {
	case EOPNOTSUPP:
		snprintf(buf,
			 buflen,
			 "the kernel serves SOL_SOCKET only (EOPNOTSUPP), as "
			 "Linux up to 7.3 does; nothing to do: the others are "
			 "asked by system call");
		break;
	case ENOSYS:
		snprintf(buf,
			 buflen,
			 "the kernel's ring has no getsockopt (ENOSYS); "
			 "use Linux 6.7 or newer");
		break;
	case EACCES:
	case EPERM:
		snprintf(buf,
			 buflen,
			 "a security module refuses the command (%s); "
			 "allow io_uring cmd on sockets in its policy",
			 uring_errno_name(error));
		break;
	default:
		snprintf(buf,
			 buflen,
			 "%s (%s)",
			 strerror(error),
			 uring_errno_name(error));
		break;
	}
	return buf;
}
