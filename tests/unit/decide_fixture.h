/* SPDX-License-Identifier: Apache-2.0
 *
 * decide_fixture.h - a visit, a subject, contact rows and a compiled policy for the tests of deciding.
 */
#ifndef AISLE_TESTS_DECIDE_FIXTURE_H
#define AISLE_TESTS_DECIDE_FIXTURE_H

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/arena.h"
#include "core/id.h"
#include "core/when.h"
#include "decide/decide.h"
#include "policy/policy_load.h"

#define FIXTURE __attribute__((unused)) static

FIXTURE int64_t
at(const char *text)
{
	int64_t ms = 0;

	CHECK(when_parse(text, &ms));
	return ms;
}

FIXTURE struct id
id_of(uint8_t n)
{
	struct id id;

	memset(&id, 0, sizeof(id));
	id.b[15] = n;
	id.b[0] = 1;
	return id;
}

/* ---- visits; memory from an arena, so nothing is freed one by one ---- */

FIXTURE struct line *
add_line(struct arena *arena, struct visit *visit, const char *category, int64_t qty_milli,
    int64_t amount_minor)
{
	struct line *lines = arena_alloc(arena, (visit->line_count + 1) * sizeof(*lines));
	struct line *line = &lines[visit->line_count];

	if (visit->line_count > 0)
		memcpy(lines, visit->lines, visit->line_count * sizeof(*lines));
	line->line = (int64_t)visit->line_count + 1;
	line->category = arena_strdup(arena, category);
	line->qty_milli = qty_milli;
	line->amount_minor = amount_minor;
	visit->lines = lines;
	visit->line_count++;
	return line;
}

FIXTURE struct card *
add_card(struct arena *arena, struct visit *visit, const char *action, const char *group,
    uint8_t prompt)
{
	struct card *cards = arena_alloc(arena, (visit->card_count + 1) * sizeof(*cards));
	struct card *card = &cards[visit->card_count];

	if (visit->card_count > 0)
		memcpy(cards, visit->cards, visit->card_count * sizeof(*cards));
	card->prompt = id_of(prompt);
	card->action = arena_strdup(arena, action);
	card->group = arena_strdup(arena, group);
	card->issue = arena_strdup(arena, "grow");
	card->placement = PLACE_TABLET;
	card->slot = 1;
	card->gate = GATE_ASSOCIATE;
	visit->cards = cards;
	visit->card_count++;
	return card;
}

FIXTURE struct contact *
add_row(struct arena *arena, struct contacts *contacts, enum outcome outcome, int64_t at_ms,
    const char *action, const char *group, const char *issue, uint8_t prompt)
{
	struct contact *rows = arena_alloc(arena, (contacts->count + 1) * sizeof(*rows));
	struct contact *row = &rows[contacts->count];

	if (contacts->count > 0)
		memcpy(rows, contacts->rows, contacts->count * sizeof(*rows));
	row->prompt = id_of(prompt);
	row->decision = id_of(prompt);
	row->outcome = outcome;
	row->at_ms = at_ms;
	row->placement = PLACE_TABLET;
	row->action = arena_strdup(arena, action);
	row->group = arena_strdup(arena, group);
	row->issue = arena_strdup(arena, issue);
	contacts->rows = rows;
	contacts->count++;
	return row;
}

/* ---- a policy from its JSON files ---- */

#define PARTS_MAX 128
struct fixture_policy {
	struct policy_part part[PARTS_MAX];
	size_t count;
};

FIXTURE void
add_part(struct arena *arena, struct fixture_policy *policy, const char *name, const char *json)
{
	CHECK(policy->count < PARTS_MAX);
	policy->part[policy->count].name = arena_strdup(arena, name);
	policy->part[policy->count].bytes = arena_strdup(arena, json);
	policy->part[policy->count++].len = strlen(json);
}

FIXTURE struct policy *
compile_parts(const struct fixture_policy *from)
{
	struct policy_parts parts = { .part = (struct policy_part *)(uintptr_t)from->part,
		.count = from->count };
	struct policy *policy = NULL;
	struct buf report = { 0 };

	if (policy_compile(&parts, &policy, &report) != 0) {
		fputs(report.len > 0 ? report.data : "no report\n", stderr);
		abort();
	}
	buf_done(&report);
	return policy;
}

#endif
