// SPDX-License-Identifier: LGPL-3.0-or-later
/* Socket addresses as text, see address.h. */

#include <arpa/inet.h>
#include <inttypes.h>
#include <net/if.h>
#include <netdb.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "address.h"

/* Print the host without brackets; the port is in host order. */
static bool address_host(const struct sockaddr *sa,
			 char *text,
			 size_t size,
			 uint16_t *port)
{
	struct sockaddr_in in;
	struct sockaddr_in6 in6;
	size_t len;

	if (sa->sa_family == AF_INET) {
		memcpy(&in, sa, sizeof(in));
		*port = ntohs(in.sin_port);
		return inet_ntop(AF_INET, &in.sin_addr, text, size) != NULL;
	}
	if (sa->sa_family != AF_INET6) {
		return false;
	}
	memcpy(&in6, sa, sizeof(in6));
	*port = ntohs(in6.sin6_port);
	if (IN6_IS_ADDR_V4MAPPED(&in6.sin6_addr)) {
		return inet_ntop(AF_INET,
				 &in6.sin6_addr.s6_addr[12],
				 text,
				 size) != NULL;
	}
	if (inet_ntop(AF_INET6, &in6.sin6_addr, text, size) == NULL) {
		return false;
	}
	len = strlen(text);
	if (in6.sin6_scope_id != 0 && len + 1 + IF_NAMESIZE <= size) {
		text[len] = '%';
		/* the interface may be gone */
		if (if_indextoname(in6.sin6_scope_id, &text[len + 1]) == NULL) {
			(void)snprintf(&text[len + 1],
				       size - len - 1,
				       "%" PRIu32,
				       in6.sin6_scope_id);
		}
	}
	return true;
}

const char *address_print_host(const struct sockaddr *sa,
			       char text[ADDRESS_TEXT_SIZE])
{
	uint16_t port;

	if (!address_host(sa, text, ADDRESS_TEXT_SIZE, &port)) {
		(void)snprintf(text, ADDRESS_TEXT_SIZE, "unknown");
	}
	return text;
}

const char *address_print(const struct sockaddr *sa,
			  char text[ADDRESS_TEXT_SIZE])
{
	char host[INET6_ADDRSTRLEN + IF_NAMESIZE];
	const char *format = "%s:%" PRIu16;
	uint16_t port = 0;

	if (!address_host(sa, host, sizeof(host), &port)) {
		(void)snprintf(text, ADDRESS_TEXT_SIZE, "unknown");
		return text;
	}
	if (strchr(host, ':') != NULL) {
		format = "[%s]:%" PRIu16;
	}
	(void)snprintf(text, ADDRESS_TEXT_SIZE, format, host, port);
	return text;
}

/* Find the beginning and the end of the host, and the port or NULL. */
static bool address_split(const char **word,
			  const char **end,
			  const char **port)
{
	*port = NULL;
	if ((*word)[0] == '[') {
		(*word)++;
		*end = strchr(*word, ']');
		if (*end == NULL) {
			return false;
		}
		if ((*end)[1] == ':') {
			*port = &(*end)[2];
		}
		return (*end)[1] == '\0' || *port != NULL;
	}
	*end = strchr(*word, ':');
	if (*end != NULL && strchr(&(*end)[1], ':') == NULL) {
		*port = &(*end)[1];
	} else {
		*end = &(*word)[strlen(*word)];
	}
	return true;
}

static bool address_parse_port(const char *text, uint16_t *port)
{
	unsigned long number;

	if (strspn(text, "0123456789") != strlen(text) || strlen(text) > 5) {
		return false;
	}
	number = strtoul(text, NULL, 10);
	*port = (uint16_t)number;
	return number >= 1 && number <= UINT16_MAX;
}

bool address_parse(const char *word,
		   uint16_t default_port,
		   struct address *address)
{
	const struct addrinfo hints = {
		.ai_flags = AI_NUMERICHOST,
		.ai_socktype = SOCK_STREAM,
	};
	char host[INET6_ADDRSTRLEN + IF_NAMESIZE];
	struct addrinfo *info = NULL;
	const char *end = NULL;
	const char *port = NULL;
	uint16_t number = default_port;
	size_t len;

	if (!address_split(&word, &end, &port) ||
	    (port != NULL && !address_parse_port(port, &number)))
	{
		return false;
	}
	len = (size_t)(end - word);
	if (len == 0 || len >= sizeof(host)) {
		return false;
	}
	memcpy(host, word, len);
	host[len] = '\0';
	if (getaddrinfo(host, NULL, &hints, &info) != 0) {
		return false;
	}
	*address = (struct address){.len = info->ai_addrlen};
	memcpy(&address->u, info->ai_addr, info->ai_addrlen);
	freeaddrinfo(info);
	if (address->u.sa.sa_family == AF_INET6) {
		address->u.in6.sin6_port = htons(number);
	} else {
		address->u.in.sin_port = htons(number);
	}
	return true;
}

bool address_equal(const struct address *a, const struct address *b)
{
	return a->len == b->len && memcmp(&a->u, &b->u, a->len) == 0;
}

bool address_same_host(const struct sockaddr *a, const struct sockaddr *b)
{
	struct sockaddr_in in[2];
	struct sockaddr_in6 in6[2];

	if (a->sa_family != b->sa_family) {
		return false;
	}
	if (a->sa_family == AF_INET) {
		memcpy(&in[0], a, sizeof(in[0]));
		memcpy(&in[1], b, sizeof(in[1]));
		return in[0].sin_addr.s_addr == in[1].sin_addr.s_addr;
	}
	if (a->sa_family != AF_INET6) {
		return false;
	}
	memcpy(&in6[0], a, sizeof(in6[0]));
	memcpy(&in6[1], b, sizeof(in6[1]));
	return IN6_ARE_ADDR_EQUAL(&in6[0].sin6_addr, &in6[1].sin6_addr) &&
	       in6[0].sin6_scope_id == in6[1].sin6_scope_id;
}

static bool address_is_any(const struct address *address)
{
	return address->u.sa.sa_family == AF_INET
		       ? address->u.in.sin_addr.s_addr == htonl(INADDR_ANY)
		       : IN6_IS_ADDR_UNSPECIFIED(&address->u.in6.sin6_addr);
}

bool address_covers(const struct address *bound, const struct sockaddr *local)
{
	/* the port is at the same place in both families */
	struct sockaddr_in in;

	memcpy(&in, local, sizeof(in));
	return bound->u.sa.sa_family == local->sa_family &&
	       bound->u.in.sin_port == in.sin_port &&
	       (address_is_any(bound) ||
		address_same_host(&bound->u.sa, local));
}
