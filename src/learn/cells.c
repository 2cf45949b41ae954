/* SPDX-License-Identifier: Apache-2.0
 *
 * cells.c - what was expected of each action and what came, by arm and segment.
 *
 * DESIGN
 *   The chain of ratios is built anew from the cells at each turn: the store,
 *   its groups, their actions, each by arm, by segment. It is a few hundred
 *   nodes once a day. An action that has one segment alone, "", ends with its
 *   arm: the same rows twice would count twice.
 *
 *   Ratios of both κ are kept, in force or not: the past can judge only what it
 *   did not know.
 */
#include "learn/cells.h"

#include <stdlib.h>
#include <string.h>

#include "aisle/base.h"

static void
free_groups(struct cells *cells)
{
	for (size_t i = 0; i < cells->group_count; i++)
		free(cells->groups[i].name);
	free(cells->groups);
}

void
cells_done(struct cells *cells)
{
	for (size_t i = 0; i < cells->count; i++) {
		free(cells->list[i].action);
		free(cells->list[i].group);
		free(cells->list[i].segment);
	}
	free(cells->list);
	free_groups(cells);
	*cells = (struct cells){ 0 };
}

/* ---- cells ---- */

static int
compare(const struct cell *cell, const char *action, const char *segment, bool treated)
{
	int order = strcmp(cell->action, action);

	if (order == 0)
		order = strcmp(cell->segment, segment);
	return order != 0 ? order : (int)cell->treated - (int)treated;
}

