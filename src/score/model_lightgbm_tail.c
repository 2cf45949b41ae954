/* SPDX-License-Identifier: Apache-2.0
 *
 * model_lightgbm_tail.c - what stands behind the trees of a LightGBM file: how it was trained, and
 * what a data frame's categories were called.
 *
 * DESIGN
 *   "pandas_categorical:[["gold","none"],[0,1,2]]" has a list for each category column of the data
 *   frame, in their order, and names no column. Which inputs those were is told by what else
 *   the file says of them: the parameter categorical_feature, feature_infos, the splits.
 *   Where the counts agree it is clear; a constant column and one of ordered categories show
 *   less of themselves and are counted in only if they make the counts agree. Else the file is
 *   refused: a wrong dictionary would be a wrong score in silence.
 */
#include <stdlib.h>
#include <string.h>

#include "score/model_lightgbm.h"

/* What a feature shows of being a category column. */
struct look {
	bool categorical; /* as a parameter, in feature_infos, or by a split */
	bool constant;	  /* "none" */
	bool whole;	  /* "[0:3]": numbers that may be codes */
	double most;	  /* the largest that training saw; -1: not known */
};

static struct look
look_at(const struct lgb *l, uint32_t feature, const char *info)
{
	struct look look = { .categorical = l->categorical[feature], .most = -1 };
	size_t len = strcspn(info, " ");
	char *end;
	if (*info == '[') {
		double low = strtod(info + 1, &end);
		double high = *end == ':' ? strtod(end + 1, &end) : -1;
		look.whole = low >= 0 && high >= low && high < 4e9 &&
		    low == (double)(uint32_t)low && high == (double)(uint32_t)high && *end == ']';
		if (look.whole)
			look.most = high;
	} else if (len == 4 && strncmp(info, "none", 4) == 0) {
		look.constant = true;
	} else if (len > 0) {
		look.categorical = true;
		for (end = (char *)(uintptr_t)info; end < info + len; end += *end == ':') {
			const char *before = end;
			double code = strtod(before, &end);
			if (end == before)
				break;
			if (code > look.most)
				look.most = code;
		}
	}
	return look;
}

/* Of which features they are if constant ones, or ordered ones, are among them. false: this is not
 * how it was. */
static bool
places(const struct look *looks, uint32_t features, bool constants, bool ordered,
    struct dictionary *const *dictionaries, uint32_t count, uint32_t *ret_features)
{
	uint32_t found = 0;
	for (uint32_t i = 0; i < features; i++) {
		const struct look *look = &looks[i];
		if (!look->categorical && !(constants && look->constant) &&
		    !(ordered && look->whole))
			continue;
		if (found == count || look->most >= (double)dictionaries[found]->count)
			return false;
		ret_features[found++] = i;
	}
	return found == count;
}

static int
place_dictionaries(struct lgb *l, struct dictionary **dictionaries, uint32_t count)
{
	struct look *looks = mem_calloc(l->features, sizeof(*looks));
	uint32_t *features = mem_calloc(count + 1u, sizeof(*features));
	const char *info = l->infos != NULL ? l->infos : "";
	bool clear = false;
	int r = 0;
	for (uint32_t i = 0; i < l->features; i++) {
		looks[i] = look_at(l, i, info);
		info += strcspn(info, " ");
		info += strspn(info, " ");
	}
	for (unsigned more = 0; !clear && more < 4; more++)
		clear = places(looks, l->features, (more & 1) != 0, (more & 2) != 0, dictionaries,
		    count, features);
	if (!clear)
		r = builder_refuse(&l->b,
		    "pandas_categorical has the categories of %u columns and the file does not say "
		    "of which, expected unordered category columns and no categorical_feature, or "
		    "category codes",
		    count);
	for (uint32_t i = 0; i < count && r == 0; i++) {
		struct dictionary *dictionary = dictionaries[i];
		dictionaries[i] = NULL;
		r = builder_set_dictionary(&l->b, features[i], dictionary);
	}
	free(looks);
	free(features);
	return r;
}

static void
read_dictionary(struct jsonr *r, struct dictionary *dictionary)
{
	bool fits = true;
	jsonr_enter(r, '[');
	while (fits && jsonr_item(r)) {
		if (r->form->kind(r) == '"')
			fits = jsonr_string(r) && dictionary_add_text(dictionary, r->word.data);
		else
			fits = dictionary_add_number(dictionary, jsonr_number(r, false));
	}
	if (!fits)
		jsonr_fail(r, "too many categories");
}

/* text: [[…],…]. A column without any category was missing in all rows: no split asks for it. */
int
lgb_pandas(struct lgb *l, const char *text)
{
	struct dictionary **dictionaries = NULL;
	uint32_t count = 0, total = 0;
	size_t cap = 0;
	struct err err = { 0 };
	struct jsonr r;
	jsonr_init(&r, &jsonr_text, text, strlen(text), l->b.name, &err);
	jsonr_enter(&r, '[');
	while (jsonr_item(&r)) {
		dictionaries = mem_grow(dictionaries, count, &cap, sizeof(struct dictionary *));
		dictionaries[count] = mem_zero(sizeof(struct dictionary));
		read_dictionary(&r, dictionaries[count]);
		total += dictionaries[count]->count;
		if (count == MODEL_INPUTS_MAX || total > MODEL_TERMS_MAX)
			jsonr_fail(&r, "too many categories");
		if (dictionaries[count]->count > 0)
			count++;
		else
			dictionary_free(dictionaries[count]);
	}
	jsonr_end(&r);
	jsonr_done(&r);
	int result = 0;
	if (r.failed)
		result = err_at(l->b.err, AISLE_E_INVALID, l->b.name, l->line, 0,
		    "pandas_categorical: %s", err.text);
	else if (count > 0)
		result = place_dictionaries(l, dictionaries, count);
	for (uint32_t i = 0; i < count; i++)
		dictionary_free(dictionaries[i]);
	free(dictionaries);
	return result;
}

/* "[categorical_feature: 5,6]"; "name:a,b" has names, which pandas' columns never do. */
void
lgb_categorical_parameter(struct lgb *l, const char *line)
{
	static const char key[] = "[categorical_feature: ";
	char *end;
	if (strncmp(line, key, strlen(key)) != 0)
		return;
	for (const char *at = line + strlen(key); *at >= '0' && *at <= '9'; at = end + 1) {
		unsigned long feature = strtoul(at, &end, 10);
		if (feature < l->features)
			l->categorical[feature] = true;
		if (*end != ',')
			return;
	}
}
