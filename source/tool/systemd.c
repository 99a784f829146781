/* SPDX-License-Identifier: LGPL-3.0-or-later */
/*
 * systemd's units, by systemctl(1).
 */

#include "config.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "command.h"
#include "systemd.h"

bool systemd_runs(void)
{
	/* sd_booted(3) */
	return access("/run/systemd/system", F_OK) == 0;
}

int systemd_reload(void)
{
	const char *const argv[] = {"systemctl", "daemon-reload", NULL};
	char *output = NULL;
	int ret;

	ret = command_output(argv, &output);
	free(output);
	return ret;
}

const char *systemd_unit(const struct testparm *testparm)
{
	const char *role = testparm_global(testparm, "server role");

	if (role != NULL &&
	    strcmp(role, "active directory domain controller") == 0)
	{
		return "samba-ad-dc.service";
	}
	return "smbd.service";
}

char *systemd_show(TALLOC_CTX *mem_ctx, const char *unit, const char *property)
{
	const char *argv[] = {
		"systemctl",
		"show",
		"--value",
		"--property",
		property,
		unit,
		NULL,
	};
	char *output = NULL;
	char *value = NULL;

	if (command_output(argv, &output) != 0) {
		return talloc_strdup(mem_ctx, "");
	}
	output[strcspn(output, "\n")] = '\0';
	value = talloc_strdup(mem_ctx, output);
	free(output);
	return value;
}

/* The value in "A=B NAME=C "D=E F""; "" if there is none. */
static char *systemd_find_value(TALLOC_CTX *mem_ctx,
				const char *environment,
				const char *name)
{
	const char *found = environment;

	while ((found = strstr(found, name)) != NULL) {
		char before = found > environment ? found[-1] : ' ';
		const char *value = found + strlen(name);

		if (before == ' ' || before == '"') {
			const char *end = strchrnul(value, before);

			return talloc_strndup(mem_ctx,
					      value,
					      (size_t)(end - value));
		}
		found = value;
	}
	return talloc_strdup(mem_ctx, "");
}

char *systemd_preload(TALLOC_CTX *mem_ctx, const char *unit)
{
	char *environment = systemd_show(mem_ctx, unit, "Environment");
	char *value = NULL;

	if (environment == NULL) {
		return NULL;
	}
	value = systemd_find_value(mem_ctx, environment, "LD_PRELOAD=");
	talloc_free(environment);
	return value;
}
