/* SPDX-License-Identifier: LGPL-3.0-or-later */
/*
 * The addresses of this machine: which ones it loses.
 *
 * A socket that is bound to all addresses also serves addresses that the
 * machine gets later.  But the kernel does not tell the socket when the machine
 * loses an address.
 */
#ifndef QUICD_ADDRESSES_H
#define QUICD_ADDRESSES_H

#include <talloc.h>
#include <tevent.h>

#include "util/address.h"

/* Its port is 0. */
typedef void (*quicd_address_lost_fn_t)(void *private_data,
					const struct address *address);

/**
 * @brief Watch the addresses, until mem_ctx is freed.
 *
 * @param[in] lost  Called for each address that this machine loses.
 *
 * @return 0 or an errno.
 */
int quicd_addresses_watch(TALLOC_CTX *mem_ctx,
			  struct tevent_context *ev,
			  quicd_address_lost_fn_t lost,
			  void *private_data);

#endif /* QUICD_ADDRESSES_H */
