/* SPDX-License-Identifier: LGPL-3.0-or-later */
/*
 * smbd-uring disable: undoes enable.
 */

#include "config.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "dropin.h"
#include "restart.h"
#include "smbd.h"
#include "systemd.h"
#include "tool.h"
#include "util/macros.h"

/* The role may have changed since enable. */
static const char *const disable_units[] = {
	"smbd.service",
	"samba-ad-dc.service",
};

/* Whether LD_PRELOAD of the unit is ours in spite of all; prints where from. */
static bool disable_remains(const char *unit)
{
	char *preload = systemd_runs() ? systemd_preload(NULL, unit) : NULL;
	bool remains = smbd_preload_has_shim(preload);
	char *paths = NULL;
	char what[1024];

	talloc_free(preload);
	if (!remains) {
		return false;
	}
	paths = systemd_show(NULL, unit, "DropInPaths");
	snprintf(what,
		 sizeof(what),
		 "it still has our LD_PRELOAD, from a file that enable did not "
		 "make: %s",
		 paths != NULL ? paths : "");
	talloc_free(paths);
	(void)tool_failure(unit, what);
	return true;
}

static int disable_unit(const struct restart_options *options,
			const char *unit,
			bool *changed)
{
	bool restarted;
	int ret;

	ret = dropin_remove(unit, changed);
	if (ret != 0) {
		return tool_failure(dropin_path(unit),
				    ret == EEXIST ? "not the link that enable "
						    "makes; left as it is"
						  : strerror(ret));
	}
	if (!*changed) {
		return EXIT_SUCCESS;
	}
	printf("removed %s\n", dropin_path(unit));
	ret = restart_unit(options, unit, &restarted);
	if (ret == EXIT_SUCCESS && restarted) {
		printf("%s runs without the library\n", unit);
		ret = tool_flush();
	}
	return ret;
}

static int disable_run(const struct restart_options *options)
{
	bool any = false;
	size_t i;
	int ret = EXIT_SUCCESS;

	if (!restart_options_valid(options, &ret)) {
		return ret;
	}
	for (i = 0; ret == EXIT_SUCCESS && i < ARRAY_SIZE(disable_units); i++) {
		bool changed = false;

		ret = disable_unit(options, disable_units[i], &changed);
		any = any || changed;
		if (!changed && systemd_runs()) {
			/* or it knows one that is removed at this time */
			(void)systemd_reload();
		}
		if (ret == EXIT_SUCCESS && disable_remains(disable_units[i])) {
			ret = EXIT_FAILURE;
		}
	}
	if (ret == EXIT_SUCCESS && !any) {
		printf("it is not enabled\n");
		ret = tool_flush();
	}
	return ret;
}

int tool_disable(int argc, const char **argv)
{
	struct restart_options o = {};
	const struct poptOption options[] = {
		RESTART_OPTIONS(&o),
		TOOL_OPTIONS_END,
	};
	int ret;

	if (tool_parse(argc, argv, options, NULL, "", NULL, &ret)) {
		ret = disable_run(&o);
	}
	free(o.at);
	return ret;
}
