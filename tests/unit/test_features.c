/* SPDX-License-Identifier: Apache-2.0
 *
 * test_features.c - the feature vector: what each source gives, and when it gives nothing.
 */
#include <jansson.h>

#include "aisle/features.h"
#include "core/arena.h"
#include "nouns/contact.h"
#include "core/fmath.h"
#include "core/when.h"
#include "profile/subject_io.h"
#include "score/features_decl.h"
#include "score/model.h"
#include "session_fixture.h"

static const struct marks no_marks = { .off = UINT32_MAX };

#define NOW (T0 + 100 * D_MS)

struct world {
	struct arena *arena;
	struct policy policy;
	struct feature feature[8];
	struct sources sources;
	struct features *features;
	struct visit *visit;
	struct subject *subject;
};

static int
init(void **state)
{
	struct world *w = calloc(1, sizeof(*w));
	struct id id = id_of(1), who = person('s');

	w->arena = arena_new();
	w->visit = visit_new(&id);
	w->visit->state = VISIT_OPEN;
	w->subject = subject_new(&who);
	w->policy.features = w->feature;
	w->sources = (struct sources){ .policy = &w->policy,
		.visit = w->visit,
		.subject = w->subject,
		.now_ms = NOW,
		.store = "0042" };
	*state = w;
	return 0;
}

static int
done(void **state)
{
	struct world *w = *state;

	arena_free(w->arena);
	visit_free(w->visit);
	subject_free(w->subject);
	free(w);
	return 0;
}

static void
declare(struct world *w, unsigned slot, const char *from, enum value_tag type)
{
	struct err err = { 0 };

	w->feature[slot] = (struct feature){ .name = from, .type = type };
	if (feature_parse_from(w->arena, from, &w->feature[slot], &err) != 0)
		fail_msg("%s: %s", from, err.text);
	w->policy.feature_count = slot + 1;
}

/* The value of one feature over the world as it is. */
static struct value
value_of(struct world *w, const char *from, enum value_tag type)
{
	declare(w, 0, from, type);
	w->features = features_new(w->arena, &w->sources);
	return features_get(w->features, 0, NULL);
}

static void
is_number(struct world *w, const char *from, double expected)
{
	struct value value = value_of(w, from, VALUE_NUMBER);

	if (value.tag != VALUE_NUMBER || value.number != expected)
		fail_msg("%s is %d %.17g, expected %.17g", from, value.tag, value.number, expected);
}

static void
is_bool(struct world *w, const char *from, bool expected)
{
	struct value value = value_of(w, from, VALUE_BOOL);

	if (value.tag != VALUE_BOOL || value.truth != expected)
		fail_msg("%s is %d %d", from, value.tag, value.truth);
}

static void
is_missing(struct world *w, const char *from, enum value_tag type)
{
	struct value value = value_of(w, from, type);

	if (value.tag != VALUE_MISSING)
		fail_msg("%s is there: %d %.17g", from, value.tag, value.number);
}

static struct line *
add_line(struct visit *visit, const char *category, const char *brand, const char *item,
    int64_t qty_milli, int64_t amount)
{
	struct line *line = visit_add_line(visit, (int64_t)visit->line_count + 1);

	free(line->category);
	line->category = strdup(category);
	line->brand = brand == NULL ? NULL : strdup(brand);
	if (strlen(item) == 14)
		snprintf(line->item, sizeof(line->item), "%s", item);
	else
		line->sku = strdup(item);
	line->qty_milli = qty_milli;
	line->amount_minor = amount;
	line->added_ms = NOW - S_MS;
	return line;
}

/* A basket of the past: days ago, coffee and milk amounts (0: none). */
static void
bought(struct world *w, unsigned n, int days_ago, int64_t coffee, int64_t milk)
{
	struct id id = id_of(n + 100);
	struct visit *visit = visit_new(&id);
	struct buf row = { 0 };

	visit->state = VISIT_CLOSED;
	visit->total_minor = coffee + milk + 10;
	if (coffee > 0)
		add_line(visit, "grocery/coffee/beans", "acme", "05012345678900", 500, coffee);
	if (milk > 0)
		add_line(visit, "grocery/milk", NULL, "milk-1", 2000, milk);
	subject_add_purchase(w->subject, visit, &no_marks, NOW - days_ago * D_MS, &row);
	buf_done(&row);
	visit_free(visit);
}

/* ---- basket ---- */

