/* SPDX-License-Identifier: Apache-2.0
 *
 * faults.c - the n-th call to the disk fails: faults STORIES [SEED]
 *
 * DESIGN
 *   A kill leaves a state somewhere in a story. From there a store is opened and told a few steps, closed and opened
 *   again; that asks the disk for so many things. Each of them fails in turn, once and for good (the disk is then
 *   mended after a while), as a disk that fails and as one that is full. aisled is played as it is: a turn that fails
 *   acknowledges nothing, the store is opened again, one that does not open is started again, and what was not
 *   acknowledged is said again.
 *
 *   At the end the state is that of the store without faults. In between: what was acknowledged is there, a turn that
 *   failed was or was not, whole; a disk that fails is no damage; and nothing is tried for ever.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "folder.h"
#include "world.h"

#define STEPS 60
#define TOLD 6
#define TRIES 12     /* of a step, before the disk is mended */
#define TRIES_MAX 64 /* and after it: nothing is tried for ever */
#define SITES_MAX 20000

static char lived[FOLDER_PATH], left[FOLDER_PATH], now[FOLDER_PATH];
static struct {
	int64_t sites, points, started, full;
} sum;

struct shop {
	const struct story *story;
	struct engine *engine; /* NULL: it is not running */
	size_t done;	       /* steps that are on the disk, as far as anybody knows */
	bool unsure;	       /* the next one may be, too */
	int tries;
};

static void
again(struct shop *shop)
{
	if (++shop->tries == TRIES)
		disk_mend();
	if (shop->tries > TRIES_MAX)
		wrong("tried for ever, at step %zu", shop->done);
}

/* As the service manager does; until it runs. */
static void
start(struct shop *shop)
{
	while (shop->engine == NULL) {
		if (world_open(now, &shop->engine) == 0)
			break;
		engine_close(shop->engine);
		shop->engine = NULL;
		again(shop);
		sum.started++;
	}
}

/* What is there once the disk answers? */
static void
look(struct shop *shop)
{
	struct digest digest;
	long found;

	if (store_damaged(engine_store(shop->engine)) != 0 ||
	    store_suspect(engine_store(shop->engine)))
		wrong("a disk that fails is taken for damage");
	digest = world_digest(shop->engine);
	found = story_find(shop->story, &digest, shop->done, shop->done + shop->unsure);
	if (found < 0) {
		found = story_find(shop->story, &digest, 0, shop->story->count);
		wrong("%s: the state of step %ld, not of %zu%s",
		    found < 0 ? "half a step" : "an acknowledged step is lost", found, shop->done,
		    shop->unsure ? " or the next" : "");
	}
	shop->done = (size_t)found;
	shop->unsure = false;
}

static void
reopen(struct shop *shop)
{
	struct err err = { 0 };

	again(shop);
	if (engine_reopen(shop->engine, &err) == 0)
		return;
	engine_close(shop->engine);
	shop->engine = NULL;
	start(shop);
}

static void
tell(struct shop *shop, size_t upto)
{
	struct step step;

	while (shop->done < upto) {
		if (!shop->unsure) {
			step = shop->story->steps[shop->done];
			while (world_find(shop->engine, &step) != 0)
				reopen(shop);
		}
		if (world_step(shop->engine, &step) == 0) {
			shop->done++;
			shop->unsure = false;
			continue;
		}
		shop->unsure = true;
		reopen(shop);
		/* A dead letter comes again with what it is of. */
		if (step.refused) {
			disk_mend();
			look(shop);
		}
	}
}

/* From what a kill left after so many steps. */
static void
live(const struct story *story, size_t from)
{
	struct shop shop = { .story = story, .done = from };

	folder_copy(left, now);
	start(&shop);
	tell(&shop, from + TOLD);
	engine_close(shop.engine);
	shop.engine = NULL;
	start(&shop);
	disk_mend();
	look(&shop);
	tell(&shop, from + TOLD + 1);
	look(&shop);
	engine_close(shop.engine);
}

static int64_t
count_sites(const struct story *story, size_t from)
{
	int64_t sites;
	struct shop shop = { .story = story, .done = from };

	folder_copy(left, now);
	disk_mend();
	start(&shop);
	tell(&shop, from + TOLD);
	engine_close(shop.engine);
	shop.engine = NULL;
	start(&shop);
	sites = disk_calls();
	engine_close(shop.engine);
	return sites < SITES_MAX ? sites : SITES_MAX;
}

/* Killed, not stopped: the log is there. */
static void
leave(const struct story *story, size_t from)
{
	struct engine *engine;

	folder_clear(now);
	if (world_open(now, &engine) != 0)
		wrong("the store does not open");
	for (size_t i = 0; i < from; i++)
		(void)world_step(engine, &story->steps[i]);
	folder_copy(now, left);
	engine_close(engine);
}

static void
fail_everywhere(uint64_t seed)
{
	struct chance chance = { seed ^ UINT64_C(0xfa17) };
	struct story *story;
	size_t from;
	int64_t sites;

	trying("faults 1 %llu", (unsigned long long)seed);
	folder_clear(lived);
	story = story_new(seed, STEPS, lived);
	from = chance_below(&chance, STEPS - TOLD - 1);
	leave(story, from);
	sites = count_sites(story, from);
	for (int64_t site = 1; site <= sites; site++) {
		for (int how = 0; how < 4; how++) {
			trying("faults 1 %llu (step %zu, call %lld of %lld, %s, %s)",
			    (unsigned long long)seed, from, (long long)site, (long long)sites,
			    how & 1 ? "full" : "failing", how & 2 ? "for good" : "once");
			disk_fail(site, how & 1, how & 2);
			live(story, from);
			sum.points++;
		}
	}
	/* And full, at any byte. */
	for (int64_t i = 0; i < sites; i++) {
		int64_t bytes = (int64_t)chance_below(&chance, 40000);

		trying("faults 1 %llu (step %zu, room for %lld bytes)", (unsigned long long)seed,
		    from, (long long)bytes);
		folder_copy(left, now);
		disk_fill(now, bytes);
		live(story, from);
		sum.full++;
	}
	sum.sites += sites;
	story_free(story);
}

int
main(int argc, char **argv)
{
	int64_t stories = argc > 1 ? strtoll(argv[1], NULL, 10) : 4;
	uint64_t seed = argc > 2 ? strtoull(argv[2], NULL, 10) : 1;

	world_begin();
	folder_begin("faults");
	folder_new("lived", lived);
	folder_new("left", left);
	folder_new("now", now);
	for (int64_t i = 0; i < stories; i++)
		fail_everywhere(seed + (uint64_t)i);
	printf("%lld calls of %lld stories, seeds from %llu, each failing once and for good, as "
	       "failing and "
	       "as full: %lld points; full at %lld bytes; %lld starts again; lost 0, doubled 0, "
	       "hangs 0\n"
	       "1 passed, 0 failed\n",
	    (long long)sum.sites, (long long)stories, (unsigned long long)seed,
	    (long long)sum.points, (long long)sum.full, (long long)sum.started);
	folder_end();
	return 0;
}
