/* SPDX-License-Identifier: Apache-2.0
 *
 * logic_impl.h - what the files of JsonLogic share: cells, instructions, the program.
 */
#ifndef AISLE_LOGIC_LOGIC_IMPL_H
#define AISLE_LOGIC_LOGIC_IMPL_H

#include "logic/logic.h"

#define LOGIC_CONSTANTS_MAX 65536
#define LOGIC_TEXT_STEP 16 /* bytes of text that cost as much as one instruction */

/* A value while it is worked on. */
enum cell_tag {
	CELL_UNDEFINED, /* an argument that is not there; null outside */
	CELL_NULL,
	CELL_BOOL,
	CELL_NUMBER,
	CELL_BIG, /* an integer of the data beyond 2^53: passes through and into text exactly */
	CELL_STRING,
	CELL_JSON, /* array or object of the data or the rule, borrowed */
	CELL_LIST, /* array made by the program */
	CELL_MADE, /* object made by the program: name, value, name, value … in list */
	CELL_PAIR, /* what reduce shows its body: {current, accumulator}, in this order */
};

struct cell {
	uint8_t tag;
	uint8_t
	    depth; /* CELL_LIST, CELL_MADE, CELL_PAIR: levels of them inside, this one included */
	uint32_t count; /* CELL_LIST, CELL_MADE */
	union {
		bool truth;
		double number;
		int64_t big;
		const char *str;
		json_t *json;
		const struct cell *list;
		size_t at; /* while compiling: offset into a pool */
	};
};

enum logic_op {
	OP_CONST,     /* push constant a */
	OP_UNDEFINED, /* push undefined */
	OP_SLOT,      /* push slot a; unknown when missing */
	OP_SLOT_OR,   /* push slot a and jump, or fall into the default */
	OP_PATH,      /* push path a of the scope, or null */
	OP_PATH_OR,   /* push path a of the scope and jump, or fall into the default */
	OP_SCOPE,     /* push the scope itself */
	OP_LIST,      /* n cells to one list */
	OP_CALL,      /* function a over n cells */
	OP_EACH,   /* map … some (a) over the list on top; the body follows, jump is behind it */
	OP_REDUCE, /* list and initial value on top; the body follows */
	OP_MISSING_SLOTS, /* names a … a+n-1 that are missing; b is 1 + constant of the needed count */
	/* A program of what follows alone is flat: one truth at a time. */
	OP_FLAT,
	OP_RETURN = OP_FLAT,
	OP_JUMP,
	OP_IF,	/* pop; jump if falsy */
	OP_AND, /* jump if the top is falsy, else pop */
	OP_OR,	/* jump if the top is truthy, else pop */
	/* Tests of one slot: the common clauses in one instruction, see enum sense. */
	OP_TEST_NUMBER,	 /* slot a with the number beside it, by a function */
	OP_TEST_COMPARE, /* slot a with constant b, by a function */
	OP_TEST_IN,	 /* slot a in constant list b */
	OP_TEST_TRUTH,	 /* slot a, b: wanted truth */
	OP_TEST_NULL,	 /* slot a missing or null, b: wanted truth */
};

/* What a test does with its yes or no: the jump of the and, or, if around it is part of it. Bit 0:
 * a no jumps, bit 1: a yes jumps. */
enum sense {
	SENSE_PUSH = 0,
	SENSE_AND = 1,	  /* no: push false and jump */
	SENSE_OR = 2,	  /* yes: push true and jump */
	SENSE_IF = 1 | 4, /* no: jump */
	SENSE_MASK = 7,
};
static inline bool
sense_jumps(unsigned sense, int holds)
{
	return (sense >> holds & 1) != 0;
}

enum logic_fn {
	FN_EQ,
	FN_NE,
	FN_SAME,
	FN_NOT_SAME,
	FN_LT,
	FN_LE,
	FN_GT,
	FN_GE, /* compares first */
	FN_NOT,
	FN_TRUTH,
	FN_MAX,
	FN_MIN,
	FN_ADD,
	FN_SUB,
	FN_MUL,
	FN_DIV,
	FN_MOD,
	FN_MERGE,
	FN_IN,
	FN_CAT,
	FN_SUBSTR,
	FN_LOG,
	FN_VAR,
	FN_MISSING,
	FN_MISSING_SOME,
	/* of mappings alone */
	FN_NUMBER,
	FN_ROUND,
	FN_REPLACE,
	FN_OBJECT,
	/* not called with cells */
	FN_IF,
	FN_AND,
	FN_OR,
	FN_MAP,
	FN_FILTER,
	FN_ALL,
	FN_NONE,
	FN_SOME,
	FN_REDUCE,
};

struct insn {
	uint8_t op;
	uint8_t sense; /* of a test; from SENSE_FN on the function that compares */
#define SENSE_FN 3
	union {
		uint16_t n;    /* cells, of what does not jump */
		uint16_t jump; /* index of an instruction */
	};
	uint32_t a;
	union {
		struct {
			uint32_t b, zero;
		};
		double number;
	};
};
#define LOGIC_CODE_MAX UINT16_MAX /* instructions; LOGIC_NODES_MAX keeps far below it */

struct path {
	uint32_t first, count; /* of logic->segments */
};