static void
an_empty_basket_is_zero_and_otherwise_missing(void **state)
{
	struct world *w = *state;

	w->sources.subject = NULL;
	is_number(w, "basket.sum(category=a)", 0);
	is_number(w, "basket.qty()", 0);
	is_number(w, "basket.count(brand=b)", 0);
	is_number(w, "basket.visits()", 0);
	is_number(w, "basket.total()", 0);
	is_number(w, "basket.lines()", 0);
	is_bool(w, "basket.has(item=x)", false);
	is_missing(w, "basket.recency()", VALUE_NUMBER);
	is_missing(w, "basket.gap()", VALUE_NUMBER);
	is_missing(w, "basket.overdue()", VALUE_NUMBER);
	w->sources.visit = NULL;
	is_number(w, "basket.sum()", 0);
}

static void
a_batch_and_a_date_are_those_of_the_codes(void **state)
{
	struct world *w = *state;
	struct line *line;
	int today = zone_local(NULL, NOW).days;

	is_missing(w, "basket.best_before_days()", VALUE_NUMBER);
	line = add_line(w->visit, "grocery/milk", NULL, "05012345678900", 1000, 99);
	line->batch = strdup("A1");
	line->best_before = today + 9;
	line = add_line(w->visit, "grocery/milk", NULL, "05012345678900", 1000, 99);
	line->batch = strdup("B2");
	line->best_before = today + 2;
	add_line(w->visit, "grocery/coffee", NULL, "pads", 1000, 99);
	is_number(w, "basket.best_before_days()", 2);
	is_number(w, "basket.best_before_days(category=grocery/milk)", 2);
	is_missing(w, "basket.best_before_days(category=grocery/coffee)", VALUE_NUMBER);
	assert_string_equal(value_of(w, "basket.batch(item=5012345678900)", VALUE_STRING).str,
	    "B2");
	is_missing(w, "basket.batch(item=pads)", VALUE_STRING);
	/* The newest is the one that came last. */
	w->visit->lines[1].added_ms -= S_MS;
	assert_string_equal(value_of(w, "basket.batch(item=5012345678900)", VALUE_STRING).str,
	    "A1");
	w->visit->lines[0].voided = true;
	assert_string_equal(value_of(w, "basket.batch(item=5012345678900)", VALUE_STRING).str,
	    "B2");
	w->visit->lines[1].best_before = today - 3;
	is_number(w, "basket.best_before_days()", -3);
	w->visit->lines[1].voided = true;
	is_missing(w, "basket.best_before_days()", VALUE_NUMBER);
	is_missing(w, "basket.batch(item=5012345678900)", VALUE_STRING);
	w->sources.visit = NULL;
	is_missing(w, "basket.batch(item=5012345678900)", VALUE_STRING);
	is_missing(w, "basket.best_before_days()", VALUE_NUMBER);
}

static void
a_basket_is_summed_over_lines_that_are_not_voided(void **state)
{
	struct world *w = *state;

	add_line(w->visit, "grocery/coffee", "acme", "05012345678900", 1000, 499);
	add_line(w->visit, "grocery/coffee/beans", "house", "05012345678917", 250, 300);
	add_line(w->visit, "grocery/coffeemaker", "acme", "pot", 1000, 5000);
	add_line(w->visit, "grocery/coffee", "acme", "05012345678900", 1000, 499)->voided = true;
	is_number(w, "basket.sum(category=grocery/coffee)", 799);
	is_number(w, "basket.sum(category=grocery)", 5799);
	is_number(w, "basket.sum(category=groc)", 0);
	is_number(w, "basket.qty(category=grocery/coffee)", 1.25);
	is_number(w, "basket.count()", 3);
	is_number(w, "basket.lines(brand=acme)", 2);
	is_number(w, "basket.visits(brand=acme)", 1);
	is_number(w, "basket.sum(item=5012345678900)", 499);
	is_bool(w, "basket.has(item=pot)", true);
	is_bool(w, "basket.has(brand=nobody)", false);
	is_number(w, "basket.total()", 5799);
	w->visit->state = VISIT_CLOSED;
	w->visit->total_minor = 5700;
	is_number(w, "basket.total()", 5700);
}

/* ---- local ---- */

