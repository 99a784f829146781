// SPDX-License-Identifier: LGPL-3.0-or-later
/* The "smbd_uring:" parameters of smb.conf, see parameters.h. */

#include "parameters.h"
#include "util/macros.h"
#include "watch_settings.h"

/* All but the parameters of the watch. */
static const struct uring_parameter parameters[] = {
	{"backend", "epoll, io_uring", true},
	{"sockopt", "syscall, auto, ring", false},
	{"log", "none, warnings, connections", true},
};

bool uring_parameter_get(size_t number, struct uring_parameter *parameter)
{
	if (number < ARRAY_SIZE(parameters)) {
		*parameter = parameters[number];
		return true;
	}
	number -= ARRAY_SIZE(parameters);
	if (number >= URING_WATCH_PARAMETERS) {
		return false;
	}
	*parameter = (struct uring_parameter){
		.name = uring_watch_parameters[number].name,
		.allowed = uring_watch_parameters[number].allowed,
	};
	return true;
}
