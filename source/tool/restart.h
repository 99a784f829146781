/* SPDX-License-Identifier: LGPL-3.0-or-later */
/*
 * The restart of smbd, which ends all sessions.
 */
#ifndef TOOL_RESTART_H
#define TOOL_RESTART_H

#include <stdbool.h>

struct restart_options {
	/** restart without a question */
	int yes;
	/** a time as systemd.time(7) has it, at which systemd restarts */
	char *at;
};

/** The rows of a table of options. */
#define RESTART_OPTIONS(options)                                           \
	{"yes",                                                            \
	 'y',                                                              \
	 POPT_ARG_NONE,                                                    \
	 &(options)->yes,                                                  \
	 0,                                                                \
	 "restart smbd without a question",                                \
	 NULL},                                                            \
	{                                                                  \
		"at", 'a', POPT_ARG_STRING, &(options)->at, 0,             \
			"restart smbd at this time (systemd.time(7)), for " \
			"example 03:30",                                   \
			"TIME"                                             \
	}

/**
 * @brief Whether the options make sense; to be asked before anything changes.
 *
 * @param[out] status  the exit status, if they do not.
 */
bool restart_options_valid(const struct restart_options *options, int *status);

/**
 * @brief Reload systemd, then restart the unit if the administrator agrees.
 *
 * @param[out] restarted  whether the unit was restarted.
 *
 * @return the exit status.
 */
int restart_unit(const struct restart_options *options,
		 const char *unit,
		 bool *restarted);

#endif /* TOOL_RESTART_H */