static void
everything_personal_is_missing_for_an_unknown_customer(void **state)
{
	struct world *w = *state;

	bought(w, 1, 3, 100, 0);
	w->sources.subject = NULL;
	is_missing(w, "local.sum()", VALUE_NUMBER);
	is_missing(w, "local.has(category=grocery)", VALUE_BOOL);
	is_missing(w, "local.incidents()", VALUE_NUMBER);
	is_missing(w, "history.count(all, outcome=shown)", VALUE_NUMBER);
	is_missing(w, "profile.tier", VALUE_STRING);
	is_bool(w, "visit.known", false);
}

static void
a_known_customer_without_purchases_has_zeros(void **state)
{
	struct world *w = *state;

	is_number(w, "local.sum(category=grocery)", 0);
	is_number(w, "local.visits()", 0);
	is_number(w, "local.incidents()", 0);
	is_number(w, "history.count(all, outcome=shown)", 0);
	is_bool(w, "local.has()", false);
	is_missing(w, "local.recency()", VALUE_NUMBER);
	is_missing(w, "local.gap()", VALUE_NUMBER);
	is_missing(w, "history.recency(all, outcome=shown)", VALUE_NUMBER);
	is_bool(w, "visit.known", true);
}

static void
past_baskets_are_summed_by_what_they_held(void **state)
{
	struct world *w = *state;

	bought(w, 1, 40, 100, 0);
	bought(w, 2, 20, 0, 70);
	bought(w, 3, 10, 200, 30);
	is_number(w, "local.sum(category=grocery/coffee)", 300);
	is_number(w, "local.sum()", 400);
	is_number(w, "local.total()", 430);
	is_number(w, "local.total(category=grocery/milk)", 80 + 240);
	is_number(w, "local.qty(category=grocery/coffee)", 1.0);
	is_number(w, "local.qty(item=milk-1)", 4.0);
	is_number(w, "local.count()", 4);
	is_number(w, "local.lines(category=grocery)", 4);
	is_number(w, "local.visits(brand=acme)", 2);
	is_number(w, "local.recency()", 10);
	is_number(w, "local.recency(category=grocery/milk)", 10);
	is_number(w, "local.gap()", 15);
	is_number(w, "local.gap(category=grocery/coffee)", 30);
	is_number(w, "local.overdue(category=grocery/coffee)", 10.0 / 30.0);
	is_bool(w, "local.has(brand=acme)", true);
	is_bool(w, "local.has(brand=other)", false);
}

static void
a_gap_needs_two_visits_and_overdue_a_gap(void **state)
{
	struct world *w = *state;

	bought(w, 1, 10, 100, 0);
	is_missing(w, "local.gap()", VALUE_NUMBER);
	is_missing(w, "local.overdue()", VALUE_NUMBER);
	bought(w, 2, 10, 100, 0);
	is_number(w, "local.gap()", 0);
	is_missing(w, "local.overdue()", VALUE_NUMBER);
}

static void
within_ends_exactly_at_its_age(void **state)
{
	struct world *w = *state;

	bought(w, 1, 7, 100, 0);
	is_number(w, "local.sum(within=7d)", 0);
	is_number(w, "local.sum(within=168.001h)", 100);
	is_number(w, "local.sum(within=8d)", 100);
	is_bool(w, "local.has(within=7d)", false);
}

static void
a_half_life_halves_what_is_as_old(void **state)
{
	struct world *w = *state;
	double expected;

	bought(w, 1, 60, 400, 0);
	bought(w, 2, 30, 400, 0);
	bought(w, 3, 0, 400, 0);
	is_number(w, "local.sum(half_life=30d)", 100 + 200 + 400);
	is_number(w, "local.visits(category=grocery/coffee, half_life=30d)", 1.75);
	expected = fmath_exp2(-60.0 / 7.0) * 400;
	expected += fmath_exp2(-30.0 / 7.0) * 400;
	expected += 400;
	is_number(w, "local.sum(half_life=7d)", expected);
}

