/* SPDX-License-Identifier: LGPL-3.0-or-later */
/*
 * The parameters of smbd-quicd: their names, their defaults, and the values
 * that each may have.
 */
#ifndef QUICD_PARAMETERS_H
#define QUICD_PARAMETERS_H

#include <stdbool.h>
#include <stddef.h>

#include "log.h"
#include "settings.h"

#define QUICD_PREFIX "smbd_uring:"

/**
 * @brief The names that this program and the other parts of smbd-uring know.
 *
 * @param[in]  i     from 0 on
 * @param[out] ours  whether smbd-quicd uses the parameter
 * @return the name as the man pages have it, NULL after the last one
 */
const char *quicd_parameter_name(size_t i, bool *ours);

/** @brief Set all defaults; false after an error in the report. */
bool quicd_parameters_defaults(struct quicd_settings *settings,
			       struct quicd_report *report);

/**
 * @brief Set a parameter of ours.
 *
 * @param[in]  name  as the man page has it
 * @param[out] good  false: the value is bad, and an error is in the report
 *
 * @return false if smbd-quicd has no such parameter.
 */
bool quicd_parameter_set(struct quicd_settings *settings,
			 struct quicd_report *report,
			 const char *name,
			 const char *value,
			 bool *good);

#endif /* QUICD_PARAMETERS_H */
