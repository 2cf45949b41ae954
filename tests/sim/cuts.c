/* SPDX-License-Identifier: Apache-2.0
 *
 * cuts.c - power cuts: cuts COUNT [SEED [STEPS]]
 *
 * DESIGN
 *   A story is written once and cut at many of its writes, in many ways. Each time a store is opened on what is left
 *   and looked at: its state is that of a step between the last one that was acknowledged and the one that was under
 *   way, whole. A part of them is told the rest of the story, of which the first may be told again, and arrives at the
 *   same states; a part of those is cut once more, also while it was opened.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "folder.h"
#include "world.h"

#define CUTS_A_STORY 250
#define STEPS 120
#define GO_ON 8 /* steps that one in four is told */

static char lived[FOLDER_PATH], cut[FOLDER_PATH], again[FOLDER_PATH];
static struct {
	int64_t cuts, acknowledged, under_way, went_on, twice, slowest;
} sum;

/* The steps that were acknowledged when the trace had so many notes, and that were begun. */
static void
between(const struct story *story, size_t at, size_t *ret_first, size_t *ret_last)
{
	*ret_first = *ret_last = 0;
	for (size_t i = 0; i < story->count; i++) {
		if (story->ended[i] <= at)
			*ret_first = i + 1;
		if (story->began[i] < at)
			*ret_last = i + 1;
	}
	if (*ret_last < *ret_first)
		*ret_last = *ret_first;
}

/* Opens what is there; which step it is after. */
static size_t
look(const struct story *story, const char *folder, size_t first, size_t last,
    struct engine **ret_engine)
{
	struct digest digest;
	long found;
	int rc = world_open(folder, ret_engine);

	if (rc != 0)
		wrong("the store does not open: %d", rc);
	if (store_damaged(engine_store(*ret_engine)) != 0)
		wrong("a power cut is taken for damage");
	digest = world_digest(*ret_engine);
	found = story_find(story, &digest, first, last);
	if (found < 0) {
		found = story_find(story, &digest, 0, story->count);
		wrong("%s: the state of step %ld, not of %zu to %zu",
		    found < 0 ? "half a step" : "an acknowledged step is lost", found, first, last);
	}
	sum.cuts++;
	sum.acknowledged += (size_t)found == first;
	sum.under_way += (size_t)found > first;
	return (size_t)found;
}

/* What was acknowledged is told again, too: it counts once. */
static void
go_on(const struct story *story, struct engine *engine, size_t from, size_t steps)
{
	if (from > 0 && story->steps[from - 1].kind == STEP_TURN &&
	    story->steps[from - 1].said[0].kind == INPUT_MESSAGE &&
	    !story->steps[from - 1].refused) {
		struct step twice = { .kind = STEP_TURN,
			.now_ms = story->steps[from - 1].now_ms,
			.said = { story->steps[from - 1].said[0] },
			.count = 1 };

		if (world_step(engine, &twice) != 0)
			wrong("what is told twice fails");
	}
	for (size_t i = from; i < story->count && i < from + steps; i++) {
		struct digest digest;

		if (world_step(engine, &story->steps[i]) != 0)
			wrong("step %zu fails after the cut", i);
		digest = world_digest(engine);
		if (!digest_equal(&digest, &story->after[i + 1]))
			wrong("after the cut, step %zu leads elsewhere (from %zu)", i, from);
	}
	sum.went_on++;
}

static void
cut_again(const struct story *story, struct trace *trace, size_t at_first, size_t found,
    size_t told, struct chance *chance)
{
	struct replay *replay = replay_new(trace);
	struct engine *engine;
	size_t last = found + told < story->count ? found + told : story->count;

	folder_clear(again);
	replay_cut(replay, chance_below(chance, trace_len(trace) + 1), chance_next(chance), again);
	/* The first cut may have left a step that was under way, and it went on from there. */
	look(story, again, at_first, last, &engine);
	engine_close(engine);
	replay_free(replay);
	sum.twice++;
}

static void
cut_once(const struct story *story, struct replay *replay, size_t at, struct chance *chance)
{
	struct engine *engine;
	struct trace *trace = NULL;
	size_t first, last, found, told = chance_below(chance, 4) == 0 ? GO_ON : 0;
	bool twice = chance_below(chance, 8) == 0;

	folder_clear(cut);
	replay_cut(replay, at, chance_next(chance), cut);
	between(story, at, &first, &last);
	if (twice)
		trace = trace_begin(cut);
	found = look(story, cut, first, last, &engine);
	if (told > 0)
		go_on(story, engine, found, told);
	trace_end();
	engine_close(engine);
	if (twice)
		cut_again(story, trace, first, found, told, chance);
	trace_free(trace);
}

static int
compare_places(const void *a, const void *b)
{
	size_t x = *(const size_t *)a, y = *(const size_t *)b;

	return x < y ? -1 : x > y;
}

static void
cut_story(uint64_t seed, size_t steps, int64_t count)
{
	static size_t places[CUTS_A_STORY];
	struct chance chance = { seed ^ UINT64_C(0x5eed) };
	struct story *story;
	struct replay *replay;

	folder_clear(lived);
	trying("cuts %lld %llu %zu", (long long)count, (unsigned long long)seed, steps);
	story = story_new(seed, steps, lived);
	replay = replay_new(story->trace);
	for (int64_t i = 0; i < count; i++)
		places[i] = chance_below(&chance, trace_len(story->trace) + 1);
	qsort(places, (size_t)count, sizeof(places[0]), compare_places);
	for (int64_t i = 0; i < count; i++) {
		trying("cuts %d %llu %zu (cut %lld at note %zu of %zu)", CUTS_A_STORY,
		    (unsigned long long)seed, steps, (long long)i, places[i],
		    trace_len(story->trace));
		cut_once(story, replay, places[i], &chance);
	}
	replay_free(replay);
	story_free(story);
}

int
main(int argc, char **argv)
{
	int64_t count = argc > 1 ? strtoll(argv[1], NULL, 10) : 1000;
	uint64_t seed = argc > 2 ? strtoull(argv[2], NULL, 10) : 1;
	size_t steps = argc > 3 ? strtoull(argv[3], NULL, 10) : STEPS;
	uint64_t stories = 0;

	world_begin();
	folder_begin("cuts");
	folder_new("lived", lived);
	folder_new("cut", cut);
	folder_new("again", again);
	while (sum.cuts < count) {
		cut_story(seed + stories, steps, CUTS_A_STORY);
		stories++;
	}
	printf("%lld power cuts of %llu stories of %zu steps, seeds from %llu: %lld states of the "
	       "last "
	       "acknowledged step, %lld of one under way; %lld told on, %lld cut once more; lost "
	       "0, "
	       "doubled 0\n1 passed, 0 failed\n",
	    (long long)sum.cuts, (unsigned long long)stories, steps, (unsigned long long)seed,
	    (long long)sum.acknowledged, (long long)sum.under_way, (long long)sum.went_on,
	    (long long)sum.twice);
	folder_end();
	return 0;
}
