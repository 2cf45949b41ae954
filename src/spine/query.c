/* SPDX-License-Identifier: Apache-2.0
 *
 * query.c - read-only answers from the running store.
 */
#include "spine/spine.h"

#include <stdlib.h>
#include <string.h>

#include "core/id.h"
#include "core/json.h"
#include "core/json_write.h"
#include "deliver/guidance.h"
#include "profile/subject_io.h"

struct station_list {
	struct engine *engine;
	const char *only; /* NULL: all, as counts */
	struct json_writer *out;
	const char *names[1024];
	int open[1024];
	size_t count;
};

static void
count_station(void *ctx, struct visit *visit)
{
	struct station_list *list = ctx;
	size_t i;

	for (i = 0; i < list->count && strcmp(list->names[i], visit->station) != 0; i++)
		;
	if (i == list->count) {
		if (list->count == ARRAY_LEN(list->names))
			return;
		list->names[list->count] = visit->station;
		list->open[list->count++] = 0;
	}
	if (!id_is_zero(&visit->guidance))
		list->open[i]++;
}

int
query_stations(struct engine *engine, struct buf *out)
{
	struct station_list *list = mem_zero(sizeof(*list));
	struct json_writer *w = JSON_WRITER(out);

	list->engine = engine;
	for (size_t i = 0; i < engine->conf->station_count && list->count < ARRAY_LEN(list->names);
	     i++) {
		size_t at = 0;

		while (at < list->count &&
		    strcmp(list->names[at], engine->conf->stations[i].value) != 0)
			at++;
		if (at == list->count)
			list->names[list->count++] = engine->conf->stations[i].value;
	}
	sessions_each(engine->sessions, count_station, list);
	json_add_object(w, NULL);
	json_add_list(w, "stations");
	for (size_t i = 0; i < list->count; i++) {
		json_add_object(w, NULL);
		json_add_str(w, "station", list->names[i]);
		json_add_int(w, "open", list->open[i]);
		json_end(w);
	}
	json_end_all(w);
	free(list);
	return 0;
}

static const struct id *
last_decision(const struct visit *visit)
{
	static const struct id none;

	for (size_t i = visit->card_count; i > 0; i--) {
		if (visit->cards[i - 1].state != CARD_GONE)
			return &visit->cards[i - 1].decision;
	}
	return &none;
}

static void
add_guidance(void *ctx, struct visit *visit)
{
	struct station_list *list = ctx;

	if (id_is_zero(&visit->guidance) || strcmp(visit->station, list->only) != 0)
		return;
	guidance_json(visit, list->engine->policy, last_decision(visit),
	    visit_known_subject(list->engine, visit), list->engine->now_ms, list->out);
}

struct guidance_walk {
	struct station_list list;
	query_guidance_fn fn;
	void *ctx;
};

static void
tell_guidance(void *ctx, struct visit *visit)
{
	struct guidance_walk *walk = ctx;
	struct buf json = { 0 };

	walk->list.out = JSON_WRITER(&json);
	add_guidance(&walk->list, visit);
	if (json.len > 0)
		walk->fn(walk->ctx, json.data, json.len);
	buf_done(&json);
}

void
query_guidance(struct engine *engine, const char *station, query_guidance_fn fn, void *ctx)
{
	struct guidance_walk *walk = mem_zero(sizeof(*walk));

	walk->list.engine = engine;
	walk->list.only = station;
	walk->fn = fn;
	walk->ctx = ctx;
	sessions_each(engine->sessions, tell_guidance, walk);
	free(walk);
}

int
query_station(struct engine *engine, const char *station, struct buf *out)
{
	struct station_list *list = mem_zero(sizeof(*list));
	struct json_writer *w = JSON_WRITER(out);

	list->engine = engine;
	list->only = station;
	list->out = w;
	json_add_object(w, NULL);
	json_add_str(w, "station", station);
	json_add_list(w, "open");
	sessions_each(engine->sessions, add_guidance, list);
	json_end_all(w);
	free(list);
	return 0;
}

struct word_search {
	const char *text;
	bool found;
};

static void
look_for_word(void *ctx, struct visit *visit)
{
	struct word_search *search = ctx;

	for (size_t i = 0; i < visit->card_count; i++) {
		const struct card *card = &visit->cards[i];

		if (card->state != CARD_GONE && card->json != NULL &&
		    strstr(card->json, search->text) != NULL)
			search->found = true;
	}
}

bool
query_is_shown(struct engine *engine, const char *text)
{
	struct word_search search = { .text = text };

	sessions_each(engine->sessions, look_for_word, &search);
	return search.found;
}

#define DEAD_BYTES_MAX (16u << 20) /* of one answer: the newest that fit */

/* ---- what came of a card, and who answered it ---- */

struct outcome_list {
	struct engine *engine;
	struct json_writer *out;
	bool
	    answers; /* only what a person said: every record of that is of a tablet or a manager */
};

