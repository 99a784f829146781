/* SPDX-License-Identifier: LGPL-3.0-or-later */
/*
 * The settings of the watch: values of smb.conf.
 */

#include <ctype.h>
#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>

#include "watch_settings.h"

#define WATCH_DIGITS "0123456789"

enum watch_parameter {
	WATCH_INTERVAL,
	WATCH_WARN_RTT,
	WATCH_WARN_RETRANS,
	WATCH_WARN_STALL,
};

const struct uring_watch_parameter
	uring_watch_parameters[URING_WATCH_PARAMETERS] = {
#define PARAMETER(name, allowed, global_only)
#define WATCH_PARAMETER(id, name, allowed) [WATCH_##id] = {name, allowed},
#include "smbd_parameters.def"
};

static bool watch_parse_unsigned(const char *value, unsigned *number)
{
	unsigned long n;
	char *end = NULL;

	errno = 0;
	n = strtoul(value, &end, 10);
	if (errno != 0 || !isdigit((unsigned char)*value) || *end != '\0' ||
	    n > INT_MAX)
	{
		return false;
	}
	*number = n;
	return true;
}

static bool watch_parse_percent(const char *value, double *percent)
{
	const char *end = value + strspn(value, WATCH_DIGITS);
	double n;

	/* strtod() alone would also take 0x10 and 1e1 */
	if (end != value && end[0] == '.' && isdigit((unsigned char)end[1])) {
		end += 1 + strspn(end + 1, WATCH_DIGITS);
	}
	if (end == value || *end != '\0') {
		return false;
	}
	n = strtod(value, NULL);
	if (n > 100) {
		return false;
	}
	*percent = n;
	return true;
}

bool uring_watch_set(struct uring_watch_settings *settings,
		     size_t parameter,
		     const char *value)
{
	switch (parameter) {
	case WATCH_INTERVAL:
		return watch_parse_unsigned(value, &settings->interval);
	case WATCH_WARN_RTT:
		return watch_parse_unsigned(value, &settings->warn_rtt);
	case WATCH_WARN_RETRANS:
		return watch_parse_percent(value, &settings->warn_retrans);
	case WATCH_WARN_STALL:
		return watch_parse_unsigned(value, &settings->warn_stall);
	default:
		return false;
	}
}
