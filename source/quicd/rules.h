/* SPDX-License-Identifier: LGPL-3.0-or-later */
/*
 * The rules that admit or deny clients with a valid certificate.
 */
#ifndef QUICD_RULES_H
#define QUICD_RULES_H

#include "chain.h"
#include "log.h"
#include "settings.h"

/* "quic client allow" and "quic client deny". */
struct quicd_rules;

/**
 * @brief Load the rules of the settings.
 *
 * @param[out] rules  NULL if there are none
 *
 * @return false after an error in the report.
 */
bool quicd_rules_load(TALLOC_CTX *mem_ctx,
		      struct quicd_report *report,
		      const struct quicd_settings *settings,
		      const struct quicd_certificates *trusted,
		      struct quicd_rules **rules);

/**
 * @brief Whether a client may come in.
 *
 * @param[in]  chain  with its path
 * @param[out] rule   the one that has decided; "" if there is none
 */
bool quicd_rules_admit(const struct quicd_rules *rules,
		       const struct quicd_chain *chain,
		       const char **rule);

#endif /* QUICD_RULES_H */
