/* SPDX-License-Identifier: Apache-2.0
 *
 * earned.c - what cards earned, told apart by action, group, funder and ring.
 *
 * DESIGN
 *   Arms tell what all cards together brought: who is in the control group gets
 *   none of them. What one action brought is told by the draw itself: of
 *   decisions that could have shown it, those that did against those that did
 *   not, each weighed by its chance (promised.c). A part's gain is per decision
 *   that had one of its cards on the shortlist, so that gains times decisions
 *   of all actions add up to the whole.
 *
 *   One pass over the customers for each way of telling apart: what a customer
 *   brought to a part is put beside it when his rows are over.
 */
#include "hq/promised.h"

#include <stdlib.h>
#include <string.h>

#include "hq/figure_csv.h"

#define NO_PART UINT32_MAX

const char *const earned_by_names[EARNED_BY_COUNT] = {
#define X(constant, name) [EARNED_##constant] = name,
	EARNED_BYS(X)
#undef X
};

struct part {
	struct earned told;
	struct realised_customer now, *customers;
	size_t count, capacity;
};
struct parts {
	enum earned_by by;
	uint32_t *of; /* part of each action, or of each store */
	struct part *parts;
	size_t count, capacity;
};

/* ---- which part ---- */

static uint32_t
part_of(struct parts *parts, const char *name)
{
	size_t i = 0;

	while (i < parts->count && strncmp(parts->parts[i].told.of, name, 64) != 0)
		i++;
	if (i == parts->count) {
		parts->parts =
		    mem_grow(parts->parts, parts->count, &parts->capacity, sizeof(*parts->parts));
		parts->parts[parts->count++] = (struct part){ .told = { .by = parts->by } };
		snprintf(parts->parts[i].told.of, sizeof(parts->parts[i].told.of), "%s", name);
	}
	return (uint32_t)i;
}

static void
find_parts(struct parts *parts, const struct promised *promised, promised_part_fn part, void *ctx)
{
	bool ring = parts->by == EARNED_RING;
	size_t count = ring ? promised->store_count : promised->action_count;
	char **names = ring ? promised->stores : promised->actions;

	parts->of = mem_calloc(count, sizeof(*parts->of));
	for (size_t i = 0; i < count; i++) {
		const char *name = part(ctx, parts->by, names[i]);

		parts->of[i] = name != NULL ? part_of(parts, name) : NO_PART;
	}
}

static uint32_t
part_of_row(const struct parts *parts, const struct promised_row *row)
{
	return parts->of[parts->by == EARNED_RING ? row->store : row->action];
}

/* ---- adding up ---- */

/* The cards of one part in the shortlist [at, end), of which the first stands at `at`. */
static void
add_cards(struct parts *parts, const struct promised *promised, size_t at, size_t end, uint32_t of)
{
	struct shown_card cards[PROMISED_CARDS_MAX];
	size_t count = 0;

	CHECK(of < parts->count);
	for (size_t i = at; i < end && count < PROMISED_CARDS_MAX; i++)
		if (part_of_row(parts, &promised->rows[i]) == of)
			cards[count++] = promised_card(&promised->rows[i]);
	realised_add(&parts->parts[of].now, cards, count, promised_control(promised, at));
	parts->parts[of].told.decisions++;
}

static void
add_list(struct parts *parts, const struct promised *promised, size_t at, size_t end)
{
	for (size_t i = at; i < end; i++) {
		uint32_t of = part_of_row(parts, &promised->rows[i]);
		bool first = of != NO_PART;

		for (size_t j = at; j < i && first; j++)
			first = part_of_row(parts, &promised->rows[j]) != of;
		if (first)
			add_cards(parts, promised, i, end, of);
	}
}

/* What was taken off stands in the rows of all places where an action was listed. */
static bool
is_told_before(const struct promised *promised, size_t at, size_t i)
{
	const struct promised_row *row = &promised->rows[i];

	for (; at < i; at++)
		if (promised->rows[at].amount > 0 && promised->rows[at].visit == row->visit &&
		    promised->rows[at].action == row->action)
			return true;
	return false;
}

static void
add_shown(struct parts *parts, const struct promised *promised, size_t at, size_t end)
{
	for (size_t i = at; i < end; i++) {
		const struct promised_row *row = &promised->rows[i];
		uint32_t of = part_of_row(parts, row);
		struct earned *told = of != NO_PART ? &parts->parts[of].told : NULL;

		if (told == NULL)
			continue;
		told->shown += row->drawn && row->shown && !row->withheld;
		if (row->amount > 0 && !is_told_before(promised, at, i)) {
			told->redeemed++;
			told->amount += row->amount;
		}
	}
}

