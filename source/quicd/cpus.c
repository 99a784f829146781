/* SPDX-License-Identifier: LGPL-3.0-or-later */
/* The CPUs that this process may use. */

#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cpus.h"

#define QUICD_CPUS_MAX 128

/* The number of CPUs that the quota of one group allows, at most max. */
static uint32_t
quicd_cpus_quota(const char *root, const char *group, uint32_t max)
{
	char path[8400];
	unsigned long long quota;
	unsigned long long period;
	FILE *f = NULL;

	(void)snprintf(path,
		       sizeof(path),
		       "%s/sys/fs/cgroup%s/cpu.max",
		       root,
		       group);
	f = fopen(path, "re");
	if (f == NULL) {
		return max;
	}
	/* "max PERIOD" is none */
	if (fscanf(f, "%llu %llu", &quota, &period) == 2 && period > 0 &&
	    (quota + period - 1) / period < max)
	{
		max = (uint32_t)((quota + period - 1) / period);
	}
	fclose(f);
	return max;
}

uint32_t quicd_cpus(const char *root)
{
	char line[4096];
	char path[4096];
	uint32_t cpus = QUICD_CPUS_MAX; /* if they are too many for a set */
	cpu_set_t set;
	FILE *f = NULL;

	if (sched_getaffinity(0, sizeof(set), &set) == 0) {
		cpus = (uint32_t)CPU_COUNT(&set);
	}
	(void)snprintf(path, sizeof(path), "%s/proc/self/cgroup", root);
	f = fopen(path, "re");
	while (f != NULL && fgets(line, sizeof(line), f) != NULL) {
		char *group = strncmp(line, "0::", 3) == 0 ? line + 3 : NULL;

		if (group == NULL) {
			continue; /* one of version 1 */
		}
		group[strcspn(group, "\n")] = '\0';
		/* the groups above this one have quotas, too */
		while (group[0] == '/' && group[1] != '\0') {
			cpus = quicd_cpus_quota(root, group, cpus);
			*strrchr(group, '/') = '\0';
		}
		cpus = quicd_cpus_quota(root, "", cpus);
	}
	if (f != NULL) {
		fclose(f);
	}
	if (cpus > QUICD_CPUS_MAX) {
		return QUICD_CPUS_MAX;
	}
	return cpus > 0 ? cpus : 1;
}
