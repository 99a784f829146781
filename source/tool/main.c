/* SPDX-License-Identifier: LGPL-3.0-or-later */
/*
 * smbd-uring, the administrator's program: dispatches to its commands.
 */

#include "config.h"

#include <locale.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tool.h"
#include "transport/smbd_parameters.h"
#include "util/macros.h"

static const struct {
	const char *name;
	const char *operand;
	const char *summary;
	int (*run)(int argc, const char **argv);
} commands[] = {
	{"status", "", "the connections of smbd and smbd-quicd", tool_status},
	{"metrics",
	 "",
	 "the clients for Prometheus, and a sample for the report",
	 tool_metrics},
	{"report", "", "a page about the last day", tool_report},
	{"connect",
	 " HOST:PORT",
	 "connect, and show what the connection looks like",
	 tool_connect},
	{"probe",
	 "",
	 "what io_uring can answer on this kernel, for this user",
	 tool_probe},
	{"enable",
	 "",
	 "let systemd start smbd with the preload library",
	 tool_enable},
	{"disable", "", "undo enable", tool_disable},
	{"check",
	 "",
	 "whether the running smbd has the preload library",
	 tool_check},
};

static int print_help(void)
{
	size_t i;

	printf("Usage: smbd-uring COMMAND [OPTION...]\n"
	       "       smbd-uring COMMAND --help\n\nCommands:\n");
	for (i = 0; i < ARRAY_SIZE(commands); i++) {
		printf("  %-8s%-12s%s\n",
		       commands[i].name,
		       commands[i].operand,
		       commands[i].summary);
	}
	printf("\nOptions:\n"
	       "  -h, --help          print this\n"
	       "  -V, --version       print the version\n"
	       "\nExit status: 0 success; 1 it could not be done; 2 wrong "
	       "usage.\n"
	       "See smbd-uring(1) and smbd_uring(7).\n");
	return tool_flush();
}

/* For the check of the documentation. */
static int print_parameters(void)
{
	struct uring_parameter parameter;
	size_t i;

	for (i = 0; uring_parameter_get(i, &parameter); i++) {
		printf("smbd_uring:%s\t%s\n",
		       parameter.name,
		       parameter.allowed);
	}
	return tool_flush();
}

static int no_command(const char *word, const char *what)
{
	size_t i;

	fprintf(stderr, "smbd-uring: %s%s; one of:", word, what);
	for (i = 0; i < ARRAY_SIZE(commands); i++) {
		fprintf(stderr, " %s", commands[i].name);
	}
	fprintf(stderr, "\n");
	return EXIT_USAGE;
}

int main(int argc, const char *argv[])
{
	static char name[64];
	const char *word = argc > 1 ? argv[1] : NULL;
	size_t i;

	/* names of users and shares are in UTF-8 */
	if (setlocale(LC_CTYPE, "") == NULL || MB_CUR_MAX == 1) {
		(void)setlocale(LC_CTYPE, "C.UTF-8");
	}
	if (word == NULL) {
		return no_command("", "no command");
	}
	if (strcmp(word, "--help") == 0 || strcmp(word, "-h") == 0) {
		return print_help();
	}
	if (strcmp(word, "--version") == 0 || strcmp(word, "-V") == 0) {
		printf("smbd-uring %s\n", SMBD_URING_VERSION);
		return tool_flush();
	}
	if (strcmp(word, "--list-parameters") == 0) {
		return print_parameters();
	}
	for (i = 0; i < ARRAY_SIZE(commands); i++) {
		if (strcmp(word, commands[i].name) == 0) {
			/* the help of the command begins with this name */
			snprintf(name, sizeof(name), "smbd-uring %s", word);
			argv[1] = name;
			return commands[i].run(argc - 1, argv + 1);
		}
	}
	return no_command(word,
			  word[0] == '-' ? ": unknown option"
					 : ": no such command");
}
