/* SPDX-License-Identifier: LGPL-3.0-or-later */
/*
 * One consistent set: what smbd-quicd takes from smb.conf, and the content of
 * the files that smb.conf names.  The step that reads as root hands it to the
 * parent, and the parent hands it to its workers.
 */
#ifndef QUICD_BUNDLE_H
#define QUICD_BUNDLE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <talloc.h>

struct quicd_bundle_item {
	const char *name;
	const char *data; /* len bytes, and a NUL after them */
	size_t len;
};

/* A talloc context that owns its items. */
struct quicd_bundle {
	struct quicd_bundle_item *items;
	size_t num;
};

/**
 * @brief Copy an item to the end; a name can come more than once.
 *
 * @return false if there is no memory.
 */
bool quicd_bundle_add(struct quicd_bundle *bundle,
		      const char *name,
		      const void *data,
		      size_t len);

/** @brief The same for a string. */
bool quicd_bundle_add_string(struct quicd_bundle *bundle,
			     const char *name,
			     const char *value);

/** @brief The last item with this name, or NULL. */
const struct quicd_bundle_item *quicd_bundle_find(
	const struct quicd_bundle *bundle,
	const char *name);

/** @brief All items in one piece of talloc memory, or NULL. */
uint8_t *quicd_bundle_pack(TALLOC_CTX *mem_ctx,
			   const struct quicd_bundle *bundle);

/**
 * @brief Undo quicd_bundle_pack().
 *
 * @return NULL if the data is no bundle, or without memory.
 */
struct quicd_bundle *quicd_bundle_unpack(TALLOC_CTX *mem_ctx,
					 const uint8_t *data,
					 size_t len);

/** @brief A memfd that nobody can change any more, or -1 with errno. */
int quicd_bundle_seal(const struct quicd_bundle *bundle);

/**
 * @brief Read a bundle from a file; a memfd has to be sealed.
 *
 * @return NULL with errno.
 */
struct quicd_bundle *quicd_bundle_load(TALLOC_CTX *mem_ctx, int fd);

#endif /* QUICD_BUNDLE_H */
