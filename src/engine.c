/* SPDX-License-Identifier: Apache-2.0
 *
 * engine.c - the store's state in memory: open, load, save, look up.
 */
#include "engine.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/id.h"
#include "core/log.h"
#include "core/metrics.h"
#include "core/when.h"
#include "decide/decide.h"
#include "decide/policy_load.h"
#include "ingest/rate.h"
#include "profile/sealer.h"
#include "profile/subject_io.h"
#include "sync/bundle.h"

/* Visits whose basket is over leave memory; the rest are loaded at start. */
enum { VISIT_FLAG_OVER = 0, VISIT_FLAG_LIVE = 1 };

void
engine_check(struct engine *engine, int rc)
{
	if (rc == AISLE_E_DAMAGED || rc == AISLE_E_NONE || rc == 0)
		return;
	if (engine->failed == 0)
		engine->failed = rc;
}

/* ---- load ---- */

static int
load_visit(void *ctx, const struct id *key, const struct id *subject, int64_t at_ms, const void *body, size_t len)
{
	struct engine *engine = ctx;
	struct visit *visit;

	(void)subject;
	(void)at_ms;
	if (visit_decode(body, len, &visit) != 0) {
		char text[ID_TEXT_SIZE];

		id_text(key, text);
		log_warning("visit set aside: its row cannot be read visit=%s", text);
		return 0;
	}
	sessions_add(engine->sessions, visit);
	return 0;
}

static void
load_stopped(struct engine *engine)
{
	struct buf buf = { 0 };
	char *at, *line;

	if (store_meta_get(engine->store, "stopped", &buf) == 0 && buf.len > 0) {
		buf_addc(&buf, '\0');
		for (at = buf.data; (line = strsep(&at, "\n")) != NULL;) {
			if (line[0] == '\0')
				continue;
			engine->stopped = mem_realloc(engine->stopped,
			    (engine->stopped_count + 1) * sizeof(*engine->stopped));
			engine->stopped[engine->stopped_count++] = mem_strdup(line);
		}
	}
	buf_done(&buf);
}

static void
load_budgets(struct engine *engine)
{
	struct buf buf = { 0 };

	if (store_meta_get(engine->store, "budgets", &buf) == 0) {
		struct rd rd = rd_init(buf.data, buf.len);
		uint32_t count = rd_u32(&rd);

		for (uint32_t i = 0; i < count && rd.ok && i < POLICY_ACTIONS_MAX; i++) {
			char *action = rd_str(&rd);
			struct engine_budget b = { .action = action };

			b.day_ms = rd_i64(&rd);
			b.day_money_minor = rd_i64(&rd);
			b.day_units = rd_i64(&rd);
			b.all_money_minor = rd_i64(&rd);
			b.all_units = rd_i64(&rd);
			if (!rd.ok || action == NULL) {
				free(action);
				break;
			}
			engine->budgets = mem_realloc(engine->budgets,
			    (engine->budget_count + 1) * sizeof(*engine->budgets));
			engine->budgets[engine->budget_count++] = b;
		}
	}
	buf_done(&buf);
}

static void
load_queues(struct engine *engine)
{
	struct buf buf = { 0 };

	if (store_meta_get(engine->store, "queues", &buf) == 0) {
		struct rd rd = rd_init(buf.data, buf.len);
		uint32_t count = rd_u32(&rd);

		for (uint32_t i = 0; i < count && i < QUEUE_STATIONS_MAX; i++) {
			char *station = rd_str(&rd);
			double value = rd_f64(&rd);

			if (rd.ok && station != NULL) {
				struct queue_reading *q = &engine->queues[engine->queue_count++];

				snprintf(q->station, sizeof(q->station), "%s", station);
				q->value = value;
			}
			free(station);
		}
	}
	buf_done(&buf);
}

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
load_memory(struct engine *engine)
{
	engine->sessions = sessions_new();
	load_now(engine);
	load_stopped(engine);
	load_budgets(engine);
	load_queues(engine);
	tally_load(engine);
	return store_each(engine->store, STORE_VISIT, VISIT_FLAG_LIVE, load_visit, engine);
}

