/* SPDX-License-Identifier: LGPL-3.0-or-later */
/*
 * Whether the smbd behind smbd-quicd would serve its clients.
 *
 * smbd-quicd and smbd usually read the same smb.conf.  Some settings stop smbd
 * from answering smbd-quicd: clients would connect and then fail, and no
 * message would say why.  These settings are obstacles and not errors, because
 * "hosts deny = ALL" is a way to shut the door, and a reload must accept it.
 *
 * It also warns of what an administrator may not expect: guests, programs that
 * are told smbd-quicd's address, and "bind interfaces only", which smbd-quicd
 * does not obey.
 *
 * "hosts allow" or "hosts deny" of a share is an error.  Over QUIC, smbd
 * compares the list with smbd-quicd's address, so the list would protect
 * nothing.
 */

#include <errno.h>
#include <fnmatch.h>
#include <ifaddrs.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

#include "behind.h"
#include "values.h"

#define BEHIND_SMB_PORT 445
#define BEHIND_CONNECT_MS 5000
#define BEHIND_SHARES_NAMED 10

static uint16_t behind_port(const struct address *address)
{
	return ntohs(address->u.sa.sa_family == AF_INET6
			     ? address->u.in6.sin6_port
			     : address->u.in.sin_port);
}

/*
 * The address that smbd would see, if smbd is on this machine.
 *
 * connect(2) of a UDP socket finds it and sends nothing.
 */
static bool behind_source(const struct address *server, struct address *source)
{
	static const struct in6_addr loopback = IN6ADDR_LOOPBACK_INIT;
	const int fd = socket(server->u.sa.sa_family,
			      SOCK_DGRAM | SOCK_CLOEXEC,
			      0);
	bool good;

	*source = (struct address){.len = sizeof(source->u)};
	good = fd >= 0 && connect(fd, &server->u.sa, server->len) == 0 &&
	       getsockname(fd, &source->u.sa, &source->len) == 0;
	if (fd >= 0) {
		close(fd);
	}
	if (good && address_same_host(&server->u.sa, &source->u.sa)) {
		return true;
	}
	/* 127.0.0.2 is reached from 127.0.0.1 */
	if (server->u.sa.sa_family == AF_INET6) {
		return good && memcmp(&source->u.in6.sin6_addr,
				      &loopback,
				      sizeof(loopback)) == 0;
	}
	return good && ntohl(source->u.in.sin_addr.s_addr) >> 24 == 127;
}

/* The first TCP port in "1445 139" or "tcp:1445, nbt"; whether ours is there.
 */
static bool behind_has_port(const char *ports, uint16_t port, unsigned *first)
{
	const char *pos = ports;

	*first = 0;
	while (true) {
		unsigned long number = 0;

		pos += strspn(pos, " ,\t");
		if (*pos == '\0') {
			return false;
		}
		if (strncasecmp(pos, "tcp:", strlen("tcp:")) == 0) {
			number = strtoul(pos + strlen("tcp:"), NULL, 10);
		} else if (strncasecmp(pos, "tcp", strlen("tcp")) == 0) {
			number = BEHIND_SMB_PORT;
		} else {
			number = strtoul(pos, NULL, 10);
		}
		if (*first == 0) {
			*first = (unsigned)number;
		}
		if (number == port) {
			return true;
		}
		pos += strcspn(pos, " ,\t");
	}
}

