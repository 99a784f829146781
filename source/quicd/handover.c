/* SPDX-License-Identifier: LGPL-3.0-or-later */
/*
 * How a bundle of settings gets from one process of smbd-quicd to another.
 *
 * The privileged step of the unit cannot pass a descriptor to the service.  So
 * it leaves a file, which the service reads and removes.  A reload passes a
 * sealed memfd and waits for the answer, so that "systemctl reload" fails if
 * the service refuses.  systemd's Type=notify-reload cannot report a refusal.
 */

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "handover.h"
#include "service.h"
#include "util/clock.h"
#include "util/macros.h"

#define HANDOVER_FILE "settings"
#define HANDOVER_FILE_NEW "settings.new"
#define CONTROL_SOCKET "control"
#define CONTROL_REQUEST_DEADLINE (5 * CLOCK_NS_PER_S)
#define CONTROL_ANSWER_DEADLINE (60 * CLOCK_NS_PER_S)

static bool handover_error(struct quicd_report *report, const char *file)
{
	return quicd_report_error(report,
				  "%s/%s: %s",
				  quicd_runtime_directory(),
				  file,
				  strerror(errno));
}

static bool handover_write(int dir, const uint8_t *data, size_t len)
{
	struct stat st;
	int fd;
	bool good;

	/* the directory is another user's, so follow no symbolic link */
	(void)unlinkat(dir, HANDOVER_FILE_NEW, 0);
	fd = openat(dir,
		    HANDOVER_FILE_NEW,
		    O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC,
		    0600);
	if (fd < 0) {
		return false;
	}
	good = fstat(dir, &st) == 0 && fchown(fd, st.st_uid, st.st_gid) == 0;
	while (good && len > 0) {
		const ssize_t n = write(fd, data, len);

		good = n >= 0 || errno == EINTR;
		data += n > 0 ? n : 0;
		len -= n > 0 ? (size_t)n : 0;
	}
	good = close(fd) == 0 && good;
	return good &&
	       renameat(dir, HANDOVER_FILE_NEW, dir, HANDOVER_FILE) == 0;
}

static int handover_open_directory(void)
{
	return open(quicd_runtime_directory(),
		    O_RDONLY | O_DIRECTORY | O_CLOEXEC);
}

bool quicd_handover_leave(struct quicd_report *report,
			  const struct quicd_bundle *bundle)
{
	uint8_t *data = quicd_bundle_pack(NULL, bundle);
	const int dir = handover_open_directory();
	bool good;

	if (data == NULL) {
		good = quicd_report_error(report, "no memory");
	} else {
		good = (dir >= 0 &&
			handover_write(dir, data, talloc_get_size(data))) ||
		       handover_error(report, HANDOVER_FILE);
	}
	if (dir >= 0) {
		close(dir);
	}
	talloc_free(data);
	return good;
}

struct quicd_bundle *quicd_handover_take(TALLOC_CTX *mem_ctx,
					 struct quicd_report *report)
{
	struct quicd_bundle *bundle = NULL;
	const int dir = handover_open_directory();
	int fd = -1;

	if (dir >= 0) {
		fd = openat(dir,
			    HANDOVER_FILE,
			    O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
	}
	if (fd >= 0) {
		bundle = quicd_bundle_load(mem_ctx, fd);
	}
	if (bundle == NULL) {
		(void)handover_error(report, HANDOVER_FILE);
	}
	if (fd >= 0) {
		close(fd);
		(void)unlinkat(dir, HANDOVER_FILE, 0);
	}
	if (dir >= 0) {
		close(dir);
	}
	return bundle;
}

bool quicd_handover_send(int sock, struct quicd_message message, int fd)
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
static int handover_fd(struct msghdr *msg)
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

struct quicd_message quicd_handover_recv(int sock, int *fd, uint64_t deadline)
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
		*fd = handover_fd(&msg);
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

static bool control_address(struct sockaddr_un *address)
{
	const int len = snprintf(address->sun_path,
				 sizeof(address->sun_path),
				 "%s/" CONTROL_SOCKET,
				 quicd_runtime_directory());

	address->sun_family = AF_UNIX;
	if (len < 0 || (size_t)len >= sizeof(address->sun_path)) {
		errno = ENAMETOOLONG;
		return false;
	}
	return true;
}

static int control_socket(void)
{
	return socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);
}

