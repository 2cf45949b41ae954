/* SPDX-License-Identifier: Apache-2.0
 *
 * policy_internal.h - what the files of the policy compiler share: places, mistakes, readers.
 *
 * DESIGN
 *   Reading never stops at the first mistake: a reader that finds something wrong
 *   reports it where it stands and gives the default, so one run shows an author
 *   everything. Places are a chain on the stack; text positions are looked up only
 *   when something is wrong.
 */
#ifndef AISLE_POLICY_POLICY_INTERNAL_H
#define AISLE_POLICY_POLICY_INTERNAL_H

#include "aisle/policy.h"
#include "core/arena.h"
#include "core/buf.h"
#include "core/json.h"
#include "policy/policy_load.h"
#include "nouns/kinds.h"

#define MISTAKES_MAX 100
#define DURATION_MAX (INT64_C(3660) * D_MS)

/* Where a value stands in a part. The chain lives on the reader's stack. */
struct at {
	const struct at *up;
	const char *part; /* of the root; NULL below it */
	const char *key;  /* member name, or NULL: index counts */
	size_t index;
	json_t *json; /* borrowed; NULL: absent */
};

/* Names to indices; keys are borrowed. */
struct name_map {
	const char **keys;
	unsigned *values;
	size_t capacity, count;
};
void name_map_done(struct name_map *map);
int name_map_get(const struct name_map *map, const char *name); /* -1: none */
/* false: the name is there already (and stays as it was). */
bool name_map_add(struct name_map *map, const char *name, unsigned value);

struct compile {
	const struct policy_parts *parts;
	struct policy *policy;
	struct arena *arena;   /* the policy's memory */
	struct arena *scratch; /* the compiler's own */
	struct buf *report;
	int mistakes, warnings;
	bool patched; /* an arm's policy: arms are not tried again */
	struct name_map features, models, clauses, texts;
	struct clause *clause; /* growing; moved to the arena at the end */
	size_t clause_capacity;
};

/* ---- policy_report.c ---- */

struct at at_root(const char *part, json_t *json);
struct at at_member(const struct at *up, const char *key);
struct at at_index(const struct at *up, size_t index);
/* "file:line:column: text" to the report; text says what, and what was expected. */
void mistake(struct compile *c, const struct at *at, const char *format, ...) AISLE_PRINTF(3, 4);
/* The same at a path below at, such as "/and/1/in". */
void mistake_below(struct compile *c, const struct at *at, const char *pointer, const char *text);
void warning(struct compile *c, const struct at *at, const char *format, ...) AISLE_PRINTF(3, 4);
/* What is worth knowing and no fault. */
void note(struct compile *c, const struct at *at, const char *format, ...) AISLE_PRINTF(3, 4);
void mistake_line(struct compile *c, const char *part, const struct err *err);

/* ---- policy_read.c ---- */

enum {
	T_STRING = 1,
	T_INT = 2,
	T_NUMBER = 4,
	T_BOOL = 8,
	T_OBJECT = 16,
	T_ARRAY = 32,
	T_NULL = 64,
	T_RULE = T_NUMBER | T_BOOL | T_OBJECT, /* a text or a list would be true, always */
	T_EXPR = T_NUMBER | T_OBJECT | T_STRING,
	T_REQUIRED = 256,
};
struct member {
	const char *name;
	unsigned types;
};
/* Is it an object, are all members known and of their type, is what is required there? false: no
 * object. Members of a wrong type are reported here; the readers below then give the default in
 * silence. */
bool read_members(struct compile *c, const struct at *at, const struct member *members,
    size_t count);
#define READ_MEMBERS(c, at, table) read_members(c, at, table, ARRAY_LEN(table))
bool id_valid(const char *text); /* 1-128 printable ASCII characters without spaces */
/* The policy's own copy, one for equal texts; NULL for NULL. What the policy keeps must come from
 * here or from the arena: the source's texts go with the source. */
const char *keep(struct compile *c, const char *text);
/* kept; NULL: absent */
const char *read_string(struct compile *c, const struct at *at, const char *key);
const char *read_id(struct compile *c, const struct at *at, const char *key); /* kept */
int64_t read_int(struct compile *c, const struct at *at, const char *key, int64_t min, int64_t max,
    int64_t dflt);
double read_number(struct compile *c, const struct at *at, const char *key, double min, double max,
    double dflt);
bool read_bool(const struct at *at, const char *key, bool dflt);
int64_t read_duration(struct compile *c, const struct at *at, const char *key, int64_t min,
    int64_t max, int64_t dflt);