void
engine_drop_subjects(struct engine *engine)
{
	for (size_t i = 0; i < SUBJECT_BUCKETS; i++) {
		struct subject_slot *slot, *next;

		for (slot = engine->subjects[i]; slot != NULL; slot = next) {
			next = slot->next;
			subject_free(slot->subject);
			free(slot);
		}
		engine->subjects[i] = NULL;
	}
	engine->subject_count = 0;
}

static void
drop_memory(struct engine *engine)
{
	sessions_free(engine->sessions);
	engine->sessions = NULL;
	engine_drop_subjects(engine);
	engine->touched_count = 0;
	for (size_t i = 0; i < engine->stopped_count; i++)
		free(engine->stopped[i]);
	free(engine->stopped);
	engine->stopped = NULL;
	engine->stopped_count = 0;
	for (size_t i = 0; i < engine->budget_count; i++)
		free(engine->budgets[i].action);
	free(engine->budgets);
	engine->budgets = NULL;
	engine->budget_count = 0;
	engine->queue_count = 0;
	tally_drop(engine);
	engine->budgets_dirty = engine->queues_dirty = false;
	engine->now_ms = 0;
}

/* ---- open and close ---- */

static int
open_store(struct engine *engine, struct err *err)
{
	struct store_options options = {
		.dir = engine->options.state_dir,
		.vfs = engine->options.vfs,
		.max_mib = engine->options.state_dir != NULL ? engine->conf->state_max_mib : 0,
		.sealer = engine->has_sealer ? &engine->sealer : NULL,
	};

	return store_open(&options, &engine->store, err);
}

int
engine_open(const struct engine_options *options, struct engine **ret_engine, struct err *err)
{
	struct engine *engine = mem_calloc(1, sizeof(*engine));
	int rc;

	engine->options = *options;
	engine->conf = options->conf;
	snprintf(engine->topic_root, sizeof(engine->topic_root), "aisle/v1/%s", engine->conf->store_id);
	snprintf(engine->zone_name, sizeof(engine->zone_name), "UTC");
	engine->arena = arena_new();
	engine->scratch = arena_new();
	engine->draws = draw_cache_new();
	engine->rates = rate_new(engine->conf->terminal_rate);
	rc = keys_open(options->sealed ? options->state_dir : NULL, options->vfs, &engine->keys, err);
	if (rc != 0)
		goto out;
	if (options->pepper != NULL)
		keys_set_pepper(engine->keys, options->pepper);
	if (options->sealed) {
		sealer_init(&engine->sealer, engine->keys);
		engine->has_sealer = true;
	}
	rc = open_store(engine, err);
	if (rc != 0)
		goto out;
	rc = load_memory(engine);
	if (rc != 0)
		err_set(err, rc, "state.db cannot be read");
out:
	if (rc != 0) {
		engine_close(engine);
		return rc;
	}
	*ret_engine = engine;
	return 0;
}

static void
drop_policy(struct engine *engine)
{
	draw_cache_empty(engine->draws);
	for (size_t i = 0; i < engine->variant_count; i++) {
		free(engine->variants[i].key);
		policy_free(engine->variants[i].policy);
	}
	engine->variant_count = 0;
	policy_free(engine->policy);
	engine->policy = NULL;
	bundle_close(engine->bundle);
	engine->bundle = NULL;
	zone_free(engine->zone);
	engine->zone = NULL;
}

void
engine_close(struct engine *engine)
{
	if (engine == NULL)
		return;
	drop_memory(engine);
	drop_policy(engine);
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
	free(engine);
}

int
engine_reopen(struct engine *engine, struct err *err)
{
	int rc;

	drop_memory(engine);
	engine->output_count = engine->receipt_count = 0;
	store_close(engine->store);
	engine->store = NULL;
	rc = open_store(engine, err);
	if (rc != 0)
		return rc;
	return load_memory(engine);
}

