/* SPDX-License-Identifier: LGPL-3.0-or-later */
/*
 * The TCP ports of smbd, from smb.conf.
 */

#include "config.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "command.h"
#include "ports.h"

/* smb.conf(5): the ports of "tcp" and "nbt" in server smb transports. */
#define PORT_TCP 445
#define PORT_NBT 139

static void ports_add(struct ports *ports, unsigned long port)
{
	if (ports->num_ports < PORTS_MAX && port > 0 && port <= UINT16_MAX) {
		ports->ports[ports->num_ports] = (uint16_t)port;
		ports->num_ports += 1;
	}
}

/* "445 139", or "tcp:4450, nbt, quic" of Samba from 4.23 on */
static void ports_parse(struct ports *ports, char *text)
{
	char *next = text;
	char *word = NULL;

	while ((word = strsep(&next, " ,\t\n")) != NULL) {
		char *colon = strrchr(word, ':');

		if (strncasecmp(word, "quic", 4) == 0) {
			continue;
		}
		if (strcasecmp(word, "tcp") == 0) {
			ports_add(ports, PORT_TCP);
		} else if (strcasecmp(word, "nbt") == 0) {
			ports_add(ports, PORT_NBT);
		} else {
			const char *number = colon != NULL ? colon + 1 : word;

			ports_add(ports, strtoul(number, NULL, 10));
		}
	}
}

static int ports_read_parameter(struct ports *ports,
				const char *parameter,
				const char *configfile)
{
	char option[64];
	const char *argv[] = {
		"testparm",
		"--suppress-prompt",
		option,
		configfile,
		NULL,
	};
	char *text = NULL;
	int ret;

	snprintf(option, sizeof(option), "--parameter-name=%s", parameter);
	ret = command_output_anyway(argv, &text);
	if (ret == 0 && text[0] == '\0') {
		ret = EIO; /* testparm refuses the file or the parameter */
	}
	if (ret == 0) {
		ports_parse(ports, text);
	}
	free(text);
	return ret;
}

int ports_read(const char *configfile, struct ports *ports)
{
	int ret;

	*ports = (struct ports){};
	ret = ports_read_parameter(ports, "smb ports", configfile);
	if (ret != 0 && configfile != NULL) {
		return ret;
	}
	if (ports->num_ports == 0) {
		(void)ports_read_parameter(ports,
					   "server smb transports",
					   configfile);
	}
	if (ports->num_ports == 0) {
		ports_add(ports, PORT_TCP);
		ports_add(ports, PORT_NBT);
	}
	return 0;
}
