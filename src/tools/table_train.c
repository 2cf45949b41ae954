/* SPDX-License-Identifier: Apache-2.0
 *
 * table_train.c - the table of the open basket: which of its ways wins, and its settings.
 */
#include "tools/table_train.h"

#include <stdio.h>
#include <stdlib.h>

#include "tools/table_judge.h"

#define WINS 1.645 /* standard errors above plain counting */

void
table_trained_done(struct table_trained *trained)
{
	buf_done(&trained->bytes);
	*trained = (struct table_trained){ 0 };
}

/* In memory that the table borrows. */
static struct table *
open_made(const struct table_made *made, struct buf *bytes)
{
	struct table *table;
	struct err err = { 0 };

	buf_clear(bytes);
	CHECK(table_pack(&made->parts, bytes, &err) == 0);
	CHECK(table_open(bytes->data, bytes->len, &table, &err) == 0);
	return table;
}

/* One look at all settings: fitted before the last sixth, judged in it. */
struct contest {
	struct table_part part; /* of what comes before */
	struct table_pairs pairs;
	struct table_marks plain, best;
	enum table_kind kind;
	struct table_how how;
	bool any; /* something was tried that is not plain */
	size_t from, split, to;
	int level;
	struct table_said *said; /* of the best, there */
	size_t said_count;
};

static void
try_made(struct contest *contest, const struct table_made *made, const struct table_how *how)
{
	struct buf bytes = { 0 };
	struct table *table = open_made(made, &bytes);
	struct table_marks marks;

	table_judge_open(table, &contest->part, contest->split, contest->to, &marks);
	if (!contest->any || table_marks_mean(&marks) > table_marks_mean(&contest->best)) {
		table_marks_done(&contest->best);
		contest->best = marks;
		contest->kind = made->parts.kind;
		contest->how = *how;
		contest->any = true;
		free(contest->said);
		table_say_open(table, &contest->part, contest->split, contest->to, &contest->said,
		    &contest->said_count);
	} else {
		table_marks_done(&marks);
	}
	table_free(table);
	buf_done(&bytes);
}

static void
judge_plain(struct contest *contest)
{
	struct table_made made;
	struct buf bytes = { 0 };
	struct table *table;

	table_made_init(&made, &contest->part, TABLE_ARTICLES, contest->level);
	table = open_made(&made, &bytes);
	table_judge_open(table, &contest->part, contest->split, contest->to, &contest->plain);
	table_free(table);
	buf_done(&bytes);
	table_made_done(&made);
}

static void
try_groups(struct contest *contest)
{
	struct table_made made;

	table_made_init(&made, &contest->part, TABLE_GROUPS, contest->level);
	table_made_pairs(&made, &contest->part);
	try_made(contest, &made, &(struct table_how){ 1, 1, true });
	table_made_done(&made);
}

static void
try_articles(struct contest *contest)
{
	static const double as[] = { 1, 0.8, 0.5 };
	static const int es[] = { 2, 1, 4 };
	struct table_made made;

	table_pairs_make(&contest->pairs, &contest->part);
	for (int by_length = 0; by_length < 2; by_length++)
		for (size_t a = 0; a < ARRAY_LEN(as); a++)
			for (size_t e = 0; e < ARRAY_LEN(es); e++) {
				struct table_how how = { as[a], es[e], by_length == 1 };

				table_made_init(&made, &contest->part, TABLE_ARTICLES,
				    contest->level);
				table_made_neighbours(&made, &contest->part, &contest->pairs, &how);
				try_made(contest, &made, &how);
				table_made_done(&made);
			}
}

static void
contest_done(struct contest *contest)
{
	table_part_done(&contest->part);
	table_pairs_done(&contest->pairs);
	table_marks_done(&contest->plain);
	table_marks_done(&contest->best);
	free(contest->said);
}

/* Counted from all of them, with what was chosen. */
static void
make_last(const struct table_data *data, struct contest *contest, bool wins,
    struct table_trained *ret)
{
	struct table_part part;
	struct table_made made;
	struct err err = { 0 };
	enum table_kind kind = wins ? contest->kind : TABLE_ARTICLES;

	table_part_make(&part, data, contest->from, contest->to,
	    kind == TABLE_GROUPS ? TABLE_GROUPS_MAX : TABLE_ITEMS_MAX);
	table_made_init(&made, &part, kind, contest->level);
	if (wins && kind == TABLE_GROUPS) {
		table_made_pairs(&made, &part);
	} else if (wins) {
		struct table_pairs pairs;

		table_pairs_make(&pairs, &part);
		table_made_neighbours(&made, &part, &pairs, &contest->how);
		table_pairs_done(&pairs);
	} else {
		table_made_plain(&made);
	}
	if (wins)
		table_calibrate(&made, contest->said, contest->said_count);
	if (table_pack(&made.parts, &ret->bytes, &err) != 0) {
		buf_done(&ret->bytes);
		snprintf(ret->said, sizeof(ret->said), "%s", err.text);
	}
	table_made_done(&made);
	table_part_done(&part);
}

static void
tell(const struct contest *contest, double above, struct table_trained *ret)
{
	char way[96];

	if (contest->kind == TABLE_GROUPS)
		snprintf(way, sizeof(way), "every pair of %u groups", contest->part.count);
	else
		snprintf(way, sizeof(way), "20 neighbours, a = %g, e = %d%s", contest->how.a,
		    contest->how.e, contest->how.by_length ? ", short baskets weigh more" : "");
	ret->counts_alone = above < WINS;
	ret->plain = table_marks_mean(&contest->plain);
	ret->won = ret->counts_alone ? ret->plain : table_marks_mean(&contest->best);
	snprintf(ret->said, sizeof(ret->said),
	    ret->counts_alone
		? "plain counting (MRR %.4f on the last sixth): %s has %.4f, which is no gain"
		: "MRR %.4f by plain counting on the last sixth; %s: %.4f",
	    ret->plain, way, table_marks_mean(&contest->best));
}

static bool
carries(const struct table_data *data, size_t from, size_t to)
{
	size_t two = 0;

	for (size_t b = from; b < to; b++)
		two += data->list[b].count >= 2;
	return two >= TABLE_CARRIES_MIN;
}

void
table_train_open(const struct table_data *data, size_t from, size_t to, int level, int kind,
    struct table_trained *ret)
{
	struct contest contest = {
		.from = from, .split = table_last_sixth(from, to), .to = to, .level = level
	};
	double above;

	*ret = (struct table_trained){ 0 };
	if (!carries(data, from, to)) {
		snprintf(ret->said, sizeof(ret->said),
		    "fewer than %d baskets of two and more, which carry nothing",
		    TABLE_CARRIES_MIN);
		return;
	}
	table_part_make(&contest.part, data, from, contest.split,
	    kind == TABLE_GROUPS ? TABLE_GROUPS_MAX : TABLE_ITEMS_MAX);
	judge_plain(&contest);
	if (kind != TABLE_ARTICLES && contest.part.count <= TABLE_GROUPS_MAX)
		try_groups(&contest);
	if (kind != TABLE_GROUPS)
		try_articles(&contest);
	above = table_marks_above(&contest.best, &contest.plain);
	tell(&contest, above, ret);
	make_last(data, &contest, above >= WINS, ret);
	contest_done(&contest);
}

void
table_train_basket(const struct table_data *data, size_t from, size_t to, int level,
    struct table_trained *ret)
{
	table_train_open(data, from, to, level, 0, ret);
}