int
engine_set_bundle(struct engine *engine, struct bundle *bundle, struct policy *policy, bool persist, struct err *err)
{
	const char *posix = policy_zone(policy, engine->conf->zone);
	struct zone *zone;
	struct buf previous = { 0 };
	int rc = 0;

	if (posix == NULL || (zone = zone_new(posix)) == NULL)
		return err_set(err, AISLE_E_REFUSED, "the bundle has no rules for the store's zone %s",
		    engine->conf->zone);
	if (strcmp(policy->currency, engine->conf->currency) != 0) {
		zone_free(zone);
		return err_set(err, AISLE_E_REFUSED, "the bundle's currency is %s, the store's is %s",
		    policy->currency, engine->conf->currency);
	}
	if (persist) {
		rc = store_begin(engine->store);
		if (rc == 0 && store_meta_get(engine->store, "bundle", &previous) == 0)
			rc = store_meta_set(engine->store, "bundle_last_good", previous.data, previous.len);
		if (rc == 0)
			rc = store_meta_set(engine->store, "bundle", bundle_hash(bundle), 64);
		if (rc == 0)
			rc = store_commit(engine->store);
		if (rc != 0)
			store_rollback(engine->store);
		buf_done(&previous);
	}
	if (rc != 0) {
		zone_free(zone);
		return err_set(err, rc, "the new bundle could not be recorded in the state");
	}
	drop_policy(engine);
	engine->bundle = bundle;
	engine->policy = policy;
	engine->zone = zone;
	snprintf(engine->zone_name, sizeof(engine->zone_name), "%s", engine->conf->zone);
	return 0;
}

/* ---- look-ups ---- */

int64_t
engine_day_start(const struct engine *engine, int64_t ms)
{
	return zone_day_start(engine->zone, ms, engine->conf->day_cut_minute);
}

static void
track(struct engine *engine, struct visit *visit)
{
	for (size_t i = 0; i < engine->touched_count; i++) {
		if (engine->touched[i] == visit)
			return;
	}
	if (engine->touched_count == engine->touched_capacity) {
		engine->touched_capacity = engine->touched_capacity == 0 ? 64 : 2 * engine->touched_capacity;
		engine->touched = mem_realloc(engine->touched, engine->touched_capacity * sizeof(visit));
	}
	engine->touched[engine->touched_count++] = visit;
}

void
engine_touch(struct engine *engine, struct visit *visit)
{
	visit->dirty = true;
	track(engine, visit);
}

static struct visit *
load_one_visit(struct engine *engine, const struct id *id)
{
	struct buf buf = { 0 };
	struct visit *visit = NULL;
	int rc = store_get(engine->store, STORE_VISIT, id, &buf, NULL);

	engine_check(engine, rc);
	if (rc == 0 && visit_decode(buf.data, buf.len, &visit) == 0) {
		sessions_add(engine->sessions, visit);
		track(engine, visit);	/* leaves memory with this turn if it is over */
	} else {
		visit = NULL;
	}
	buf_done(&buf);
	return visit;
}

struct visit *
engine_visit(struct engine *engine, const struct id *id)
{
	struct visit *visit = sessions_by_id(engine->sessions, id);

	return visit != NULL ? visit : load_one_visit(engine, id);
}

static struct id
ref_name(const char *kind, const char *name)
{
	const char *parts[] = { kind, name };

	return hash_parts(parts, 2);
}

struct visit *
engine_visit_by_ref(struct engine *engine, const char *kind, const char *name)
{
	struct id ref = ref_name(kind, name), id;
	int rc = store_ref_get(engine->store, &ref, &id);

	engine_check(engine, rc);
	return rc == 0 ? engine_visit(engine, &id) : NULL;
}

void
engine_ref(struct engine *engine, const char *kind, const char *name, const struct visit *visit)
{
	struct id ref = ref_name(kind, name);

	engine_check(engine, store_ref_put(engine->store, &ref, &visit->id, engine->now_ms));
}

