/* SPDX-License-Identifier: Apache-2.0
 *
 * feature_rows.c - training rows, made by the very code that serves.
 *
 * DESIGN
 *   The engine shows what a decision may look at before it takes it; the
 *   values are computed here by the same features_get() that rules and models
 *   call. So a row knows nothing of what came later, and nothing that serving
 *   would not know: consent has already taken its sources away. Rejected:
 *   reading features back from decision records, which hold only what some
 *   rule happened to read.
 *
 * LIMITS
 *   What depends on a candidate (action.*, history of "self", models over
 *   them) has no value in a row, nor has what is for compliance. An event about
 *   goods that are marked makes no row, and no feature counts such goods.
 */
#include "tools/feature_rows.h"

#include <stdlib.h>
#include <string.h>

#include "core/arena.h"
#include "core/id.h"
#include "core/when.h"
#include "logic/logic_impl.h"
#include "nouns/marks.h"
#include "spine/engine.h"
#include "profile/subject_io.h"

struct feature_rows {
	struct engine *engine;
	const struct policy *policy;
	struct arena *arena; /* of one row */
	feature_row_fn each;
	void *ctx;
	unsigned *order; /* slots in order of name */
	struct value *values;
};

/* ---- which events ---- */

bool
feature_rows_types(const char *list, uint32_t *ret_types, const char **ret_wrong)
{
	uint32_t types = 0;

	for (const char *at = list;; at++) {
		size_t len = strcspn(at, ",");
		enum event_type type = EV_NONE;
		char name[64];

		if (len < sizeof(name)) {
			memcpy(name, at, len);
			name[len] = '\0';
			type = event_type_by_name(name);
		}
		if (type == EV_NONE || (FEATURE_ROWS_NEVER & (UINT32_C(1) << type)) != 0) {
			*ret_wrong = at;
			return false;
		}
		types |= UINT32_C(1) << type;
		at += len;
		if (*at == '\0')
			break;
	}
	*ret_types = types;
	return true;
}

static bool
about_marked(const struct sources *sources)
{
	struct marks marks = marks_of(sources->policy, sources->marks_off);
	const struct event *event = sources->event;

	if (item_mark(&marks, &event->item) != MARK_NONE)
		return true;
	for (size_t i = 0; i < event->item_count; i++)
		if (item_mark(&marks, &event->items[i]) != MARK_NONE)
			return true;
	return false;
}

/* ---- a row ---- */

static void
on_sources(void *ctx, const struct sources *sources)
{
	struct feature_rows *rows = ctx;
	const struct subject *subject = sources->subject;
	struct feature_row row = { .at_ms = sources->now_ms,
		.type = sources->event->type,
		.event = sources->event->id,
		.visit_id = sources->visit->id,
		.basket = sources->visit->basket,
		.values = rows->values,
		.count = rows->policy->feature_count,
		.visit = sources->visit,
		.marks_off = sources->marks_off };
	struct features *features;

	/* An experiment's arm changes actions and settings, never what a feature is. */
	CHECK(sources->policy->feature_count == row.count);
	if (about_marked(sources))
		return;
	arena_reset(rows->arena);
	features = features_new(rows->arena, sources);
	for (size_t i = 0; i < row.count; i++)
		rows->values[i] = rows->policy->features[rows->order[i]].compliance
		    ? value_missing()
		    : features_get(features, rows->order[i], NULL);
	if (subject != NULL && consent_granted(subject, CONSENT_PROFILE, sources->now_ms)) {
		row.has_subject = true;
		row.subject = subject->id;
	}
	rows->each(rows->ctx, &row);
}

/* ---- opening ---- */

static void
sort_names(struct feature_rows *rows)
{
	const struct policy *policy = rows->policy;

	for (size_t i = 0; i < policy->feature_count; i++) {
		size_t at = i;

		for (; at > 0 &&
		     strcmp(policy->features[rows->order[at - 1]].name, policy->features[i].name) >
			 0;
		     at--)
			rows->order[at] = rows->order[at - 1];
		rows->order[at] = (unsigned)i;
	}
}

struct feature_rows *
feature_rows_open(struct engine *engine, uint32_t types, feature_row_fn each, void *ctx)
{
	struct feature_rows *rows = mem_zero(sizeof(*rows));

	rows->engine = engine;
	rows->policy = engine_policy(engine);
	CHECK(rows->policy != NULL);
	rows->arena = arena_new();
	rows->each = each;
	rows->ctx = ctx;
	rows->order = mem_calloc(rows->policy->feature_count + 1, sizeof(*rows->order));
	rows->values = mem_calloc(rows->policy->feature_count + 1, sizeof(*rows->values));
	sort_names(rows);
	engine_show_sources(engine,
	    types != 0 ? types : rows->policy->triggers & ~(uint32_t)FEATURE_ROWS_NEVER, on_sources,
	    rows);
	return rows;
}

void
feature_rows_close(struct feature_rows *rows)
{
	if (rows == NULL)
		return;
	engine_show_sources(rows->engine, 0, NULL, NULL);
	arena_free(rows->arena);
	free(rows->order);
	free(rows->values);
	free(rows);
}

size_t
feature_rows_count(const struct feature_rows *rows)
{
	return rows->policy->feature_count;
}

const char *
feature_rows_name(const struct feature_rows *rows, size_t i)
{
	CHECK(i < rows->policy->feature_count);
	return rows->policy->features[rows->order[i]].name;
}

/* ---- as CSV ---- */

static void
add_quoted(struct buf *out, const char *text)
{
	buf_addc(out, '"');
	for (; *text != '\0'; text++) {
		if (*text == '"')
			buf_addc(out, '"');
		buf_addc(out, *text);
	}
	buf_addc(out, '"');
}

static void
add_text(struct buf *out, const char *text)
{
	if (text[strcspn(text, "\",\r\n")] != '\0')
		add_quoted(out, text);
	else
		buf_adds(out, text);
}

static void
add_value(struct buf *out, const struct value *value)
{
	char text[NUMBER_TEXT_SIZE];

	if (value->tag == VALUE_STRING) {
		add_quoted(out, value->str);
	} else if (value->tag == VALUE_BOOL) {
		buf_adds(out, value->truth ? "true" : "false");
	} else if (value->tag == VALUE_NUMBER) {
		number_text(value->number, text);
		buf_adds(out, text);
	}
}

void
feature_rows_csv_head(const struct feature_rows *rows, struct buf *out)
{
	buf_adds(out, "time,event,type,visit,subject,basket");
	for (size_t i = 0; i < feature_rows_count(rows); i++) {
		buf_addc(out, ',');
		add_text(out, feature_rows_name(rows, i));
	}
	buf_addc(out, '\n');
}

void
feature_row_csv(const struct feature_row *row, struct buf *out)
{
	char when[WHEN_TEXT_SIZE], visit[ID_TEXT_SIZE], subject[SUBJECT_TEXT_SIZE] = "";

	when_text(row->at_ms, when);
	id_text(&row->visit_id, visit);
	if (row->has_subject)
		subject_text(&row->subject, subject);
	buf_adds(out, when);
	buf_addc(out, ',');
	add_text(out, row->event);
	buf_addc(out, ',');
	buf_adds(out, event_type_name(row->type));
	buf_addc(out, ',');
	buf_adds(out, visit);
	buf_addc(out, ',');
	buf_adds(out, subject);
	buf_addc(out, ',');
	add_text(out, row->basket != NULL ? row->basket : "");
	for (size_t i = 0; i < row->count; i++) {
		buf_addc(out, ',');
		add_value(out, &row->values[i]);
	}
	buf_addc(out, '\n');
}
