/* SPDX-License-Identifier: Apache-2.0
 *
 * flips.c - a bit flips under the running engine: flips COUNT [SEED]
 *
 * DESIGN
 *   A store is told a story; somewhere in it one bit of state.db or of its log flips, while the engine has both open. It
 *   is told the rest, is idle in between as aisled is (it then looks at its pages), is stopped or killed, started and
 *   told more. Whatever it hit:
 *     what is given out is what was written, row by row, or it is not given out;
 *     what is missing is told of: damage is counted;
 *     headquarters' numbers have no hole without a gap record;
 *     the store is opened again only so often, and serves who comes next.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/when.h"
#include "folder.h"
#include "world.h"

#define FLIPS_A_STORY 200
#define STEPS 60
#define TOLD 5
#define IDLE 24	       /* seconds in which the store looks at its own pages */
#define REOPENED_MAX 8 /* in all: after that it spins */

static char lived[FOLDER_PATH], left[FOLDER_PATH], now[FOLDER_PATH], killed[FOLDER_PATH],
    going[FOLDER_PATH];
static struct {
	int64_t flips, told, same, reopened;
} sum;

struct shop {
	const struct story *story;
	struct engine *engine;
	int reopened;
};

static void
start(struct shop *shop)
{
	int rc = world_open(now, &shop->engine);

	if (rc != 0)
		wrong("the store does not open: %d", rc);
}

static void
reopen(struct shop *shop)
{
	struct err err = { 0 };

	sum.reopened++;
	if (++shop->reopened > REOPENED_MAX)
		wrong("it is opened again and again");
	if (engine_reopen(shop->engine, &err) != 0)
		wrong("it leaves: %s", err.text);
}

/* As the broker does, which delivers again what was not acknowledged. */
static void
tell(struct shop *shop, const struct step *step)
{
	while (world_step(shop->engine, step) != 0)
		reopen(shop);
}

static void
idle(struct shop *shop)
{
	static const struct step nothing = { .kind = STEP_IDLE };

	for (int second = 0; second < IDLE; second++) {
		(void)world_step(shop->engine, &nothing);
		if (store_suspect(engine_store(shop->engine)))
			reopen(shop);
	}
}

/* Somebody new at a third till. */
static void
serve(struct shop *shop, int n)
{
	char texts[2][512], at[WHEN_TEXT_SIZE];
	size_t count;
	bool shown = false;
	int64_t now_ms = engine_now(shop->engine) + 1000;

	when_text(now_ms, at);
	for (int i = 0; i < 2; i++)
		snprintf(texts[i], sizeof(texts[i]),
		    "{\"specversion\":\"1.0\",\"source\":\"/pos/"
		    "9\",\"id\":\"n%d-%d\",\"type\":\"aisle.basket.%s\","
		    "\"time\":\"%s\",\"data\":{\"basket\":\"n%d\",%s}}",
		    n, i, i == 0 ? "opened" : "item-added", at, n,
		    i == 0 ? "\"terminal\":\"9\""
			   : "\"line\":1,\"sku\":\"s\",\"category\":\"c\",\"qty\":1,\"amount\":100,"
			     "\"currency\":\"EUR\"");
	for (int i = 0; i < 2; i++) {
		struct step step = { .kind = STEP_TURN,
			.now_ms = now_ms + i,
			.said = { { .kind = INPUT_MESSAGE,
			    .topic = "aisle/v1/0042/pos/9/event",
			    .payload = texts[i] } },
			.count = 1 };

		tell(shop, &step);
	}
	const struct output *outputs = engine_outputs(shop->engine, &count);

	for (size_t i = 0; i < count; i++)
		shown = shown ||
		    (outputs[i].kind == OUTPUT_GUIDANCE && strcmp(outputs[i].station, "9") == 0);
	if (!shown)
		wrong("it does not serve who comes next");
}

/* What is given out was written; what was written is given out, or damage is told of. */
static void
look(struct shop *shop, struct rows *should, struct rows *ever)
{
	static struct rows have;
	struct store *store = engine_store(shop->engine);
	size_t missing = 0, more = 0, other;
	int rc = world_rows(shop->engine, &have);

	/* A page that cannot be read is told by whoever looks; it is mended, and then looked at. */
	while (rc != 0 || store_suspect(store)) {
		reopen(shop);
		store = engine_store(shop->engine);
		rc = world_rows(shop->engine, &have);
	}
	rows_compare(should, &have, &missing, &more);
	/* What lies behind a break in the log is lost: what was before it is there again. */
	if (more > 0)
		rows_compare(ever, &have, &other, &more);
	if (more > 0)
		wrong("%zu rows are given out that were never written", more);
	if (missing > 0 && store_damaged(store) == 0)
		wrong("%zu rows are missing without a word", missing);
	if (have.holes > 0)
		wrong("headquarters' numbers have %zu holes", have.holes);
	sum.told += store_damaged(store) > 0;
	sum.same += missing == 0;
}