struct visit *
engine_visit_by_basket(struct engine *engine, const char *basket)
{
	struct visit *visit = sessions_by_basket(engine->sessions, basket);

	return visit != NULL ? visit : engine_visit_by_ref(engine, "basket", basket);
}

/* ---- subjects ---- */

static int
load_log(void *ctx, int64_t n, int kind, int64_t at_ms, const void *body, size_t len)
{
	struct subject *subject = ctx;

	(void)n;
	(void)at_ms;
	if (subject_add_log(subject, kind, body, len) != 0)
		log_warning("a history row cannot be read and is left out kind=%d", kind);
	return 0;
}

static struct subject *
load_subject(struct engine *engine, const struct id *id)
{
	struct subject *subject = subject_new(id);
	struct buf buf = { 0 };
	int rc;

	if (keys_forgotten(engine->keys, id)) {
		subject->forgotten = true;
		return subject;
	}
	rc = store_get(engine->store, STORE_SUBJECT, id, &buf, NULL);
	engine_check(engine, rc);
	if (rc == 0 && subject_decode(subject, buf.data, buf.len) != 0)
		log_warning("a subject's row cannot be read and is left out");
	/* HQ's part comes on top: it yields where the customer has spoken since. */
	buf_clear(&buf);
	if (engine->profile_get != NULL && engine->profile_get(engine->profile_ctx, id, &buf) == 0) {
		if (subject_apply_profile(subject, buf.data, buf.len) != 0)
			log_warning("a profile row cannot be read and is left out");
	}
	buf_done(&buf);
	engine_check(engine, store_log_each(engine->store, STORE_LOG_SUBJECT, id, id, load_log, subject));
	return subject;
}

static size_t
subject_bucket(const struct id *id)
{
	return ((size_t)id->b[0] << 8 | id->b[1]) % SUBJECT_BUCKETS;
}

struct subject *
engine_subject(struct engine *engine, const struct id *id)
{
	struct subject_slot **head = &engine->subjects[subject_bucket(id)], *slot;

	for (slot = *head; slot != NULL; slot = slot->next) {
		if (id_equal(&slot->subject->id, id)) {
			slot->used = true;
			return slot->subject;
		}
	}
	slot = mem_calloc(1, sizeof(*slot));
	slot->subject = load_subject(engine, id);
	slot->used = true;
	slot->next = *head;
	*head = slot;
	engine->subject_count++;
	return slot->subject;
}

/* ---- save ---- */

void
engine_remove_visit(struct engine *engine, struct visit *visit)
{
	engine_check(engine, store_delete(engine->store, STORE_VISIT, &visit->id));
	for (size_t i = 0; i < engine->touched_count; i++) {
		if (engine->touched[i] == visit)
			engine->touched[i] = engine->touched[--engine->touched_count];
	}
	sessions_remove(engine->sessions, visit);
}

static void
save_visits(struct engine *engine, struct buf *buf)
{
	for (size_t i = 0; i < engine->touched_count; i++) {
		struct visit *visit = engine->touched[i];
		bool over = visit_over(visit);
		const struct id *subject = visit->has_subject ? &visit->subject : NULL;

		if (visit->dirty) {
			if (subject != NULL && keys_forgotten(engine->keys, subject))
				subject = NULL;
			buf_clear(buf);
			visit_encode(visit, buf);
			engine_check(engine, store_put(engine->store, STORE_VISIT, &visit->id, subject, visit->last_ms,
			    over ? VISIT_FLAG_OVER : VISIT_FLAG_LIVE, buf->data, buf->len));
			visit->dirty = false;
		}
		if (over)
			sessions_remove(engine->sessions, visit);
	}
	engine->touched_count = 0;
}

static void
save_subject(struct engine *engine, struct subject *subject, struct buf *buf)
{
	if (!subject->dirty || subject->forgotten)
		return;
	buf_clear(buf);
	subject_encode(subject, buf);
	engine_check(engine, store_put(engine->store, STORE_SUBJECT, &subject->id, &subject->id, engine->now_ms, 0,
	    buf->data, buf->len));
	subject->dirty = false;
}

