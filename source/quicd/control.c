/* SPDX-License-Identifier: LGPL-3.0-or-later */
/*
 * The socket of "smbd-quicd --reload", see control.h.
 *
 * A reload passes a sealed memfd and waits for the answer, so that "systemctl
 * reload" fails if the service refuses.  systemd's Type=notify-reload cannot
 * report a refusal.
 */

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "control.h"
#include "message.h"
#include "service.h"
#include "util/clock.h"

#define CONTROL_SOCKET "control"
#define CONTROL_REQUEST_DEADLINE (5 * CLOCK_NS_PER_S)
#define CONTROL_ANSWER_DEADLINE (60 * CLOCK_NS_PER_S)

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
	    quicd_message_recv(sock,
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
	if (!quicd_message_send(sock, request, fd)) {
		return quicd_report_error(report,
					  "%s: %s",
					  address.sun_path,
					  strerror(errno));
	}
	answer = quicd_message_recv(
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
		return quicd_report_error(report, "smbd-quicd does not answer");
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
