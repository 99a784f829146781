/* SPDX-License-Identifier: LGPL-3.0-or-later */
/*
 * The restart of smbd, which ends all sessions.
 */

#include "config.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <jansson.h>

#include "command.h"
#include "restart.h"
#include "systemd.h"
#include "tool.h"
#include "util/clock.h"

/*
 * The units of a restart that --at plans: with a number, the nanoseconds since
 * boot, so that a new plan can stand beside the one that it replaces.
 */
#define RESTART_PLAN "smbd-uring-restart-"
#define RESTART_TIMER ".timer"

static int restart_failed(const char *what, int ret)
{
	return tool_failure(what, ret == EIO ? "it failed" : strerror(ret));
}

/* "3 sessions", or "all sessions" if smbstatus does not say. */
static void restart_sessions(char *text, size_t size)
{
	const char *argv[] = {"smbstatus", "--json", NULL};
	const json_t *sessions = NULL;
	json_t *json = NULL;
	char *output = NULL;

	if (command_output(argv, &output) == 0) {
		json = json_loads(output, 0, NULL);
	}
	sessions = json_object_get(json, "sessions");
	if (json_is_object(sessions)) {
		size_t count = json_object_size(sessions);

		snprintf(text,
			 size,
			 "%zu session%s",
			 count,
			 count == 1 ? "" : "s");
	} else {
		snprintf(text, size, "all sessions");
	}
	json_decref(json);
	free(output);
}

/*
 * The next time that matches, as "Sun 2026-11-29 03:30:00 UTC": a timer of
 * "03:30" would restart smbd each day.  NULL: there is none.
 */
static char *restart_next_time(const char *at)
{
	static const char label[] = "Next elapse: ";
	const char *argv[] = {"systemd-analyze", "calendar", "--", at, NULL};
	char *output = NULL;
	char *next = NULL;

	if (command_output(argv, &output) != 0) {
		return NULL;
	}
	next = strstr(output, label);
	if (next != NULL) {
		next += strlen(label);
		next = strncmp(next, "never", 5) != 0
			       ? strndup(next, strcspn(next, "\n"))
			       : NULL;
	}
	free(output);
	return next;
}

static int restart_no_time(const char *at)
{
	return tool_usage_error(at[0] != '\0' ? at : "--at",
				"no time to come, see systemd.time(7)");
}

bool restart_options_valid(const struct restart_options *options, int *status)
{
	char *next = NULL;

	if (options->at == NULL) {
		return true;
	}
	if (options->yes) {
		*status = tool_usage_error("--yes, --at", "only one of them");
		return false;
	}
	if (!systemd_runs()) {
		*status = tool_failure("--at", "systemd does not run here");
		return false;
	}
	next = restart_next_time(options->at);
	if (next == NULL) {
		*status = restart_no_time(options->at);
		return false;
	}
	free(next);
	return true;
}

/*
 * Forget the plans that are older than this one, which systemd has taken.  Of
 * two that are made at the same time one is left.
 */
static int restart_forget_older(uint64_t number)
{
	const char *const list[] = {
		"systemctl",
		"list-units",
		"--all",
		"--plain",
		"--no-legend",
		RESTART_PLAN "*" RESTART_TIMER,
		NULL,
	};
	char *output = NULL;
	char *next = NULL;
	char *line = NULL;
	int ret;

	ret = command_output(list, &output);
	next = output;
	while (ret == 0 && (line = strsep(&next, "\n")) != NULL) {
		const char *const stop[] = {"systemctl", "stop", line, NULL};
		char *nothing = NULL;

		line[strcspn(line, " ")] = '\0';
		if (strncmp(line, RESTART_PLAN, strlen(RESTART_PLAN)) == 0 &&
		    strtoull(line + strlen(RESTART_PLAN), NULL, 10) < number)
		{
			ret = command_output(stop, &nothing);
			free(nothing);
		}
	}
	free(output);
	return ret;
}

static int restart_plan(const char *next, uint64_t number, const char *unit)
{
	char calendar[128];
	char name[64];
	const char *const plan[] = {
		"systemd-run",
		"--timer-property=RemainAfterElapse=no",
		"--timer-property=AccuracySec=1s",
		name,
		calendar,
		"systemctl",
		"restart",
		unit,
		NULL,
	};
	char *output = NULL;
	int ret;

	snprintf(name, sizeof(name), "--unit=" RESTART_PLAN "%" PRIu64, number);
	snprintf(calendar, sizeof(calendar), "--on-calendar=%s", next);
	ret = command_output(plan, &output);
	free(output);
	return ret;
}

static int restart_later(const char *at, const char *unit)
{
	const uint64_t number = clock_monotonic_ns();
	char *next = restart_next_time(at);
	int ret;

	if (next == NULL) {
		return restart_no_time(at);
	}
	ret = restart_plan(next, number, unit);
	if (ret != 0) {
		free(next);
		return restart_failed("systemd-run", ret);
	}
	printf("%s restarts at %s; systemctl stop " RESTART_PLAN
	       "%" PRIu64 RESTART_TIMER " forgets that\n",
	       unit,
	       next,
	       number);
	free(next);
	ret = restart_forget_older(number);
	if (ret != 0) {
		return restart_failed("systemctl stop '" RESTART_PLAN
				      "*', earlier plans",
				      ret);
	}
	return tool_flush();
}

static int restart_now(const char *unit, bool *restarted)
{
	const char *const argv[] = {"systemctl", "restart", unit, NULL};
	char *output = NULL;
	int ret;

	ret = command_output(argv, &output);
	free(output);
	if (ret != 0) {
		return restart_failed("systemctl restart", ret);
	}
	*restarted = true;
	return EXIT_SUCCESS;
}

static bool restart_agreed(const char *sessions, const char *unit)
{
	char answer[16] = "";

	printf("%s of %s would end; restart now? [y/N] ", sessions, unit);
	return tool_flush() == EXIT_SUCCESS &&
	       fgets(answer, sizeof(answer), stdin) != NULL &&
	       (answer[0] == 'y' || answer[0] == 'Y');
}

int restart_unit(const struct restart_options *options,
		 const char *unit,
		 bool *restarted)
{
	char sessions[64];
	char *state = NULL;
	bool active;
	int ret;

	*restarted = false;
	if (!systemd_runs()) {
		printf("systemd does not run here; %s has it at its next "
		       "start\n",
		       unit);
		return tool_flush();
	}
	ret = systemd_reload();
	if (ret != 0) {
		return restart_failed("systemctl daemon-reload", ret);
	}
	state = systemd_show(NULL, unit, "ActiveState");
	active = state != NULL && strcmp(state, "active") == 0;
	talloc_free(state);
	if (!active) {
		printf("%s does not run now\n", unit);
		return tool_flush();
	}
	if (options->at != NULL) {
		return restart_later(options->at, unit);
	}
	restart_sessions(sessions, sizeof(sessions));
	if (options->yes ||
	    (isatty(STDIN_FILENO) && restart_agreed(sessions, unit)))
	{
		return restart_now(unit, restarted);
	}
	printf("it takes effect with: systemctl restart %s (ends %s)\n",
	       unit,
	       sessions);
	return tool_flush();
}
