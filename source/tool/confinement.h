/* SPDX-License-Identifier: LGPL-3.0-or-later */
/*
 * What confines a process: sysctl, seccomp, AppArmor, SELinux.
 */
#ifndef TOOL_CONFINEMENT_H
#define TOOL_CONFINEMENT_H

#include <sys/types.h>
#include <talloc.h>

/**
 * @brief What may deny a ring to a process, or the library its files.
 *
 * @return a talloc string: a seccomp filter, a profile of AppArmor, a context
 *         of SELinux, kernel.io_uring_disabled.  It is "" if there is nothing,
 *         and NULL without memory.
 */
char *process_confinement(TALLOC_CTX *mem_ctx, pid_t pid);

#endif /* TOOL_CONFINEMENT_H */
