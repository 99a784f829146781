/* SPDX-License-Identifier: LGPL-3.0-or-later */
/*
 * smbd-uring check: whether the running smbd has the preload library, and what
 * is wrong.
 *
 * The running process is the evidence, not the configuration: its memory map
 * has the library, its children have rings and publish samples.  smb.conf and
 * the unit only explain what is missing.
 */

#include "config.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

#include "check.h"
#include "confinement.h"
#include "join.h"
#include "negotiate.h"
#include "rows.h"
#include "smbd.h"
#include "systemd.h"
#include "testparm.h"
#include "tool.h"
#include "transport/smbd_parameters.h"
#include "uring_probe.h"
#include "util/clock.h"
#include "verdict.h"

/* How long smbd may take to sample our own connection. */
#define CHECK_PATIENCE_MS 3000
#define CHECK_POLL_MS 50

struct check {
	const char *configfile;
	struct testparm *testparm;
	struct smbd *smbd;
	struct verdict *verdict;
};

/* What the running smbd shows. */
struct check_evidence {
	size_t num_rings;
	size_t num_connections;
	bool published;
	bool sampled;
	/** the age of the newest sample, in nanoseconds */
	uint64_t age;
};

/*
 * smb.conf
 */

static const char *check_setting(const struct check *check, const char *name)
{
	const char *value = testparm_global(check->testparm, name);

	return value != NULL ? value : "";
}

static void check_line(struct check *check, const struct testparm_line *line)
{
	struct uring_parameter nearest = {};

	switch (uring_parameter_judge(line->section, line->name, &nearest)) {
	case URING_PARAMETER_UNKNOWN:
		verdict_add(check->verdict,
			    VERDICT_WARNING,
			    "smb.conf: %s in [%s]: unknown parameter, the "
			    "nearest known one is smbd_uring:%s",
			    line->name,
			    line->section,
			    nearest.name);
		break;
	case URING_PARAMETER_MISPLACED:
		verdict_add(check->verdict,
			    VERDICT_WARNING,
			    "smb.conf: %s in [%s]: only [global] can have it",
			    line->name,
			    line->section);
		break;
	case URING_PARAMETER_KNOWN:
		if (!uring_parameter_allows(nearest.name, line->value)) {
			verdict_add(check->verdict,
				    VERDICT_WARNING,
				    "smb.conf: %s = %s in [%s]: unknown value, "
				    "allowed: %s",
				    line->name,
				    line->value,
				    line->section,
				    nearest.allowed);
		}
		break;
	case URING_PARAMETER_FOREIGN:
		break;
	}
}

/* Returns whether smb.conf switches the backend on. */
static bool check_smb_conf(struct check *check)
{
	size_t i;

	for (i = 0; i < check->testparm->num_lines; i++) {
		check_line(check, &check->testparm->lines[i]);
	}
	if (strcasecmp(check_setting(check, "smbd_uring:backend"),
		       "io_uring") == 0)
	{
		return true;
	}
	verdict_add(check->verdict,
		    VERDICT_WARNING,
		    "smb.conf does not set smbd_uring:backend = io_uring, so "
		    "the library does nothing");
	return false;
}

static bool check_samples_wanted(const struct check *check)
{
	return atoi(check_setting(check, "smbd_uring:sample interval")) > 0;
}

/* smbd makes a ring for its first query, and samples are queries. */
static bool check_ring_wanted(const struct check *check)
{
	const char *sockopt = check_setting(check, "smbd_uring:sockopt");

	return check_samples_wanted(check) &&
	       (strcasecmp(sockopt, "auto") == 0 ||
		strcasecmp(sockopt, "ring") == 0);
}

/*
 * The library
 */

static const char *check_unit(const struct check *check)
{
	return check->smbd->unit != NULL ? check->smbd->unit
					 : systemd_unit(check->testparm);
}

/* The library should be loaded, but is not. */
static void check_load_failed(struct check *check)
{
	char *confinement = process_confinement(check, check->smbd->pid);

	verdict_add(check->verdict,
		    VERDICT_CRITICAL,
		    "not loaded in smbd (process %d), although its LD_PRELOAD "
		    "names it: see journalctl -u %s",
		    (int)check->smbd->pid,
		    check_unit(check));
	if (confinement != NULL && confinement[0] != '\0') {
		verdict_add(check->verdict,
			    VERDICT_CRITICAL,
			    "what may deny it: %s",
			    confinement);
	}
}

