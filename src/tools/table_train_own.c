/* SPDX-License-Identifier: Apache-2.0
 *
 * table_train_own.c - the table of the customer's own items: how fast visits are forgotten, whether
 * the rhythm and the items' own factors help.
 *
 * DESIGN
 *   What a habit is said to bring is held against what was bought, over visits before the last
 *   sixth, by time over gap and by item. Each of decay, rhythm and factor stays only if the order
 *   of the first five is better in the last sixth with it.
 */
#include "tools/table_train.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "recommend/table_layout.h"
#include "tools/table_judge.h"

#define ASKED_MAX 20000 /* visits that are looked at */
#define WINS 1.0

struct settings {
	double decay;
	uint32_t prior;
	bool rhythm, factor;
};

struct own_train {
	const struct table_data *data;
	struct table_part part;
	struct table_made made; /* rows with gaps */
	size_t from, to;	/* counted from; judged behind */
	size_t end;
	uint16_t *factors;
	uint16_t rhythm[TABLE_RHYTHM];
};

/* ---- gaps ---- */

struct gap_sum {
	double gaps;
	uint32_t count;
};
struct seen {
	uint32_t item, basket;
	int32_t customer;
};

static int
compare_seen(const void *a, const void *b)
{
	const struct seen *x = a, *y = b;

	if (x->customer != y->customer)
		return x->customer < y->customer ? -1 : 1;
	if (x->item != y->item)
		return x->item < y->item ? -1 : 1;
	return x->basket < y->basket ? -1 : x->basket > y->basket;
}

/* The mean time between two visits of one customer with an item. */
static void
fill_gaps(const struct table_part *part, struct table_made *made)
{
	const struct table_data *data = part->data;
	struct seen *list = NULL;
	struct gap_sum *sums = mem_calloc(part->count + 1, sizeof(*sums));
	size_t count = 0, capacity = 0;

	for (size_t b = part->from; b < part->to; b++) {
		size_t uses_count;
		const uint32_t *uses = table_part_basket(part, b, &uses_count);

		for (size_t i = 0; data->list[b].customer >= 0 && i < uses_count; i++) {
			list = mem_grow(list, count, &capacity, sizeof(*list));
			list[count++] =
			    (struct seen){ uses[i], (uint32_t)b, data->list[b].customer };
		}
	}
	if (count > 1)
		qsort(list, count, sizeof(*list), compare_seen);
	for (size_t i = 1; i < count; i++) {
		if (list[i].customer != list[i - 1].customer || list[i].item != list[i - 1].item)
			continue;
		sums[list[i].item].gaps += (double)(data->list[list[i].basket].at_ms -
		    data->list[list[i - 1].basket].at_ms);
		sums[list[i].item].count++;
	}
	for (uint32_t i = 0; i < part->count; i++)
		made->rows[i].gap_min =
		    sums[i].count > 0 ? (uint32_t)(sums[i].gaps / sums[i].count / MIN_MS) : 0;
	free(sums);
	free(list);
}

/* ---- with some settings ---- */

static void
settle(struct own_train *train, const struct settings *settings)
{
	struct table_parts *parts = &train->made.parts;

	parts->decay = (uint32_t)(settings->decay * TABLE_SURE);
	parts->prior = settings->prior;
	for (int i = 0; i < TABLE_RHYTHM; i++)
		parts->rhythm[i] = settings->rhythm ? train->rhythm[i] : TABLE_UNIT;
	for (uint32_t i = 0; i < train->part.count; i++)
		train->made.rows[i].factor = settings->factor ? train->factors[i] : TABLE_UNIT;
}

static struct table *
open_with(struct own_train *train, const struct settings *settings, struct buf *bytes)
{
	struct table *table;
	struct err err = { 0 };

	settle(train, settings);
	buf_clear(bytes);
	CHECK(table_pack(&train->made.parts, bytes, &err) == 0);
	CHECK(table_open(bytes->data, bytes->len, &table, &err) == 0);
	return table;
}

static struct table_next
judge(struct own_train *train, const struct settings *settings)
{
	struct buf bytes = { 0 };
	struct table *table = open_with(train, settings, &bytes);
	struct table_next next;

	table_judge_next(table, &train->part, train->to, train->end, ASKED_MAX, &next);
	table_free(table);
	buf_done(&bytes);
	return next;
}

static void
next_done(struct table_next *next)
{
	table_marks_done(&next->first);
	table_marks_done(&next->order);
}

