/* SPDX-License-Identifier: Apache-2.0
 *
 * policy_tables.c - tables/: what goes with what, which families of actions are taken from, and the
 * words for what they name.
 *
 * DESIGN
 *   A table is a file of its own, made by aislectl train, or a list of somebody else's as CSV; in a
 *   bundle it is always the first. It is checked where it is opened, and shared by the policy and
 *   its arms: it may have megabytes.
 */
#include "policy/policy_tables.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/csv.h"
#include "core/unicode.h"
#include "nouns/match.h"
#include "policy/policy_internal.h"
#include "recommend/table_import.h"

#define FOLDER "tables/"
#define NAMES "tables/tables.json"

const char *const family_names[FAMILY_COUNT] = { "", "basket", "own", "substitute" };

/* ---- shared ---- */

int
policy_table_new(const void *bytes, size_t len, struct policy_table **ret, struct err *err)
{
	struct policy_table *table = mem_zero(sizeof(*table));
	int rc;

	table->holders = 1;
	table->len = len;
	table->bytes = mem_alloc(len + 1);
	memcpy(table->bytes, bytes, len);
	rc = table_open(table->bytes, len, &table->table, err);
	if (rc == 0)
		*ret = table;
	else
		policy_table_drop(table);
	return rc;
}

void
policy_table_drop(struct policy_table *table)
{
	if (table == NULL || --table->holders > 0)
		return;
	table_free(table->table);
	free(table->bytes);
	free(table);
}

void
policy_tables_share(struct policy *policy, const struct policy *with)
{
	for (int f = 0; f < FAMILY_COUNT; f++) {
		if (with->tables[f] == NULL)
			continue;
		policy->tables[f] = with->tables[f];
		policy->tables[f]->holders++;
	}
}

/* ---- read ---- */

bool
family_takes(enum family family, enum table_kind kind)
{
	switch (kind) {
	case TABLE_GROUPS:
	case TABLE_ARTICLES: return family == FAMILY_BASKET;
	case TABLE_OWN: return family == FAMILY_OWN;
	case TABLE_SUBSTITUTES: return family == FAMILY_SUBSTITUTE;
	}
	return false;
}

static int
import_list(const struct policy_part *part, enum family family, struct buf *out, struct err *err)
{
	return table_import(part->bytes, part->len, part->name,
	    family == FAMILY_BASKET ? TABLE_ARTICLES : TABLE_SUBSTITUTES, out, err);
}

static void
take(struct compile *c, const struct policy_part *part, enum family family, bool is_list)
{
	struct policy_table **table = &c->policy->tables[family];
	struct buf made = { 0 };
	struct err err = { 0 };
	int rc;

	if (*table != NULL) {
		err_set(&err, AISLE_E_INVALID, "a second table, expected one .table or one .csv");
		mistake_line(c, part->name, &err);
		return;
	}
	if (is_list) {
		rc = import_list(part, family, &made, &err);
		if (rc == 0)
			rc = policy_table_new(made.data, made.len, table, &err);
	} else {
		rc = policy_table_new(part->bytes, part->len, table, &err);
	}
	if (rc == 0 && !family_takes(family, table_kind((*table)->table)))
		rc = err_set(&err, AISLE_E_INVALID, "a table of %s, which is none for \"%s\"",
		    NAME_OF(table_kind_names, table_kind((*table)->table)),
		    NAME_OF(family_names, family));
	if (rc != 0)
		mistake_line(c, part->name, &err);
	buf_done(&made);
}

/* Which file is it of? FAMILY_NONE: none. */
static enum family
family_of_file(const struct compile *c, const char *name, bool *ret_list)
{
	const char *file = name + strlen(FOLDER);

	for (int f = FAMILY_BASKET; f < FAMILY_COUNT; f++) {
		size_t len = strlen(family_names[f]);

		if (strncmp(file, family_names[f], len) != 0)
			continue;
		*ret_list = f != FAMILY_OWN && !c->parts->built && strcmp(file + len, ".csv") == 0;
		if (*ret_list || strcmp(file + len, ".table") == 0)
			return (enum family)f;
	}
	return FAMILY_NONE;
}

static void
read_file(struct compile *c, const struct policy_part *part)
{
	struct err err = { 0 };
	bool is_list;
	enum family family;

	if (strncmp(part->name, FOLDER, strlen(FOLDER)) != 0 || strcmp(part->name, NAMES) == 0)
		return;
	family = family_of_file(c, part->name, &is_list);
	if (family != FAMILY_NONE) {
		take(c, part, family, is_list);
		return;
	}
	err_set(&err, AISLE_E_INVALID,
	    "unknown file, expected basket, own or substitute with .table, basket or substitute "
	    "with .csv, or tables.json");
	mistake_line(c, part->name, &err);
}

/* ---- words ---- */

static int
compare_words(const void *a, const void *b)
{
	return strcmp(((const struct item_words *)a)->item, ((const struct item_words *)b)->item);
}

static void
read_words(struct compile *c, const struct at *at, struct item_words *words)
{
	const char *language;
	json_t *value;

	words->texts =
	    arena_alloc(c->arena, (c->policy->language_count + 1) * sizeof(*words->texts));
	json_object_foreach(at->json, language, value) {
		struct at here = at_member(at, language);
		size_t l = 0;

		while (l < c->policy->language_count &&
		    strcmp(c->policy->languages[l], language) != 0)
			l++;
		if (l == c->policy->language_count || !json_is_string(value) ||
		    json_string_length(value) == 0 || json_string_length(value) > TABLE_TEXT_MAX) {
			mistake(c, &here,
			    "not a word in a language of policy.json, expected a text of 1 to %d "
			    "bytes",
			    TABLE_TEXT_MAX);
			continue;
		}
		text_check(c, &here, json_string_value(value));
		words->texts[l] = keep(c, json_string_value(value));
	}
}

void
tables_read(struct compile *c, const struct at *at)
{
	static const struct member members[] = { { "names", T_OBJECT | T_REQUIRED } };
	struct at names = at_member(at, "names");
	struct policy *policy = c->policy;
	const char *item;
	json_t *value;

	for (size_t i = 0; !c->patched && i < c->parts->count; i++)
		read_file(c, &c->parts->part[i]);
	if (at->json == NULL || !READ_MEMBERS(c, at, members))
		return;
	policy->words =
	    arena_alloc(c->arena, (json_object_size(names.json) + 1) * sizeof(*policy->words));
	json_object_foreach(names.json, item, value) {
		struct at here = at_member(&names, item);
		struct item_words *words = &policy->words[policy->word_count++];

		(void)value;
		words->item = keep(c, item);
		if (json_is_object(here.json))
			read_words(c, &here, words);
		else
			mistake(c, &here, "no words, expected an object of languages");
	}
	qsort(policy->words, policy->word_count, sizeof(*policy->words), compare_words);
}

const char *
policy_words(const struct policy *policy, const char *item, const char *language)
{
	size_t low = 0, high = policy->word_count;

	while (low < high) {
		size_t middle = low + (high - low) / 2;
		int order = strcmp(policy->words[middle].item, item);

		if (order == 0) {
			for (size_t l = 0; l < policy->language_count; l++)
				if (strcmp(policy->languages[l], language) == 0)
					return policy->words[middle].texts[l];
			return NULL;
		}
		if (order < 0)
			low = middle + 1;
		else
			high = middle;
	}
	return NULL;
}
