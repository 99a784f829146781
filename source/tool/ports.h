/* SPDX-License-Identifier: LGPL-3.0-or-later */
/*
 * The TCP ports of smbd, from smb.conf.
 */
#ifndef TOOL_PORTS_H
#define TOOL_PORTS_H

#include <stddef.h>
#include <stdint.h>

#define PORTS_MAX 16

struct ports {
	uint16_t ports[PORTS_MAX];
	size_t num_ports;
};

/**
 * @brief Ask testparm for the ports.
 *
 * @param[in] configfile  NULL: Samba's standard one; without testparm the
 *                        ports are then 445 and 139.
 *
 * @return 0, or the errno of testparm's start or EIO, if there is a configfile.
 */
int ports_read(const char *configfile, struct ports *ports);

#endif /* TOOL_PORTS_H */
