/* SPDX-License-Identifier: Apache-2.0
 *
 * figures.c - what happened in each arm, and in each ring of stores, beside the money of lift.
 *
 * DESIGN
 *   All of it is in what a store tells of a sale, whose last record counts, and
 *   in what it tells of complaints: decisions, of which there are a hundred
 *   times as many, are not read. A store's visits are held until its last record
 *   is read and become sums of customers; a stranger's visit is a customer of
 *   its own and only adds to the sums of its arms. So what is in memory is one
 *   store's visits and all customers, a row for each cut that they are in.
 *
 *   A figure is a ratio of two sums over customers, with the error that
 *   clustered() gives; it is made from moments, since strangers are not kept.
 */
#include "hq/figures.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/id.h"
#include "core/json.h"
#include "core/when.h"

#define CUTS_OF_VISIT_MAX 40

const struct figure_kind figure_kinds[FIGURE_COUNT] = {
#define X(constant, name, words, of, over, times, money) \
	[FIGURE_##constant] = { name, words, SUM_##of, SUM_##over, times, money },
	FIGURES(X)
#undef X
};

struct figures_row {
	struct id customer;
	uint32_t cut;
	double sums[SUM_COUNT];
};

/* Which cuts a visit, or a complaint, is in. */
struct in_cuts {
	uint16_t cuts[CUTS_OF_VISIT_MAX];
	uint16_t count;
	bool known; /* whose it is */
	struct id customer;
};
struct figures_visit {
	struct id key;
	int64_t at_ms; /* of the record */
	uint32_t order;
	struct in_cuts in;
	double sums[SUM_COUNT];
};
struct figures_care {
	struct in_cuts in;
	int kind; /* of survey; -1: a complaint */
	double score;
};

void
figures_done(struct figures *figures)
{
	for (size_t i = 0; i < figures->cut_count; i++) {
		free(figures->cuts[i].by);
		free(figures->cuts[i].of);
	}
	for (size_t i = 0; i < figures->kind_count; i++)
		free(figures->kinds[i]);
	free(figures->cuts);
	free(figures->rows);
	free(figures->index);
	free(figures->visits);
	free(figures->cares);
	*figures = (struct figures){ 0 };
}

int
figures_add_cut(struct figures *figures, enum figures_of what, const char *by, const char *of,
    int64_t since_ms, int against)
{
	if (figures->cut_count == FIGURES_CUTS_MAX)
		return -1;
	figures->cuts = mem_grow(figures->cuts, figures->cut_count, &figures->cut_capacity,
	    sizeof(*figures->cuts));
	figures->cuts[figures->cut_count] = (struct figures_cut){ .what = what,
		.by = mem_strdup(by),
		.of = mem_strdup(of),
		.since_ms = since_ms,
		.against = against };
	return (int)figures->cut_count++;
}

/* ---- which cuts ---- */

static bool
is_in(const struct figures *figures, const struct figures_cut *cut, const json_t *body, bool known)
{
	const json_t *arms = json_object_get(body, "arms");
	const char *name = figures->store_ring;

	switch (cut->what) {
	case FIGURES_ALL: return true;
	case FIGURES_CONTROL:
		return known &&
		    json_is_true(json_object_get(body, "control")) ==
		    (strcmp(cut->of, "control") == 0);
	case FIGURES_ARM: name = json_string_value(json_object_get(arms, cut->by)); break;
	default: break;
	}
	return name != NULL && strcmp(name, cut->of) == 0;
}

static struct in_cuts
cuts_of(const struct figures *figures, const json_t *body, int64_t at_ms, const struct id *customer,
    bool known)
{
	struct in_cuts in = { .known = known, .customer = *customer };

	for (size_t i = 0; i < figures->cut_count && in.count < CUTS_OF_VISIT_MAX; i++) {
		const struct figures_cut *cut = &figures->cuts[i];

		if (at_ms >= cut->since_ms && is_in(figures, cut, body, known))
			in.cuts[in.count++] = (uint16_t)i;
	}
	return in;
}

/* ---- customers ---- */

static size_t
slot_of(const struct figures *figures, const struct id *customer, uint32_t cut)
{
	uint64_t hash;
	size_t at;

	memcpy(&hash, customer->b, sizeof(hash));
	hash += cut;
	at = (size_t)(hash * UINT64_C(0x9e3779b97f4a7c15) >> 20) & (figures->index_size - 1);
	while (figures->index[at] != UINT32_MAX &&
	    (figures->rows[figures->index[at]].cut != cut ||
		!id_equal(&figures->rows[figures->index[at]].customer, customer)))
		at = (at + 1) & (figures->index_size - 1);
	return at;
}

static void
index_grow(struct figures *figures)
{
	figures->index_size = figures->index_size > 0 ? figures->index_size * 2 : 1024;
	figures->index = mem_realloc(figures->index, figures->index_size * sizeof(*figures->index));
	memset(figures->index, 0xff, figures->index_size * sizeof(*figures->index));
	for (size_t i = 0; i < figures->row_count; i++)
		figures->index[slot_of(figures, &figures->rows[i].customer, figures->rows[i].cut)] =
		    (uint32_t)i;
}

/* NULL: too many. */
static struct figures_row *
row_of(struct figures *figures, const struct id *customer, uint32_t cut)
{
	size_t at;

	if (figures->row_count * 2 >= figures->index_size)
		index_grow(figures);
	at = slot_of(figures, customer, cut);
	if (figures->index[at] != UINT32_MAX)
		return &figures->rows[figures->index[at]];
	if (figures->row_count == FIGURES_ROWS_MAX) {
		figures->full = true;
		return NULL;
	}
	figures->rows = mem_grow(figures->rows, figures->row_count, &figures->row_capacity,
	    sizeof(*figures->rows));
	figures->rows[figures->row_count] =
	    (struct figures_row){ .customer = *customer, .cut = cut };
	figures->index[at] = (uint32_t)figures->row_count;
	return &figures->rows[figures->row_count++];
}

/* ---- sums become moments ---- */

static void
add_moments(struct figures_cut *cut, const double sums[SUM_COUNT])
{
	cut->n++;
	for (int i = 0; i < SUM_COUNT; i++)
		cut->sums[i] += sums[i];
	for (int f = 0; f < FIGURE_COUNT; f++) {
		double y = sums[figure_kinds[f].of], x = sums[figure_kinds[f].over];

		cut->moments[f].yy += y * y;
		cut->moments[f].yx += y * x;
		cut->moments[f].xx += x * x;
	}
}

/* Of a customer they wait for the rest of his visits. */
static void
add_sums(struct figures *figures, const struct in_cuts *in, const double sums[SUM_COUNT])
{
	for (size_t i = 0; i < in->count; i++) {
		struct figures_row *row;

		if (!in->known) {
			add_moments(&figures->cuts[in->cuts[i]], sums);
			continue;
		}
		row = row_of(figures, &in->customer, in->cuts[i]);
		for (int s = 0; row != NULL && s < SUM_COUNT; s++)
			row->sums[s] += sums[s];
	}
}

/* ---- sales ---- */

/* Of one visit the record that counts comes last. */
static int
by_visit(const void *a_pointer, const void *b_pointer)
{
	const struct figures_visit *a = a_pointer, *b = b_pointer;
	int order = id_compare(&a->key, &b->key);

	if (order == 0)
		order = (a->at_ms > b->at_ms) - (a->at_ms < b->at_ms);
	return order != 0 ? order : (a->order > b->order) - (a->order < b->order);
}

static void
close_store(struct figures *figures)
{
	size_t count = figures->visit_count;

	if (count > 1)
		qsort(figures->visits, count, sizeof(*figures->visits), by_visit);
	for (size_t i = 0; i < count; i++) {
		const struct figures_visit *visit = &figures->visits[i];

		if (i + 1 == count || !id_equal(&visit->key, &visit[1].key))
			add_sums(figures, &visit->in, visit->sums);
	}
	figures->visit_count = 0;
}

/* Records come store by store. */
static void
turn_to(struct figures *figures, const char *store)
{
	if (strcmp(figures->store, store) == 0)
		return;
	close_store(figures);
	snprintf(figures->store, sizeof(figures->store), "%s", store);
	figures->store_ring = figures->ring(figures->ctx, store);
}

static double
number_of(const json_t *body, const char *name)
{
	int64_t number;

	return json_int(json_object_get(body, name), &number) ? (double)number : 0;
}

/* What was taken back whole, and goods that came back of a sale that is not known, are no visit. */
static void
sum_sale(const json_t *sale, double sums[SUM_COUNT])
{
	const json_t *answers = json_object_get(sale, "answers");
	double gross = number_of(sale, "gross");
	bool visit = gross > 0 || number_of(sale, "lines") > 0;

	sums[SUM_TAKINGS] = gross - number_of(sale, "discount");
	sums[SUM_MARGIN] = number_of(sale, "margin");
	sums[SUM_NO_MARGIN] = json_object_get(sale, "margin") == NULL;
	sums[SUM_DISCOUNT] = number_of(sale, "discount");
	sums[SUM_RETURNED] = number_of(sale, "returned");
	if (!visit)
		return;
	sums[SUM_VISITS] = 1;
	sums[SUM_SECONDS] = number_of(sale, "seconds");
	sums[SUM_TIMED] = sums[SUM_SECONDS] > 0;
	sums[SUM_SHOWN] = number_of(sale, "shown");
	sums[SUM_ANSWERED] = number_of(answers, "answered");
	sums[SUM_ACCEPTED] = number_of(answers, "accepted");
	sums[SUM_DISMISSED] = number_of(answers, "dismissed");
	sums[SUM_FOLLOWED] = sums[SUM_ANSWERED] - number_of(answers, "overridden");
	sums[SUM_CARD_SECONDS] = number_of(answers, "ms") / 1000;
}

/* Whose a record is: a customer's, or a stranger's. */
static bool
customer_of(const json_t *body, struct id *ret)
{
	const char *subject = json_string_value(json_object_get(body, "subject"));

	return subject != NULL && subject_parse(subject, ret);
}

static void
take_sale(struct figures *figures, const struct record *record, const json_t *sale)
{
	const char *name = json_string_value(json_object_get(sale, "visit"));
	const char *at = json_string_value(json_object_get(sale, "at"));
	struct figures_visit visit = { .order = (uint32_t)figures->visit_count };
	struct id customer = { 0 };
	int64_t at_ms;
	bool known;

	if (name == NULL || at == NULL || !when_parse(at, &at_ms) ||
	    !when_parse(record->at, &visit.at_ms)) {
		figures->unread++;
		return;
	}
	known = customer_of(sale, &customer);
	visit.key = hash_parts(&name, 1);
	visit.in = cuts_of(figures, sale, at_ms, &customer, known);
	if (visit.in.count == 0)
		return;
	sum_sale(sale, visit.sums);
	figures->visits = mem_grow(figures->visits, figures->visit_count, &figures->visit_capacity,
	    sizeof(*figures->visits));
	figures->visits[figures->visit_count++] = visit;
}

void
figures_take_sale(void *ctx, const struct record *record)
{
	struct figures *figures = ctx;
	struct err err = { 0 };
	json_t *sale;

	turn_to(figures, record->store);
	sale = json_read(record->body, strlen(record->body), "sale", &err);
	if (json_is_object(sale))
		take_sale(figures, record, sale);
	else
		figures->unread++;
	json_decref(sale);
}

/* ---- complaints and surveys ---- */

/* -1: there are too many kinds. */
static int
kind_of(struct figures *figures, const char *name)
{
	size_t i = 0;

	while (i < figures->kind_count && strcmp(figures->kinds[i], name) != 0)
		i++;
	if (i == FIGURES_KINDS_MAX)
		return -1;
	if (i == figures->kind_count)
		figures->kinds[figures->kind_count++] = mem_strdup(name);
	figures->kind_counts[i]++;
	return (int)i;
}

static void
take_care(struct figures *figures, const json_t *body)
{
	const char *what = json_string_value(json_object_get(body, "what"));
	const char *at = json_string_value(json_object_get(body, "at"));
	const char *kind = json_string_value(json_object_get(body, "kind"));
	const json_t *score = json_object_get(body, "score");
	struct figures_care care = { .kind = -1 };
	struct id customer = { 0 };
	int64_t at_ms;
	bool known;

	if (what == NULL || at == NULL || !when_parse(at, &at_ms) ||
	    (strcmp(what, "complaint") != 0 && (kind == NULL || !json_is_number(score)))) {
		figures->unread++;
		return;
	}
	known = customer_of(body, &customer);
	care.in = cuts_of(figures, body, at_ms, &customer, known);
	if (strcmp(what, "complaint") != 0 && (care.kind = kind_of(figures, kind)) < 0)
		return;
	care.score = json_number_value(score);
	figures->cares = mem_grow(figures->cares, figures->care_count, &figures->care_capacity,
	    sizeof(*figures->cares));
	figures->cares[figures->care_count++] = care;
}

void
figures_take_care(void *ctx, const struct record *record)
{
	struct figures *figures = ctx;
	struct err err = { 0 };
	json_t *body = json_read(record->body, strlen(record->body), "care", &err);

	turn_to(figures, record->store);
	if (json_is_object(body))
		take_care(figures, body);
	else
		figures->unread++;
	json_decref(body);
}

/* The kind that most answered, of several the first by name: scores of two scales have no mean. */
static int
usual_kind(const struct figures *figures)
{
	int usual = -1;

	for (int i = 0; i < (int)figures->kind_count; i++)
		if (usual < 0 || figures->kind_counts[i] > figures->kind_counts[usual] ||
		    (figures->kind_counts[i] == figures->kind_counts[usual] &&
			strcmp(figures->kinds[i], figures->kinds[usual]) < 0))
			usual = i;
	return usual;
}

static void
add_cares(struct figures *figures)
{
	int usual = usual_kind(figures);

	figures->kind = usual >= 0 ? figures->kinds[usual] : NULL;
	for (size_t i = 0; i < figures->care_count; i++) {
		const struct figures_care *care = &figures->cares[i];
		double sums[SUM_COUNT] = { 0 };

		if (care->kind >= 0 && care->kind != usual)
			continue;
		sums[SUM_COMPLAINTS] = care->kind < 0;
		sums[SUM_SCORED] = care->kind >= 0;
		sums[SUM_SCORE] = care->kind >= 0 ? care->score : 0;
		add_sums(figures, &care->in, sums);
	}
}

/* ---- figures ---- */

/* V = Σy/Σx and its error over n customers, as clustered() has them. */
static struct clustered
ratio_of(const struct figures_cut *cut, int figure)
{
	const struct figure_kind *kind = &figure_kinds[figure];
	double y = cut->sums[kind->of], x = cut->sums[kind->over];
	const struct figure_moments *m = &cut->moments[figure];
	struct clustered told = { .df = cut->n > 1 ? cut->n - 1 : 0 };
	double v, squares;

	if (!(x > 0))
		return told;
	v = y / x;
	squares = m->yy - 2 * v * m->yx + v * v * m->xx;
	told.value = v * kind->times;
	if (cut->n > 1 && squares > 0)
		told.se = kind->times * sqrt(cut->n / (cut->n - 1) * squares) / x;
	return told;
}

static int
by_customer(const void *a_pointer, const void *b_pointer)
{
	const struct figures_row *a = a_pointer, *b = b_pointer;
	int order = id_compare(&a->customer, &b->customer);

	return order != 0 ? order : (a->cut > b->cut) - (a->cut < b->cut);
}

void
figures_settle(struct figures *figures)
{
	close_store(figures);
	add_cares(figures);
	figures->ring = NULL;
	figures->ctx = figures->store_ring = NULL;
	/* One order, whoever was read first: sums come out to the bit. */
	if (figures->row_count > 1)
		qsort(figures->rows, figures->row_count, sizeof(*figures->rows), by_customer);
	for (size_t i = 0; i < figures->row_count; i++)
		add_moments(&figures->cuts[figures->rows[i].cut], figures->rows[i].sums);
	for (size_t c = 0; c < figures->cut_count; c++) {
		struct figures_cut *cut = &figures->cuts[c];

		for (int f = 0; f < FIGURE_COUNT; f++) {
			cut->told[f] = ratio_of(cut, f);
			cut->has[f] = cut->sums[figure_kinds[f].over] > 0;
		}
		cut->has[FIGURE_MARGIN] =
		    cut->has[FIGURE_MARGIN] && !(cut->sums[SUM_NO_MARGIN] > 0);
	}
}
