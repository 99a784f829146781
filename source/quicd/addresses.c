/* SPDX-License-Identifier: LGPL-3.0-or-later */
/*
 * The addresses of this machine, see addresses.h: messages of rtnetlink(7).
 */

#include "config.h"

#include <errno.h>
#include <ifaddrs.h>
#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <string.h>
#include <unistd.h>

#include "addresses.h"

struct quicd_addresses {
	int fd;
	quicd_address_lost_fn_t lost;
	void *private_data;
};

/* false if the attribute is no address. */
static bool quicd_addresses_parse(const struct ifaddrmsg *message,
				  struct rtattr *attribute,
				  struct address *address)
{
	const void *data = RTA_DATA(attribute);
	const size_t len = RTA_PAYLOAD(attribute);

	*address = (struct address){};
	address->u.sa.sa_family = message->ifa_family;
	if (message->ifa_family == AF_INET &&
	    len == sizeof(address->u.in.sin_addr))
	{
		memcpy(&address->u.in.sin_addr, data, len);
		address->len = sizeof(address->u.in);
		return true;
	}
	if (message->ifa_family == AF_INET6 &&
	    len == sizeof(address->u.in6.sin6_addr))
	{
		memcpy(&address->u.in6.sin6_addr, data, len);
		if (IN6_IS_ADDR_LINKLOCAL(&address->u.in6.sin6_addr)) {
			address->u.in6.sin6_scope_id = message->ifa_index;
		}
		address->len = sizeof(address->u.in6);
		return true;
	}
	return false;
}

/*
 * The machine may still have the address: on another device, or with another
 * length of the prefix, as when somebody changes the netmask.
 */
static bool quicd_addresses_has(const struct address *address)
{
	struct ifaddrs *list = NULL;
	const struct ifaddrs *one = NULL;
	bool found = false;

	if (getifaddrs(&list) != 0) {
		return false;
	}
	for (one = list; one != NULL && !found; one = one->ifa_next) {
		found = one->ifa_addr != NULL &&
			address_same_host(one->ifa_addr, &address->u.sa);
	}
	freeifaddrs(list);
	return found;
}

/* The macros of rtnetlink(3) take no const. */
static void quicd_addresses_message(const struct quicd_addresses *addresses,
				    struct nlmsghdr *header)
{
	struct ifaddrmsg *message = NLMSG_DATA(header);
	struct rtattr *attribute = NULL;
	struct address address;
	unsigned short wanted;
	size_t left;

	if (header->nlmsg_type != RTM_DELADDR ||
	    header->nlmsg_len < NLMSG_LENGTH(sizeof(*message)))
	{
		return;
	}
	/* that of this end; of IPv4, IFA_ADDRESS may be the other end's */
	wanted = message->ifa_family == AF_INET ? IFA_LOCAL : IFA_ADDRESS;
	left = IFA_PAYLOAD(header);
	for (attribute = IFA_RTA(message); RTA_OK(attribute, left);
	     attribute = RTA_NEXT(attribute, left))
	{
		if (attribute->rta_type == wanted &&
		    quicd_addresses_parse(message, attribute, &address))
		{
			if (!quicd_addresses_has(&address)) {
				addresses->lost(addresses->private_data,
						&address);
			}
			return;
		}
	}
}

static void quicd_addresses_read(struct tevent_context *ev,
				 struct tevent_fd *fde,
				 uint16_t flags,
				 void *private_data)
{
	const struct quicd_addresses *addresses = talloc_get_type_abort(
		private_data, struct quicd_addresses);
	union {
		struct nlmsghdr align;
		uint8_t data[16384];
	} buffer;
	struct nlmsghdr *header = &buffer.align;
	ssize_t n;
	size_t left;

	/* after an error messages are lost, and their clients time out */
	n = recv(addresses->fd, &buffer, sizeof(buffer), MSG_DONTWAIT);
	if (n <= 0) {
		return;
	}
	for (left = (size_t)n; NLMSG_OK(header, left);
	     header = NLMSG_NEXT(header, left))
	{
		quicd_addresses_message(addresses, header);
	}
}

int quicd_addresses_watch(TALLOC_CTX *mem_ctx,
			  struct tevent_context *ev,
			  quicd_address_lost_fn_t lost,
			  void *private_data)
{
	const struct sockaddr_nl groups = {
		.nl_family = AF_NETLINK,
		.nl_groups = RTMGRP_IPV4_IFADDR | RTMGRP_IPV6_IFADDR,
	};
	struct quicd_addresses *addresses = talloc(mem_ctx,
						   struct quicd_addresses);
	struct tevent_fd *fde = NULL;
	int error;

	if (addresses == NULL) {
		return ENOMEM;
	}
	*addresses = (struct quicd_addresses){
		.lost = lost,
		.private_data = private_data,
	};
	addresses->fd = socket(AF_NETLINK,
			       SOCK_RAW | SOCK_CLOEXEC | SOCK_NONBLOCK,
			       NETLINK_ROUTE);
	if (addresses->fd >= 0 && bind(addresses->fd,
				       (const struct sockaddr *)&groups,
				       sizeof(groups)) == 0)
	{
		fde = tevent_add_fd(ev,
				    addresses,
				    addresses->fd,
				    TEVENT_FD_READ,
				    quicd_addresses_read,
				    addresses);
		errno = ENOMEM; /* tevent may not set it */
	}
	if (fde != NULL) {
		tevent_fd_set_auto_close(fde);
		return 0;
	}
	error = errno;
	if (addresses->fd >= 0) {
		close(addresses->fd);
	}
	talloc_free(addresses);
	return error;
}
