/* SPDX-License-Identifier: Apache-2.0
 *
 * world.h - a store on the simulated disk: the engine as aisled drives it, two tills, an associate, a desk, a broker that
 * delivers again what was not acknowledged, and a headquarters that acknowledges some of what it has.
 *
 * DESIGN
 *   A story is made once, by chance, while a store without faults lives through it: each step is kept with the digest
 *   of the whole state after it. A store that met a fault is told the same steps again, from the first one that was
 *   not acknowledged; the engine is a function of its inputs, so its state is then, to the byte of each row, that of
 *   the store without faults. What is compared is read through the store's and the engine's public interface.
 */
#ifndef AISLE_TESTS_SIM_WORLD_H
#define AISLE_TESTS_SIM_WORLD_H

#include "core/conf.h"
#include "disk.h"
#include "spine/engine.h"

#define STEPS_MAX 4096
#define SAID_MAX 4 /* inputs of a turn */

enum step_kind { STEP_TURN, STEP_ROOM, STEP_IDLE };

struct said {
	enum input_kind kind;
	const char *topic, *payload;		/* of a message */
	const char *guidance, *prompt, *answer; /* of an answer; shown: "shown" */
	int64_t
	    number; /* delivered: the n-th row of the outbox, from 0; an acknowledgement: so many rows */
	enum lane lane;
	bool found; /* number is the one of the outbox or the lane */
};

struct step {
	enum step_kind kind;
	int64_t now_ms;
	struct said said[SAID_MAX];
	size_t count;
	bool refused; /* some of it: a dead letter comes again with it */
};

struct digest {
	uint8_t bytes[16];
};

struct story {
	struct arena *texts;
	struct step steps[STEPS_MAX];
	struct digest after[STEPS_MAX + 1]; /* 0: of a store that was opened, and told nothing */
	size_t began[STEPS_MAX],
	    ended
		[STEPS_MAX]; /* the trace's length before and after each step; of `opened` below too */
	size_t opened;
	size_t count;
	struct trace *trace;
};

/* The store without faults lives in folder, which is empty; what it wrote is the story's trace. */
struct story *story_new(uint64_t seed, size_t steps, const char *folder);
void story_free(struct story *story);

/* A store as aisled opens it, with the policy in force; 0 or an error. */
int world_open(const char *folder, struct engine **ret_engine);
/* What is said by its place gets its number, so that it can be said again; 0 or an error. */
int world_find(struct engine *engine, struct step *step);
/* 0, or the turn's error: aisled then opens the store again, and the broker sends the same once more. */
int world_step(struct engine *engine, const struct step *step);
struct digest world_digest(struct engine *engine);
/* Each row by itself, those of the uplink also by their numbers; an error: they cannot be read. */
#define ROWS_MAX 8192
struct rows {
	uint64_t of[ROWS_MAX];
	size_t count, holes;
	int64_t seq;
};
int world_rows(struct engine *engine, struct rows *ret_rows);
/* Adds what is not there yet; sorts both, as the next one does. */
void rows_join(struct rows *rows, struct rows *more);
void rows_compare(struct rows *should, struct rows *have, size_t *ret_missing, size_t *ret_more);
/* What is looked at, as text. */
void world_show(struct engine *engine, const char *path);
bool digest_equal(const struct digest *a, const struct digest *b);

/* The first step whose digest it is, between two; -1: none. */
long story_find(const struct story *story, const struct digest *digest, size_t first, size_t last);

extern struct conf world_conf;
void world_begin(void);

/* Says what is wrong and with which seed, and leaves. */
__attribute__((format(printf, 1, 2), noreturn)) void wrong(const char *format, ...);
/* What the next wrong() says first: the command that shows it again. */
__attribute__((format(printf, 1, 2))) void trying(const char *format, ...);

#endif
