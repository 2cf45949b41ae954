/* SPDX-License-Identifier: Apache-2.0
 *
 * engine_open.c - the store's state in memory: opened, read, saved with the turn, thrown away.
 */
#include "spine/spine.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/id.h"
#include "core/when.h"
#include "decide/decide.h"
#include "ingest/rate.h"
#include "nouns/catalog.h"
#include "profile/sealer.h"
#include "spine/recording.h"

/* ---- memory ---- */

static void
load_now(struct engine *engine)
{
	struct buf buf = { 0 };

	if (store_meta_get(engine->store, "now", &buf) == 0) {
		struct rd rd = rd_init(buf.data, buf.len);
		int64_t now_ms = rd_i64(&rd);

		if (rd.ok)
			engine->now_ms = now_ms;
	}
	buf_done(&buf);
}

static int
load_rows(struct engine *engine)
{
	int rc;

	engine->sessions = sessions_new();
	engine->held_bytes = 0;
	memset(engine->held_slots, 0, sizeof(engine->held_slots));
	load_now(engine);
	stops_load(engine);
	levers_load(engine);
	rc = hold_load(engine);
	if (rc != 0)
		return rc;
	sensor_load(engine);
	stock_load(engine);
	tally_load(engine);
	heard_load(engine);
	recent_load(engine);
	assigned_load(engine);
	looking_load(engine);
	learning_load(engine);
	learner_load(engine);
	rc = strays_load(engine);
	if (rc == 0)
		rc = waiting_load(engine);
	return rc != 0 ? rc : engine_load_visits(engine);
}

static void
drop_memory(struct engine *engine)
{
	sessions_free(engine->sessions);
	engine->sessions = NULL;
	engine_drop_subjects(engine);
	engine->touched_count = engine->over_count = 0;
	stops_drop(engine);
	engine->lever_count = 0;
	hold_drop(engine);
	strays_drop(engine);
	engine->queue_count = 0;
	engine->queues_dirty = false;
	tally_drop(engine);
	heard_drop(engine);
	recent_drop(engine);
	assigned_drop(engine);
	looking_drop(engine);
	learning_drop(engine);
	learner_drop(engine);
	waiting_drop(engine);
	engine->now_ms = 0;
	engine->recording.known = false;
}

static void
restore_one(void *ctx, struct visit *visit)
{
	due_restore(ctx, visit);
}

static int
restore_timers(struct engine *engine)
{
	int rc;

	engine->failed = 0;
	sessions_each(engine->sessions, restore_one, engine);
	tally_restore(engine);
	assigned_restore(engine);
	learning_restore(engine);
	learner_restore(engine);
	stops_restore(engine);
	levers_restore(engine);
	/* Read without headquarters' profiles, which are not there yet. */
	engine_drop_subjects(engine);
	rc = engine->failed;
	engine->failed = 0;
	return rc;
}

/* Inside a transaction, so that what is damaged is set aside; on a full disk only read. */
static int
load_memory(struct engine *engine)
{
	int rc = store_begin(engine->store);

	if (rc != 0)
		return rc;
	rc = load_rows(engine);
	if (rc == 0)
		rc = restore_timers(engine);
	if (rc == 0 && store_is_new(engine->store)) {
		recording_began(engine);
		rc = engine->failed;
		engine->failed = 0;
	}
	if (rc == 0)
		rc = store_commit(engine->store);
	if (rc == 0)
		return 0;
	store_rollback(engine->store);
	if (rc != AISLE_E_FULL)
		return rc;
	drop_memory(engine);
	return load_rows(engine);
}

/* ---- open and close ---- */

/* Of the gateway by its data key, and of the store by its name. */
static void
make_owner(struct engine *engine, uint8_t ret[static STORE_OWNER_SIZE])
{
	struct buf text = { 0 };

	buf_addf(&text, "the state of %s", engine->conf->store_id);
	hash_bytes(ret, STORE_OWNER_SIZE, text.data, text.len, keys_data(engine->keys), 32);
	buf_done(&text);
}

static int
open_store(struct engine *engine, struct err *err)
{
	uint8_t owner[STORE_OWNER_SIZE];
	struct err found = { 0 };
	int rc;
	struct store_options options = {
		.dir = engine->options.state_dir,
		.vfs = engine->options.vfs,
		.max_mib = engine->options.state_dir != NULL ? engine->conf->state_max_mib : 0,
		.recording_mib = engine->options.state_dir != NULL && !engine->options.recorded
		    ? engine->conf->recording_mib
		    : 0,
		.sealer = engine->has_sealer ? &engine->sealer : NULL,
	};

	if (engine->options.owned) {
		make_owner(engine, owner);
		options.owner = owner;
	}
	rc = store_open(&options, &engine->store, &found);
	if (rc == AISLE_E_CONFIG)
		return err_set(err, rc,
		    "%s: the state of another gateway, or of another store than %s; expected this "
		    "one's own, or an empty folder",
		    engine->options.state_dir, engine->conf->store_id);
	if (rc != 0)
		return err_set(err, rc, "%s", found.text);
	store_note_damage(engine->store, keys_mended(engine->keys));
	return 0;
}

