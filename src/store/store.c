/* SPDX-License-Identifier: Apache-2.0
 *
 * store.c - state.db: open and close, the transaction, the checkpoint.
 *
 * DESIGN
 *   No automatic checkpoint: it would run inside a commit, before the
 *   associate's card goes out. The spine calls store_checkpoint() when idle.
 *
 * INVARIANTS
 *   A row that is not sealed (meta, seen, ref, timer) carries a 64-bit sum; a
 *   sealed one is bound to its table, key and every plain column beside it.
 *   So no column can change on the disk and still be believed.
 */
#include "store/store.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "store/ballast.h"
#include "core/id.h"
#include "core/log.h"
#include "store/pack.h"
#include "store/store_internal.h"

#define WAL_BYTES_WORTH (1 << 20)
#define IDLE_MS (30 * S_MS)
#define WAL_BYTES_MAX (8 << 20) /* over this a checkpoint waits until the WAL can begin anew */
#define WAL_CHUNK_BYTES (256 << 10)

/* ---- open and close ---- */

static const store_fold_fn folds[RECENT_TABLES] = {
#define T(name, text) [RECENT_BODY + STORE_##name] = store_fold_body,
	BODY_TABLES(T)
#undef T
#define T(name, text) [RECENT_LOG + STORE_##name] = store_fold_log,
	    LOG_TABLES(T)
#undef T
		[RECENT_SEEN] = store_fold_seen,
	[RECENT_REF] = store_fold_ref,
	[RECENT_META] = store_fold_meta,
	[RECENT_TIMER] = store_fold_timer,
	[RECENT_OUTBOX] = store_fold_outbox,
	[RECENT_UPLINK] = store_fold_uplink,
	[RECENT_RECORDING] = store_fold_recording,
};

static void
wal_reserve(struct store *store)
{
	sqlite3_file *wal = NULL;
	char path[4200];
	if (!store->real_disk ||
	    sqlite3_file_control(store->db, "main", SQLITE_FCNTL_JOURNAL_POINTER, &wal) !=
		SQLITE_OK ||
	    wal == NULL || wal->pMethods == NULL)
		return;
	/* A commit into room that is there need not sync the file's size as well. Best effort: allocated and not
	 * written, where the file system can. */
	int chunk = WAL_CHUNK_BYTES;
	wal->pMethods->xFileControl(wal, SQLITE_FCNTL_CHUNK_SIZE, &chunk);
	snprintf(path, sizeof(path), "%s-wal", store->path);
	int fd = open(path, O_WRONLY | O_CLOEXEC | O_NOFOLLOW);
	if (fd < 0)
		return;
	if (fallocate(fd, 0, 0, (off_t)store->wal_reserve) != 0)
		log_debug("store: no room is kept for the log: %s", strerror(errno));
	close(fd);
}

int
store_open(const struct store_options *options, struct store **ret_store, struct err *err)
{
	struct store *store = mem_zero(sizeof(*store));
	store->lock_fd = -1;
	store->recording_bytes = (int64_t)options->recording_mib << 20;
	/* A quarter of a small state, as of what waits. */
	if (options->max_mib > 0 && store->recording_bytes > (int64_t)options->max_mib << 18)
		store->recording_bytes = (int64_t)options->max_mib << 18;
	store->memory = options->dir == NULL;
	store->recent_max = STORE_RECENT_BYTES;
	store->folds = folds;
	store_timer_doubt(store);
	store->real_disk = options->dir != NULL && options->vfs == NULL;
	if (options->sealer != NULL) {
		store->sealer = *options->sealer;
		store->sealed = true;
	}
	int error = store_schema_open(store, options, err);
	if (error != 0) {
		store_close(store);
		return error;
	}
	*ret_store = store;
	return 0;
}

