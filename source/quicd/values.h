/* SPDX-License-Identifier: LGPL-3.0-or-later */
/*
 * How values of smb.conf are written: a boolean, a number, a list of addresses
 * or words.
 */
#ifndef QUICD_VALUES_H
#define QUICD_VALUES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <talloc.h>

#include "log.h"
#include "util/address.h"

/** @brief Report a value that is not understood; false. */
bool quicd_value_bad(struct quicd_report *report,
		     const char *name,
		     const char *value,
		     const char *allowed);

/** @brief Parse a boolean, as Samba writes them; false if it is none. */
bool quicd_value_bool(const char *value, bool *flag);

/** @brief Parse a decimal number; false if it is none from min to max. */
bool quicd_value_number(const char *value,
			uint32_t min,
			uint32_t max,
			uint32_t *number);

/**
 * @brief Parse a list of addresses.
 *
 * @param[in]  port       of an address without one
 * @param[out] addresses  A talloc array of mem_ctx.  What was there is freed.
 *
 * @return false if there is none, or a bad one, or no memory.
 */
bool quicd_value_addresses(TALLOC_CTX *mem_ctx,
			   const char *value,
			   uint16_t port,
			   struct address **addresses);

/**
 * @brief Split a list that testparm printed into its words.
 *
 * A word may contain blanks, and it may be empty.
 *
 * @param[out] num  the number of words
 * @return NULL if there is no memory.
 */
const char *const *quicd_value_words(TALLOC_CTX *mem_ctx,
				     const char *value,
				     size_t *num);

#endif /* QUICD_VALUES_H */
