/* SPDX-License-Identifier: LGPL-3.0-or-later */
/*
 * smbd-quicd: SMB over QUIC for any smbd.
 *
 * This file has the options.  README.md says what the other files do.
 *
 * Workers publish their connections in a directory of their own.  smbd's
 * directory belongs to root, and smbd-quicd need not be root.
 */

#include "config.h"

#include <popt.h>
#include <stdio.h>
#include <stdlib.h>

#include "behind.h"
#include "control.h"
#include "listeners.h"
#include "parent.h"
#include "prepared.h"
#include "reading.h"

enum quicd_mode {
	QUICD_MODE_SERVE,
	QUICD_MODE_PREPARED,
	QUICD_MODE_PREPARE,
	QUICD_MODE_RELOAD,
	QUICD_MODE_CHECK,
};

/*
 * Say whether a start would succeed, with a bundle that has no error: whether
 * smbd answers, and whether the addresses are free.
 */
static int quicd_check(struct quicd_report *report,
		       const struct quicd_bundle *bundle)
{
	struct quicd_report quiet = {.errors_only = true};
	struct quicd_settings *settings = quicd_settings_parse(NULL,
							       &quiet,
							       bundle);

	if (settings != NULL) {
		quicd_behind_try(report, settings);
		quicd_listeners_try(report, settings);
		talloc_free(settings);
	}
	if (report->obstacles > 0) {
		return 1;
	}
	printf("smbd-quicd can serve clients%s\n",
	       report->warnings > 0 ? "; see the warnings" : "");
	return 0;
}

/* The commands that read the settings and then end. */
static int quicd_read_and(enum quicd_mode mode, const char *config)
{
	struct quicd_report report = {};
	struct quicd_bundle *bundle = quicd_reading(
		NULL, &report, config, mode != QUICD_MODE_CHECK);
	int ret = 1;

	if (bundle == NULL) {
		return 1;
	}
	if (mode == QUICD_MODE_CHECK) {
		ret = quicd_check(&report, bundle);
	} else if (mode == QUICD_MODE_PREPARE) {
		ret = quicd_prepared_leave(&report, bundle) ? 0 : 1;
	} else {
		ret = quicd_control_request(&report, bundle) ? 0 : 1;
	}
	talloc_free(bundle);
	return ret;
}

int main(int argc, const char **argv)
{
	enum quicd_mode mode = QUICD_MODE_SERVE;
	char *config = NULL;
	const struct poptOption options[] = {
		{"configfile", 's', POPT_ARG_STRING, &config, 0,
		 "read this smb.conf", "FILE"},
		{"check", 0, POPT_ARG_NONE, NULL, 'c',
		 "print errors and warnings, start nothing", NULL},
		{"reload", 0, POPT_ARG_NONE, NULL, 'r',
		 "read again, for the smbd-quicd that runs", NULL},
		{"prepare", 0, POPT_ARG_NONE, NULL, 'p',
		 "read as root, for a start with --prepared", NULL},
		{"prepared", 0, POPT_ARG_NONE, NULL, 'P',
		 "start with the result of --prepare", NULL},
		{"version", 'V', POPT_ARG_NONE, NULL, 'V', "print the version",
		 NULL},
		POPT_AUTOHELP
		POPT_TABLEEND
	};
	poptContext popt;
	int ret;

	popt = poptGetContext("smbd-quicd", argc, argv, options, 0);
	while ((ret = poptGetNextOpt(popt)) > 0) {
		switch (ret) {
		case 'c':
			mode = QUICD_MODE_CHECK;
			break;
		case 'r':
			mode = QUICD_MODE_RELOAD;
			break;
		case 'p':
			mode = QUICD_MODE_PREPARE;
			break;
		case 'P':
			mode = QUICD_MODE_PREPARED;
			break;
		default:
			printf("%s\n", SMBD_URING_VERSION);
			poptFreeContext(popt);
			return 0;
		}
	}
	if (ret < -1 || poptPeekArg(popt) != NULL) {
		fprintf(stderr,
			"smbd-quicd: %s: %s\n",
			ret < -1 ? poptBadOption(popt, 0) : poptPeekArg(popt),
			ret < -1 ? poptStrerror(ret) : "no argument expected");
		poptFreeContext(popt);
		return 2;
	}
	poptFreeContext(popt);

	if (mode == QUICD_MODE_SERVE || mode == QUICD_MODE_PREPARED) {
		ret = quicd_parent_run(config, mode == QUICD_MODE_PREPARED);
	} else {
		ret = quicd_read_and(mode, config);
	}
	free(config);
	return ret;
}
