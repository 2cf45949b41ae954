/* SPDX-License-Identifier: Apache-2.0
 *
 * features_local.c - local.FN over the closed baskets of a known customer.
 *
 * DESIGN
 *   Years of shopping are thousands of lines over a few hundred categories,
 *   and a policy asks dozens of questions of them. So the lines are put into
 *   lists by text once a decision and kind of key; a feature asks each
 *   text once whether it belongs, and then visits only the lines that do.
 *
 *   Within a basket amounts are added as integers, so the order of the lists
 *   does not matter; over baskets they are weighted and added as doubles, in
 *   order of (at_ms, visit): the same bits each time.
 *
 *   Goods that are marked (nouns/marks.h) are taken out before anything else
 *   is done; their baskets stay visits.
 *
 * LIMITS
 *   WEIGHTS_MAX different half-lives are remembered; more are computed anew.
 */
#include "score/features_parts.h"

#include <string.h>

#include "core/fmath.h"
#include "nouns/marks.h"
#include "nouns/match.h"

#define NONE UINT32_MAX
#define WEIGHTS_MAX 16
#define KEYS (KEY_ITEM + 1)

struct line_ref {
	const struct purchase_line *line;
	uint32_t purchase;
	uint32_t next; /* in the list of its text; NONE: last */
};

#define LEVELS 6

struct text_list {
	const char *text;
	uint32_t first, last;
	/* Of a path, what it is below: the hash of its first part, its first two, … ; of another
	 * text only the first, of the whole. So most texts are told apart by one number. */
	uint32_t hash[LEVELS];
};

/* All lines by one kind of key. */
struct lists {
	bool built;
	struct line_ref *refs;
	struct text_list *texts; /* in order of first appearance */
	size_t text_count, text_room;
};

/* What matches, of one basket; stale unless it carries the stamp of the key below. */
struct part {
	int64_t amount_minor, qty_milli;
	uint32_t lines, stamp;
};

struct weights {
	int64_t half_life_ms;
	double *of; /* for each purchase */
};

struct local {
	struct arena *arena;
	const struct sources *sources;
	const struct purchase *purchases;
	size_t purchase_count, line_count;
	struct lists lists[KEYS];
	struct part *parts; /* for each purchase, of the key below */
	uint32_t stamp;	    /* of this key; 0: none yet */
	enum feature_key key;
	const char *key_value;
	struct weights weights[WEIGHTS_MAX];
	size_t weights_count;
};

/* ---- goods that nobody counts ---- */

/* What the marks say of a category, remembered by address: a subject keeps each text once. */
#define SEEN_MAX 256
struct seen {
	const char *category;
	enum mark mark;
};

static bool
is_marked(const struct marks *marks, struct seen *seen, const struct purchase_line *line)
{
	uint64_t spread = (uint64_t)(uintptr_t)line->category * UINT64_C(0x9e3779b97f4a7c15);
	struct seen *cell = &seen[spread >> 56];

	if (cell->category != line->category) {
		cell->category = line->category;
		cell->mark = mark_of(marks, line->category);
	}
	return cell->mark != MARK_NONE || line->mark != MARK_NONE;
}

static void
take_out(struct arena *arena, const struct marks *marks, struct seen *seen,
    struct purchase *purchase)
{
	struct purchase_line *lines =
	    arena_room(arena, (purchase->line_count + 1) * sizeof(*lines));
	int64_t marked_minor = 0;
	size_t count = 0;

	for (size_t i = 0; i < purchase->line_count; i++) {
		if (is_marked(marks, seen, &purchase->lines[i]))
			marked_minor += purchase->lines[i].amount_minor;
		else
			lines[count++] = purchase->lines[i];
	}
	purchase->lines = lines;
	purchase->line_count = count;
	purchase->total_minor = marked_minor > 0 && purchase->total_minor < marked_minor
	    ? 0
	    : purchase->total_minor - marked_minor;
}

/* The purchases as they are counted: the subject's own where no goods are marked. */
static void
leave_out_marked(struct local *local)
{
	struct marks marks = marks_of(local->sources->policy, local->sources->marks_off);
	struct seen *seen = arena_alloc(local->arena, SEEN_MAX * sizeof(*seen));
	struct purchase *copy = NULL;

	for (size_t i = 0; i < local->purchase_count; i++) {
		const struct purchase *purchase = &local->purchases[i];
		size_t l = 0;

		while (l < purchase->line_count && !is_marked(&marks, seen, &purchase->lines[l]))
			l++;
		if (l == purchase->line_count)
			continue;
		if (copy == NULL) {
			copy = arena_room(local->arena, local->purchase_count * sizeof(*copy));
			memcpy(copy, local->purchases, local->purchase_count * sizeof(*copy));
			local->purchases = copy;
		}
		take_out(local->arena, &marks, seen, &copy[i]);
	}
}