/* Whether a word of "interfaces" is the server's address, or holds it. */
static bool behind_word_has(const char *word, const struct address *server)
{
	struct ifaddrs *list = NULL;
	const struct ifaddrs *i = NULL;
	char host[64];
	struct address net;
	bool found = false;

	(void)snprintf(
		host, sizeof(host), "%.*s", (int)strcspn(word, "/;"), word);
	if (address_parse(host, BEHIND_SMB_PORT, &net)) {
		if (net.u.sa.sa_family != server->u.sa.sa_family) {
			return false;
		}
		/* a mask: the whole loopback network is this machine */
		return address_same_host(&net.u.sa, &server->u.sa) ||
		       (net.u.sa.sa_family == AF_INET &&
			strchr(word, '/') != NULL &&
			(ntohl(net.u.in.sin_addr.s_addr ^
			       server->u.in.sin_addr.s_addr) >>
			 24) == 0);
	}
	if (getifaddrs(&list) != 0) {
		return true; /* not known */
	}
	for (i = list; i != NULL && !found; i = i->ifa_next) {
		found = i->ifa_addr != NULL &&
			i->ifa_addr->sa_family == server->u.sa.sa_family &&
			fnmatch(host, i->ifa_name, 0) == 0 &&
			address_same_host(i->ifa_addr, &server->u.sa);
	}
	freeifaddrs(list);
	return found || strcasecmp(host, "localhost") == 0;
}

static bool behind_has_interface(const char *interfaces,
				 const struct address *server)
{
	size_t num = 0;
	const char *const *words = quicd_value_words(NULL, interfaces, &num);
	bool found = words == NULL || num == 0; /* none: all */
	size_t i;

	for (i = 0; i < num && !found; i++) {
		found = behind_word_has(words[i], server);
	}
	talloc_free((void *)(uintptr_t)words);
	return found;
}

/* The checks of an smbd that has this smb.conf. */
static void behind_check_server(struct quicd_report *report,
				const struct quicd_behind *behind,
				const struct quicd_settings *settings,
				const struct address *server,
				const struct address *source)
{
	char text[ADDRESS_TEXT_SIZE];
	char host[ADDRESS_TEXT_SIZE];

	(void)address_print_host(&server->u.sa, text);
	if (!settings->transparent && !quicd_settings_admit(settings, source)) {
		(void)address_print_host(&source->u.sa, host);
		quicd_report_obstacle(
			report,
			"smbd sees clients as %s, and would refuse it by hosts "
			"allow and hosts deny: add %s to hosts allow",
			host,
			host);
	}
	if (behind->bind_interfaces_only != NULL &&
	    strcasecmp(behind->bind_interfaces_only, "yes") == 0 &&
	    !behind_has_interface(behind->interfaces, server))
	{
		quicd_report_obstacle(
			report,
			"smbd does not listen on %s (bind interfaces only = "
			"yes, interfaces = %s): add lo to interfaces, or set "
			"smbd_uring:quic server",
			text,
			behind->interfaces);
	}
}

/* nmbd and smbd obey "bind interfaces only", so administrators may expect it of
 * smbd-quicd, too. */
static void behind_check_listen(struct quicd_report *report,
				const struct quicd_behind *behind,
				const struct quicd_settings *settings)
{
	const size_t num = talloc_array_length(settings->listen);
	bool everywhere = false;
	size_t i;

	for (i = 0; i < num; i++) {
		const struct address *address = &settings->listen[i];

		everywhere = everywhere ||
			     (address->u.sa.sa_family == AF_INET6
				      ? IN6_IS_ADDR_UNSPECIFIED(
						&address->u.in6.sin6_addr)
				      : address->u.in.sin_addr.s_addr ==
						INADDR_ANY);
	}
	if (everywhere && behind->bind_interfaces_only != NULL &&
	    strcasecmp(behind->bind_interfaces_only, "yes") == 0)
	{
		quicd_report_warning(report,
				     "bind interfaces only = yes: smbd-quicd "
				     "listens on all interfaces all the same; "
				     "set smbd_uring:quic listen");
	}
}