/* A plain loop over the same rows says the same, whatever was bought. */
static void
many_lines_give_what_a_plain_loop_gives(void **state)
{
	static const char *const categories[] = { "a", "a/b", "a/b/c", "ab", "d" };
	struct world *w = *state;
	unsigned seed = 1;

	for (unsigned i = 0; i < 300; i++) {
		struct id id = id_of(i);
		struct visit *visit = visit_new(&id);
		struct buf row = { 0 };

		visit->state = VISIT_CLOSED;
		for (unsigned j = 0; j < 10; j++) {
			seed = seed * 1103515245 + 12345;
			add_line(visit, categories[(seed >> 16) % 5], NULL, "x", 1000,
			    (seed >> 8) % 500);
		}
		subject_add_purchase(w->subject, visit, &no_marks,
		    NOW - (int64_t)((seed >> 16) % 90) * D_MS, &row);
		buf_done(&row);
		visit_free(visit);
	}
	for (size_t c = 0; c < 5; c++) {
		char from[64];
		double sum = 0, visits = 0;

		for (size_t i = 0; i < w->subject->purchase_count; i++) {
			const struct purchase *p = &w->subject->purchases[i];
			int64_t amount = 0, lines = 0;
			double weight =
			    fmath_exp2(-((double)(NOW - p->at_ms) / (double)(30 * D_MS)));

			for (size_t j = 0; j < p->line_count; j++) {
				const char *path = p->lines[j].category;
				size_t len = strlen(categories[c]);

				if (strncmp(path, categories[c], len) == 0 &&
				    (path[len] == 0 || path[len] == '/')) {
					amount += p->lines[j].amount_minor;
					lines++;
				}
			}
			if (lines == 0)
				continue;
			sum += weight * (double)amount;
			visits++;
		}
		snprintf(from, sizeof(from), "local.sum(category=%s, half_life=30d)",
		    categories[c]);
		is_number(w, from, sum);
		snprintf(from, sizeof(from), "local.visits(category=%s)", categories[c]);
		is_number(w, from, visits);
	}
}

static void
a_category_may_be_of_any_depth(void **state)
{
	struct world *w = *state;
	struct id id = id_of(1);
	struct visit *visit = visit_new(&id);
	struct buf row = { 0 };

	visit->state = VISIT_CLOSED;
	add_line(visit, "a/b/c/d/e/f/g/h", NULL, "x", 1000, 1);
	add_line(visit, "a/b/c/d/e/f/gg/h", NULL, "x", 1000, 10);
	add_line(visit, "a/b/c/d/e/f", NULL, "a/b", 1000, 100);
	add_line(visit, "", "a/b", "x", 1000, 1000);
	subject_add_purchase(w->subject, visit, &no_marks, NOW, &row);
	is_number(w, "local.sum(category=a/b/c/d/e/f/g)", 1);
	is_number(w, "local.sum(category=a/b/c/d/e/f/g/h)", 1);
	is_number(w, "local.sum(category=a/b/c/d/e/f/g/h/i)", 0);
	is_number(w, "local.sum(category=a/b/c/d/e/f)", 111);
	is_number(w, "local.sum(category=a/b/c/d/e)", 111);
	is_number(w, "local.sum(category=a)", 111);
	is_number(w, "local.sum(brand=a/b)", 1000);
	is_number(w, "local.sum(brand=a)", 0);
	is_number(w, "local.sum(item=a/b)", 100);
	is_number(w, "local.sum(item=a)", 0);
	is_number(w, "local.sum()", 1111);
	buf_done(&row);
	visit_free(visit);
}

static void
incidents_are_counted_by_kind_and_age(void **state)
{
	struct world *w = *state;

	subject_add_incident(w->subject, INCIDENT_RETURN, NOW - 5 * D_MS);
	subject_add_incident(w->subject, INCIDENT_RETURN, NOW - 2 * D_MS);
	subject_add_incident(w->subject, INCIDENT_DECLINE, NOW);
	is_number(w, "local.incidents(kind=return)", 2);
	is_number(w, "local.incidents(kind=return, within=5d)", 1);
	is_number(w, "local.incidents(kind=return, within=6d)", 2);
	is_number(w, "local.incidents()", 3);
	is_number(w, "local.incidents(kind=void)", 0);
}

/* ---- history ---- */

static void
said(struct world *w, uint8_t prompt, const char *action, const char *group, enum outcome outcome,
    int days_ago)
{
	struct contact row = { .outcome = outcome, .at_ms = NOW - days_ago * D_MS };

	row.prompt.b[5] = prompt;
	row.decision.b[5] = 1;
	row.withheld = prompt % 2 == 0;
	row.action = (char *)(uintptr_t)action;
	row.group = (char *)(uintptr_t)group;
	row.issue = (char *)(uintptr_t) "grow";
	row.reason = (char *)(uintptr_t)(outcome == OUTCOME_OVERRIDDEN ? "insensitive" : NULL);
	contacts_add(&w->subject->contacts, &row);
}