bool quicd_control_is_there(void)
{
	struct sockaddr_un address = {};
	const int sock = control_socket();
	const bool there = sock >= 0 && control_address(&address) &&
			   connect(sock,
				   (const struct sockaddr *)&address,
				   sizeof(address)) == 0;

	if (sock >= 0) {
		close(sock);
	}
	return there;
}

int quicd_control_listen(void)
{
	struct sockaddr_un address = {};
	int fd = -1;

	if (quicd_control_is_there()) {
		errno = EADDRINUSE; /* an smbd-quicd at another address */
	} else if (control_address(&address)) {
		fd = control_socket();
		(void)unlink(address.sun_path);
	}
	if (fd >= 0 &&
	    (bind(fd, (const struct sockaddr *)&address, sizeof(address)) !=
		     0 ||
	     chmod(address.sun_path, 0600) != 0 || listen(fd, 4) != 0))
	{
		const int error = errno;

		close(fd);
		fd = -1;
		errno = error;
	}
	if (fd < 0) {
		quicd_log_at(
			QUICD_LOG_WARNING,
			"smbd-quicd --reload will not work: %s/" CONTROL_SOCKET
			": %s",
			quicd_runtime_directory(),
			strerror(errno));
	}
	return fd;
}

void quicd_control_remove(void)
{
	struct sockaddr_un address = {};

	if (control_address(&address)) {
		(void)unlink(address.sun_path);
	}
}

int quicd_control_accept(int listening, int *bundle_fd)
{
	struct ucred peer = {};
	socklen_t len = sizeof(peer);
	const int sock = accept4(listening, NULL, NULL, SOCK_CLOEXEC);

	*bundle_fd = -1;
	if (sock < 0) {
		return -1;
	}
	if (getsockopt(sock, SOL_SOCKET, SO_PEERCRED, &peer, &len) == 0 &&
	    (peer.uid == 0 || peer.uid == geteuid()) &&
	    quicd_handover_recv(sock,
				bundle_fd,
				clock_monotonic_ns() + CONTROL_REQUEST_DEADLINE)
			    .what == 'L' &&
	    *bundle_fd >= 0)
	{
		return sock;
	}
	if (*bundle_fd >= 0) {
		close(*bundle_fd);
		*bundle_fd = -1;
	}
	close(sock);
	return -1;
}

static bool control_exchange(struct quicd_report *report, int sock, int fd)
{
	struct sockaddr_un address = {};
	const struct quicd_message request = {.what = 'L'};
	struct quicd_message answer;
	int none;

	if (!control_address(&address) ||
	    connect(sock, (const struct sockaddr *)&address, sizeof(address)) !=
		    0)
	{
		return quicd_report_error(report,
					  "no smbd-quicd answers at %s: %s",
					  address.sun_path,
					  strerror(errno));
	}
	if (!quicd_handover_send(sock, request, fd)) {
		return quicd_report_error(report,
					  "%s: %s",
					  address.sun_path,
					  strerror(errno));
	}
	answer = quicd_handover_recv(
		sock, &none, clock_monotonic_ns() + CONTROL_ANSWER_DEADLINE);
	if (none >= 0) {
		close(none);
	}
	if (answer.what == 'N') {
		return quicd_report_error(report,
					  "smbd-quicd refuses the new "
					  "settings; its log has the reason");
	}
	if (answer.what != 'Y') {
		return quicd_report_error(report,
					  "smbd-quicd does not answer");
	}
	return true;
}

bool quicd_control_request(struct quicd_report *report,
			   const struct quicd_bundle *bundle)
{
	const int fd = quicd_bundle_seal(bundle);
	const int sock = control_socket();
	bool good;

	if (fd < 0 || sock < 0) {
		good = quicd_report_error(report, "%s", strerror(errno));
	} else {
		good = control_exchange(report, sock, fd);
	}
	if (fd >= 0) {
		close(fd);
	}
	if (sock >= 0) {
		close(sock);
	}
	return good;
}
