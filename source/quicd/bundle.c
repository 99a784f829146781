/* SPDX-License-Identifier: LGPL-3.0-or-later */
/*
 * All that smbd-quicd takes from smb.conf, as one set.
 *
 * The packed form has a line that names it.  Each item follows: two lengths of
 * 32 bits, the name and the data.  Only the processes of one smbd-quicd
 * exchange it, on one machine, and nobody keeps it.
 */

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "bundle.h"

/* Revocation lists can be long. */
#define BUNDLE_MAX (256 << 20)

#define BUNDLE_SEALS (F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE | F_SEAL_SEAL)

static const char bundle_magic[] = "smbd-quicd settings 1\n";

bool quicd_bundle_add(struct quicd_bundle *bundle,
		      const char *name,
		      const void *data,
		      size_t len)
{
	struct quicd_bundle_item *items = NULL;
	char *copy = NULL;

	items = talloc_realloc(bundle,
			       bundle->items,
			       struct quicd_bundle_item,
			       bundle->num + 1);
	if (items == NULL) {
		return false;
	}
	bundle->items = items;
	copy = talloc_array(items, char, len + 1);
	if (copy == NULL) {
		return false;
	}
	memcpy(copy, data, len);
	copy[len] = '\0';
	items[bundle->num] = (struct quicd_bundle_item){
		.name = talloc_strdup(items, name),
		.data = copy,
		.len = len,
	};
	if (items[bundle->num].name == NULL) {
		return false;
	}
	bundle->num++;
	return true;
}

bool quicd_bundle_add_string(struct quicd_bundle *bundle,
			     const char *name,
			     const char *value)
{
	return quicd_bundle_add(bundle, name, value, strlen(value));
}

const struct quicd_bundle_item *quicd_bundle_find(
	const struct quicd_bundle *bundle,
	const char *name)
{
	size_t i;

	for (i = bundle->num; i > 0; i--) {
		if (strcmp(bundle->items[i - 1].name, name) == 0) {
			return &bundle->items[i - 1];
		}
	}
	return NULL;
}

uint8_t *quicd_bundle_pack(TALLOC_CTX *mem_ctx,
			   const struct quicd_bundle *bundle)
{
	size_t size = sizeof(bundle_magic) - 1;
	uint8_t *data = NULL;
	uint8_t *to = NULL;
	size_t i;

	for (i = 0; i < bundle->num; i++) {
		size += 2 * sizeof(uint32_t) + strlen(bundle->items[i].name) +
			bundle->items[i].len;
	}
	if (size > BUNDLE_MAX) {
		return NULL;
	}
	data = talloc_array(mem_ctx, uint8_t, size);
	if (data == NULL) {
		return NULL;
	}
	memcpy(data, bundle_magic, sizeof(bundle_magic) - 1);
	to = data + sizeof(bundle_magic) - 1;
	for (i = 0; i < bundle->num; i++) {
		const struct quicd_bundle_item *item = &bundle->items[i];
		const uint32_t lens[] = {
			(uint32_t)strlen(item->name),
			(uint32_t)item->len,
		};

		memcpy(to, lens, sizeof(lens));
		to += sizeof(lens);
		memcpy(to, item->name, lens[0]);
		to += lens[0];
		memcpy(to, item->data, lens[1]);
		to += lens[1];
	}
	return data;
}

struct quicd_bundle *quicd_bundle_unpack(TALLOC_CTX *mem_ctx,
					 const uint8_t *data,
					 size_t len)
{
	struct quicd_bundle *bundle = NULL;
	const uint8_t *end = data + len;

	if (len < sizeof(bundle_magic) - 1 ||
	    memcmp(data, bundle_magic, sizeof(bundle_magic) - 1) != 0)
	{
		return NULL;
	}
	data += sizeof(bundle_magic) - 1;
	bundle = talloc_zero(mem_ctx, struct quicd_bundle);
	if (bundle == NULL) {
		return NULL;
	}
	while (data < end) {
		uint32_t lens[2];
		char *name = NULL;
		bool good;

		if ((size_t)(end - data) < sizeof(lens)) {
			break;
		}
		memcpy(lens, data, sizeof(lens));
		data += sizeof(lens);
		if ((uint64_t)lens[0] + lens[1] > (uint64_t)(end - data)) {
			break;
		}
		name = talloc_strndup(bundle, (const char *)data, lens[0]);
		good = name != NULL &&
		       quicd_bundle_add(bundle, name, data + lens[0], lens[1]);
		talloc_free(name);
		if (!good) {
			break;
		}
		data += lens[0] + (size_t)lens[1];
	}
	if (data != end) {
		TALLOC_FREE(bundle);
	}
	return bundle;
}

static bool bundle_write(int fd, const uint8_t *data, size_t len)
{
	while (len > 0) {
		const ssize_t n = write(fd, data, len);

		if (n < 0 && errno != EINTR) {
			return false;
		}
		if (n > 0) {
			data += n;
			len -= (size_t)n;
		}
	}
	return true;
}

int quicd_bundle_seal(const struct quicd_bundle *bundle)
{
	uint8_t *data = quicd_bundle_pack(NULL, bundle);
	int fd = -1;
	int error;

	if (data == NULL) {
		errno = ENOMEM;
		return -1;
	}
	fd = memfd_create("smbd-quicd settings",
			  MFD_CLOEXEC | MFD_ALLOW_SEALING);
	if (fd >= 0 && (!bundle_write(fd, data, talloc_get_size(data)) ||
			fcntl(fd, F_ADD_SEALS, BUNDLE_SEALS) != 0))
	{
		error = errno;
		close(fd);
		fd = -1;
		errno = error;
	}
	talloc_free(data);
	return fd;
}

struct quicd_bundle *quicd_bundle_load(TALLOC_CTX *mem_ctx, int fd)
{
	struct quicd_bundle *bundle = NULL;
	const int seals = fcntl(fd, F_GET_SEALS);
	struct stat st;
	uint8_t *data = NULL;
	size_t used = 0;
	ssize_t n = 1;

	/* --prepare leaves a plain file: EINVAL, or F_SEAL_SEAL on tmpfs */
	if (seals >= 0 && (seals & BUNDLE_SEALS) != BUNDLE_SEALS &&
	    seals != F_SEAL_SEAL)
	{
		errno = EPERM;
		return NULL;
	}
	if (fstat(fd, &st) != 0) {
		return NULL;
	}
	if (!S_ISREG(st.st_mode) || st.st_size > BUNDLE_MAX) {
		errno = EFBIG;
		return NULL;
	}
	data = talloc_array(mem_ctx, uint8_t, (size_t)st.st_size + 1);
	if (data == NULL) {
		errno = ENOMEM;
		return NULL;
	}
	while (n > 0 && used < (size_t)st.st_size) {
		n = pread(fd,
			  data + used,
			  (size_t)st.st_size - used,
			  (off_t)used);
		used += n > 0 ? (size_t)n : 0;
	}
	bundle = quicd_bundle_unpack(mem_ctx, data, used);
	talloc_free(data);
	if (bundle == NULL) {
		errno = EBADMSG;
	}
	return bundle;
}
