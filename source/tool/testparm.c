/* SPDX-License-Identifier: LGPL-3.0-or-later */
/*
 * smb.conf, as testparm(1) prints it.
 *
 * smbd-quicd has a stricter reader (quicd/testparm.c), which also says why they
 * are two.
 */

#include "config.h"

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "command.h"
#include "testparm.h"

/* Keep one line of the output: "[SECTION]" or "\tNAME = VALUE". */
static bool testparm_add(struct testparm *testparm,
			 const char **section,
			 char *line)
{
	size_t num = testparm->num_lines;
	struct testparm_line *lines = NULL;
	char *equals = NULL;

	line += strspn(line, " \t");
	if (line[0] == '[') {
		line[strcspn(line, "]")] = '\0';
		*section = talloc_strdup(testparm, line + 1);
		return *section != NULL;
	}
	equals = strstr(line, " =");
	if (line[0] == '#' || equals == NULL) {
		return true;
	}
	*equals = '\0';
	equals += strlen(" =");
	lines = talloc_realloc(testparm,
			       testparm->lines,
			       struct testparm_line,
			       num + 1);
	if (lines == NULL) {
		return false;
	}
	testparm->lines = lines;
	lines[num] = (struct testparm_line){
		.section = *section,
		.name = talloc_strdup(testparm, line),
		.value = talloc_strdup(testparm,
				       equals + strspn(equals, " ")),
	};
	testparm->num_lines += 1;
	return lines[num].name != NULL && lines[num].value != NULL;
}

int testparm_read(TALLOC_CTX *mem_ctx,
		  const char *configfile,
		  struct testparm **testparm)
{
	const char *argv[] = {
		"testparm",
		"--suppress-prompt",
		"--verbose",
		configfile,
		NULL,
	};
	struct testparm *read = NULL;
	const char *section = "";
	char *text = NULL;
	char *next = NULL;
	char *line = NULL;
	int ret;

	ret = command_output_anyway(argv, &text);
	if (ret != 0) {
		return ret;
	}
	read = talloc_zero(mem_ctx, struct testparm);
	if (read == NULL) {
		ret = ENOMEM;
	}
	next = text;
	while (ret == 0 && (line = strsep(&next, "\n")) != NULL) {
		if (!testparm_add(read, &section, line)) {
			ret = ENOMEM;
		}
	}
	free(text);
	if (ret == 0 && read->num_lines == 0) {
		ret = EIO; /* it prints nothing of what it cannot load */
	}
	if (ret != 0) {
		TALLOC_FREE(read);
	}
	*testparm = read;
	return ret;
}

const char *testparm_global(const struct testparm *testparm, const char *name)
{
	size_t i;

	for (i = 0; i < testparm->num_lines; i++) {
		const struct testparm_line *line = &testparm->lines[i];

		if (strcasecmp(line->section, "global") == 0 &&
		    strcasecmp(line->name, name) == 0)
		{
			return line->value;
		}
	}
	return NULL;
}