struct named_slot {
	uint32_t slot, name; /* name: constant */
};

/* One block of memory; only objects of the rule (refs) live outside. What a run reads stands
 * together: the code, its constants, their texts. */
struct logic {
	struct cell *constants; /* scalars, objects, and lists of them */
	struct path *paths;
	const char **segments;
	struct named_slot *names;
	uint32_t *slots;
	json_t **refs;
	size_t slot_count, ref_count;
	uint32_t stack; /* cells that a run needs */
	bool over_json;
	bool flat; /* only tests and jumps, see logic_flat.c */
	bool pair; /* a slot and a number, see logic_run_pair() */
	struct insn code[];
};

struct logic_run {
	const struct logic *logic;
	struct logic_slots slots;
	struct arena *arena; /* made when first needed if own */
	bool own;
	int steps; /* left */
	unsigned missing;
	const struct logic_around *around; /* of a mapping; else NULL */
};

/* ---- logic_number.c: numbers as JavaScript reads and writes them ---- */
#define NUMBER_TEXT_SIZE 64
void number_text(double number, char out[static NUMBER_TEXT_SIZE]);
double number_of_text(const char *s);	  /* Number(s) */
double number_parse_float(const char *s); /* parseFloat(s) */
double number_mod(double a, double b);	  /* a % b */

/* ---- logic_cell.c: cells as JavaScript coerces and compares them ---- */
struct cell cell_of_json(json_t *json);
struct cell cell_of_value(const struct value *value);
static inline struct cell
cell_bool(bool truth)
{
	return (struct cell){ .tag = CELL_BOOL, .truth = truth };
}
static inline struct cell
cell_number(double number)
{
	return (struct cell){ .tag = CELL_NUMBER, .number = number };
}
bool cell_is_list(const struct cell *cell);
size_t cell_count(const struct cell *list);
struct cell cell_at(const struct cell *list, size_t i);
/* undefined: none */
struct cell cell_property(struct logic_run *run, const struct cell *cell, const char *name);
/* In a mapping, of an XML element with attributes, what stands in it; else no text. */
struct cell cell_element_text(struct logic_run *run, const struct cell *cell);
bool cell_truthy(const struct cell *cell);
double cell_to_number(struct logic_run *run, const struct cell *cell);
double cell_to_float(struct logic_run *run, const struct cell *cell); /* parseFloat */
const char *cell_to_text(struct logic_run *run, const struct cell *cell);
bool cell_equal(struct logic_run *run, const struct cell *a, const struct cell *b); /* == */
bool cell_same(const struct cell *a, const struct cell *b);			    /* === */
bool cell_compare(struct logic_run *run, enum logic_fn fn, const struct cell *a,
    const struct cell *b);
/* Appends as String() does; join gives "" for null and undefined. */
void cell_add_text(struct logic_run *run, const struct cell *cell, bool join, struct buf *out);
/* Memory and steps of a run. A run whose steps are used up goes on harmlessly to the end of its instruction. */
struct arena *run_arena(struct logic_run *run);
static inline bool
run_charge(struct logic_run *run, size_t steps)
{
	run->steps =
	    steps < (size_t)(run->steps < 0 ? 0 : run->steps) ? run->steps - (int)steps : -1;
	return run->steps >= 0;
}
/* A list of copies; LOGIC_LIMIT when too deep or out of steps. */
enum logic_result cell_list(struct logic_run *run, const struct cell *items, size_t count,
    struct cell *ret);

/* ---- logic_ops.c ---- */
enum logic_result logic_call(struct logic_run *run, enum logic_fn fn, const struct cell *args,
    size_t count, const struct cell *scope, struct cell *ret);
bool cell_in(struct logic_run *run, const struct cell *needle, const struct cell *hay);
struct cell cell_path(struct logic_run *run, const struct cell *scope, const char *const *segments,
    size_t count, bool *ret_found);

/* ---- logic_mapping.c: the operators that mappings have besides ---- */
enum logic_result logic_call_mapping(struct logic_run *run, enum logic_fn fn,
    const struct cell *args, size_t count, struct cell *ret);

/* ---- logic_flat.c ---- */
static inline struct value
run_slot(struct logic_run *run, uint32_t slot)
{
	const struct logic_slots *slots = &run->slots;

	if (slots->known != NULL && slots->known[slot].tag <= VALUE_JSON)
		return slots->known[slot];
	return slots->read(slots->ctx, slot);
}
/* 1: it holds, 0: not, -1: unknown. */
int logic_test(struct logic_run *run, const struct insn *in);
int logic_run_flat(struct logic_run *run); /* of a flat program */
bool logic_is_flat(const struct insn *code, size_t count);

/* ---- logic_ops.c ---- */
bool logic_is_pair(const struct logic *logic, size_t count); /* so many instructions */
/* Of a pair whose slot is a number; false: it is to be run like any other. */
bool logic_run_pair(const struct logic *logic, const struct logic_slots *slots, struct value *ret);

/* ---- logic_run.c ---- */
#define STACK_CELLS 16 /* on the caller's stack; deeper programs take theirs from the arena */
enum logic_result logic_execute(struct logic_run *run, const struct cell *scope,
    struct cell near[static STACK_CELLS], const struct cell **ret);

#endif
