/* SPDX-License-Identifier: LGPL-3.0-or-later */
/*
 * Messages between processes of smbd-quicd, see message.h.
 */

#include <errno.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "message.h"
#include "util/clock.h"
#include "util/macros.h"

bool quicd_message_send(int sock, struct quicd_message message, int fd)
{
	union {
		struct cmsghdr align;
		char buf[CMSG_SPACE(sizeof(int))];
	} control = {};
	struct iovec iov = {.iov_base = &message, .iov_len = sizeof(message)};
	struct msghdr msg = {.msg_iov = &iov, .msg_iovlen = 1};
	ssize_t n;

	if (fd >= 0) {
		struct cmsghdr *header = NULL;

		msg.msg_control = control.buf;
		msg.msg_controllen = sizeof(control.buf);
		header = CMSG_FIRSTHDR(&msg);
		header->cmsg_level = SOL_SOCKET;
		header->cmsg_type = SCM_RIGHTS;
		header->cmsg_len = CMSG_LEN(sizeof(int));
		memcpy(CMSG_DATA(header), &fd, sizeof(fd));
	}
	do {
		n = sendmsg(sock, &msg, MSG_NOSIGNAL);
	} while (n < 0 && errno == EINTR);
	return n == sizeof(message);
}

/* The descriptor of a message, or -1; several are closed. */
static int message_fd(struct msghdr *msg)
{
	const struct cmsghdr *header = CMSG_FIRSTHDR(msg);
	int fds[2] = {-1, -1}; /* there is no room for more */
	size_t len;
	size_t i;

	if (header == NULL || header->cmsg_level != SOL_SOCKET ||
	    header->cmsg_type != SCM_RIGHTS)
	{
		return -1;
	}
	len = header->cmsg_len - CMSG_LEN(0);
	memcpy(fds, CMSG_DATA(header), len < sizeof(fds) ? len : sizeof(fds));
	if (fds[1] < 0) {
		return fds[0];
	}
	for (i = 0; i < ARRAY_SIZE(fds); i++) {
		close(fds[i]);
	}
	return -1;
}

struct quicd_message quicd_message_recv(int sock, int *fd, uint64_t deadline)
{
	union {
		struct cmsghdr align;
		char buf[CMSG_SPACE(sizeof(int))];
	} control;
	struct quicd_message message = {};
	struct iovec iov = {.iov_base = &message, .iov_len = sizeof(message)};
	struct msghdr msg = {
		.msg_iov = &iov,
		.msg_iovlen = 1,
		.msg_control = control.buf,
		.msg_controllen = sizeof(control.buf),
	};
	struct pollfd polled = {.fd = sock, .events = POLLIN};
	uint64_t now = clock_monotonic_ns();
	ssize_t n = -1;
	int ready = 0;

	*fd = -1;
	while (ready <= 0 && now < deadline) {
		const uint64_t left = deadline - now;

		/* wait a second at most, as there may be no deadline */
		ready = poll(&polled,
			     1,
			     left < CLOCK_NS_PER_S
				     ? (int)(left / CLOCK_NS_PER_MS) + 1
				     : 1000);
		now = clock_monotonic_ns();
	}
	if (ready > 0) {
		n = recvmsg(sock, &msg, MSG_DONTWAIT | MSG_CMSG_CLOEXEC);
	}
	if (n >= 0) {
		*fd = message_fd(&msg);
	}
	if (n != sizeof(message)) {
		if (*fd >= 0) {
			close(*fd);
			*fd = -1;
		}
		return (struct quicd_message){};
	}
	return message;
}