/* The first that is not before it. */
static size_t
place_of(const struct cells *cells, const char *action, const char *segment, bool treated)
{
	size_t low = 0, high = cells->count;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (compare(&cells->list[middle], action, segment, treated) < 0)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

static bool
is_at(const struct cells *cells, size_t at, const char *action, const char *segment, bool treated)
{
	return at < cells->count && compare(&cells->list[at], action, segment, treated) == 0;
}

/* Of what nobody saw yet. */
static int32_t
ratio_above(const struct cells *cells, const char *action, const char *group, bool treated,
    enum learner_kappa kappa)
{
	size_t at = place_of(cells, action, "", false);
	int32_t ratio = (int32_t)Q16_ONE;
	bool known = false;

	for (size_t i = 0; i < cells->group_count && !known; i++)
		if (i == 0 || strcmp(cells->groups[i].name, group) == 0) {
			ratio = cells->groups[i].ratio[kappa];
			known = i > 0;
		}
	for (; at < cells->count && strcmp(cells->list[at].action, action) == 0; at++) {
		if (cells->list[at].treated == treated)
			return cells->list[at].of_arm[kappa];
		ratio = cells->list[at].of_action[kappa];
	}
	return ratio;
}

static void
set_group(struct cells *cells, const char *action, const char *group)
{
	for (size_t at = place_of(cells, action, "", false);
	     at < cells->count && strcmp(cells->list[at].action, action) == 0; at++) {
		if (strcmp(cells->list[at].group, group) == 0)
			continue;
		free(cells->list[at].group);
		cells->list[at].group = mem_strdup(group);
	}
}

struct cell *
cells_get(struct cells *cells, const char *action, const char *group, const char *segment,
    bool treated)
{
	size_t at = place_of(cells, action, segment, treated);
	struct cell cell = { .treated = treated };

	set_group(cells, action, group);
	if (is_at(cells, at, action, segment, treated))
		return &cells->list[at];
	if (cells->count == CELLS_MAX) {
		cells->full = true;
		return NULL;
	}
	for (int kappa = 0; kappa < LEARNER_KAPPAS; kappa++) {
		cell.ratio[kappa] =
		    ratio_above(cells, action, group, treated, (enum learner_kappa)kappa);
		cell.of_arm[kappa] = cell.of_action[kappa] = cell.ratio[kappa];
	}
	cell.action = mem_strdup(action);
	cell.group = mem_strdup(group);
	cell.segment = mem_strdup(segment);
	cells->list = mem_grow(cells->list, cells->count, &cells->capacity, sizeof(*cells->list));
	memmove(&cells->list[at + 1], &cells->list[at],
	    (cells->count++ - at) * sizeof(*cells->list));
	cells->list[at] = cell;
	return &cells->list[at];
}

void
cells_add(struct cells *cells, const char *action, const char *group, const char *segment,
    bool treated, const struct federation_sum *more)
{
	struct cell *cell = cells_get(cells, action, group, segment, treated);

	if (cell != NULL && !federation_add(&cell->day, more))
		cells->full = true;
}

int32_t
cells_ratio(const struct cells *cells, const char *action, const char *group, const char *segment,
    bool treated)
{
	size_t at = place_of(cells, action, segment, treated);

	if (cells->kappa == LEARNER_HQ_ALONE)
		return (int32_t)Q16_ONE;
	return is_at(cells, at, action, segment, treated)
	    ? cells->list[at].ratio[cells->kappa]
	    : ratio_above(cells, action, group, treated, cells->kappa);
}

/* ---- the chain ---- */

/* Nodes of the cells, and which of them is whose. */
struct chain {
	struct learner_node *nodes;
	size_t count;
	int32_t *of_cell, *of_arm, *of_action; /* of each cell */
};

static int
by_text(const void *a, const void *b)
{
	return strcmp(*(const char *const *)a, *(const char *const *)b);
}

/* The store's own, then each group that there is, once. */
static void
find_groups(struct cells *cells)
{
	const char **names = mem_calloc(cells->count + 1, sizeof(*names));
	size_t count = 0;

	for (size_t i = 0; i < cells->count; i++)
		names[count++] = cells->list[i].group;
	if (count > 1)
		qsort(names, count, sizeof(*names), by_text);
	free_groups(cells);
	cells->groups = mem_calloc(count + 1, sizeof(*cells->groups));
	cells->groups[0].name = mem_strdup("");
	cells->group_count = 1;
	for (size_t i = 0; i < count; i++)
		if (i == 0 || strcmp(names[i - 1], names[i]) != 0)
			cells->groups[cells->group_count++].name = mem_strdup(names[i]);
	free(names);
}

static int32_t
group_of(const struct cells *cells, const char *name)
{
	for (size_t i = 1; i < cells->group_count; i++)
		if (strcmp(cells->groups[i].name, name) == 0)
			return (int32_t)i;
	CHECK(false);
}

static int32_t
add_node(struct chain *chain, int32_t above)
{
	chain->nodes[chain->count] = (struct learner_node){ .above = above };
	return (int32_t)chain->count++;
}

/* The cells [at, end) of one action. */
static void
add_action(struct chain *chain, const struct cells *cells, size_t at, size_t end)
{
	int32_t action = add_node(chain, group_of(cells, cells->list[at].group));
	int32_t arms[2] = { -1, -1 };
	bool plain = strcmp(cells->list[end - 1].segment, "") == 0;

	for (; at < end; at++) {
		const struct cell *cell = &cells->list[at];
		int32_t *arm = &arms[cell->treated], leaf;

		if (*arm < 0)
			*arm = add_node(chain, action);
		leaf = plain ? *arm : add_node(chain, *arm);
		chain->nodes[leaf].y = cell->sum.y;
		chain->nodes[leaf].p = cell->sum.p;
		chain->of_cell[at] = leaf;
		chain->of_arm[at] = *arm;
		chain->of_action[at] = action;
	}
}

static struct chain
chain_of(struct cells *cells)
{
	struct chain chain = { .nodes = mem_calloc(4 * cells->count + 1 + cells->group_count,
				   sizeof(*chain.nodes)),
		.of_cell = mem_calloc(3 * cells->count, sizeof(*chain.of_cell)) };

	chain.of_arm = chain.of_cell + cells->count;
	chain.of_action = chain.of_arm + cells->count;
	for (size_t i = 0; i < cells->group_count; i++)
		add_node(&chain, i == 0 ? -1 : 0);
	for (size_t at = 0, end; at < cells->count; at = end) {
		for (end = at + 1; end < cells->count &&
		     strcmp(cells->list[end].action, cells->list[at].action) == 0;)
			end++;
		add_action(&chain, cells, at, end);
	}
	return chain;
}

static void
weigh(struct cells *cells, const struct chain *chain, struct learner_node *nodes,
    enum learner_kappa kappa)
{
	memcpy(nodes, chain->nodes, chain->count * sizeof(*nodes));
	learner_ratios(nodes, chain->count, kappa,
	    cells->clip.low > 0 ? cells->clip : LEARNER_CLIP);
	for (size_t i = 0; i < cells->group_count; i++)
		cells->groups[i].ratio[kappa] = nodes[i].ratio;
	for (size_t i = 0; i < cells->count; i++) {
		cells->list[i].ratio[kappa] = nodes[chain->of_cell[i]].ratio;
		cells->list[i].of_arm[kappa] = nodes[chain->of_arm[i]].ratio;
		cells->list[i].of_action[kappa] = nodes[chain->of_action[i]].ratio;
	}
}

void
cells_weigh(struct cells *cells)
{
	struct learner_node *nodes;
	struct chain chain;

	find_groups(cells);
	chain = chain_of(cells);
	nodes = mem_calloc(chain.count, sizeof(*nodes));
	for (int kappa = 0; kappa < LEARNER_KAPPAS; kappa++)
		weigh(cells, &chain, nodes, (enum learner_kappa)kappa);
	free(nodes);
	free(chain.nodes);
	free(chain.of_cell);
}

/* ---- a day is over ---- */

static void
judge(struct cells *cells)
{
	for (int kappa = LEARNER_80; kappa < LEARNER_KAPPAS; kappa++)
		for (size_t i = 0; i < cells->count; i++)
			cells->scores[kappa] += learner_score(cells->list[i].day.y,
			    cells->list[i].day.p, cells->list[i].ratio[kappa]);
}

static void
forget(struct cells *cells)
{
	for (int kappa = 0; kappa < LEARNER_KAPPAS; kappa++)
		cells->scores[kappa] = learner_decayed(cells->scores[kappa]);
	for (size_t i = 0; i < cells->count; i++) {
		struct federation_sum *sum = &cells->list[i].sum;

		sum->n = learner_decayed(sum->n);
		sum->y = learner_decayed(sum->y);
		sum->p = learner_decayed(sum->p);
	}
}

void
cells_turn(struct cells *cells, int weeks)
{
	judge(cells);
	for (; weeks > 0; weeks--)
		forget(cells);
	for (size_t i = 0; i < cells->count; i++) {
		struct cell *cell = &cells->list[i];

		if (!federation_add(&cell->sum, &cell->day))
			cells->full = true;
		cell->day = (struct federation_sum){ 0 };
	}
	cells->kappa = learner_choose(cells->scores[LEARNER_80], cells->scores[LEARNER_20]);
	cells_weigh(cells);
}