static void
shown_is_decided_and_not_taken_back_also_when_withheld(void **state)
{
	struct world *w = *state;

	said(w, 1, "a", "g", OUTCOME_DECIDED, 9);
	said(w, 1, "a", "g", OUTCOME_SHOWN, 9);
	said(w, 2, "a", "g", OUTCOME_DECIDED, 6);
	said(w, 3, "b", "g", OUTCOME_DECIDED, 3);
	said(w, 3, "b", "g", OUTCOME_NOT_SHOWN, 2);
	is_number(w, "history.count(all, outcome=shown)", 2);
	is_number(w, "history.count(all, outcome=decided)", 3);
	is_number(w, "history.count(all, outcome=not-shown)", 1);
	is_number(w, "history.count(action=b, outcome=shown)", 0);
	is_number(w, "history.recency(all, outcome=shown)", 6);
	is_number(w, "history.gap(all, outcome=shown)", 3);
	is_number(w, "history.overdue(all, outcome=shown)", 2);
	is_bool(w, "history.has(action=b, outcome=shown)", false);
	is_bool(w, "history.has(action=a, outcome=shown, within=7d)", true);
	is_number(w, "history.count(all, outcome=shown, within=6d)", 0);
}

/* The last word of what was taken: wholly reversed, refused, its sale cancelled. */
static void
ended(struct world *w, uint8_t prompt, enum outcome outcome, int days_ago)
{
	struct contacts *contacts = &w->subject->contacts;

	said(w, prompt, "a", "g", outcome, days_ago);
	for (size_t i = 0; i < contacts->count; i++)
		if (contacts->rows[i].outcome == outcome && contacts->rows[i].prompt.b[5] == prompt)
			contacts->rows[i].ends = ENDS_TAKEN;
}

static void
a_use_that_was_taken_back_is_in_no_history_and_one_is_counted_once(void **state)
{
	struct world *w = *state;

	said(w, 1, "a", "g", OUTCOME_DECIDED, 9);
	said(w, 1, "a", "g", OUTCOME_ACCEPTED, 9);
	said(w, 1, "a", "g", OUTCOME_APPLIED, 9);
	said(w, 1, "a", "g", OUTCOME_APPLIED, 8);
	said(w, 1, "a", "g", OUTCOME_REDEEMED, 8);
	is_number(w, "history.count(all, outcome=accepted)", 1);
	is_number(w, "history.count(all, outcome=applied)", 1);
	is_number(w, "history.count(all, outcome=redeemed)", 1);
	said(w, 1, "a", "g", OUTCOME_REVERSED, 7); /* in part */
	is_number(w, "history.count(all, outcome=redeemed)", 1);
	is_number(w, "history.count(all, outcome=reversed)", 1);
	ended(w, 1, OUTCOME_REVERSED, 6);
	is_number(w, "history.count(all, outcome=accepted)", 0);
	is_number(w, "history.count(all, outcome=applied)", 0);
	is_number(w, "history.count(all, outcome=redeemed)", 0);
	is_missing(w, "history.recency(all, outcome=redeemed)", VALUE_NUMBER);
	is_number(w, "history.count(all, outcome=reversed)", 2);
	/* Taken off again in an open sale, and given after all. */
	said(w, 1, "a", "g", OUTCOME_REDEEMED, 5);
	is_number(w, "history.count(all, outcome=accepted)", 1);
	is_number(w, "history.recency(all, outcome=redeemed)", 5);
}

static void
what_came_back_was_not_bought(void **state)
{
	struct world *w = *state;

	said(w, 1, "a", "g", OUTCOME_DECIDED, 9);
	said(w, 1, "a", "g", OUTCOME_BOUGHT, 9);
	said(w, 3, "a", "g", OUTCOME_DECIDED, 8);
	said(w, 3, "a", "g", OUTCOME_BOUGHT, 8);
	is_number(w, "history.count(all, outcome=bought)", 2);
	said(w, 1, "a", "g", OUTCOME_RETURNED, 7);
	is_number(w, "history.count(all, outcome=bought)", 1);
	is_number(w, "history.recency(all, outcome=bought)", 8);
}

static void
a_contact_of_hq_counts_as_shown(void **state)
{
	struct world *w = *state;
	struct event event = { .type = EV_CONTACT_RECORDED,
		.origin = "hq",
		.source = "/hq",
		.id = "1",
		.contact_channel = "mail",
		.contact_action = "a",
		.at_ms = NOW - D_MS,
		.now_ms = NOW };

	subject_apply(w->subject, &event);
	is_number(w, "history.count(all, outcome=shown)", 1);
	is_number(w, "history.count(action=a, outcome=shown, within=2d)", 1);
	is_number(w, "history.count(action=b, outcome=shown)", 0);
}

