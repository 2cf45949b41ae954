/* SPDX-License-Identifier: Apache-2.0
 *
 * logic.h - JsonLogic: compiled once to a flat program, run over feature slots or over JSON. Pure.
 */
#ifndef AISLE_LOGIC_LOGIC_H
#define AISLE_LOGIC_LOGIC_H

#include "aisle/value.h"
#include "core/arena.h"
#include "core/buf.h"
#include "core/json.h"

#define LOGIC_DEPTH_MAX 48
#define LOGIC_NODES_MAX 4096
#define LOGIC_STEPS_MAX 100000 /* a run that needs more ends with LOGIC_LIMIT */

struct logic;
/* Slot of a variable, or -1: no such feature (then the rule does not compile). */
typedef int (*logic_resolve_fn)(void *ctx, const char *name);
/* resolve NULL: variables are looked up in JSON data at run time (rule eval, mappings).
 * err->text says what and where in the rule ("/and/1/in: unknown operator …"). */
int logic_compile(const json_t *rule, logic_resolve_fn resolve, void *ctx, struct logic **ret_logic,
    struct err *err) AISLE_MUST_CHECK;
/* The same, over slots, in the arena's memory: not to be freed. Objects as values are refused: they would live outside. */
int logic_compile_into(struct arena *arena, const json_t *rule, logic_resolve_fn resolve, void *ctx,
    struct logic **ret_logic, struct err *err) AISLE_MUST_CHECK;
/* The same over JSON, with the operators that mappings have besides: number, round, replace, object;
 * for logic_run_around(). */
int logic_compile_mapping(const json_t *rule, struct logic **ret_logic, struct err *err)
    AISLE_MUST_CHECK;
bool logic_is_operator(const char *name); /* one of a mapping's */
void logic_free(struct logic *logic);
/* Every slot the program may read, once each. */
void logic_slots(const struct logic *logic, void (*fn)(void *ctx, unsigned slot), void *ctx);

enum logic_result {
	LOGIC_OK,
	LOGIC_UNKNOWN, /* an operator read a missing feature (policy.md, "Missing"): the gate is closed */
	LOGIC_LIMIT,
};
typedef struct value (*logic_slot_fn)(void *ctx, unsigned slot);
/* Where slots are read: in known, if it is there and its tag is one of enum value_tag, else read() says. */
struct logic_slots {
	const struct value *known;
	logic_slot_fn read;
	void *ctx;
};
/* Over slots. *ret_missing (may be NULL): the slot that made it unknown. Memory of the result is in arena.
 * Operands run from left to right and only as far as they decide. Of *ret_value only the member that its tag
 * names is set. A list that the rule made comes back as VALUE_BOOL, its truth; a number may be NaN or infinite. */
enum logic_result logic_run(const struct logic *logic, logic_slot_fn slot, void *ctx,
    struct arena *arena, struct value *ret_value, unsigned *ret_missing);
enum logic_result logic_run_over(const struct logic *logic, const struct logic_slots *slots,
    struct arena *arena, struct value *ret_value, unsigned *ret_missing);
/* Over JSON data, without the "missing" meaning (rule eval): new reference in *ret. */
enum logic_result logic_run_json(const struct logic *logic, json_t *data, json_t **ret);
/* Of a mapping: what a variable's path may begin with wherever it stands. */
struct logic_around {
	json_t *whole; /* "$" */
	int64_t index; /* "$i"; below 0: null */
	json_t *named; /* "$NAME": a member of this object; NULL: none */
};
enum logic_result logic_run_around(const struct logic *logic, json_t *data,
    const struct logic_around *around, json_t **ret);
bool logic_truthy(const struct value *value);

/* A program that compares one slot with one number. */
struct logic_bar {
	uint32_t slot;
	double number;
	bool below, equal; /* the slot is to be below it, else above; or equal to it */
};
bool logic_is_bar(const struct logic *logic, struct logic_bar *ret);

#endif