/* A customer's rows are over: what he brought to each part that had any. */
static void
close_customer(struct parts *parts, const struct promised *promised, size_t at, size_t end)
{
	for (size_t i = at; i < end; i++) {
		uint32_t of = part_of_row(parts, &promised->rows[i]);
		struct part *part = of != NO_PART ? &parts->parts[of] : NULL;

		if (part == NULL || !(part->now.n > 0))
			continue;
		part->customers = mem_grow(part->customers, part->count, &part->capacity,
		    sizeof(*part->customers));
		part->customers[part->count++] = part->now;
		part->now = (struct realised_customer){ 0 };
	}
}

static void
add_up(struct parts *parts, const struct promised *promised)
{
	for (size_t at = 0, end; at < promised->row_count; at = end) {
		end = promised_customer_end(promised, at);
		for (size_t list = at, next; list < end; list = next) {
			next = promised_list_end(promised, list);
			if (promised->rows[list].counted && !promised_certain(promised, list, next))
				add_list(parts, promised, list, next);
		}
		add_shown(parts, promised, at, end);
		close_customer(parts, promised, at, end);
	}
}

/* ---- concluding ---- */

static int
by_name(const void *a, const void *b)
{
	return strcmp(((const struct part *)a)->told.of, ((const struct part *)b)->told.of);
}

static void
conclude(struct parts *parts, struct promised *promised)
{
	size_t told = 0;

	if (parts->count > 1)
		qsort(parts->parts, parts->count, sizeof(*parts->parts), by_name);
	for (size_t i = 0; i < parts->count; i++)
		told += parts->parts[i].count >= PROMISED_CUSTOMERS_MIN;
	for (size_t i = 0; i < parts->count; i++) {
		struct part *part = &parts->parts[i];

		realised_conclude(part->customers, part->count, &part->told.gain);
		part->told.customers = (double)part->count;
		part->told.alpha = PROMISED_ALPHA / (double)(told > 0 ? told : 1);
		promised->earned = mem_grow(promised->earned, promised->earned_count,
		    &promised->earned_capacity, sizeof(*promised->earned));
		promised->earned[promised->earned_count++] = part->told;
		free(part->customers);
	}
}

void
earned_settle(struct promised *promised, promised_part_fn part, void *ctx)
{
	for (int by = 0; by < EARNED_BY_COUNT; by++) {
		struct parts parts = { .by = (enum earned_by)by };

		find_parts(&parts, promised, part, ctx);
		add_up(&parts, promised);
		conclude(&parts, promised);
		free(parts.parts);
		free(parts.of);
	}
}

/* ---- telling ---- */

void
earned_json(const struct promised *promised, struct json_writer *w)
{
	json_add_list(w, "by");
	for (size_t i = 0; i < promised->earned_count; i++) {
		const struct earned *one = &promised->earned[i];

		json_add_object(w, NULL);
		json_add_str(w, "by", earned_by_names[one->by]);
		json_add_str(w, "of", one->of);
		json_add_double(w, "decisions", one->decisions);
		json_add_double(w, "customers", one->customers);
		json_add_double(w, "shown", one->shown);
		json_add_double(w, "redeemed", one->redeemed);
		json_add_double(w, "redeemed_amount", one->amount);
		json_add_double(w, "alpha", one->alpha);
		promised_write_value(w, "promised_per_decision", &one->gain.promised, one->alpha);
		promised_write_value(w, "realised_per_decision", &one->gain.realised, one->alpha);
		promised_write_value(w, "realised_less_promised", &one->gain.difference,
		    one->alpha);
		json_end(w);
	}
	json_end(w);
}

static void
value_csv(struct buf *out, const struct earned *one, const char *figure,
    const struct clustered *value)
{
	figure_csv_value(out, earned_by_names[one->by], one->of, figure, value->value, value->se,
	    promised_half_at(value, one->alpha));
}

void
earned_csv(const struct promised *promised, struct buf *out)
{
	for (size_t i = 0; i < promised->earned_count; i++) {
		const struct earned *one = &promised->earned[i];
		const char *by = earned_by_names[one->by];

		figure_csv(out, by, one->of, "decisions", one->decisions);
		figure_csv(out, by, one->of, "customers", one->customers);
		figure_csv(out, by, one->of, "shown", one->shown);
		figure_csv(out, by, one->of, "redeemed", one->redeemed);
		figure_csv(out, by, one->of, "redeemed_amount", one->amount);
		value_csv(out, one, "promised_per_decision", &one->gain.promised);
		value_csv(out, one, "realised_per_decision", &one->gain.realised);
		value_csv(out, one, "realised_less_promised", &one->gain.difference);
	}
}
