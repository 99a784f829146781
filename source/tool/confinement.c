/* SPDX-License-Identifier: LGPL-3.0-or-later */
/*
 * What confines smbd, see confinement.h.
 */

#include "config.h"

#include <stdbool.h>
#include <string.h>

#include "confinement.h"
#include "proc.h"

/* Append an item to a list. */
static char *confinement_append(char *text,
				const char *what,
				const char *detail)
{
	return talloc_asprintf_append(text,
				      "%s%s%s",
				      text != NULL && text[0] != '\0' ? ", "
								      : "",
				      what,
				      detail);
}

/*
 * AppArmor's "PROFILE (MODE)", as aa_status(8) has it.  Only two modes deny
 * nothing; a process without a profile has the label "unconfined".
 */
static bool confinement_label_denies(const char *label)
{
	const char *mode = strrchr(label, '(');

	return mode != NULL && strcmp(mode, "(complain)") != 0 &&
	       strcmp(mode, "(unconfined)") != 0;
}

/* AppArmor's profile, or SELinux's "USER:ROLE:TYPE:LEVEL". */
static char *confinement_append_label(char *text, pid_t pid)
{
	char *label = proc_read(text, pid, "attr/current");
	char *enforce = proc_read_file(text, "/sys/fs/selinux/enforce");

	if (label == NULL) {
		return text;
	}
	label[strcspn(label, "\n")] = '\0';
	if (confinement_label_denies(label)) {
		return confinement_append(text, "AppArmor's profile ", label);
	}
	if (enforce != NULL && enforce[0] == '1') {
		return confinement_append(text, "SELinux's context ", label);
	}
	return text;
}

char *process_confinement(TALLOC_CTX *mem_ctx, pid_t pid)
{
	char *text = talloc_strdup(mem_ctx, "");
	char *disabled = NULL;
	char *status = NULL;

	if (text == NULL) {
		return NULL;
	}
	disabled = proc_read_file(text, "/proc/sys/kernel/io_uring_disabled");
	if (disabled != NULL && disabled[0] != '0') {
		disabled[strcspn(disabled, "\n")] = '\0';
		text = confinement_append(text,
					  "sysctl kernel.io_uring_disabled = ",
					  disabled);
	}
	status = proc_read(text, pid, "status");
	if (status != NULL && strstr(status, "\nSeccomp:\t2") != NULL) {
		text = confinement_append(text,
					  "a seccomp filter",
					  " (SystemCallFilter= of its unit, or "
					  "the container's)");
	}
	return confinement_append_label(text, pid);
}
