/* SPDX-License-Identifier: LGPL-3.0-or-later */
/*
 * The TCP connections of the machine, from sock_diag(7).
 */

#include "config.h"

#include <errno.h>
#include <stdbool.h>
#include <string.h>
#include <unistd.h>
#include <sys/socket.h>
#include <linux/inet_diag.h>
#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <linux/sock_diag.h>

#include "sockdiag.h"
#include "util/macros.h"

/* The kernel's numbers of states; only glibc's tcp.h has names for them. */
#define SOCKDIAG_ESTABLISHED 1
#define SOCKDIAG_CLOSE_WAIT 8

/* The size of the kernel's answers. */
#define SOCKDIAG_BUFFER 32768

static int sockdiag_ask(int fd, int family)
{
	struct {
		struct nlmsghdr header;
		struct inet_diag_req_v2 request;
	} ask = {
		.header =
			{
				.nlmsg_len = sizeof(ask),
				.nlmsg_type = SOCK_DIAG_BY_FAMILY,
				.nlmsg_flags = NLM_F_REQUEST | NLM_F_DUMP,
			},
		.request =
			{
				.sdiag_family = family,
				.sdiag_protocol = IPPROTO_TCP,
				.idiag_states = 1 << SOCKDIAG_ESTABLISHED |
						1 << SOCKDIAG_CLOSE_WAIT,
				.idiag_ext = 1 << (INET_DIAG_INFO - 1) |
					     1 << (INET_DIAG_TOS - 1) |
					     1 << (INET_DIAG_TCLASS - 1),
			},
	};
	const struct sockaddr_nl kernel = {
		.nl_family = AF_NETLINK,
	};

	if (sendto(fd,
		   &ask,
		   sizeof(ask),
		   0,
		   (const struct sockaddr *)&kernel,
		   sizeof(kernel)) != sizeof(ask))
	{
		return errno;
	}
	return 0;
}

static void sockdiag_peer(const struct inet_diag_msg *msg,
			  struct sockdiag_socket *socket)
{
	struct sockaddr_in *in = (struct sockaddr_in *)&socket->peer;
	struct sockaddr_in6 *in6 = (struct sockaddr_in6 *)&socket->peer;

	socket->port = ntohs(msg->id.idiag_sport);
	if (msg->idiag_family == AF_INET) {
		in->sin_family = AF_INET;
		in->sin_port = msg->id.idiag_dport;
		memcpy(&in->sin_addr, msg->id.idiag_dst, sizeof(in->sin_addr));
		return;
	}
	in6->sin6_family = AF_INET6;
	in6->sin6_port = msg->id.idiag_dport;
	memcpy(&in6->sin6_addr, msg->id.idiag_dst, sizeof(in6->sin6_addr));
	if (IN6_IS_ADDR_LINKLOCAL(&in6->sin6_addr)) {
		in6->sin6_scope_id = msg->id.idiag_if;
	}
}

static void sockdiag_parse(struct nlmsghdr *header,
			   struct sockdiag_socket *socket)
{
	struct inet_diag_msg *msg = NLMSG_DATA(header);
	struct rtattr *attr = (struct rtattr *)(msg + 1);
	int len = (int)(header->nlmsg_len - NLMSG_LENGTH(sizeof(*msg)));
	int tos_type = INET_DIAG_TOS;

	*socket = (struct sockdiag_socket){
		.unacked_bytes = msg->idiag_wqueue,
		.tos = -1,
	};
	sockdiag_peer(msg, socket);
	/* IPv6 sockets have both TOS and traffic class */
	if (socket->peer.ss_family == AF_INET6 &&
	    !IN6_IS_ADDR_V4MAPPED(
		    &((struct sockaddr_in6 *)&socket->peer)->sin6_addr))
	{
		tos_type = INET_DIAG_TCLASS;
	}
	for (; RTA_OK(attr, len); attr = RTA_NEXT(attr, len)) {
		const uint8_t *data = RTA_DATA(attr);
		size_t size = RTA_PAYLOAD(attr);

		if (attr->rta_type == INET_DIAG_INFO) {
			if (size > sizeof(socket->info)) {
				size = sizeof(socket->info);
			}
			memcpy(&socket->info, data, size);
		} else if (attr->rta_type == tos_type && size > 0) {
			socket->tos = data[0];
		}
	}
}

/* Returns 0 or an errno; *done: this was the last answer. */
static int sockdiag_messages(char *buffer,
			     size_t received,
			     bool *done,
			     sockdiag_fn_t fn,
			     void *private_data)
{
	struct nlmsghdr *header = (void *)buffer;
	size_t left = received;
	int ret = 0;

	for (; ret == 0 && !*done && NLMSG_OK(header, left);
	     header = NLMSG_NEXT(header, left))
	{
		struct sockdiag_socket socket;
		struct nlmsgerr error;

		if (header->nlmsg_type == NLMSG_DONE) {
			*done = true;
		} else if (header->nlmsg_type == NLMSG_ERROR) {
			if (header->nlmsg_len < NLMSG_LENGTH(sizeof(error))) {
				return EPROTO;
			}
			memcpy(&error, NLMSG_DATA(header), sizeof(error));
			return -error.error;
		} else if (header->nlmsg_len >=
			   NLMSG_LENGTH(sizeof(struct inet_diag_msg))) {
			sockdiag_parse(header, &socket);
			ret = fn(&socket, private_data);
		}
	}
	return ret;
}

int sockdiag_read(int family, sockdiag_fn_t fn, void *private_data)
{
	static _Alignas(struct nlmsghdr) char buffer[SOCKDIAG_BUFFER];
	bool done = false;
	int fd;
	int ret;

	fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_SOCK_DIAG);
	if (fd == -1) {
		return errno;
	}
	ret = sockdiag_ask(fd, family);
	while (ret == 0 && !done) {
		ssize_t received = recv(fd, buffer, sizeof(buffer), MSG_TRUNC);

		if (received < 0) {
			ret = errno == EINTR ? 0 : errno;
		} else if (received == 0 || (size_t)received > sizeof(buffer)) {
			ret = EPROTO;
		} else {
			ret = sockdiag_messages(buffer,
						(size_t)received,
						&done,
						fn,
						private_data);
		}
	}
	close(fd);
	return ret;
}
