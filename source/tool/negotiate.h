/* SPDX-License-Identifier: LGPL-3.0-or-later */
/*
 * The first step of a client of SMB2: a connection to smbd of this host, on
 * which smbd has a request to answer.
 */
#ifndef TOOL_NEGOTIATE_H
#define TOOL_NEGOTIATE_H

#include "util/address.h"

/**
 * @brief Connect to smbd and send a NEGOTIATE request.
 *
 * The function waits some seconds for smbd to listen.  It does not read the
 * answer.
 *
 * @param[in]  configfile  NULL: Samba's standard one.
 * @param[out] own         the address of our end.
 *
 * @return a socket, which the caller closes, or -1.
 */
int negotiate_start(const char *configfile, char own[ADDRESS_TEXT_SIZE]);

#endif /* TOOL_NEGOTIATE_H */
