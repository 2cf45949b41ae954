/* SPDX-License-Identifier: Apache-2.0
 *
 * model_impl.h - what the files of the models share: the flat form, its builder, the JSON reader.
 */
#ifndef AISLE_SCORE_MODEL_IMPL_H
#define AISLE_SCORE_MODEL_IMPL_H

#include "score/model.h"

#define MODEL_BYTES_MAX (64u << 20)
#define MODEL_NODES_MAX (1u << 22)
#define MODEL_TREES_MAX 10000u
#define MODEL_DEPTH_MAX 512u
#define MODEL_INPUTS_MAX 65535u
#define MODEL_CLASSES_MAX 1024u
#define MODEL_NAME_MAX 256u
#define MODEL_TERMS_MAX (1u << 20)

enum model_kind {
	KIND_XGBOOST_TREES,
	KIND_XGBOOST_LINEAR,
	KIND_LIGHTGBM_TREES,
	KIND_LINEAR,
	KIND_COUNT
};

enum model_link_kind {
	LINK_IDENTITY,
	LINK_LOGISTIC, /* 1 / (1 + exp(-a x)) */
	LINK_SOFTMAX,
	LINK_ARGMAX, /* the class with the largest margin, as a number */
	LINK_EXP,
	LINK_SIGN,	/* x > 0: 1, else 0 */
	LINK_SQUARE,	/* sign(x) x^2 */
	LINK_LOG1P_EXP, /* log(1 + exp(x)) */
	LINK_COUNT,
};

/* How a column of the row is made from an input: a missing value becomes what takes the node's
 * default way in "column <= threshold" whatever the threshold, -inf to the left and NaN to the
 * right, so that walking a tree is one comparison a level. */
enum fill {
	FILL_RAW,	 /* missing: NaN; also for categories and terms of linear leaves */
	FILL_LEFT,	 /* missing: -inf */
	FILL_ZERO,	 /* missing: 0 */
	FILL_ZERO_LEFT,	 /* missing or zero: -inf */
	FILL_ZERO_RIGHT, /* missing or zero: NaN */
	FILL_COUNT,
};

struct column {
	uint32_t input, fill;
};

/* Split: go left if row[column] <= value; children are left and left + 1.
 * Leaf: column 0 (always -inf) and left is the node itself, so a step stays; value is the leaf's.
 * Categorical split: flags in column; value is the index of the set. */
struct node {
	double value;
	uint32_t column, left;
};
#define NODE_CATEGORICAL (UINT32_C(1) << 31)
#define NODE_DEFAULT_LEFT (UINT32_C(1) << 30)
#define NODE_COLUMN (NODE_DEFAULT_LEFT - 1)

struct tree {
	uint32_t root, end; /* nodes [root, end); children come behind their parent */
	uint32_t group, depth;
};

/* Eight trees that follow each other, as one heap: slots 8 to 15 are their roots, the children of
 * slot i are 2 i and 2 i + 1, and the leaves lie below at depth levels. A tree that ends earlier
 * goes left to the bottom. */
enum grove_kind {
	GROVE_HEAP,
	GROVE_NODES,   /* too lopsided for a heap: walked by its nodes, eight at once */
	GROVE_GENERAL, /* with categories or linear leaves: one by one */
};

struct grove {
	enum grove_kind kind;
	uint32_t first, count, depth;
	size_t at; /* of its slots (8 << depth) and of as many leaves; slot 0 to 7 are empty */
};
#define GROVE_TREES 8u

struct set {
	uint32_t first,
	    count; /* of words: ascending categories (XGBoost) or a bit map (LightGBM) */
};

struct leaf_model { /* LightGBM's linear leaves; term: column and coefficient */
	double constant;
	uint32_t first, count;
};

struct term { /* of a linear model; of a linear leaf, with a column as input */
	double weight;
	double level_number; /* the level as a number; NaN if it is none */
	const char *level;   /* NULL: numeric */
	uint32_t input, group;
};

struct category {
	char *text; /* NULL: a number */
	double number;
};

struct dictionary {
	struct category *entries; /* in the order of the codes that trees split by */
	uint32_t count;
	size_t cap;
	const struct category **sorted; /* by text or number */
};

struct input {
	char *name;
	struct dictionary *dictionary; /* NULL: none */
	bool is_string, used;
	bool log1p;	    /* of a linear model: counts by its fmath_signed_log1p() */
	double missing;	    /* what stands in, after that; NaN: nothing does */
	char *missing_text; /* the same of a string; NULL: nothing does */
};

