/* SPDX-License-Identifier: LGPL-3.0-or-later */
/*
 * Peculiarities of single socket options, see uring_options.h.
 *
 * The length of TCP_INFO, which grows with Linux, is none of them: an older
 * kernel answers with fewer bytes and says how many, by the ring as well.
 */

#include "config.h"

#include <string.h>
#include <netinet/in.h>
#include <linux/if_packet.h>
#include <linux/tcp.h>

#include "uring_options.h"
#include "util/macros.h"

/* Linux 6.7, include/uapi/linux/tcp.h: the number of keys asked for. */
#define TCP_AO_GET_KEYS_OPTION 41
#define TCP_AO_NKEYS_OFFSET 272

/* Options whose value contains a count of the elements that follow. */
static const struct {
	int level;
	int optname;
	/* of the count in the value */
	size_t offset;
	/* the size of the value without elements, and of one element */
	size_t fixed;
	size_t each;
} counted[] = {
	{IPPROTO_IP, IP_MSFILTER, 12, 16, 4},
	{IPPROTO_IP, MCAST_MSFILTER, 140, 144, 128},
	{IPPROTO_IPV6, MCAST_MSFILTER, 140, 144, 128},
};

/* Options that a query changes: it takes or resets their value. */
static const struct {
	int level;
	int optname;
} once[] = {
	{SOL_SOCKET, SO_ERROR},
	{IPPROTO_TCP, TCP_SAVED_SYN},
	{IPPROTO_TCP, TCP_ZEROCOPY_RECEIVE},
	{SOL_PACKET, PACKET_STATISTICS},
};

static uint32_t count_at(const struct uring_query *query, size_t offset)
{
	uint32_t count = 0;

	if (query->optlen >= offset + sizeof(count)) {
		memcpy(&count,
		       (const uint8_t *)query->optval + offset,
		       sizeof(count));
	}
	return count;
}

bool uring_option_overruns(const struct uring_query *query)
{
	size_t i;

	if (query->type != URING_QUERY_GETSOCKOPT || query->optlen == 0) {
		return false;
	}
	if (query->level == SOL_SOCKET && query->optname == SO_GET_FILTER) {
		/* the length counts instructions of 8 bytes */
		return true;
	}
	if (query->level == IPPROTO_TCP &&
	    query->optname == TCP_AO_GET_KEYS_OPTION) {
		/* Linux writes the number of keys; optlen is one key's */
		return query->optlen < TCP_AO_NKEYS_OFFSET + sizeof(uint32_t) ||
		       count_at(query, TCP_AO_NKEYS_OFFSET) > 1;
	}
	for (i = 0; i < ARRAY_SIZE(counted); i++) {
		if (query->level == counted[i].level &&
		    query->optname == counted[i].optname) {
			uint64_t count = count_at(query, counted[i].offset);

			return counted[i].fixed + count * counted[i].each >
			       query->optlen;
		}
	}
	return false;
}

bool uring_option_once(const struct uring_query *query)
{
	size_t i;

	for (i = 0; i < ARRAY_SIZE(once); i++) {
		if (query->type == URING_QUERY_GETSOCKOPT &&
		    query->level == once[i].level &&
		    query->optname == once[i].optname)
		{
			return true;
		}
	}
	return false;
}
