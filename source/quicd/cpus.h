/* SPDX-License-Identifier: LGPL-3.0-or-later */
#ifndef QUICD_CPUS_H
#define QUICD_CPUS_H

#include <stdint.h>

/**
 * @brief How many CPUs this process may use, 1 to 128: the smaller of its
 * affinity and of the quota of its control groups, rounded up.
 *
 * @param[in] root  a prefix for /proc and /sys: "", but in tests
 */
uint32_t quicd_cpus(const char *root);

#endif /* QUICD_CPUS_H */
