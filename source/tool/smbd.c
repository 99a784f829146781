/* SPDX-License-Identifier: LGPL-3.0-or-later */
/*
 * The running smbd, as /proc shows it to root.
 */

#include "config.h"

#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "proc.h"
#include "smbd.h"

/* What the kernel appends to the path of a file that is gone. */
#define SMBD_DELETED " (deleted)"

/* After an upgrade of Samba the name of the program ends with "(deleted)". */
static int smbd_is_smbd(pid_t pid)
{
	char link[64];
	char path[PATH_MAX];
	const char *name = NULL;
	ssize_t length;

	snprintf(link, sizeof(link), "/proc/%d/exe", (int)pid);
	length = readlink(link, path, sizeof(path) - 1);
	if (length == -1) {
		return errno == EACCES ? EACCES : ESRCH;
	}
	path[length] = '\0';
	name = strrchr(path, '/');
	name = name != NULL ? name + 1 : path;
	if (strcmp(name, "smbd") != 0 && strcmp(name, "smbd" SMBD_DELETED) != 0)
	{
		return ESRCH;
	}
	return 0;
}

static void smbd_parse_maps(struct smbd *smbd, char *maps)
{
	char *next = maps;
	char *line = NULL;

	while ((line = strsep(&next, "\n")) != NULL) {
		bool shim = strstr(line, "/" SMBD_SHIM) != NULL;
		bool module = strstr(line, "/" SMBD_MODULE) != NULL;

		smbd->has_shim = smbd->has_shim || shim;
		smbd->has_module = smbd->has_module || module;
		if ((shim || module) && strstr(line, SMBD_DELETED) != NULL) {
			smbd->replaced = true;
		}
	}
}

/* The last component of a control group, if it is a service. */
static const char *smbd_parse_unit(TALLOC_CTX *mem_ctx, char *groups)
{
	static const char service[] = ".service";
	char *next = groups;
	char *line = NULL;

	while ((line = strsep(&next, "\n")) != NULL) {
		const char *name = strrchr(line, '/');
		size_t length = strlen(line);

		if (name != NULL && length >= strlen(service) &&
		    strcmp(line + length - strlen(service), service) == 0)
		{
			return talloc_strdup(mem_ctx, name + 1);
		}
	}
	return NULL;
}

static const char *smbd_parse_environment(TALLOC_CTX *mem_ctx,
					  const char *environment)
{
	static const char name[] = "LD_PRELOAD=";
	const char *end = environment + talloc_array_length(environment) - 1;
	const char *word = environment;

	for (; word < end; word += strlen(word) + 1) {
		if (strncmp(word, name, strlen(name)) == 0) {
			return talloc_strdup(mem_ctx, word + strlen(name));
		}
	}
	return NULL;
}

/* The process in smbd.pid; 0: no such file. */
static pid_t smbd_read_pid(const char *pid_directory)
{
	char *path = talloc_asprintf(NULL, "%s/smbd.pid", pid_directory);
	char *text = path != NULL ? proc_read_file(path, path) : NULL;
	long pid = text != NULL ? strtol(text, NULL, 10) : 0;

	talloc_free(path);
	return pid > 0 && pid <= INT_MAX ? (pid_t)pid : 0;
}

int smbd_find(TALLOC_CTX *mem_ctx,
	      const char *pid_directory,
	      struct smbd **smbd)
{
	struct smbd *found = talloc_zero(mem_ctx, struct smbd);
	char *maps = NULL;
	char *groups = NULL;
	char *environment = NULL;
	int ret;

	*smbd = NULL;
	if (found == NULL) {
		return ENOMEM;
	}
	found->pid = smbd_read_pid(pid_directory);
	ret = found->pid != 0 ? smbd_is_smbd(found->pid) : ESRCH;
	if (ret != 0) {
		talloc_free(found);
		return ret;
	}
	maps = proc_read(found, found->pid, "maps");
	groups = proc_read(found, found->pid, "cgroup");
	environment = proc_read(found, found->pid, "environ");
	if (maps == NULL || groups == NULL || environment == NULL) {
		ret = errno == ENOENT ? ESRCH : errno;
		talloc_free(found);
		return ret;
	}
	smbd_parse_maps(found, maps);
	found->unit = smbd_parse_unit(found, groups);
	found->preload = smbd_parse_environment(found, environment);
	talloc_free(maps);
	talloc_free(groups);
	talloc_free(environment);
	*smbd = found;
	return 0;
}

static pid_t smbd_parent(pid_t pid)
{
	char *stat = proc_read(NULL, pid, "stat");
	/* "PID (NAME) STATE PARENT ..."; the name may have brackets */
	const char *end = stat != NULL ? strrchr(stat, ')') : NULL;
	int parent = 0;

	if (end == NULL || sscanf(end, ") %*c %d", &parent) != 1) {
		parent = 0;
	}
	talloc_free(stat);
	return parent;
}

static bool smbd_has_ring(pid_t pid)
{
	char path[64];
	char target[64];
	DIR *directory = NULL;
	struct dirent *entry = NULL;
	bool found = false;

	snprintf(path, sizeof(path), "/proc/%d/fd", (int)pid);
	directory = opendir(path);
	if (directory == NULL) {
		return false;
	}
	while (!found && (entry = readdir(directory)) != NULL) {
		ssize_t length = readlinkat(dirfd(directory),
					    entry->d_name,
					    target,
					    sizeof(target) - 1);

		if (length > 0) {
			target[length] = '\0';
			found = strcmp(target, "anon_inode:[io_uring]") == 0;
		}
	}
	closedir(directory);
	return found;
}

size_t smbd_count_rings(pid_t parent)
{
	DIR *proc = opendir("/proc");
	struct dirent *entry = NULL;
	size_t count = 0;

	while (proc != NULL && (entry = readdir(proc)) != NULL) {
		pid_t pid;

		if (!isdigit((unsigned char)entry->d_name[0])) {
			continue;
		}
		pid = (pid_t)strtol(entry->d_name, NULL, 10);
		if (smbd_parent(pid) == parent && smbd_has_ring(pid)) {
			count += 1;
		}
	}
	if (proc != NULL) {
		closedir(proc);
	}
	return count;
}

bool smbd_preload_has_shim(const char *value)
{
	const char *found = value != NULL ? strstr(value, SMBD_SHIM) : NULL;

	/* the separators that ld.so(8) knows */
	return found != NULL &&
	       strchr(": ", found[strlen(SMBD_SHIM)]) != NULL;
}