static void check_not_loaded(struct check *check)
{
	const struct smbd *smbd = check->smbd;
	const char *unit = check_unit(check);
	char *configured = systemd_preload(check, unit);
	bool other = smbd->preload != NULL && smbd->preload[0] != '\0';

	if (smbd->has_shim || smbd_preload_has_shim(smbd->preload)) {
		check_load_failed(check);
	} else if (smbd_preload_has_shim(configured) && other) {
		verdict_add(check->verdict,
			    VERDICT_CRITICAL,
			    "not loaded in smbd (process %d): it has "
			    "LD_PRELOAD=%s; if it has that after systemctl "
			    "restart %s, too, which ends all sessions, an "
			    "EnvironmentFile= of the unit sets it "
			    "(/etc/default/samba)",
			    (int)smbd->pid,
			    smbd->preload,
			    unit);
	} else if (smbd_preload_has_shim(configured)) {
		verdict_add(check->verdict,
			    VERDICT_CRITICAL,
			    "not loaded in smbd (process %d), which was started "
			    "before it was enabled: systemctl restart %s ends "
			    "all sessions",
			    (int)smbd->pid,
			    unit);
	} else if (other) {
		verdict_add(check->verdict,
			    VERDICT_CRITICAL,
			    "not loaded in smbd (process %d): another library "
			    "wins, LD_PRELOAD=%s; write both into one line",
			    (int)smbd->pid,
			    smbd->preload);
	} else {
		verdict_add(check->verdict,
			    VERDICT_CRITICAL,
			    "not loaded in smbd (process %d): smbd-uring enable",
			    (int)smbd->pid);
	}
}

/*
 * Rings and samples
 */

/* own is the address of our own connection, which does not count. */
static void check_look(const struct check *check,
		       const char *own,
		       struct check_evidence *evidence)
{
	const char *lock = check_setting(check, "lock directory");
	char *directory = talloc_asprintf(NULL, "%s/smbd_uring", lock);
	const char *directories[] = {directory, NULL};
	struct status_rows rows = {};
	size_t i;

	*evidence = (struct check_evidence){
		.num_rings = smbd_count_rings(check->smbd->pid),
	};
	if (directory != NULL &&
	    rows_add_published(directories, false, &rows) == 0 &&
	    rows_finish(&rows) == 0)
	{
		for (i = 0; i < rows.num_rows; i++) {
			const struct uring_status_row *row =
				&rows.rows[i].published;
			uint64_t age = rows.now - row->sampled;

			evidence->published = true;
			if (strcmp(row->client, own) != 0) {
				evidence->num_connections += 1;
			}
			if (row->sampled != 0 &&
			    (!evidence->sampled || age < evidence->age))
			{
				evidence->sampled = true;
				evidence->age = age;
			}
		}
	}
	rows_free(&rows);
	talloc_free(directory);
}

static bool check_is_enough(const struct check *check,
			    const struct check_evidence *evidence)
{
	return (evidence->num_rings > 0 || !check_ring_wanted(check)) &&
	       (evidence->sampled || !check_samples_wanted(check));
}

/* Connect, as no client gives evidence; false if smbd does not let us. */
static bool check_look_by_connection(const struct check *check,
				     struct check_evidence *evidence)
{
	char own[ADDRESS_TEXT_SIZE] = "";
	int waited = 0;
	int fd;

	fd = negotiate_start(check->configfile, own);
	if (fd == -1) {
		return false;
	}
	while (!check_is_enough(check, evidence) && waited < CHECK_PATIENCE_MS)
	{
		usleep(CHECK_POLL_MS * 1000);
		waited += CHECK_POLL_MS;
		check_look(check, own, evidence);
	}
	close(fd);
	return true;
}

static void check_no_ring(struct check *check)
{
	char *confinement = process_confinement(check, check->smbd->pid);
	struct uring_probe *probe = uring_probe(check);
	char why[256] = "";

	if (confinement == NULL || confinement[0] != '\0') {
		snprintf(why,
			 sizeof(why),
			 "what may deny it: %s",
			 confinement != NULL ? confinement : "?");
	} else if (probe != NULL && probe->ring_error != 0) {
		(void)uring_probe_explain(
			true, probe->ring_error, why, sizeof(why));
	} else {
		snprintf(why,
			 sizeof(why),
			 "smbd's log has a line \"falling back\" with the "
			 "cause");
	}
	verdict_add(check->verdict,
		    VERDICT_WARNING,
		    "smbd (process %d) has no ring, and asks by system call; "
		    "%s",
		    (int)check->smbd->pid,
		    why);
}

