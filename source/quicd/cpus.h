/* SPDX-License-Identifier: LGPL-3.0-or-later */
#ifndef QUICD_CPUS_H
#define QUICD_CPUS_H

#include <stdint.h>

/**
 * @brief The CPUs that this process may use: of its affinity and of the quota
 * of its control groups, the smaller; rounded up, 1 to 128.
 *
 * @param[in] root  before /proc and /sys: ""; a test has its own
 */
uint32_t quicd_cpus(const char *root);

#endif /* QUICD_CPUS_H */
