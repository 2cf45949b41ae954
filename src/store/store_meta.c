/* SPDX-License-Identifier: Apache-2.0
 *
 * store_meta.c - small named values: sequence numbers, floors, the current bundle.
 */
#include <string.h>

#include "store/store_internal.h"

static int64_t
meta_sum(const char *name, const void *value, size_t len)
{
	struct buf bytes = { 0 };
	buf_str(&bytes, name);
	buf_add(&bytes, value, len);
	int64_t sum = store_sum("meta", bytes.data, bytes.len);
	buf_done(&bytes);
	return sum;
}

int
store_meta_get(struct store *store, const char *name, struct buf *out)
{
	int error;
	const struct recent_row *row = store_recent_find(store, RECENT_META, name, strlen(name));
	if (row != NULL)
		return store_recent_read(store, row, out);
	sqlite3_stmt *stmt = store_stmt(store, ST_META_GET, &error);
	if (stmt == NULL)
		return error;
	sqlite3_bind_text(stmt, 1, name, -1, SQLITE_STATIC);
	int rc = sqlite3_step(stmt);
	if (rc != SQLITE_ROW) {
		sqlite3_reset(stmt);
		return rc == SQLITE_DONE ? AISLE_E_NONE : store_error(store, rc);
	}
	const void *value = sqlite3_column_blob(stmt, 0);
	size_t len = (size_t)sqlite3_column_bytes(stmt, 0);
	bool good = sqlite3_column_int64(stmt, 1) == meta_sum(name, value, len);
	if (good)
		buf_add(out, value, len);
	sqlite3_reset(stmt);
	if (good)
		return 0;
	store_set_aside(store, "meta", 0, ST_DAMAGED_NOTE, -1);
	sqlite3_stmt *drop = store->in_tx ? store_stmt(store, ST_META_DROP, &error) : NULL;
	if (drop != NULL) {
		sqlite3_bind_text(drop, 1, name, -1, SQLITE_STATIC);
		error = store_run(store, drop);
	}
	return AISLE_E_DAMAGED;
}

int
store_meta_set(struct store *store, const char *name, const void *value, size_t len)
{
	CHECK(strlen(name) < STORE_META_NAME_SIZE);
	return store_recent_put(store, RECENT_META, name, strlen(name), NULL, 0, 0, value, len);
}

int
store_meta_write(struct store *store, const char *name, const void *value, size_t len)
{
	int error;
	sqlite3_stmt *stmt = store_stmt(store, ST_META_SET, &error);
	if (stmt == NULL)
		return error;
	sqlite3_bind_text(stmt, 1, name, -1, SQLITE_STATIC);
	store_bind_blob(stmt, 2, value, len);
	sqlite3_bind_int64(stmt, 3, meta_sum(name, value, len));
	return store_run(store, stmt);
}

int
store_fold_meta(struct store *store, const struct recent_row *row)
{
	char name[64];

	CHECK(row->key_len < sizeof(name));
	memcpy(name, row->bytes, row->key_len);
	name[row->key_len] = '\0';
	return store_meta_write(store, name, recent_body(row), row->len);
}

const char *
store_collision_name(int table)
{
	return table < STORE_COUNT ? store_body_names[table] : "ref";
}

int
store_note_collision(struct store *store, int table)
{
	char name[32];
	if (store->now.collided[table])
		return 0;
	sqlite3_snprintf(sizeof(name), name, "collided/%s", store_collision_name(table));
	store->now.collided[table] = true;
	return store_meta_write(store, name, "1", 1);
}

/* ---- whose it is ---- */

/* Damage to one of the two tags says nothing. */
static const char *const owner_names[] = { "owner", "copy/owner" };

int
store_owner_check(struct store *store, const uint8_t *owner, bool *ret_told)
{
	size_t there = 0, same = 0;
	for (size_t i = 0; i < ARRAY_LEN(owner_names); i++) {
		struct buf kept = { 0 };
		bool any = store_meta_get(store, owner_names[i], &kept) == 0 &&
		    kept.len == STORE_OWNER_SIZE;
		there += any;
		same += any && memcmp(kept.data, owner, STORE_OWNER_SIZE) == 0;
		buf_done(&kept);
	}
	*ret_told = same == ARRAY_LEN(owner_names);
	return there == ARRAY_LEN(owner_names) && same == 0 ? AISLE_E_CONFIG : 0;
}

int
store_owner_write(struct store *store, const uint8_t *owner)
{
	int error = 0;
	for (size_t i = 0; error == 0 && i < ARRAY_LEN(owner_names); i++)
		error = store_meta_write(store, owner_names[i], owner, STORE_OWNER_SIZE);
	return error;
}
