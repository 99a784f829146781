/* SPDX-License-Identifier: LGPL-3.0-or-later */
/*
 * The secrets of stateless resets and of Retry tokens.
 */
#ifndef QUICD_SECRET_H
#define QUICD_SECRET_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "log.h"

#define QUICD_SECRET_LEN 32
#define QUICD_SECRETS_MAX 4

struct quicd_secret {
	/* in each connection ID that was made with it */
	uint8_t mark;
	uint8_t key[QUICD_SECRET_LEN];
};

struct quicd_secrets {
	/* the first one is for new connections */
	struct quicd_secret list[QUICD_SECRETS_MAX];
	size_t num;
};

/**
 * @brief Parse the content of a file: a secret a line, 64 hexadecimal digits.
 *
 * @param[in] source  what it is, for log lines
 *
 * @return false after an error in the report.
 */
bool quicd_secrets_parse(struct quicd_secrets *secrets,
			 struct quicd_report *report,
			 const char *source,
			 const char *text);

/** @brief Make a secret that no file has. */
void quicd_secrets_random(struct quicd_secrets *secrets);

/** @brief The secret with this mark, or NULL. */
const struct quicd_secret *quicd_secrets_find(
	const struct quicd_secrets *secrets,
	uint8_t mark);

#endif /* QUICD_SECRET_H */
