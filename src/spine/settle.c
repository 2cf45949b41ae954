/* SPDX-License-Identifier: Apache-2.0
 *
 * settle.c - what came of the actions that were listed, told to headquarters: each once, when its
 * window is over, and again where it turns out to have been other.
 *
 * DESIGN
 *   A timer of the visit, for the first window of its listings that ends; none
 *   is set before the visit is over, so that a decision costs nothing but its
 *   listings. Windows that end with the visit end when its late lines do
 *   (LATE_WORD_MS). Later lines, returns, reversals and cancellations come
 *   through settle_changed(), goods of a later visit that come back through
 *   settle_earlier(): what differs from what was told is told with the next
 *   number.
 *
 * INVARIANTS
 *   A listing is told once for each number (`rev`), from 0, of one visit; of a
 *   trainee, of staff and of who is forgotten none is. After TOLD_MS nothing
 *   is told again.
 */
#include "spine/spine.h"

#include <string.h>

#include "core/id.h"
#include "core/json_write.h"
#include "nouns/shortlists.h"
#include "nouns/visit.h"
#include "policy/policy_load.h"

#define TOLD_MS (35 * D_MS)

static const struct id *
customer_of(const struct visit *visit)
{
	return visit->has_subject ? &visit->subject : NULL;
}

static int64_t
due_of(const struct visit *visit, const struct listing *listing)
{
	int64_t over_ms = came_over_ms(visit) + LATE_WORD_MS;

	return listing->due_ms > over_ms ? listing->due_ms : over_ms;
}

static const struct action *
action_of(const struct engine *engine, const struct listing *listing)
{
	return engine->policy != NULL ? policy_action(engine->policy, listing->action) : NULL;
}

/* ---- the record ---- */

static void
add_row(struct json_writer *w, const struct listing *listing, const struct action *action)
{
	json_add_object(w, NULL);
	json_add_str(w, "action", listing->action);
	json_add_str(w, "segment", "");
	if (listing->depth != 0)
		json_add_int(w, "depth", listing->depth);
	if (listing->treatment != NULL)
		json_add_str(w, "treatment", listing->treatment);
	json_add_double(w, "p", listing->p);
	json_add_double(w, "p1", listing->p1);
	json_add_double(w, "p0", listing->p0);
	json_add_double(w, "margin", listing->margin);
	json_add_double(w, "cost", listing->cost);
	json_add_bool(w, "drawn", listing->drawn);
	json_add_bool(w, "shown", listing->shown);
	json_add_bool(w, "other", listing->other);
	if (listing->withheld)
		json_add_bool(w, "withheld", true);
	if (came_is_told(action))
		json_add_int(w, "y", listing->bought);
	if (listing->amount_minor > 0)
		json_add_int(w, "amount", listing->amount_minor);
	json_end(w);
}

static void
add_nothing(struct json_writer *w, const struct shortlist *list)
{
	json_add_object(w, NULL);
	json_add_str(w, "action", "nothing");
	json_add_double(w, "p", list->p_nothing);
	json_add_bool(w, "drawn", list->nothing);
	json_end(w);
}

/* "": it is of no file. */
static void
bundle_text(const struct shortlist *list, char ret[static 65])
{
	ret[0] = '\0';
	if (!id_is_zero(&list->bundle[0]) || !id_is_zero(&list->bundle[1])) {
		hash_hex(ret, list->bundle[0].b, 16);
		hash_hex(ret + 32, list->bundle[1].b, 16);
	}
}

static void
add_bundle(struct json_writer *w, const struct shortlist *list)
{
	char hex[65];

	bundle_text(list, hex);
	json_add_str(w, "bundle", hex);
}

static void
add_head(struct engine *engine, const struct visit *visit, const struct shortlist *list, int rev,
    struct json_writer *w)
{
	const struct subject *subject = engine_remembered(engine, customer_of(visit));
	char text[SUBJECT_TEXT_SIZE];

	json_add_id(w, "decision", &list->decision);
	json_add_id(w, "visit", &list->visit);
	json_add_str(w, "placement", NAME_OF(placement_names, list->placement));
	json_add_int(w, "slot", list->slot);
	if (subject != NULL) {
		subject_text(&subject->id, text);
		json_add_str(w, "subject", text);
	}
	json_add_when(w, "at", list->at_ms);
	add_bundle(w, list);
	json_add_int(w, "rev", rev);
	json_add_bool(w, "counted", list->counted);
	json_add_double(w, "cost_max", list->cost_max);
}

/* Of the rows that are to be told those of one number, which are told then. */
static void
tell(struct engine *engine, const struct visit *visit, const struct shortlist *list, int rev,
    bool with_nothing, bool due[static SHORTLIST_LISTINGS_MAX])
{
	const struct id *subject = customer_of(visit);
	struct buf json = { 0 };
	struct json_writer *w = JSON_OBJECT(&json);

	add_head(engine, visit, list, rev, w);
	json_add_list(w, "rows");
	for (size_t i = 0; i < list->listing_count; i++) {
		const struct listing *listing = &list->listings[i];

		if (!due[i] || listing->rev != rev)
			continue;
		add_row(w, listing, action_of(engine, listing));
		due[i] = false;
	}
	if (with_nothing)
		add_nothing(w, list);
	json_end_all(w);
	engine_uplink(engine, LANE_DECISION, "settled",
	    subject != NULL && !keys_forgotten(engine->keys, subject) ? subject : NULL, &json);
	buf_done(&json);
}

/* ---- what is to be told ---- */

static bool
differs(const struct listing *listing, const struct came *came)
{
	return listing->shown != came->shown || listing->other != came->other ||
	    listing->bought != came->bought || listing->amount_minor != came->amount_minor;
}