/* ---- rhythm and factors ---- */

struct held {
	double expected, bought;
};

static uint16_t
ratio(const struct held *held, double prior)
{
	double r = floor((held->bought + prior) / (held->expected + prior) * TABLE_UNIT + 0.5);

	return (uint16_t)(r < 1 ? 1 : r > 65535 ? 65535 : r);
}

static bool
has(const uint32_t *uses, size_t count, uint32_t item)
{
	for (size_t i = 0; i < count; i++)
		if (uses[i] == item)
			return true;
	return false;
}

/* The time over the gap, as table_own() has it. */
static int
bin_of(const struct own_train *train, const struct table_own *own, int64_t first_ms, int64_t now_ms)
{
	double theirs = (double)train->made.rows[own->item].gap_min * MIN_MS, visits = own->visits,
	       mine = (double)(own->last_ms - first_ms) / (visits - 1),
	       gap = theirs > 0 ? ((visits - 1) * mine + 2 * theirs) / (visits + 1) : mine;

	return gap > 0 ? table_rhythm_bin((double)(now_ms - own->last_ms) / gap) : -1;
}

static int64_t
first_with(const struct own_train *train, const struct table_visits *visits, size_t basket,
    uint32_t item)
{
	uint32_t before = visits->before[basket];

	for (uint32_t v = 0; v < before; v++) {
		uint32_t b = visits->list[visits->place[basket] - before + v];
		size_t count;
		const uint32_t *uses = table_part_basket(&train->part, b, &count);

		if (has(uses, count, item))
			return train->data->list[b].at_ms;
	}
	return train->data->list[basket].at_ms;
}

static void
hold_one(struct own_train *train, const struct table_visits *visits, size_t basket,
    const struct table_own *own, bool came, struct held *bins, struct held *items)
{
	double said = (double)own->score / (double)TABLE_OWN_ONE;
	int bin = own->visits < 2 ? -1
				  : bin_of(train, own, first_with(train, visits, basket, own->item),
					train->data->list[basket].at_ms);

	if (bin >= 0) {
		bins[bin].expected += said;
		bins[bin].bought += came;
	}
	items[own->item].expected += said;
	items[own->item].bought += came;
}

static void
hold(struct own_train *train, const struct settings *settings)
{
	struct settings bare = { settings->decay, settings->prior, false, false };
	struct held bins[TABLE_RHYTHM] = { { 0 } },
		    *items = mem_calloc(train->part.count + 1, sizeof(*items));
	struct arena *arena = arena_new();
	struct buf bytes = { 0 };
	struct table *table = open_with(train, &bare, &bytes);
	struct table_visits visits;
	size_t step = (train->to - train->from) / ASKED_MAX + 1;

	table_visits_make(&visits, train->data);
	for (size_t b = train->from; b < train->to; b += step) {
		struct table_own own[TABLE_OWN_MAX];
		size_t count, found;
		const uint32_t *uses = table_part_basket(&train->part, b, &count);

		arena_reset(arena);
		found = count > 0 ? table_habits(arena, table, &train->part, &visits, b, own) : 0;
		for (size_t i = 0; i < found; i++)
			hold_one(train, &visits, b, &own[i], has(uses, count, own[i].item), bins,
			    items);
	}
	for (int i = 0; i < TABLE_RHYTHM; i++)
		train->rhythm[i] = ratio(&bins[i], 20);
	for (uint32_t i = 0; i < train->part.count; i++)
		train->factors[i] = ratio(&items[i], 10);
	table_visits_done(&visits);
	table_free(table);
	buf_done(&bytes);
	arena_free(arena);
	free(items);
}

/* ---- all of it ---- */

static void
train_init(struct own_train *train, const struct table_data *data, size_t from, size_t to,
    size_t end, int level)
{
	*train = (struct own_train){ .data = data, .from = from, .to = to, .end = end };
	table_part_make(&train->part, data, from, to, TABLE_ITEMS_MAX);
	table_made_init(&train->made, &train->part, TABLE_OWN, level);
	fill_gaps(&train->part, &train->made);
	train->factors = mem_calloc(train->part.count + 1, sizeof(*train->factors));
}

static void
train_done(struct own_train *train)
{
	table_part_done(&train->part);
	table_made_done(&train->made);
	free(train->factors);
}