struct local *
local_new(struct arena *arena, const struct sources *sources)
{
	struct local *local = arena_alloc(arena, sizeof(*local));

	local->arena = arena;
	local->sources = sources;
	local->purchases = sources->subject->purchases;
	local->purchase_count = sources->subject->purchase_count;
	leave_out_marked(local);
	for (size_t i = 0; i < local->purchase_count; i++)
		local->line_count += local->purchases[i].line_count;
	local->parts = arena_alloc(arena, local->purchase_count * sizeof(*local->parts));
	return local;
}

/* ---- lists of lines by text ---- */

static const char *
text_of(struct arena *arena, const struct purchase_line *line, enum feature_key key)
{
	switch (key) {
	case KEY_CATEGORY: return line->category;
	case KEY_BRAND: return line->brand;
	case KEY_ITEM: return line->item != NULL ? item_name(arena, line->item) : NULL;
	case KEY_NONE: break;
	}
	return NULL;
}

/* Hashes of a text and of what it is below; returns how many parts it has. */
static int
hash_levels(const char *text, bool is_path, uint32_t hash[static LEVELS])
{
	uint32_t h = UINT32_C(0x811c9dc5);
	int level = 0;

	for (; *text != '\0'; text++) {
		if (is_path && *text == '/') {
			if (level < LEVELS)
				hash[level] = h;
			level++;
		}
		h = (h ^ (uint8_t)*text) * UINT32_C(0x01000193);
	}
	if (level < LEVELS)
		hash[level] = h;
	return level + 1;
}

static void
more_texts(struct arena *arena, struct lists *lists)
{
	size_t room = lists->text_room == 0 ? 64 : 2 * lists->text_room;
	struct text_list *texts = arena_alloc(arena, room * sizeof(*texts));

	if (lists->text_count > 0)
		memcpy(texts, lists->texts, lists->text_count * sizeof(*texts));
	lists->texts = texts;
	lists->text_room = room;
}

/* By address: a subject keeps each text once, and a text that is there twice is
 * two lists that match alike. The order of lists does not depend on it. */
static struct text_list *
list_of(struct arena *arena, struct lists *lists, uint32_t *slots, size_t mask, const char *text,
    bool is_path)
{
	uint64_t spread = (uint64_t)(uintptr_t)text * UINT64_C(0x9e3779b97f4a7c15);
	size_t i = (size_t)(spread >> 32) & mask;
	struct text_list *list;

	while (slots[i] != 0) {
		list = &lists->texts[slots[i] - 1];
		if (list->text == text)
			return list;
		i = (i + 1) & mask;
	}
	if (lists->text_count == lists->text_room)
		more_texts(arena, lists);
	list = &lists->texts[lists->text_count++];
	slots[i] = (uint32_t)lists->text_count;
	list->text = text;
	list->first = NONE;
	hash_levels(text, is_path, list->hash);
	return list;
}

static void
add_ref(struct lists *lists, struct text_list *list, uint32_t ref)
{
	lists->refs[ref].next = NONE;
	if (list->first == NONE)
		list->first = ref;
	else
		lists->refs[list->last].next = ref;
	list->last = ref;
}

static void
build(struct local *local, enum feature_key key)
{
	struct lists *lists = &local->lists[key];
	size_t slots_count = 64;
	uint32_t *slots, ref = 0;

	while (slots_count < 2 * local->line_count)
		slots_count *= 2;
	slots = arena_alloc(local->arena, slots_count * sizeof(*slots));
	lists->refs = arena_alloc(local->arena, local->line_count * sizeof(*lists->refs));
	for (size_t i = 0; i < local->purchase_count; i++) {
		for (size_t j = 0; j < local->purchases[i].line_count; j++) {
			const struct purchase_line *line = &local->purchases[i].lines[j];
			const char *text = text_of(local->arena, line, key);

			if (text == NULL)
				continue;
			lists->refs[ref].line = line;
			lists->refs[ref].purchase = (uint32_t)i;
			add_ref(lists,
			    list_of(local->arena, lists, slots, slots_count - 1, text,
				key == KEY_CATEGORY),
			    ref);
			ref++;
		}
	}
	lists->built = true;
}

/* ---- what matches, basket by basket ---- */