static void
history_is_of_an_action_a_group_an_issue_or_the_candidate(void **state)
{
	struct world *w = *state;
	struct action a = { .id = "a" }, b = { .id = "b" };
	struct candidate_context of_a = { .action = &a }, of_b = { .action = &b };

	said(w, 1, "a", "coffee", OUTCOME_DISMISSED, 1);
	said(w, 3, "b", "coffee", OUTCOME_DISMISSED, 1);
	said(w, 5, "b", "milk", OUTCOME_OVERRIDDEN, 1);
	is_number(w, "history.count(group=coffee, outcome=dismissed)", 2);
	is_number(w, "history.count(action=b, outcome=dismissed)", 1);
	is_number(w, "history.count(issue=grow, outcome=overridden)", 1);
	is_number(w, "history.count(issue=grow, outcome=overridden:insensitive)", 1);
	is_number(w, "history.count(issue=grow, outcome=overridden:too-busy)", 0);
	is_missing(w, "history.count(action=self, outcome=dismissed)", VALUE_NUMBER);
	assert_true(features_get(w->features, 0, &of_a).number == 1);
	assert_true(features_get(w->features, 0, &of_b).number == 1);
	declare(w, 0, "history.count(action=self, outcome=overridden)", VALUE_NUMBER);
	w->features = features_new(w->arena, &w->sources);
	assert_true(features_get(w->features, 0, &of_a).number == 0);
	assert_true(features_get(w->features, 0, &of_b).number == 1);
	assert_true(features_get(w->features, 0, &of_a).number == 0);
	assert_false(features_was_read(w->features, 0));
}

/* ---- the rest ---- */

/* He denied to be known, and holds a card all the same: nobody asks him for one. */
static void
a_card_was_read_whoever_holds_it(void **state)
{
	struct world *w = *state;

	w->sources.subject = NULL;
	is_bool(w, "visit.card", false);
	w->visit->has_subject = true;
	is_bool(w, "visit.card", true);
	is_bool(w, "visit.known", false);
	w->sources.visit = NULL;
	is_missing(w, "visit.card", VALUE_BOOL);
}

static void
a_visit_says_what_went_wrong_in_it(void **state)
{
	struct world *w = *state;

	w->visit->opened_ms = NOW - 90500;
	w->visit->voids = 2;
	w->visit->declines = 3;
	w->visit->returns = 4;
	visit_add_card(w->visit);
	visit_add_card(w->visit)->withheld = true;
	is_number(w, "visit.age_s", 90.5);
	is_number(w, "visit.voids", 2);
	is_number(w, "visit.declines", 3);
	is_number(w, "visit.returns", 4);
	is_number(w, "visit.prompts", 1);
	is_bool(w, "visit.waiting", false);
	w->visit->state = VISIT_WAITING;
	is_bool(w, "visit.waiting", true);
	w->sources.visit = NULL;
	is_missing(w, "visit.voids", VALUE_NUMBER);
}

static void
time_is_the_stores_own(void **state)
{
	struct world *w = *state;
	struct zone *zone = zone_new("CET-1CEST,M3.5.0,M10.5.0/3");
	int64_t now_ms;

	assert_true(when_parse("2026-11-21T23:30:00Z", &now_ms));
	w->sources.now_ms = now_ms;
	is_number(w, "time.hour", 23);
	is_number(w, "time.weekday", 6);
	w->sources.zone = zone;
	is_number(w, "time.hour", 0);
	is_number(w, "time.minute", 30);
	is_number(w, "time.weekday", 7);
	is_number(w, "time.day_of_year", 326);
	is_number(w, "time.days_to(2026-12-24)", 32);
	is_number(w, "time.days_to(2026-11-22)", 0);
	is_number(w, "time.days_to(2026-11-21)", -1);
	zone_free(zone);
}