/* Keeps the settings if they win. */
static void
challenge(struct own_train *train, const struct settings *settings, struct settings *best,
    struct table_next *marks)
{
	struct table_next next = judge(train, settings);

	if (table_marks_above(&next.order, &marks->order) > WINS) {
		next_done(marks);
		*marks = next;
		*best = *settings;
	} else {
		next_done(&next);
	}
}

static void
choose(struct own_train *train, struct settings *best, struct table_next *marks)
{
	static const double decays[] = { 0.97, 0.95, 0.9 };
	static const uint32_t priors[] = { 2, 4, 8, 16, 32 };
	struct settings next;

	for (size_t i = 0; i < ARRAY_LEN(decays); i++) {
		next = *best;
		next.decay = decays[i];
		challenge(train, &next, best, marks);
	}
	for (size_t i = 0; i < ARRAY_LEN(priors); i++) {
		next = *best;
		next.prior = priors[i];
		challenge(train, &next, best, marks);
	}
	hold(train, best);
	next = *best;
	next.rhythm = true;
	challenge(train, &next, best, marks);
	next = *best;
	next.factor = true;
	challenge(train, &next, best, marks);
}

static void
make_last(struct own_train *before, const struct settings *best, int level,
    struct table_trained *ret)
{
	struct own_train train;
	struct buf bytes = { 0 };
	struct table *table = open_with(before, best, &bytes);
	struct table_said *said;
	struct table_needless needless;
	size_t said_count, len = strlen(ret->said);
	uint16_t patience;
	struct err err = { 0 };

	table_say_next(table, &before->part, before->to, before->end, ASKED_MAX, &said,
	    &said_count);
	table_free(table);
	table_calibrate(&before->made, said, said_count);
	table = open_with(before, best, &bytes);
	patience = table_patience(table, &before->part, before->to, before->end, &needless);
	table_free(table);
	buf_done(&bytes);
	snprintf(ret->said + len, sizeof(ret->said) - len,
	    patience > 0 ? "; reminders at %.2f of his usual lines, %zu of %zu needless"
			 : "; reminders only as he pays (%.0f: %zu of %zu needless)",
	    patience / 100.0, needless.needless, needless.said);
	train_init(&train, before->data, before->from, before->end, before->end, level);
	if (best->rhythm || best->factor)
		hold(&train, best);
	settle(&train, best);
	table_calibrate(&train.made, said, said_count);
	train.made.parts.patience = patience;
	if (table_pack(&train.made.parts, &ret->bytes, &err) != 0) {
		buf_done(&ret->bytes);
		snprintf(ret->said, sizeof(ret->said), "%s", err.text);
	}
	free(said);
	train_done(&train);
}

static size_t
asked(const struct table_marks *marks)
{
	size_t n = 0;

	for (size_t i = 0; i < marks->count; i++)
		n += !isnan(marks->list[i]);
	return n;
}

void
table_train_own(const struct table_data *data, size_t from, size_t to, int level,
    struct table_trained *ret)
{
	struct settings best = { 1, 1, false, false };
	struct own_train train;
	struct table_next plain, marks;

	*ret = (struct table_trained){ 0 };
	train_init(&train, data, from, table_last_sixth(from, to), to, level);
	plain = judge(&train, &best);
	if (asked(&plain.first) < TABLE_CARRIES_MIN) {
		snprintf(ret->said, sizeof(ret->said),
		    "fewer than %d visits of somebody who was there before, which carry nothing",
		    TABLE_CARRIES_MIN);
	} else {
		marks = judge(&train, &best);
		choose(&train, &best, &marks);
		ret->plain = table_marks_mean(&plain.order);
		ret->won = table_marks_mean(&marks.order);
		ret->counts_alone =
		    best.decay >= 1 && best.prior == 1 && !best.rhythm && !best.factor;
		snprintf(ret->said, sizeof(ret->said),
		    "%sP@1 %.3f, order of five %.4f by how often he bought it; with decay %g, "
		    "prior %u%s%s: %.3f, %.4f",
		    ret->counts_alone ? "plain counting: nothing is a gain. " : "",
		    table_marks_mean(&plain.first), ret->plain, best.decay, best.prior,
		    best.rhythm ? ", the rhythm" : "", best.factor ? ", a factor an item" : "",
		    table_marks_mean(&marks.first), ret->won);
		make_last(&train, &best, level, ret);
		next_done(&marks);
	}
	next_done(&plain);
	train_done(&train);
}