/* The cache gives up what this turn did not use once it is over its size. */
static void
save_subjects(struct engine *engine, struct buf *buf)
{
	bool evict = engine->subject_count > SUBJECTS_CACHED;

	for (size_t i = 0; i < SUBJECT_BUCKETS && engine->subject_count > 0; i++) {
		struct subject_slot **at = &engine->subjects[i], *slot;

		while ((slot = *at) != NULL) {
			save_subject(engine, slot->subject, buf);
			if (slot->used || !evict) {
				slot->used = false;
				at = &slot->next;
				continue;
			}
			*at = slot->next;
			subject_free(slot->subject);
			free(slot);
			engine->subject_count--;
		}
	}
}

static void
save_budgets(struct engine *engine, struct buf *buf)
{
	if (!engine->budgets_dirty)
		return;
	buf_clear(buf);
	buf_u32(buf, (uint32_t)engine->budget_count);
	for (size_t i = 0; i < engine->budget_count; i++) {
		const struct engine_budget *b = &engine->budgets[i];

		buf_str(buf, b->action);
		buf_i64(buf, b->day_ms);
		buf_i64(buf, b->day_money_minor);
		buf_i64(buf, b->day_units);
		buf_i64(buf, b->all_money_minor);
		buf_i64(buf, b->all_units);
	}
	engine_check(engine, store_meta_set(engine->store, "budgets", buf->data, buf->len));
	engine->budgets_dirty = false;
}

static void
save_queues(struct engine *engine, struct buf *buf)
{
	if (!engine->queues_dirty)
		return;
	buf_clear(buf);
	buf_u32(buf, (uint32_t)engine->queue_count);
	for (size_t i = 0; i < engine->queue_count; i++) {
		buf_str(buf, engine->queues[i].station);
		buf_f64(buf, engine->queues[i].value);
	}
	engine_check(engine, store_meta_set(engine->store, "queues", buf->data, buf->len));
	engine->queues_dirty = false;
}

void
engine_save(struct engine *engine)
{
	struct buf buf = { 0 };

	save_visits(engine, &buf);
	save_subjects(engine, &buf);
	save_budgets(engine, &buf);
	save_queues(engine, &buf);
	tally_save(engine, &buf);
	buf_clear(&buf);
	buf_i64(&buf, engine->now_ms);
	engine_check(engine, store_meta_set(engine->store, "now", buf.data, buf.len));
	buf_done(&buf);
}

/* ---- small things the stages' calls need ---- */

struct id
engine_id(const struct engine *engine, const char *purpose)
{
	static const uint8_t none[32];

	return id_derive(engine->policy != NULL ? engine->policy->salt_id : none, engine->now_ms,
	    engine->source, engine->id, purpose);
}

struct engine_budget *
engine_budget(struct engine *engine, const char *action, int64_t day_start_ms)
{
	struct engine_budget *budget = NULL;

	for (size_t i = 0; i < engine->budget_count && budget == NULL; i++) {
		if (strcmp(engine->budgets[i].action, action) == 0)
			budget = &engine->budgets[i];
	}
	if (budget == NULL) {
		engine->budgets = mem_realloc(engine->budgets,
		    (engine->budget_count + 1) * sizeof(*engine->budgets));
		budget = &engine->budgets[engine->budget_count++];
		*budget = (struct engine_budget){ .action = mem_strdup(action), .day_ms = day_start_ms };
	}
	if (budget->day_ms < day_start_ms) {
		budget->day_ms = day_start_ms;
		budget->day_money_minor = budget->day_units = 0;
	}
	return budget;
}

bool
engine_is_stopped(const struct engine *engine, const char *action)
{
	for (size_t i = 0; i < engine->stopped_count; i++) {
		if (strcmp(engine->stopped[i], action) == 0)
			return true;
	}
	return false;
}