static void
add_line(struct local *local, size_t purchase, const struct purchase_line *line)
{
	struct part *part = &local->parts[purchase];

	if (part->stamp != local->stamp)
		*part = (struct part){ .stamp = local->stamp };
	part->amount_minor += line->amount_minor;
	part->qty_milli += line->qty_milli;
	part->lines++;
}

/* A basket without lines is a visit all the same: its lines may still come. */
static void
fill_all(struct local *local)
{
	for (size_t i = 0; i < local->purchase_count; i++) {
		local->parts[i] = (struct part){ .stamp = local->stamp };
		for (size_t j = 0; j < local->purchases[i].line_count; j++)
			add_line(local, i, &local->purchases[i].lines[j]);
	}
}

static void
fill_key(struct local *local, enum feature_key key, const char *value)
{
	struct lists *lists = &local->lists[key];
	const struct text_list *list;
	uint32_t hash[LEVELS];
	int level = hash_levels(value, key == KEY_CATEGORY, hash) - 1;

	if (!lists->built)
		build(local, key);
	for (size_t i = 0; i < lists->text_count; i++) {
		list = &lists->texts[i];
		if (level < LEVELS && list->hash[level] != hash[level])
			continue;
		if (key == KEY_CATEGORY ? !category_within(list->text, value)
					: strcmp(list->text, value) != 0)
			continue;
		for (uint32_t ref = list->first; ref != NONE; ref = lists->refs[ref].next)
			add_line(local, lists->refs[ref].purchase, lists->refs[ref].line);
	}
}

/* Several functions are often asked of one key, one after the other: keep the last. */
static void
fill(struct local *local, const struct feature *feature)
{
	if (local->stamp != 0 && local->key == feature->key &&
	    (local->key == KEY_NONE || strcmp(local->key_value, feature->key_value) == 0))
		return;
	local->stamp++;
	local->key = feature->key;
	local->key_value = feature->key_value;
	if (feature->key == KEY_NONE)
		fill_all(local);
	else
		fill_key(local, feature->key, feature->key_value);
}

/* ---- weights ---- */

static double *
weights_for(struct local *local, int64_t half_life_ms)
{
	double *of;
	int64_t age_ms;

	for (size_t i = 0; i < local->weights_count; i++) {
		if (local->weights[i].half_life_ms == half_life_ms)
			return local->weights[i].of;
	}
	of = arena_alloc(local->arena, local->purchase_count * sizeof(*of));
	for (size_t i = 0; i < local->purchase_count; i++) {
		age_ms = local->sources->now_ms - local->purchases[i].at_ms;
		if (age_ms < 0)
			age_ms = 0;
		of[i] = fmath_exp2(-((double)age_ms / (double)half_life_ms));
	}
	if (local->weights_count < WEIGHTS_MAX)
		local->weights[local->weights_count++] = (struct weights){ half_life_ms, of };
	return of;
}

/* ---- values ---- */

struct value
local_value(struct local *local, const struct feature *feature)
{
	int64_t now_ms = local->sources->now_ms;
	const double *weights = NULL;
	struct tally tally = { 0 };

	fill(local, feature);
	if (feature->half_life_ms > 0)
		weights = weights_for(local, feature->half_life_ms);
	for (size_t i = 0; i < local->purchase_count; i++) {
		const struct part *part = &local->parts[i];
		int64_t at_ms = local->purchases[i].at_ms;
		double weight = weights == NULL ? 1.0 : weights[i];

		if (part->stamp != local->stamp ||
		    (feature->within_ms > 0 && at_ms <= now_ms - feature->within_ms))
			continue;
		tally.sum += weight * (double)part->amount_minor;
		tally.qty += weight * ((double)part->qty_milli / 1000.0);
		tally.count += weight * (double)part->lines;
		tally.visits += weight;
		tally.total += weight * (double)local->purchases[i].total_minor;
		if (tally.times++ == 0)
			tally.first_ms = at_ms;
		tally.last_ms = at_ms;
	}
	return tally_value(&tally, feature->fn, now_ms);
}

struct value
incidents_value(const struct sources *sources, const struct feature *feature)
{
	const struct subject *subject = sources->subject;
	double count = 0;

	for (size_t i = 0; i < subject->incident_count; i++) {
		const struct incident *incident = &subject->incidents[i];

		if (feature->incident >= 0 && (int)incident->kind != feature->incident)
			continue;
		if (feature->within_ms > 0 &&
		    incident->at_ms <= sources->now_ms - feature->within_ms)
			continue;
		count++;
	}
	return value_number(count);
}
