/* SPDX-License-Identifier: LGPL-3.0-or-later */
/*
 * systemd's units, by systemctl(1).
 */
#ifndef TOOL_SYSTEMD_H
#define TOOL_SYSTEMD_H

#include <stdbool.h>
#include <talloc.h>

#include "testparm.h"

/** @brief Whether systemd is the init of this machine. */
bool systemd_runs(void);

/**
 * @brief Let systemd read its files again; 0 or an errno.
 *
 * Until then systemd_show() knows files that are gone, and lacks new ones.
 */
int systemd_reload(void);

/** @brief The unit that starts smbd: a domain controller has another. */
const char *systemd_unit(const struct testparm *testparm);

/** @brief systemctl show; "" if it fails, NULL without memory. */
char *systemd_show(TALLOC_CTX *mem_ctx,
		   const char *unit,
		   const char *property);

/** @brief LD_PRELOAD of a unit; "" if it has none, NULL without memory. */
char *systemd_preload(TALLOC_CTX *mem_ctx, const char *unit);

#endif /* TOOL_SYSTEMD_H */