static bool behind_check_shares(struct quicd_report *report,
				const struct quicd_behind *behind,
				const struct quicd_settings *settings)
{
	char names[512] = "";
	size_t used = 0;
	unsigned i;

	if (behind->num_shares == 0 || settings->transparent) {
		return true;
	}
	for (i = 0; i < behind->num_shares && i < BEHIND_SHARES_NAMED; i++) {
		used += (size_t)snprintf(names + used,
					 sizeof(names) - used,
					 "%s[%.40s]",
					 i > 0 ? " " : "",
					 behind->shares[i]);
	}
	if (behind->num_shares > BEHIND_SHARES_NAMED) {
		(void)snprintf(names + used,
			       sizeof(names) - used,
			       " and %u more",
			       behind->num_shares - BEHIND_SHARES_NAMED);
	}
	if (settings->ignore_share_hosts) {
		quicd_report_warning(report,
				     "hosts allow and hosts deny of %s are not "
				     "applied to clients of QUIC",
				     names);
		return true;
	}
	return quicd_report_error(
		report,
		"hosts allow or hosts deny of %s would not be applied to "
		"clients of QUIC, as smbd does not see their addresses: set "
		"smbd_uring:quic transparent = yes, or, if that is meant, "
		"smbd_uring:quic ignore share hosts = yes",
		names);
}

/* Warn of guests, whom Debian's smb.conf lets in without a password. */
static void behind_check_guests(struct quicd_report *report,
				const struct quicd_behind *behind,
				const struct quicd_settings *settings)
{
	if (settings->client_certificates == QUICD_CLIENT_CERTIFICATES_REQUIRED)
	{
		return;
	}
	if (behind->map_to_guest != NULL &&
	    strcasecmp(behind->map_to_guest, "never") != 0)
	{
		quicd_report_warning(report,
				     "map to guest = %s: clients of QUIC whose "
				     "login fails may be guests; Never is safe",
				     behind->map_to_guest);
	}
	if (behind->usershare_guests) {
		quicd_report_warning(report,
				     "usershare allow guests = yes: users can "
				     "make shares for which clients of QUIC "
				     "need no password");
	}
	if (behind->num_guest_shares > 0) {
		quicd_report_warning(report,
				     "guest ok = yes of [%s], one of %u such "
				     "shares: clients of QUIC need no password "
				     "there",
				     behind->guest_share,
				     behind->num_guest_shares);
	}
}

bool quicd_behind_check(struct quicd_report *report,
			const struct quicd_behind *behind,
			const struct quicd_settings *settings)
{
	const struct address *server = &settings->servers[0];
	const uint16_t port = behind_port(server);
	struct address source;
	unsigned first = 0;

	if (behind_source(server, &source)) {
		if (behind_has_port(behind->ports, port, &first)) {
			behind_check_server(
				report, behind, settings, server, &source);
		} else if (behind->default_server) {
			quicd_report_obstacle(
				report,
				"smbd does not listen on port %u (%s): set "
				"smbd_uring:quic server = 127.0.0.1:%u",
				port,
				behind->ports,
				first);
		}
		/* else smbd is on another machine, which we do not know */
	}
	behind_check_listen(report, behind, settings);
	behind_check_guests(report, behind, settings);
	if (behind->told_address != NULL && !settings->transparent) {
		quicd_report_warning(
			report,
			"%s: it is told the address of smbd-quicd for "
			"clients of QUIC, unless "
			"smbd_uring:quic transparent = yes",
			behind->told_address);
	}
	return behind_check_shares(report, behind, settings);
}

void quicd_behind_try(struct quicd_report *report,
		      const struct quicd_settings *settings)
{
	const struct address *server = &settings->servers[0];
	struct pollfd polled = {.events = POLLOUT};
	char text[ADDRESS_TEXT_SIZE];
	socklen_t len = sizeof(int);
	int error = 0;

	polled.fd = socket(server->u.sa.sa_family,
			   SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC,
			   0);
	if (polled.fd < 0 ||
	    connect(polled.fd, &server->u.sa, server->len) != 0) {
		error = errno;
	}
	if (error == EINPROGRESS) {
		error = ETIMEDOUT;
		if (poll(&polled, 1, BEHIND_CONNECT_MS) == 1) {
			getsockopt(
				polled.fd, SOL_SOCKET, SO_ERROR, &error, &len);
		}
	}
	if (polled.fd >= 0) {
		close(polled.fd);
	}
	if (error != 0) {
		quicd_report_obstacle(report,
				      "smbd at %s: %s",
				      address_print(&server->u.sa, text),
				      strerror(error));
	}
}