static void
the_store_the_event_and_the_profile_are_read_by_name(void **state)
{
	struct world *w = *state;
	json_t *data = json_pack("{s:s,s:f,s:b,s:i,s:n,s:[]}", "kind", "queue", "value", 4.5,
	    "flag", 1, "n", 3, "null", "list");
	struct event event = { .type = EV_SENSOR_READING, .data = data };
	static const char row[] = "{\"attributes\":{\"tier\":\"gold\",\"age\":44,\"vegan\":false},"
				  "\"language\":\"de\"}";

	assert_string_equal(value_of(w, "store.id", VALUE_STRING).str, "0042");
	is_missing(w, "store.queue", VALUE_NUMBER);
	w->sources.has_queue = true;
	w->sources.queue = 5;
	is_number(w, "store.queue", 5);

	is_missing(w, "event.kind", VALUE_STRING);
	w->sources.event = &event;
	assert_string_equal(value_of(w, "event.kind", VALUE_STRING).str, "queue");
	is_number(w, "event.value", 4.5);
	is_number(w, "event.n", 3);
	is_bool(w, "event.flag", true);
	is_missing(w, "event.null", VALUE_NUMBER);
	is_missing(w, "event.list", VALUE_STRING);
	is_missing(w, "event.other", VALUE_STRING);

	is_missing(w, "profile.tier", VALUE_STRING);
	assert_int_equal(subject_apply_profile(w->subject, row, sizeof(row) - 1), 0);
	assert_string_equal(value_of(w, "profile.tier", VALUE_STRING).str, "gold");
	assert_string_equal(value_of(w, "profile.language", VALUE_STRING).str, "de");
	is_number(w, "profile.age", 44);
	is_bool(w, "profile.vegan", false);
	is_missing(w, "profile.points", VALUE_NUMBER);
	w->subject->has_points = true;
	w->subject->points = 990;
	is_number(w, "profile.points", 990);
	json_decref(data);
}

static void
another_type_than_declared_is_missing_and_missing_takes_the_default(void **state)
{
	struct world *w = *state;
	static const char row[] = "{\"attributes\":{\"tier\":\"gold\"}}";

	assert_int_equal(subject_apply_profile(w->subject, row, sizeof(row) - 1), 0);
	is_missing(w, "profile.tier", VALUE_NUMBER);
	declare(w, 0, "profile.tier", VALUE_NUMBER);
	w->feature[0].dflt = value_number(7);
	declare(w, 1, "profile.other", VALUE_STRING);
	w->feature[1].dflt = value_string("none");
	declare(w, 2, "action.depth", VALUE_NUMBER);
	w->feature[2].dflt = value_number(9);
	w->features = features_new(w->arena, &w->sources);
	assert_true(features_get(w->features, 0, NULL).number == 7);
	assert_string_equal(features_get(w->features, 1, NULL).str, "none");
	assert_true(features_get(w->features, 2, NULL).number == 9);
}

static void
what_was_read_is_remembered_and_computed_once(void **state)
{
	struct world *w = *state;

	declare(w, 0, "visit.voids", VALUE_NUMBER);
	declare(w, 1, "visit.declines", VALUE_NUMBER);
	w->features = features_new(w->arena, &w->sources);
	assert_false(features_was_read(w->features, 0));
	features_get(w->features, 0, NULL);
	assert_true(features_was_read(w->features, 0));
	assert_false(features_was_read(w->features, 1));
	w->visit->voids = 77;
	assert_true(features_get(w->features, 0, NULL).number == 0);
}

static void
an_action_is_the_candidates(void **state)
{
	struct world *w = *state;
	struct action offer = { .id = "a", .group = "coffee", .issue = "grow", .has_offer = true };
	struct action plain = { .id = "b", .group = "milk", .issue = "serve" };
	struct candidate_context of_offer = {
		.action = &offer, .depth = 10, .worth_minor = 45, .margin_minor = 180
	};
	struct candidate_context deeper = {
		.action = &offer, .depth = 20, .worth_minor = 90, .margin_minor = 180
	};
	struct candidate_context of_plain = {
		.action = &plain, .depth = 0, .worth_minor = 0, .margin_minor = 50
	};

	declare(w, 0, "action.depth", VALUE_NUMBER);
	declare(w, 1, "action.worth", VALUE_NUMBER);
	declare(w, 2, "action.margin", VALUE_NUMBER);
	declare(w, 3, "action.group", VALUE_STRING);
	declare(w, 4, "action.issue", VALUE_STRING);
	w->features = features_new(w->arena, &w->sources);
	assert_true(features_get(w->features, 0, &of_offer).number == 10);
	assert_true(features_get(w->features, 1, &of_offer).number == 45);
	assert_true(features_get(w->features, 0, &deeper).number == 20);
	assert_true(features_get(w->features, 1, &of_offer).number == 45);
	assert_true(features_get(w->features, 2, &of_offer).number == 180);
	assert_string_equal(features_get(w->features, 3, &of_offer).str, "coffee");
	assert_string_equal(features_get(w->features, 4, &of_plain).str, "serve");
	assert_int_equal(features_get(w->features, 0, &of_plain).tag, VALUE_MISSING);
	assert_int_equal(features_get(w->features, 1, &of_plain).tag, VALUE_MISSING);
	assert_true(features_get(w->features, 2, &of_plain).number == 50);
	assert_int_equal(features_get(w->features, 2, NULL).tag, VALUE_MISSING);
}