static void check_ring(struct check *check,
		       const struct check_evidence *evidence)
{
	if (evidence->num_rings > 0) {
		verdict_add(check->verdict, VERDICT_OK, "queries by io_uring");
	} else if (check_ring_wanted(check)) {
		check_no_ring(check);
	} else if (check_samples_wanted(check)) {
		verdict_add(check->verdict,
			    VERDICT_OK,
			    "queries by system call, as smbd_uring:sockopt is "
			    "not auto");
	}
}

static void check_samples(struct check *check,
			  const struct check_evidence *evidence)
{
	if (!check_samples_wanted(check)) {
		verdict_add(check->verdict,
			    VERDICT_OK,
			    "no samples, as smbd_uring:sample interval is not "
			    "set");
	} else if (evidence->sampled) {
		verdict_add(check->verdict,
			    VERDICT_OK,
			    "%zu connections, newest sample %.0f s old",
			    evidence->num_connections,
			    (double)evidence->age / CLOCK_NS_PER_S);
	} else {
		verdict_add(check->verdict,
			    VERDICT_WARNING,
			    "%s in %s/smbd_uring",
			    evidence->published ? "smbd took no sample of a "
						  "connection"
					        : "smbd publishes no samples",
			    check_setting(check, "lock directory"));
	}
}

static void check_loaded(struct check *check)
{
	struct check_evidence evidence;

	verdict_add(check->verdict,
		    VERDICT_OK,
		    "smbd (process %d) has the library",
		    (int)check->smbd->pid);
	check_look(check, "", &evidence);
	if (!check_is_enough(check, &evidence) &&
	    !check_look_by_connection(check, &evidence))
	{
		verdict_add(check->verdict,
			    VERDICT_OK,
			    "no client is connected, and smbd does not serve "
			    "this host itself, so there was nothing to see");
		return;
	}
	check_ring(check, &evidence);
	check_samples(check, &evidence);
}

static void check_smbd(struct check *check)
{
	const char *pids = check_setting(check, "pid directory");
	bool active = check_smb_conf(check);
	int ret;

	ret = smbd_find(check, pids, &check->smbd);
	if (ret == ESRCH) {
		verdict_add(check->verdict,
			    VERDICT_CRITICAL,
			    "smbd does not run (see %s/smbd.pid)",
			    pids);
		return;
	}
	if (ret != 0) {
		verdict_add(check->verdict,
			    VERDICT_UNKNOWN,
			    "smbd: %s%s",
			    strerror(ret),
			    ret == EACCES ? " (run it as root)" : "");
		return;
	}
	if (!check->smbd->has_module) {
		check_not_loaded(check);
		return;
	}
	if (check->smbd->replaced) {
		verdict_add(check->verdict,
			    VERDICT_WARNING,
			    "smbd (process %d) has the library that it loaded "
			    "before an upgrade or removal: systemctl restart %s "
			    "ends all sessions",
			    (int)check->smbd->pid,
			    check_unit(check));
	}
	if (active) {
		check_loaded(check);
	}
}

int check_print(const char *configfile)
{
	struct check *check = talloc_zero(NULL, struct check);
	int ret;

	if (check != NULL) {
		check->verdict = verdict_create(check);
	}
	if (check == NULL || check->verdict == NULL) {
		printf("UNKNOWN: %s\n", strerror(ENOMEM));
		talloc_free(check);
		return VERDICT_UNKNOWN;
	}
	check->configfile = configfile;
	ret = testparm_read(check, configfile, &check->testparm);
	if (ret == EIO) {
		verdict_add(check->verdict,
			    VERDICT_CRITICAL,
			    "testparm refuses %s",
			    configfile != NULL ? configfile : "smb.conf");
	} else if (ret != 0) {
		verdict_add(check->verdict,
			    VERDICT_UNKNOWN,
			    "testparm: %s%s",
			    strerror(ret),
			    ret == ENOENT ? " (package samba-common-bin)" : "");
	} else {
		check_smbd(check);
	}
	ret = verdict_print(check->verdict);
	talloc_free(check);
	return ret;
}

int tool_check(int argc, const char **argv)
{
	char *configfile = NULL;
	const struct poptOption options[] = {
		{"configfile",
		 'c',
		 POPT_ARG_STRING,
		 &configfile,
		 0,
		 "smbd's smb.conf, if it is another",
		 "FILE"},
		TOOL_OPTIONS_END,
	};
	int ret;

	if (tool_parse(argc,
		       argv,
		       options,
		       NULL,
		       "\nExit status, as monitoring plug-ins have it: 0 OK, 1 "
		       "WARNING, 2 CRITICAL, 3 UNKNOWN.\n",
		       NULL,
		       &ret))
	{
		ret = check_print(configfile);
	}
	free(configfile);
	return ret;
}