/* Of another bundle the chances were another's. */
static bool
is_in_force(const struct engine *engine, const struct shortlist *list)
{
	char hex[65];

	bundle_text(list, hex);
	return strcmp(hex, engine->policy->hash) == 0;
}

/* Is this one to be told, for the first time or again? Then it says what came of it. */
static bool
settle(const struct came_look *look, const struct shortlist *list, struct listing *listing)
{
	const struct action *action = action_of(look->engine, listing);
	int64_t now_ms = look->engine->now_ms;
	struct came came;

	if (action == NULL ||
	    (listing->told_ms == 0 ? due_of(look->visit, listing) > now_ms
				   : now_ms - listing->told_ms > TOLD_MS))
		return false;
	came = came_of(look, list, listing, action);
	if (listing->told_ms != 0 && !differs(listing, &came))
		return false;
	if (listing->told_ms != 0)
		listing->rev++;
	else
		listing->told_ms = now_ms;
	listing->shown = came.shown;
	listing->other = came.other;
	listing->bought = came.bought;
	listing->amount_minor = came.amount_minor;
	if (listing->told_ms == now_ms && listing->rev == 0 && came_is_told(action) &&
	    is_in_force(look->engine, list))
		learning_note(look->engine, look->visit, listing, action);
	return true;
}

static bool
was_told(const struct shortlist *list)
{
	for (size_t i = 0; i < list->listing_count; i++) {
		if (list->listings[i].told_ms != 0)
			return true;
	}
	return false;
}

/* What is listed later in a place is no choice against nothing that anybody counts. */
static void
settle_shortlist(const struct came_look *look, struct shortlist *list)
{
	bool due[SHORTLIST_LISTINGS_MAX] = { false }, first = list->counted && !was_told(list);

	CHECK(list->listing_count <= SHORTLIST_LISTINGS_MAX);
	for (size_t i = 0; i < list->listing_count; i++)
		due[i] = settle(look, list, &list->listings[i]);
	for (size_t i = 0; i < list->listing_count; i++) {
		if (!due[i])
			continue;
		engine_touch(look->engine, look->visit);
		tell(look->engine, look->visit, list, list->listings[i].rev, first, due);
		first = false;
	}
}

/* ---- when ---- */

/* The next window that ends; INT64_MAX: all have. What can never be told, as no policy knows it any more, is not waited
 * for. */
static int64_t
next_due(const struct engine *engine, const struct visit *visit)
{
	int64_t next_ms = INT64_MAX;

	for (size_t i = 0; i < visit->shortlist_count; i++) {
		for (size_t l = 0; l < visit->shortlists[i].listing_count; l++) {
			const struct listing *listing = &visit->shortlists[i].listings[l];
			int64_t due_ms = due_of(visit, listing);

			if (listing->told_ms == 0 && due_ms > engine->now_ms && due_ms < next_ms)
				next_ms = due_ms;
		}
	}
	return next_ms;
}

static void
settle_visit(struct engine *engine, struct visit *visit)
{
	struct came_look look;
	int64_t next_ms;

	if (visit->shortlist_count == 0 || !visit_over(visit))
		return;
	if (visit->training || staff_visit(engine, visit)) {
		visit_drop_shortlists(visit, false);
		engine_touch(engine, visit);
	}
	came_begin(engine, visit, &look);
	for (size_t i = 0; i < visit->shortlist_count; i++)
		settle_shortlist(&look, &visit->shortlists[i]);
	came_done(&look);
	next_ms = next_due(engine, visit);
	if (next_ms != INT64_MAX)
		timer_add(engine, "settle", &visit->id, next_ms);
}

void
settle_changed(struct engine *engine, struct visit *visit)
{
	settle_visit(engine, visit);
}

void
settle_due(struct engine *engine, const char *text)
{
	struct visit *visit;
	struct id id;

	if (id_parse(text, &id) && (visit = engine_visit(engine, &id)) != NULL)
		settle_visit(engine, visit);
}

/* Their ids first: what is settled reads customers. */
void
settle_earlier(struct engine *engine, struct visit *visit)
{
	const struct id *of = customer_of(visit);
	const struct subject *subject = of != NULL ? engine_subject(engine, of) : NULL;
	int64_t over_ms = came_over_ms(visit);
	struct id *ids;
	size_t count = 0;

	if (subject == NULL || !engine->settles)
		return;
	ids = arena_alloc(engine->arena, (subject->purchase_count + 1) * sizeof(*ids));
	for (size_t i = 0; i < subject->purchase_count; i++) {
		const struct purchase *purchase = &subject->purchases[i];

		if (purchase->at_ms <= over_ms && purchase->at_ms > over_ms - TOLD_MS &&
		    !id_equal(&purchase->visit, &visit->id))
			ids[count++] = purchase->visit;
	}
	for (size_t i = 0; i < count; i++) {
		struct visit *earlier = engine_visit(engine, &ids[i]);

		if (earlier != NULL)
			settle_visit(engine, earlier);
	}
}

/* ---- what is left ---- */

static int
count_untold(void *ctx, const struct id *key, const struct id *subject, int64_t at_ms,
    const void *body, size_t len)
{
	int64_t *count = ctx;
	struct visit *visit;

	(void)key;
	(void)subject;
	(void)at_ms;
	if (visit_decode(body, len, &visit) != 0)
		return 0;
	for (size_t i = 0; i < visit->shortlist_count; i++) {
		for (size_t l = 0; l < visit->shortlists[i].listing_count; l++)
			*count += visit->shortlists[i].listings[l].told_ms == 0;
	}
	visit_free(visit);
	return 0;
}

int64_t
engine_unsettled(struct engine *engine)
{
	int64_t count = 0;

	engine_check(engine, store_each(engine->store, STORE_VISIT, -1, count_untold, &count));
	return count;
}
