/* SPDX-License-Identifier: LGPL-3.0-or-later */
/*
 * Addresses, paths and connection IDs between ngtcp2's types and ours.
 */
#ifndef QUICD_CONVERT_H
#define QUICD_CONVERT_H

#include <ngtcp2/ngtcp2.h>

#include "cid.h"
#include "udp.h"

/** @brief Copy an address. */
void quicd_address_from(struct address *address, const ngtcp2_addr *from);

/** @brief Copy a path, with the ECN bits of info. */
void quicd_path_from(struct quicd_path *to,
		     const ngtcp2_path *path,
		     const ngtcp2_pkt_info *info);

/** @brief A path as ngtcp2 has it; it points to the addresses of ours. */
ngtcp2_path quicd_ngtcp2_path(const struct quicd_path *path);

/** @brief Copy a connection ID. */
struct quicd_cid quicd_cid_from(const ngtcp2_cid *from);

#endif /* QUICD_CONVERT_H */
