/* SPDX-License-Identifier: LGPL-3.0-or-later */
/*
 * The running smbd, as /proc shows it to root.
 */
#ifndef TOOL_SMBD_H
#define TOOL_SMBD_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>
#include <talloc.h>

/** The parts of the preload library. */
#define SMBD_SHIM "smbd-uring-preload.so"
#define SMBD_MODULE "smbd-uring-module.so"

struct smbd {
	pid_t pid;
	/** the unit that started it; NULL: none */
	const char *unit;
	/** LD_PRELOAD at its start; NULL: unset */
	const char *preload;
	/** it has mapped the shim */
	bool has_shim;
	/** and the module */
	bool has_module;
	/** what it has mapped was removed or replaced since */
	bool replaced;
};

/**
 * @brief Find the smbd that listens.
 *
 * @param[in]  pid_directory  "pid directory" of smb.conf.
 * @param[out] smbd           a talloc child of mem_ctx.
 *
 * @return 0, ESRCH if none runs, EACCES if the caller is not root, or ENOMEM.
 */
int smbd_find(TALLOC_CTX *mem_ctx,
	      const char *pid_directory,
	      struct smbd **smbd);

/** @brief How many of the children of a process have a ring. */
size_t smbd_count_rings(pid_t parent);

/** @brief Whether LD_PRELOAD names the shim; value may be NULL. */
bool smbd_preload_has_shim(const char *value);

#endif /* TOOL_SMBD_H */
