/* SPDX-License-Identifier: LGPL-3.0-or-later */
/*
 * Connection IDs, see cid.h.
 *
 * We keep them in a balanced tree and not in a hash table.  Clients choose the
 * IDs that they begin with, and no choice can make a balanced tree slow.
 */

#include "config.h"

#include <search.h>
#include <string.h>
#include <sys/random.h>
#include <unistd.h>

#include "cid.h"
#include "log.h"
#include "util/dlinklist.h"

struct quicd_cid_entry {
	struct quicd_cid cid; /* first, see quicd_cid_compare() */
	struct quicd_cid_entry *prev;
	struct quicd_cid_entry *next;
	struct quicd_cid_set *set;
};

struct quicd_cids {
	void *tree; /* tsearch(3) */
	size_t count;
};

static int quicd_cid_compare(const void *a, const void *b)
{
	const struct quicd_cid *one = a;
	const struct quicd_cid *other = b;

	if (one->len != other->len) {
		return one->len < other->len ? -1 : 1;
	}
	return memcmp(one->data, other->data, one->len);
}

struct quicd_cids *quicd_cids_create(TALLOC_CTX *mem_ctx)
{
	return talloc_zero(mem_ctx, struct quicd_cids);
}

size_t quicd_cids_count(const struct quicd_cids *cids)
{
	return cids->count;
}

struct quicd_cid_set *quicd_cid_find(const struct quicd_cids *cids,
				     const uint8_t *data,
				     size_t len)
{
	struct quicd_cid cid = {.len = len};
	struct quicd_cid_entry **found = NULL;

	if (len > sizeof(cid.data)) {
		return NULL;
	}
	memcpy(cid.data, data, len);
	found = tfind(&cid, &cids->tree, quicd_cid_compare);
	return found != NULL ? (*found)->set : NULL;
}

void quicd_cid_set_init(struct quicd_cid_set *set,
			struct quicd_cids *cids,
			enum quicd_cid_owner owner)
{
	*set = (struct quicd_cid_set){.owner = owner, .cids = cids};
}

bool quicd_cid_add(struct quicd_cid_set *set, const struct quicd_cid *cid)
{
	struct quicd_cids *cids = set->cids;
	struct quicd_cid_entry *entry = NULL;
	struct quicd_cid_entry **found = NULL;

	entry = talloc_zero(cids, struct quicd_cid_entry);
	if (entry == NULL) {
		return false;
	}
	entry->cid = *cid;
	entry->set = set;
	found = tsearch(entry, &cids->tree, quicd_cid_compare);
	if (found == NULL || *found != entry) {
		talloc_free(entry);
		return false;
	}
	cids->count++;
	DLIST_ADD(set->entries, entry);
	return true;
}

static void quicd_cid_drop(struct quicd_cid_set *set,
			   struct quicd_cid_entry *entry)
{
	tdelete(entry, &set->cids->tree, quicd_cid_compare);
	set->cids->count--;
	DLIST_REMOVE(set->entries, entry);
	talloc_free(entry);
}

void quicd_cid_remove(struct quicd_cid_set *set, const struct quicd_cid *cid)
{
	struct quicd_cid_entry *entry = NULL;

	for (entry = set->entries; entry != NULL; entry = entry->next) {
		if (quicd_cid_compare(&entry->cid, cid) == 0) {
			quicd_cid_drop(set, entry);
			return;
		}
	}
}

void quicd_cid_clear(struct quicd_cid_set *set)
{
	while (set->entries != NULL) {
		quicd_cid_drop(set, set->entries);
	}
}

void quicd_cid_move(struct quicd_cid_set *to, struct quicd_cid_set *from)
{
	struct quicd_cid_entry *entry = NULL;

	for (entry = from->entries; entry != NULL; entry = entry->next) {
		entry->set = to;
	}
	DLIST_CONCATENATE(to->entries, from->entries);
	from->entries = NULL;
}

void quicd_random(void *data, size_t len)
{
	/* for up to 256 bytes no signal interrupts getrandom(2) */
	if (getrandom(data, len, 0) != (ssize_t)len) {
		quicd_log("getrandom: no random numbers");
		_exit(1);
	}
}

void quicd_cid_make(struct quicd_cid *cid,
		    uint32_t worker,
		    uint32_t workers,
		    uint8_t mark)
{
	unsigned first;

	*cid = (struct quicd_cid){.len = QUICD_CID_LEN};
	quicd_random(cid->data, cid->len);
	first = cid->data[0];
	first = first - first % workers + worker;
	if (first > UINT8_MAX) {
		first -= workers;
	}
	cid->data[0] = (uint8_t)first;
	cid->data[QUICD_CID_MARK] = mark;
}

bool quicd_cid_leads_to(const uint8_t *data,
			size_t len,
			uint32_t worker,
			uint32_t workers)
{
	return len > 0 && data[0] % workers == worker;
}
