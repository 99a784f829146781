// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * Stands in for smbd behind smbd-quicd in benchmarks.  It uses hardly any CPU
 * time, so that a benchmark measures smbd-quicd and the client.
 *
 *     quic_target [PORT]      listens on 127.0.0.1, prints the port, ends on EOF
 *
 * It speaks direct-TCP frames, because smbd-quicd checks their header.  The
 * frames contain these requests (numbers are big-endian, 64 bits):
 *
 *     G number                send so many bytes, in frames of 64 KiB
 *     P number                discard so many bytes of frames, then answer one
 *     E number ...            answer this frame with one of so many bytes
 *
 * Each connection has a thread of its own.
 */

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define HEADER 4
#define FRAME 65536

static bool target_send(int fd, const uint8_t *data, size_t len)
{
	while (len > 0) {
		ssize_t n = send(fd, data, len, MSG_NOSIGNAL);

		if (n < 0) {
			return false;
		}
		data += n;
		len -= (size_t)n;
	}
	return true;
}

static bool target_receive(int fd, uint8_t *data, size_t len)
{
	return recv(fd, data, len, MSG_WAITALL) == (ssize_t)len;
}

/* A frame of len bytes; the first HEADER bytes of buf are for its header. */
static bool target_send_frame(int fd, uint8_t *buf, size_t len)
{
	buf[0] = 0;
	buf[1] = (uint8_t)(len >> 16);
	buf[2] = (uint8_t)(len >> 8);
	buf[3] = (uint8_t)len;
	return target_send(fd, buf, HEADER + len);
}

/* The next frame's body; false at the end. */
static bool target_receive_frame(int fd, uint8_t *buf, size_t *len)
{
	uint8_t header[HEADER];

	if (!target_receive(fd, header, sizeof(header))) {
		return false;
	}
	*len = (size_t)header[1] << 16 | (size_t)header[2] << 8 | header[3];
	return *len <= FRAME && target_receive(fd, buf, *len);
}

static uint64_t target_number(const uint8_t *body)
{
	uint64_t number = 0;
	unsigned i;

	for (i = 1; i <= sizeof(number); i++) {
		number = number << 8 | body[i];
	}
	return number;
}

static bool target_serve(int fd, uint8_t *buf)
{
	size_t len = 0;
	uint64_t left;
	char what;

	if (!target_receive_frame(fd, buf, &len) || len < 9) {
		return false;
	}
	left = target_number(buf);
	what = (char)buf[0];
	if (what == 'E') {
		return left <= FRAME && target_send_frame(fd, buf, left);
	}
	while (left > 0) {
		if (what == 'P') {
			if (!target_receive_frame(fd, buf, &len)) {
				return false;
			}
		} else {
			len = left < FRAME ? left : FRAME;
			if (!target_send_frame(fd, buf, len)) {
				return false;
			}
		}
		left -= len < left ? len : left;
	}
	return what != 'P' || target_send_frame(fd, buf, 1);
}

static void *target_connection(void *argument)
{
	const int fd = (int)(intptr_t)argument;
	uint8_t *buf = calloc(1, HEADER + FRAME);

	while (buf != NULL && target_serve(fd, buf)) {
	}
	free(buf);
	close(fd);
	return NULL;
}

static void *target_accept(void *argument)
{
	const int listener = (int)(intptr_t)argument;
	const int one = 1;

	for (;;) {
		int fd = accept4(listener, NULL, NULL, SOCK_CLOEXEC);
		pthread_t thread;

		if (fd < 0) {
			continue;
		}
		(void)setsockopt(
			fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
		if (pthread_create(&thread,
				   NULL,
				   target_connection,
				   (void *)(intptr_t)fd) != 0)
		{
			close(fd);
			continue;
		}
		pthread_detach(thread);
	}
	return NULL;
}

int main(int argc, char **argv)
{
	struct sockaddr_in address = {
		.sin_family = AF_INET,
		.sin_port = htons(argc > 1 ? (uint16_t)atoi(argv[1]) : 0),
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK),
	};
	socklen_t len = sizeof(address);
	const int one = 1;
	pthread_t thread;
	int fd;

	fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (fd < 0 ||
	    setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one)) != 0 ||
	    bind(fd, (struct sockaddr *)&address, len) != 0 ||
	    listen(fd, 128) != 0 ||
	    getsockname(fd, (struct sockaddr *)&address, &len) != 0)
	{
		perror("quic_target");
		return 1;
	}
	printf("%u\n", ntohs(address.sin_port));
	fflush(stdout);
	if (pthread_create(&thread,
			   NULL,
			   target_accept,
			   (void *)(intptr_t)fd) != 0)
	{
		fprintf(stderr, "quic_target: no thread\n");
		return 1;
	}
	while (getchar() != EOF) {
	}
	return 0;
}