static void
a_model_is_scored_once_over_the_features_it_names(void **state)
{
	static const char text[] =
	    "{\"format\":\"aisle-linear\",\"link\":\"identity\",\"bias\":1,"
	    "\"weights\":{\"voids\":10,\"depth\":100},\"missing\":{\"voids\":0,\"depth\":7}}";
	struct world *w = *state;
	struct action offer = { .id = "a", .has_offer = true };
	struct candidate_context ten = { .action = &offer, .depth = 10 };
	struct candidate_context twenty = { .action = &offer, .depth = 20 };
	struct err err = { 0 };
	struct model *model = NULL;
	uint16_t inputs[2];
	struct policy_model models[1] = {
		{ .name = "m", .inputs = inputs, .input_count = 2, .per_action = true }
	};

	if (model_import(text, sizeof(text) - 1, "m.json", &model, &err) != 0)
		fail_msg("%s", err.text);
	assert_int_equal(model_input_count(model), 2);
	for (size_t i = 0; i < 2; i++)
		inputs[i] = strcmp(model_input(model, i), "voids") == 0 ? 0 : 1;
	models[0].model = model;
	w->policy.models = models;
	w->policy.model_count = 1;
	w->visit->voids = 3;
	declare(w, 0, "visit.voids", VALUE_NUMBER);
	declare(w, 1, "action.depth", VALUE_NUMBER);
	declare(w, 2, "model.m", VALUE_NUMBER);
	w->feature[2].per_action = true;
	w->features = features_new(w->arena, &w->sources);
	assert_int_equal(features_get(w->features, 2, NULL).tag, VALUE_MISSING);
	assert_int_equal(features_model(w->features, 0, NULL).tag, VALUE_MISSING);
	assert_false(features_was_read(w->features, 0));
	assert_true(features_get(w->features, 2, &ten).number == 1031);
	assert_true(features_get(w->features, 2, &twenty).number == 2031);
	assert_true(features_model(w->features, 0, &ten).number == 1031);
	assert_true(features_was_read(w->features, 0));
	model_free(model);
}

#define T(f) cmocka_unit_test_setup_teardown(f, init, done)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		T(an_empty_basket_is_zero_and_otherwise_missing),
		T(a_batch_and_a_date_are_those_of_the_codes),
		T(a_basket_is_summed_over_lines_that_are_not_voided),
		T(everything_personal_is_missing_for_an_unknown_customer),
		T(a_known_customer_without_purchases_has_zeros),
		T(past_baskets_are_summed_by_what_they_held),
		T(a_gap_needs_two_visits_and_overdue_a_gap),
		T(within_ends_exactly_at_its_age),
		T(a_half_life_halves_what_is_as_old),
		T(many_lines_give_what_a_plain_loop_gives),
		T(a_category_may_be_of_any_depth),
		T(incidents_are_counted_by_kind_and_age),
		T(shown_is_decided_and_not_taken_back_also_when_withheld),
		T(a_contact_of_hq_counts_as_shown),
		T(a_use_that_was_taken_back_is_in_no_history_and_one_is_counted_once),
		T(what_came_back_was_not_bought),
		T(history_is_of_an_action_a_group_an_issue_or_the_candidate),
		T(a_card_was_read_whoever_holds_it),
		T(a_visit_says_what_went_wrong_in_it),
		T(time_is_the_stores_own),
		T(the_store_the_event_and_the_profile_are_read_by_name),
		T(another_type_than_declared_is_missing_and_missing_takes_the_default),
		T(what_was_read_is_remembered_and_computed_once),
		T(an_action_is_the_candidates),
		T(a_model_is_scored_once_over_the_features_it_names),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