int64_t read_time(struct compile *c, const struct at *at, const char *key, int64_t dflt);
/* Index of the member's word in names; -1: absent or wrong. */
int read_choice(struct compile *c, const struct at *at, const char *key, const char *const *names,
    size_t count);
int choice(struct compile *c, const struct at *at, const char *const *names, size_t count);
void read_salt(struct compile *c, const struct at *at, const char *key, uint8_t salt[static 32]);
void read_match(struct compile *c, const struct at *at, const char *key, struct match *match);
/* "shown", "overridden:insensitive"; OUTCOME_COUNT: absent or wrong. */
enum outcome read_outcome(struct compile *c, const struct at *at, const char *key,
    const char **ret_reason);

/* ---- the parts ---- */

const struct policy_part *part_find(const struct policy_parts *parts, const char *name);
void settings_read(struct compile *c, const struct at *at);   /* policy_settings.c */
void settings_finish(struct compile *c, const struct at *at); /* what needs features and actions */
void features_read(struct compile *c, const struct at *at);   /* policy_features.c */
void features_finish(struct compile *c, const struct at *at);
void marks_read(struct compile *c, const struct at *at); /* policy_sensitive.c */
/* By the policy alone: which country it will serve is not known here. */
enum mark policy_mark(const struct policy *policy, const char *category);
void models_read(struct compile *c, const struct at *at); /* policy_models.c */
void models_finish(struct compile *c, const struct at *at);
uint32_t clause_read(struct compile *c, const struct at *at); /* policy_clause.c */
/* Every operand of a rule is one that its operator reads; false: mistakes were reported. */
bool operands_check(struct compile *c, const struct at *at); /* policy_operands.c */
/* A mistake if it reads a feature of marked goods. */
void clause_no_compliance(struct compile *c, const struct at *at, uint32_t clause);
struct expr expr_read(struct compile *c, const struct at *at, double min, double max, double dflt);
bool expr_per_action(const struct compile *c, const struct expr *expr);
void actions_read(struct compile *c); /* policy_actions.c */
void valid_read(struct compile *c, const struct at *at, struct action *action); /* policy_valid.c */
void offer_read(struct compile *c, const struct at *at, struct action *action); /* policy_offer.c */
void budget_read(struct compile *c, const struct at *at, struct action *action);
/* policy_template.c */
/* What a text is read for: whose it is and where it will be seen. */
struct wording {
	const struct action *action; /* NULL: the reason of a feature */
	unsigned feature;	     /* then: which */
	const char *language;
	bool on_customer; /* may stand on the customer's own screen */
};
void template_read(struct compile *c, const struct at *at, const struct wording *wording,
    struct template *ret);
void text_check(struct compile *c, const struct at *at, const char *text); /* its bytes */
/* Is it of what went wrong, or only suspected? Nothing to read out where others see the screen. */
bool feature_awkward(const struct feature *feature);
void treatments_read(struct compile *c, const struct at *at,
    struct action *action);						 /* policy_text.c */
void reason_read(struct compile *c, const struct at *at, unsigned slot); /* of a feature */
/* Caps of contact.json, or of an action (own: their scope is the action). */
/* policy_contact.c */
size_t caps_read(struct compile *c, const struct at *at, bool own, struct cap **ret_caps);
void contact_read(struct compile *c, const struct at *at);
void pictures_read(struct compile *c);			  /* policy_pictures.c */
void tables_read(struct compile *c, const struct at *at); /* policy_tables.c */
/* The path of the image that is named there; NULL: none, or a mistake that was reported. */
const char *picture_named(struct compile *c, const struct at *at);
void experiments_read(struct compile *c, const struct at *at); /* policy_experiments.c */
void experiment_plan_read(struct compile *c, const struct at *at, struct experiment_plan *plan);
void zones_read(struct compile *c, const struct at *at);  /* policy_zones.c */
void shrink_read(struct compile *c, const struct at *at); /* policy_shrink.c */
void experiments_try(struct compile *c, const struct at *at);
/* ---- policy_levers.c ---- */
void levers_read(struct compile *c, const struct at *at);
void levers_settle(const struct policy *policy, struct action *action);
double levers_most(const struct policy *policy,
    const struct action *action); /* as far as managers may move them */
/* ---- policy_settle.c ---- */
void policy_settle(struct policy *policy);
/* ---- policy_columns.c ---- */
void columns_settle(struct policy *policy);  /* behind all that is settled of an action */
void policy_contexts(struct policy *policy); /* once its models are read; no part of an image */

#endif
