/* SPDX-License-Identifier: LGPL-3.0-or-later */
/**
 * @file address.h
 * Socket addresses as text.  Logs, tables, JSON and metrics use this format.
 */

#ifndef UTIL_ADDRESS_H
#define UTIL_ADDRESS_H

#include <netinet/in.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/socket.h>

/** The longest text is "[ADDRESS%INTERFACE]:PORT". */
#define ADDRESS_TEXT_SIZE 80

/** An IPv4 or IPv6 socket address. */
struct address {
	union {
		struct sockaddr sa;
		struct sockaddr_in in;
		struct sockaddr_in6 in6;
	} u;
	socklen_t len;
};

/**
 * Write an address as "192.0.2.1:445" or "[2001:db8::1]:445".
 *
 * An IPv6 address with a scope has "%" and the interface.  The function writes
 * an IPv4 address that is mapped into IPv6 as IPv4.
 *
 * @param[in]  sa    any socket address
 * @param[out] text  at least ADDRESS_TEXT_SIZE bytes
 * @return text; "unknown" if it is neither IPv4 nor IPv6
 */
const char *address_print(const struct sockaddr *sa,
			  char text[ADDRESS_TEXT_SIZE]);

/** As address_print(), without the port and the brackets. */
const char *address_print_host(const struct sockaddr *sa,
			       char text[ADDRESS_TEXT_SIZE]);

/**
 * Parse ADDRESS, ADDRESS:PORT, [ADDRESS] or [ADDRESS]:PORT.  The function does
 * not resolve names.
 *
 * @param[in]  word          the text; IPv6 with a port needs brackets
 * @param[in]  default_port  the port of a text that has none
 * @param[out] address       untouched on failure
 * @return false if the text is none of these, or the port is not 1 to 65535
 */
bool address_parse(const char *word,
		   uint16_t default_port,
		   struct address *address);

/** Whether both are the same address, with its port. */
bool address_equal(const struct address *a, const struct address *b);

/** Whether both have the same family, host and scope; ports do not count. */
bool address_same_host(const struct sockaddr *a, const struct sockaddr *b);

/** Whether a socket that is bound to one gets packets for the other. */
bool address_covers(const struct address *bound, const struct sockaddr *local);

#endif