/* In this store a manager has a name, as long as they are on its list. */
static int
add_outcome(void *ctx, int64_t n, int kind, int64_t at_ms, const void *body, size_t len)
{
	struct outcome_list *list = ctx;
	json_t *json = json_loadb(body, len, 0, NULL);
	const char *key = json_string_value(json_object_get(json, "manager"));
	char *name = key != NULL ? manager_by_key(list->engine, key) : NULL;

	(void)n;
	(void)kind;
	(void)at_ms;
	if (name != NULL)
		json_object_set_new(json, "manager_name", json_string(name));
	if (name != NULL)
		json_add_tree(list->out, NULL, json);
	else if (!list->answers || key != NULL || json_object_get(json, "tablet") != NULL)
		json_add_raw(list->out, NULL, body, len);
	free(name);
	json_decref(json);
	return 0;
}

int
query_decision(struct engine *engine, const char *text, struct buf *out)
{
	struct json_writer *w = JSON_WRITER(out);
	struct id id;
	struct buf body = { 0 };
	int rc;

	if (!id_parse(text, &id))
		return AISLE_E_NONE;
	rc = store_get(engine->store, STORE_DECISION, &id, &body, NULL);
	if (rc == 0 && body.len > 1) {
		json_add_object(w, NULL);
		json_add_members(w, body.data, body.len);
		json_add_list(w, "outcomes");
		rc = store_log_each(engine->store, STORE_LOG_OUTCOME, &id, add_outcome,
		    &(struct outcome_list){ engine, w, false });
		json_end(w);
		contributions_json(engine, body.data, body.len, w);
		json_end(w);
	}
	buf_done(&body);
	return rc == 0 ? 0 : AISLE_E_NONE;
}

static bool
is_answer(enum outcome outcome)
{
	return outcome == OUTCOME_ACCEPTED || outcome == OUTCOME_DISMISSED ||
	    outcome == OUTCOME_SNOOZED || outcome == OUTCOME_OVERRIDDEN || outcome == OUTCOME_LATE;
}

/* Is this the first answer among the rows to a card of its decision? */
static bool
is_first_of_decision(const struct contacts *contacts, size_t i)
{
	for (size_t j = 0; j < i; j++)
		if (is_answer(contacts->rows[j].outcome) &&
		    id_equal(&contacts->rows[j].decision, &contacts->rows[i].decision))
			return false;
	return true;
}

/* Who answered this customer's cards, as long as the records of that are kept. */
static int
add_answers(struct engine *engine, const struct contacts *contacts, struct json_writer *w)
{
	struct outcome_list list = { engine, w, true };
	int rc = 0;

	json_add_list(w, "answers");
	for (size_t i = 0; i < contacts->count && rc == 0; i++) {
		if (is_answer(contacts->rows[i].outcome) && is_first_of_decision(contacts, i))
			rc = store_log_each(engine->store, STORE_LOG_OUTCOME,
			    &contacts->rows[i].decision, add_outcome, &list);
	}
	json_end(w);
	return rc;
}

int
query_customer(struct engine *engine, const struct id *id, struct buf *out)
{
	struct subject *subject = engine_person(engine, id);
	struct json_writer *w = JSON_WRITER(out);
	struct buf kept = { 0 };
	int rc;

	if (subject->forgotten)
		return AISLE_E_NONE;
	subject_json(subject, &kept);
	json_add_object(w, NULL);
	json_add_members(w, kept.data, kept.len);
	rc = add_answers(engine, &subject->contacts, w);
	json_end(w);
	buf_done(&kept);
	return rc == AISLE_E_DAMAGED ? 0 : rc;
}

int
query_guidance_station(struct engine *engine, const char *guidance,
    char ret_station[static NAME_SIZE])
{
	struct visit *visit = engine_visit_by_ref(engine, "guidance", guidance);

	if (visit == NULL)
		return AISLE_E_NONE;
	memcpy(ret_station, visit->station, NAME_SIZE);
	return 0;
}

static int
add_dead(void *ctx, int64_t n, int64_t at_ms, const char *topic, const char *reason,
    const char *detail, const void *payload, size_t len)
{
	struct json_writer *w = ctx;
	json_t *text = json_stringn(payload, len); /* NULL when it is not text */

	json_add_object(w, NULL);
	json_add_int(w, "n", n);
	json_add_when(w, "at", at_ms);
	json_add_str(w, "topic", topic);
	json_add_str(w, "reason", reason);
	json_add_str(w, "detail", detail);
	json_add_int(w, "size", (int64_t)len);
	if (text != NULL)
		json_add_tree(w, "payload", text);
	else
		json_add_null(w, "payload");
	json_end(w);
	json_decref(text);
	return w->out->len > DEAD_BYTES_MAX;
}

int
query_dead_letters(struct engine *engine, int max_rows, struct buf *out)
{
	struct json_writer *w = JSON_OBJECT(out);
	int rc;

	json_add_list(w, "dead_letters");
	rc = store_dead_each(engine->store, max_rows, add_dead, w);
	json_end_all(w);
	return rc;
}
