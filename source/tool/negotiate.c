/* SPDX-License-Identifier: LGPL-3.0-or-later */
/*
 * The first step of a client of SMB2, see negotiate.h.
 */

#include "config.h"

#include <unistd.h>
#include <sys/socket.h>
#include <sys/time.h>

#include "negotiate.h"
#include "ports.h"
#include "util/macros.h"

/* How long smbd may take to accept us, after a restart also to listen. */
#define NEGOTIATE_PATIENCE_MS 3000
#define NEGOTIATE_POLL_MS 50

/*
 * A NEGOTIATE request of SMB2 (MS-SMB2 2.2.3) for 2.0.2 to 3.0.2: smbd answers
 * it, so that its event loop turns and samples the connection.  smbd logs
 * nothing of it.
 */
#define NEGOTIATE_HEADER 4
#define NEGOTIATE_BODY (NEGOTIATE_HEADER + 64)
#define NEGOTIATE_DIALECTS (NEGOTIATE_BODY + 36)
static const unsigned char negotiate_request[NEGOTIATE_DIALECTS + 8] = {
	/* the length of the rest */
	[3] = NEGOTIATE_DIALECTS + 8 - NEGOTIATE_HEADER,
	[NEGOTIATE_HEADER] = 0xfe, 'S', 'M', 'B', 64,
	/* one credit */
	[NEGOTIATE_HEADER + 14] = 1,
	/* four dialects; signing enabled */
	[NEGOTIATE_BODY] = 36, 0, 4, 0, 1,
	[NEGOTIATE_DIALECTS] = 0x02, 0x02, 0x10, 0x02, 0x00, 0x03, 0x02, 0x03,
};

/* A connection to smbd, or -1; own becomes its address. */
static int negotiate_connect_port(const char *host,
				  uint16_t port,
				  char own[ADDRESS_TEXT_SIZE])
{
	struct address to = {};
	struct address from = {
		.len = sizeof(from.u),
	};
	const struct timeval patience = {
		.tv_sec = NEGOTIATE_PATIENCE_MS / 1000,
	};
	int fd = -1;

	if (!address_parse(host, port, &to)) {
		return -1;
	}
	fd = socket(to.u.sa.sa_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (fd == -1) {
		return -1;
	}
	/* it limits connect(2), too: smbd may accept nobody */
	if (setsockopt(fd,
		       SOL_SOCKET,
		       SO_SNDTIMEO,
		       &patience,
		       sizeof(patience)) != 0 ||
	    connect(fd, &to.u.sa, to.len) != 0 ||
	    getsockname(fd, &from.u.sa, &from.len) != 0)
	{
		close(fd);
		return -1;
	}
	(void)address_print(&from.u.sa, own);
	return fd;
}

static int negotiate_connect(const struct ports *ports,
			     char own[ADDRESS_TEXT_SIZE])
{
	static const char *const hosts[] = {"127.0.0.1", "::1"};
	size_t i;
	size_t j;
	int fd = -1;

	for (i = 0; fd == -1 && i < ports->num_ports; i++) {
		for (j = 0; fd == -1 && j < ARRAY_SIZE(hosts); j++) {
			fd = negotiate_connect_port(hosts[j],
						    ports->ports[i],
						    own);
		}
	}
	return fd;
}

int negotiate_start(const char *configfile, char own[ADDRESS_TEXT_SIZE])
{
	struct ports ports;
	int waited = 0;
	int fd = -1;

	if (ports_read(configfile, &ports) == 0) {
		fd = negotiate_connect(&ports, own);
	}

	/* after a restart it may not listen yet */
	while (fd == -1 && waited < NEGOTIATE_PATIENCE_MS) {
		usleep(NEGOTIATE_POLL_MS * 1000);
		waited += NEGOTIATE_POLL_MS;
		fd = negotiate_connect(&ports, own);
	}
	if (fd != -1) {
		(void)send(fd,
			   negotiate_request,
			   sizeof(negotiate_request),
			   MSG_NOSIGNAL);
	}
	return fd;
}
