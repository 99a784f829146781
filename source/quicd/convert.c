/* SPDX-License-Identifier: LGPL-3.0-or-later */
/* Between ngtcp2's types and ours, see convert.h. */

#include "config.h"

#include <string.h>

#include "convert.h"

void quicd_address_from(struct address *address, const ngtcp2_addr *from)
{
	*address = (struct address){.len = from->addrlen};
	memcpy(&address->u, from->addr, from->addrlen);
}

void quicd_path_from(struct quicd_path *to,
		     const ngtcp2_path *path,
		     const ngtcp2_pkt_info *info)
{
	quicd_address_from(&to->local, &path->local);
	quicd_address_from(&to->remote, &path->remote);
	to->ecn = (uint8_t)(info->ecn & NGTCP2_ECN_MASK);
}

ngtcp2_path quicd_ngtcp2_path(const struct quicd_path *path)
{
	/* ngtcp2 only reads them */
	return (ngtcp2_path){
		.local.addr = (ngtcp2_sockaddr *)(uintptr_t)&path->local.u.sa,
		.local.addrlen = path->local.len,
		.remote.addr = (ngtcp2_sockaddr *)(uintptr_t)&path->remote.u.sa,
		.remote.addrlen = path->remote.len,
	};
}

struct quicd_cid quicd_cid_from(const ngtcp2_cid *from)
{
	struct quicd_cid cid = {.len = from->datalen};

	memcpy(cid.data, from->data, from->datalen);
	return cid;
}