void
store_close(struct store *store)
{
	if (store == NULL)
		return;
	if (store->db != NULL && store->in_tx)
		store_rollback(store);
	if (store->db != NULL && !store->memory && !store->broken) {
		/* A file at rest has everything in its tables; what does not fit is read from its rows again. */
		if (!store->corrupt && store_settle(store) != 0)
			log_debug("store: not folded");
		store_counters_save(store);
	}
	if (store->real_disk && store->corrupt)
		store_salvage_mark(store);
	for (int i = 0; i < ST_COUNT; i++)
		sqlite3_finalize(store->stmt[i]);
	sqlite3_close(store->db);
	buf_wipe(&store->packed_body);
	buf_wipe(&store->sealed_body);
	buf_wipe(&store->turn_plain);
	store_seen_done(store);
	buf_wipe(&store->turn_row);
	store_recent_done(store);
	store_words_done(store);
	pack_wipe();
	if (store->lock_fd >= 0)
		close(store->lock_fd);
	free(store->dir);
	free(store->path);
	free(store);
}

/* ---- the transaction ---- */

bool
store_is_new(const struct store *store)
{
	return store->is_new;
}

void
store_epoch(const struct store *store, char out[static 17])
{
	memcpy(out, store->epoch, sizeof(store->epoch));
}

int64_t
store_wal_bytes(const struct store *store)
{
	return store->wal_pages * (store->page_size + STORE_WAL_FRAME_HEAD);
}

bool
store_checkpoint_due(const struct store *store, int64_t idle_ms)
{
	return store->wal_pages > 0 &&
	    (store->erased || idle_ms >= IDLE_MS || store_wal_bytes(store) >= WAL_BYTES_WORTH);
}

void
store_checkpoint(struct store *store)
{
	if (store->memory || store->in_tx || store->wal_pages == 0)
		return;
	/* The file keeps its size: overwriting costs a sync less than growing. After an erasure it is cut,
	 * because old frames still name the person. */
	int mode = store->erased		     ? SQLITE_CHECKPOINT_TRUNCATE
	    : store_wal_bytes(store) > WAL_BYTES_MAX ? SQLITE_CHECKPOINT_RESTART
						     : SQLITE_CHECKPOINT_PASSIVE;
	int log = 0, done = 0;
	int rc = sqlite3_wal_checkpoint_v2(store->db, NULL, mode, &log, &done);
	if ((rc & 0xff) == SQLITE_CORRUPT)
		(void)store_error(store, rc);
	else if (rc != SQLITE_OK)
		log_warning("store: checkpoint: %s", sqlite3_errmsg(store->db));
	/* Failed or partial, the WAL still has everything: the next call goes on. */
	else if (log == done) {
		store->wal_pages = 0;
		store->erased = false;
	}
	wal_reserve(store);
	store_max_pages(store, false);
	if (store->real_disk)
		ballast_make(store->dir);
}

void
store_scrub(struct store *store, int max_pages)
{
	int64_t bad = 0, pages = 0;
	/* What the log has newer is not in the file yet: the file may be shorter. */
	if (store->memory || store->in_tx || store->broken || store->wal_pages > 0)
		return;
	int error;
	sqlite3_stmt *stmt = store_stmt(store, ST_PAGE_COUNT, &error);
	if (stmt == NULL)
		return;
	if (sqlite3_step(stmt) == SQLITE_ROW)
		pages = sqlite3_column_int64(stmt, 0);
	sqlite3_reset(stmt);
	if (store->scrubbed >= pages)
		store->scrubbed = 0;
	int64_t count = pages - store->scrubbed < max_pages ? pages - store->scrubbed : max_pages;
	int rc = store_vfs_check(store->db, store->scrubbed, count, &bad);
	store->scrubbed += count;
	if (rc != SQLITE_OK)
		(void)store_error(store, rc);
	if (bad == 0)
		return;
	log_error("store: damaged pages were found by looking pages=%lld", (long long)bad);
	store->damaged += bad;
	store->corrupt = true;
}

bool
store_suspect(const struct store *store)
{
	return store->corrupt;
}

int64_t
store_damaged(const struct store *store)
{
	return store->damaged;
}
