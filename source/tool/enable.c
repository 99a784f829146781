/* SPDX-License-Identifier: LGPL-3.0-or-later */
/*
 * smbd-uring enable: lets systemd start smbd with the preload library.
 */

#include "config.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

#include "check.h"
#include "dropin.h"
#include "restart.h"
#include "smbd.h"
#include "systemd.h"
#include "testparm.h"
#include "tool.h"

/* How long smbd may take to run after its unit: samba starts it. */
#define ENABLE_PATIENCE_MS 20000
#define ENABLE_POLL_MS 100

/* Whether LD_PRELOAD of the unit leaves room for ours; else prints why. */
static bool enable_no_other(const char *unit, bool *there)
{
	char *preload = systemd_preload(NULL, unit);
	char what[1024];

	*there = smbd_preload_has_shim(preload);
	if (preload == NULL || preload[0] == '\0' || *there) {
		talloc_free(preload);
		return true;
	}
	snprintf(what,
		 sizeof(what),
		 "it has LD_PRELOAD=%s, and systemd uses only one such line; "
		 "append :" SMBD_URING_PRELOAD " to it",
		 preload);
	talloc_free(preload);
	(void)tool_failure(unit, what);
	return false;
}

static bool enable_unit_exists(const char *unit)
{
	char *state = systemd_show(NULL, unit, "LoadState");
	const char *what = NULL;

	if (state == NULL || state[0] == '\0') {
		what = "systemctl does not know (run it as root)";
	} else if (strcmp(state, "masked") == 0) {
		what = "it is masked";
	} else if (strcmp(state, "loaded") != 0) {
		what = "no such unit (package samba)";
	}
	talloc_free(state);
	if (what != NULL) {
		(void)tool_failure(unit, what);
	}
	return what == NULL;
}

static int enable_create(const char *unit)
{
	bool there = false;
	bool changed;
	int ret;

	if (systemd_runs()) {
		/* or it knows a drop-in that somebody has removed */
		(void)systemd_reload();
		if (!enable_unit_exists(unit) ||
		    !enable_no_other(unit, &there)) {
			return EXIT_FAILURE;
		}
	}
	if (there) {
		printf("%s is enabled\n", unit);
		return tool_flush();
	}
	ret = dropin_create(unit, &changed);
	if (ret == ENOENT) {
		return tool_failure(SMBD_URING_DROPIN,
				    "not there, install smbd-uring first");
	}
	if (ret != 0) {
		return tool_failure(dropin_path(unit),
				    ret == EEXIST ? "not the link that enable "
						    "makes; remove it first"
						  : strerror(ret));
	}
	printf("%s %s\n", changed ? "created" : "there is", dropin_path(unit));
	return tool_flush();
}

static void enable_hint(const struct testparm *testparm)
{
	const char *backend = testparm_global(testparm, "smbd_uring:backend");

	if (backend != NULL && strcasecmp(backend, "io_uring") == 0) {
		return;
	}
	printf("smb.conf does not use it yet; add to [global]:\n"
	       "    smbd_uring:backend = io_uring\n"
	       "    smbd_uring:sockopt = auto\n"
	       "    smbd_uring:sample interval = 10\n");
}

/* Wait until the new smbd runs; check tells if it does not. */
static void enable_wait(const struct testparm *testparm)
{
	const char *pids = testparm_global(testparm, "pid directory");
	int waited;

	for (waited = 0; waited < ENABLE_PATIENCE_MS; waited += ENABLE_POLL_MS)
	{
		struct smbd *smbd = NULL;
		int ret = smbd_find(NULL, pids != NULL ? pids : "", &smbd);

		talloc_free(smbd);
		if (ret != ESRCH) {
			return;
		}
		usleep(ENABLE_POLL_MS * 1000);
	}
}

static int enable_run(const struct restart_options *options)
{
	struct testparm *testparm = NULL;
	const char *unit = NULL;
	bool restarted;
	int ret;

	if (!restart_options_valid(options, &ret)) {
		return ret;
	}
	ret = testparm_read(NULL, NULL, &testparm);
	if (ret != 0) {
		return tool_failure("testparm",
				    ret == EIO ? "it refuses smb.conf"
					       : strerror(ret));
	}
	unit = systemd_unit(testparm);
	ret = enable_create(unit);
	if (ret == EXIT_SUCCESS) {
		enable_hint(testparm);
		ret = restart_unit(options, unit, &restarted);
	}
	if (ret == EXIT_SUCCESS && restarted) {
		enable_wait(testparm);
		ret = check_print(NULL);
	}
	talloc_free(testparm);
	return ret;
}

int tool_enable(int argc, const char **argv)
{
	struct restart_options o = {};
	const struct poptOption options[] = {
		RESTART_OPTIONS(&o),
		TOOL_OPTIONS_END,
	};
	int ret;

	if (tool_parse(argc,
		       argv,
		       options,
		       NULL,
		       "\nAfter a restart the exit status is that of check.\n",
		       NULL,
		       &ret))
	{
		ret = enable_run(&o);
	}
	free(o.at);
	return ret;
}