static void
close_state(struct engine *engine)
{
	drop_memory(engine);
	store_close(engine->store);
	engine->store = NULL;
}

/* Nothing is left in memory that was sealed with keys which a damaged file, or a failing disk, took back. */
static int
mend_keys(struct engine *engine, struct err *err)
{
	int rc = keys_mend(engine->keys, err);

	if (rc != 0 || !engine->has_sealer)
		return rc;
	sealer_done(&engine->sealer);
	sealer_init(&engine->sealer, engine->keys);
	return 0;
}

/* A damaged page that only loading meets is mended by opening again. What cannot be mended, for want of room,
 * serves as well as it can. */
static int
open_state(struct engine *engine, struct err *err)
{
	for (int tries = 0;; tries++) {
		int rc = mend_keys(engine, err);

		if (rc == 0)
			rc = open_store(engine, err);
		/* It was not its own pages that could not be read. */
		if (rc != 0 && tries == 0 && keys_suspect(engine->keys)) {
			*err = (struct err){ 0 };
			continue;
		}
		if (rc != 0)
			return rc;
		rc = load_memory(engine);
		if (!engine_suspect(engine))
			return rc == 0 ? 0 : err_set(err, rc, "state.db cannot be read");
		/* No room for a whole copy: the damaged file serves as well as it can. */
		if (tries > 0)
			return engine->sessions != NULL
			    ? 0
			    : err_set(err, rc, "state.db cannot be read");
		close_state(engine);
	}
}

int
engine_open(const struct engine_options *options, struct engine **ret_engine, struct err *err)
{
	struct engine *engine = mem_zero(sizeof(*engine));
	int rc;

	engine->options = *options;
	engine->conf = options->conf;
	snprintf(engine->topic_root, sizeof(engine->topic_root), "aisle/v1/%s",
	    engine->conf->store_id);
	snprintf(engine->zone_name, sizeof(engine->zone_name), "UTC");
	outlet_init(engine);
	engine->arena = arena_new();
	engine->scratch = arena_new();
	engine->draws = draw_cache_new();
	engine->rates = rate_new(engine->conf->terminal_rate);
	/* Before its keys are touched. */
	rc = options->sealed && options->vfs == NULL && options->state_dir != NULL
	    ? store_refuse_other(options->state_dir, err)
	    : 0;
	if (rc != 0)
		goto out;
	rc = keys_open(options->sealed ? options->state_dir : NULL, options->vfs, &engine->keys,
	    err);
	if (rc != 0)
		goto out;
	if (options->pepper != NULL)
		keys_set_pepper(engine->keys, options->pepper);
	engine->options.pepper = NULL;
	if (options->sealed) {
		sealer_init(&engine->sealer, engine->keys);
		engine->has_sealer = true;
	}
	rc = open_state(engine, err);
out:
	if (rc != 0) {
		engine_close(engine);
		return rc;
	}
	*ret_engine = engine;
	return 0;
}

void
engine_close(struct engine *engine)
{
	if (engine == NULL)
		return;
	drop_memory(engine);
	engine_drop_policy(engine);
	stock_done(engine);
	catalog_free(engine->catalog);
	store_close(engine->store);
	if (engine->has_sealer)
		sealer_done(&engine->sealer);
	keys_close(engine->keys);
	rate_free(engine->rates);
	arena_free(engine->arena);
	arena_free(engine->scratch);
	draw_cache_free(engine->draws);
	buf_done(&engine->record);
	free(engine->outputs);
	free(engine->touched);
	free(engine->receipts);
	letters_drop(engine);
	free(engine);
}

int
engine_reload(struct engine *engine)
{
	drop_memory(engine);
	engine->output_count = engine->receipt_count = 0;
	return load_memory(engine);
}

int
engine_reopen(struct engine *engine, struct err *err)
{
	int rc;

	engine->output_count = engine->receipt_count = 0;
	close_state(engine);
	rc = open_state(engine, err);
	if (rc == 0)
		engine_tell_words(engine);
	return rc;
}

bool
engine_suspect(const struct engine *engine)
{
	return store_suspect(engine->store) || keys_suspect(engine->keys);
}

/* ---- with the turn ---- */

void
engine_save(struct engine *engine)
{
	struct buf buf = { 0 };

	engine_save_visits(engine, &buf);
	engine_save_subjects(engine, &buf);
	hold_save(engine, &buf);
	sensor_save(engine, &buf);
	stock_save(engine, &buf);
	tally_save(engine, &buf);
	heard_save(engine, &buf);
	recent_save(engine, &buf);
	assigned_save(engine, &buf);
	looking_save(engine, &buf);
	learning_save(engine, &buf);
	learner_save(engine, &buf);
	waiting_save(engine);
	buf_clear(&buf);
	buf_i64(&buf, engine->now_ms);
	engine_check(engine, store_meta_set(engine->store, "now", buf.data, buf.len));
	buf_done(&buf);
}