static char *
variant_key(struct engine *engine, const struct arm_choice *arms, size_t count, const json_t **patches, size_t *ret_patches)
{
	char *key = arena_strdup(engine->arena, "");

	*ret_patches = 0;
	for (size_t i = 0; i < count; i++) {
		for (size_t e = 0; e < engine->policy->experiment_count; e++) {
			const struct experiment *x = &engine->policy->experiments[e];

			if (strcmp(x->name, arms[i].experiment) != 0)
				continue;
			for (size_t a = 0; a < x->arm_count; a++) {
				if (x->arms[a].patch == NULL || strcmp(x->arms[a].name, arms[i].arm) != 0)
					continue;
				patches[(*ret_patches)++] = x->arms[a].patch;
				key = arena_printf(engine->arena, "%s%s=%s,", key, x->name, x->arms[a].name);
			}
		}
	}
	return key;
}

const struct policy *
engine_policy_for(struct engine *engine, const struct arm_choice *arms, size_t count)
{
	const json_t *patches[32];
	struct policy_variant *variant;
	struct err err = { 0 };
	size_t patch_count;
	char *key;

	if (count == 0)
		return engine->policy;
	if (count > ARRAY_LEN(patches))
		count = ARRAY_LEN(patches);
	key = variant_key(engine, arms, count, patches, &patch_count);
	if (patch_count == 0)
		return engine->policy;
	for (size_t i = 0; i < engine->variant_count; i++) {
		if (strcmp(engine->variants[i].key, key) == 0)
			return engine->variants[i].policy;
	}
	if (engine->variant_count == VARIANTS_MAX) {
		/* The oldest goes: a variant is only a cache of what the bundle says. */
		draw_cache_empty(engine->draws);
		free(engine->variants[0].key);
		policy_free(engine->variants[0].policy);
		memmove(engine->variants, engine->variants + 1, (VARIANTS_MAX - 1) * sizeof(*variant));
		engine->variant_count--;
	}
	variant = &engine->variants[engine->variant_count];
	if (policy_patched(engine->policy, bundle_parts(engine->bundle), patches, patch_count, &variant->policy, &err) != 0) {
		log_error("an arm's patch does not compile, the plain policy is used arms=%s why=\"%s\"", key, err.text);
		return engine->policy;
	}
	variant->key = mem_strdup(key);
	engine->variant_count++;
	return variant->policy;
}

void
engine_timer(struct engine *engine, const char *kind, const struct id *object, int64_t due_ms)
{
	char text[ID_TEXT_SIZE], id[128];

	id_text(object, text);
	snprintf(id, sizeof(id), "%s/%s/%lld", kind, text, (long long)due_ms);
	engine_check(engine, store_timer_add(engine->store, due_ms, id));
}

void
engine_timer_cancel(struct engine *engine, const char *kind, const struct id *object, int64_t due_ms)
{
	char text[ID_TEXT_SIZE], id[128];

	id_text(object, text);
	snprintf(id, sizeof(id), "%s/%s/%lld", kind, text, (long long)due_ms);
	engine_check(engine, store_timer_delete(engine->store, due_ms, id));
}

int64_t
engine_output(struct engine *engine, enum output_kind kind, const char *station, const char *topic_tail,
    const struct id *subject, const char *payload, size_t len)
{
	struct output *output;
	int64_t id = 0;
	char *topic = arena_printf(engine->arena, "%s/%s", engine->topic_root, topic_tail);

	if (engine->options.dry)
		return 0;
	if (subject != NULL && keys_forgotten(engine->keys, subject))
		subject = NULL;
	engine_check(engine, store_outbox_add(engine->store, topic, subject, false, payload, len, &id));
	if (engine->output_count == engine->output_capacity) {
		engine->output_capacity = engine->output_capacity == 0 ? 64 : 2 * engine->output_capacity;
		engine->outputs = mem_realloc(engine->outputs, engine->output_capacity * sizeof(*output));
	}
	output = &engine->outputs[engine->output_count++];
	*output = (struct output){
		.kind = kind, .id = id, .topic = topic,
		.station = arena_strdup(engine->arena, station),
		.payload = arena_strndup(engine->arena, payload, len), .len = len,
	};
	return id;
}