static void
flip(struct chance *chance)
{
	static const char *const names[] = { "state.db", "state.db-wal" };
	const char *name = names[chance_below(chance, ARRAY_LEN(names))];
	int64_t size = folder_size(now, name);

	/* Of the log what is in use: a store that was killed left no more of it. */
	if (size == 0) {
		name = "state.db";
		size = folder_size(now, name);
	}
	if (!folder_flip(now, name, (int64_t)chance_below(chance, (uint64_t)size),
		(int)chance_below(chance, 8)))
		wrong("%s has no such byte", name);
}

static void
live(const struct story *story, size_t from, struct rows *should, struct rows *ever,
    struct chance *chance, int n)
{
	struct shop shop = { .story = story };
	bool stopped = chance_below(chance, 2) == 0;

	folder_copy(left, now);
	start(&shop);
	if (chance_below(chance, 2) == 0)
		(void)world_step(shop.engine, &(struct step){ .kind = STEP_IDLE });
	flip(chance);
	switch (chance_below(chance, 3)) {
	case 0:
		idle(&shop);
		look(&shop, should, ever);
		break;
	case 1: look(&shop, should, ever); break;
	default: break; /* turns meet it first */
	}
	for (size_t i = from; i < from + TOLD; i++)
		tell(&shop, &story->steps[i]);
	serve(&shop, 2 * n);
	idle(&shop);
	if (!stopped)
		folder_copy(now, killed);
	engine_close(shop.engine);
	if (!stopped)
		folder_copy(killed, now);
	start(&shop);
	serve(&shop, 2 * n + 1);
	idle(&shop);
	engine_close(shop.engine);
	sum.flips++;
}

/* A store that goes along, and is killed at each step that flips are tried from. */
struct ahead {
	struct engine *engine;
	size_t done;
	struct rows *should, *ever;
};

static void
go_to(struct ahead *ahead, const struct story *story, size_t from)
{
	for (; ahead->done < from; ahead->done++) {
		if (world_step(ahead->engine, &story->steps[ahead->done]) != 0 ||
		    world_rows(ahead->engine, ahead->should) != 0)
			wrong("step %zu fails", ahead->done);
		rows_join(ahead->ever, ahead->should);
	}
	folder_copy(going, left);
}

static void
flip_story(uint64_t seed, int64_t count)
{
	static struct rows should, ever;
	struct chance chance = { seed ^ UINT64_C(0xf119) };
	struct ahead ahead = { .should = &should, .ever = &ever };
	struct story *story;

	trying("flips %lld %llu", (long long)count, (unsigned long long)seed);
	folder_clear(lived);
	story = story_new(seed, STEPS, lived);
	folder_clear(going);
	ever.count = 0;
	if (world_open(going, &ahead.engine) != 0)
		wrong("the store does not open");
	for (int64_t i = 0; i < count; i++) {
		size_t from = 20 + (size_t)(i * (STEPS - 20 - TOLD) / count);

		go_to(&ahead, story, from);
		trying("flips %lld %llu (flip %lld at step %zu)", (long long)count,
		    (unsigned long long)seed, (long long)i, from);
		live(story, from, &should, &ever, &chance, (int)i);
	}
	engine_close(ahead.engine);
	story_free(story);
}

int
main(int argc, char **argv)
{
	int64_t count = argc > 1 ? strtoll(argv[1], NULL, 10) : 1000;
	uint64_t seed = argc > 2 ? strtoull(argv[2], NULL, 10) : 1, stories = 0;

	world_begin();
	folder_begin("flips");
	folder_new("lived", lived);
	folder_new("left", left);
	folder_new("now", now);
	folder_new("killed", killed);
	folder_new("going", going);
	while (sum.flips < count)
		flip_story(seed + stories++, count < FLIPS_A_STORY ? count : FLIPS_A_STORY);
	printf("%lld flips in %llu stories, seeds from %llu: %lld told of at once, %lld that "
	       "changed "
	       "nothing that is read; opened again %lld times; served after all, 0 wrong rows, 0 "
	       "hangs\n"
	       "1 passed, 0 failed\n",
	    (long long)sum.flips, (unsigned long long)stories, (unsigned long long)seed,
	    (long long)sum.told, (long long)sum.same, (long long)sum.reopened);
	folder_end();
	return 0;
}