struct model {
	enum model_kind kind;
	enum model_link_kind link;
	double link_a;	/* steepness of LINK_LOGISTIC */
	double divisor; /* of the sums, before the link: iterations of a random forest */
	bool float32;
	uint32_t class_count;
	double *base; /* class_count: where the sums start */
	struct input *inputs;
	uint32_t input_count;
	struct node *nodes;
	uint32_t node_count;
	struct tree *trees;
	uint32_t tree_count;
	struct column *columns; /* ascending by input, fill; columns[0] is -inf */
	uint32_t column_count;
	struct set *sets;
	uint32_t set_count;
	uint32_t *words;
	uint32_t word_count;
	uint32_t *leaf_of; /* per node: 1 + leaf model, or 0; NULL: no linear leaves */
	struct leaf_model *leaves;
	uint32_t leaf_count;
	struct term *terms;
	uint32_t term_count;
	struct calibration calibration;
	float *expected; /* per node: the mean of its leaves, by cover; NULL: no trees */
	/* made by model_settle for scoring */
	struct grove *groves; /* all trees, eight by eight */
	uint32_t grove_count;
	bool wide_keys, wide_columns;
	void *keys,
	    *key_columns;  /* slots of the groves: uint32_t or uint64_t; uint8_t or uint16_t */
	void *slot_leaves; /* float where sums are, else double */
	size_t slot_count;
	double *row;   /* column_count doubles: the row being scored, for nodes */
	void *key_row; /* the same as keys, for groves */
	bool reads_row, reads_keys;
	struct value *coded; /* inputs with codes for categories; NULL: no dictionaries */
	bool paired; /* float32, and each column of kind FILL_RAW is followed by its FILL_LEFT */
};

/* ---- model_build.c ---- */

/* A tree as its file has it. */
struct raw_node {
	int32_t left, right; /* indices into the tree; left < 0: leaf */
	uint32_t input;
	uint8_t fill;
	bool categorical, default_left;
	uint32_t set;  /* categorical */
	uint32_t leaf; /* 1 + leaf model, or 0 */
	double value;  /* threshold for <=, or the leaf's value */
	double cover;  /* rows or hessians that training saw here, > 0; 0: not known */
};

struct builder {
	struct model *model;
	const char *name; /* of the file */
	struct err *err;
	uint32_t *column_of; /* input × fill → column, 0: none yet */
	size_t node_cap, tree_cap, column_cap, set_cap, word_cap, leaf_cap, term_cap;
	double *covers;		       /* per node */
	uint32_t *queue, *queue_depth; /* of one tree */
	bool *seen;
	size_t queue_cap;
};

void builder_init(struct builder *b, enum model_kind kind, const char *name, struct err *err);
/* 0 and the model, or the error; releases the builder either way. */
int builder_done(struct builder *b, int result, struct model **ret_model);
int builder_refuse(const struct builder *b, const char *format, ...) AISLE_PRINTF(2, 3);
/* Taken over; settled here. */
int builder_set_dictionary(struct builder *b, uint32_t input, struct dictionary *dictionary);
/* Names are copied; duplicates are refused by builder_done. */
int builder_add_input(struct builder *b, const char *name);
int builder_set_classes(struct builder *b, uint32_t count);
uint32_t builder_column(struct builder *b, uint32_t input, enum fill fill);
uint32_t builder_add_set(struct builder *b, const uint32_t *words, size_t count);
int builder_add_leaf(struct builder *b, double constant, uint32_t *ret_leaf);
int builder_add_term(struct builder *b, const struct term *term);
int builder_add_tree(struct builder *b, const struct raw_node *nodes, size_t count, uint32_t group);
void *builder_grow(void *items, size_t *cap, size_t count, size_t size);
/* Sets what follows from the rest (used inputs, depths, the row); false: the model is not sound. */
bool model_settle(struct model *model); /* model_flat.c */

/* ---- model_dictionary.c ---- */
/* Zeroed memory is an empty one. false: too many. */
bool dictionary_add_text(struct dictionary *dictionary, const char *text);
bool dictionary_add_number(struct dictionary *dictionary, double number);
/* NULL: sound, and ready to be asked; else what is wrong. */
const char *dictionary_settle(struct dictionary *dictionary);
void dictionary_free(struct dictionary *dictionary);
bool dictionary_is_text(const struct dictionary *dictionary);
/* The code as a number, or missing. */
struct value dictionary_code(const struct dictionary *dictionary, const struct value *value);
void dictionary_save(const struct dictionary *dictionary, struct buf *out);
struct dictionary *dictionary_load(struct rd *rd, bool text);
/* The inputs themselves, or model->coded. */
const struct value *model_coded(const struct model *model, const struct value *inputs);

/* ---- model_row.c ---- */
void model_fill_row(const struct model *model, const struct value *inputs);
void model_fill_keys(const struct model *model, const struct value *inputs);

/* ---- model_explain.c ---- */
void model_expect(struct model *model, const double *covers); /* covers: per node, 0: not known */

/* ---- model_grove.c ---- */
void model_plant_groves(struct model *model);

/* ---- model_score.c ---- */
bool model_goes_left(const struct model *model,
    const struct node *node);					 /* by the row; any split */
double model_leaf_value(const struct model *model, uint32_t at); /* by the row */
/* What a linear model's term adds; false: nothing. */
bool model_term_value(const struct model *model, const struct term *term, const struct value *value,
    double *ret);

/* binary: UBJSON */
int model_import_xgboost(const char *text, size_t len, bool binary, const char *name,
    enum model_trees trees, struct model **ret_model, struct err *err);
int model_import_lightgbm(const char *text, size_t len, const char *name, struct model **ret_model,
    struct err *err);
int model_import_linear(const char *text, size_t len, const char *name, struct model **ret_model,
    struct err *err);

/* ---- calibration.c ---- */
bool calibration_valid(const struct calibration *calibration);
void calibration_done(struct calibration *calibration);
double calibration_apply(const struct calibration *calibration, double margin);

#endif
