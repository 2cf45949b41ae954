/* SPDX-License-Identifier: Apache-2.0
 *
 * train_features.c - the features that the trainer declares.
 *
 * DESIGN
 *   Few and readable: how often, how long ago, is it due; for the shop and for
 *   each of the categories most bought. All of them look back so far and no
 *   further: what counts since ever grows with the store's memory, and a model
 *   of a young store would read an older one wrongly. The models of categories
 *   read five inputs each: with all those of the shop they learned noise. A base policy's own
 *   declaration of the same thing is taken under its name, so that nothing is
 *   computed twice.
 */
#include "tools/train_features.h"

#include <stdlib.h>
#include <string.h>

#include "core/json_write.h"

struct pattern {
	const char *name, *from, *words; /* %s: the slug, the category, the category */
	enum train_role role;
};

/* clang-format off */
static const struct pattern of_customer[] = {
    {"shop_visits_30d", "local.visits(within=30d)", "visits of the last 30 days", ROLE_OFTEN},
    {"shop_visits_90d", "local.visits(within=90d)", "visits of the last 90 days", ROLE_OFTEN},
    {"shop_recency_90d", "local.recency(within=90d)",
	"days since the last visit, not known after 90", ROLE_CUSTOMER},
    {"shop_gap_90d", "local.gap(within=90d)", "usual days between visits of the last 90 days",
	ROLE_CUSTOMER},
    {"shop_overdue_90d", "local.overdue(within=90d)",
	"days since the last visit, in usual gaps of 90 days", ROLE_CUSTOMER},
    {"shop_spend_90d", "local.sum(within=90d)", "money of the last 90 days, minor units",
	ROLE_CUSTOMER},
    {"now_total", "basket.total()", "money in the basket now, minor units", ROLE_BASKET},
    {"now_lines", "basket.lines()", "lines in the basket now", ROLE_BASKET},
};
static const struct pattern of_category[] = {
    {"visits_%s_90d", "local.visits(category=%s, within=90d)",
	"visits with %s of the last 90 days", ROLE_CATEGORY},
    {"recency_%s_90d", "local.recency(category=%s, within=90d)",
	"days since %s was last bought, not known after 90", ROLE_CATEGORY},
    {"overdue_%s_90d", "local.overdue(category=%s, within=90d)",
	"days since %s was last bought, in usual gaps of 90 days", ROLE_CATEGORY},
    {"now_%s", "basket.count(category=%s)", "lines of %s in the basket now", ROLE_HELD},
};
/* clang-format on */

/* ---- which categories ---- */

static void
choose_top(struct train_features *features, const struct train_baskets *baskets, int64_t until_ms)
{
	size_t count = baskets->categories.count;
	struct train_rank *rank =
	    train_baskets_rank(baskets, baskets->customers.count > 0, until_ms);

	for (size_t i = 0; i < count && i < TRAIN_TOP && rank[i].baskets > 0; i++)
		features->top[features->top_count++] = rank[i].category;
	free(rank);
}

/* Letters, digits and single hyphens; a second one alike gets a number. */
static char *
make_slug(const struct train_features *features, const char *category)
{
	struct buf out = { 0 };
	size_t plain;

	for (; *category != '\0' && out.len < 64; category++) {
		bool word = (*category >= 'a' && *category <= 'z') ||
		    (*category >= '0' && *category <= '9') ||
		    (*category >= 'A' && *category <= 'Z');

		if (word)
			buf_addc(&out, *category);
		else if (out.len > 0 && out.data[out.len - 1] != '-')
			buf_addc(&out, '-');
	}
	if (out.len == 0)
		buf_adds(&out, "category");
	plain = out.len;
	for (size_t i = 0, number = 2; i < features->top_count && features->slug[i] != NULL; i++) {
		if (strcmp(features->slug[i], out.data) != 0)
			continue;
		out.len = plain;
		buf_addf(&out, "-%zu", number++);
		i = (size_t)-1; /* from the start */
	}
	return buf_steal(&out);
}

/* ---- the list ---- */

static bool
same_from(const char *a, const char *b)
{
	for (;; a++, b++) {
		while (*a == ' ')
			a++;
		while (*b == ' ')
			b++;
		if (*a != *b || *a == '\0')
			return *a == *b;
	}
}

static const char *
member(const json_t *entry, const char *name)
{
	const char *text = json_string_value(json_object_get(entry, name));

	return text != NULL ? text : "";
}

/* The base's name of the same number, without a default: ours have none. NULL: it has none. */
static const char *
base_name(const json_t *base, const char *from)
{
	json_t *list = json_object_get(base, "features"), *entry;
	size_t i;

	json_array_foreach(list, i, entry) {
		if (same_from(member(entry, "from"), from) &&
		    strcmp(member(entry, "type"), "number") == 0 &&
		    json_object_get(entry, "default") == NULL)
			return member(entry, "name");
	}
	return NULL;
}

static bool
is_taken(const json_t *base, const char *name)
{
	json_t *list = json_object_get(base, "features"), *entry;
	size_t i;

	json_array_foreach(list, i, entry) {
		if (strcmp(member(entry, "name"), name) == 0)
			return true;
	}
	return false;
}

static char *
fill_in(const char *pattern, const char *text)
{
	struct buf out = { 0 };
	const char *at = strstr(pattern, "%s");

	if (at == NULL)
		return mem_strdup(pattern);
	buf_add(&out, pattern, (size_t)(at - pattern));
	buf_adds(&out, text);
	buf_adds(&out, at + 2);
	return buf_steal(&out);
}

static void
add(struct train_features *features, const struct pattern *pattern, const char *slug,
    const char *category, int top, const json_t *base)
{
	struct train_feature *feature = &features->list[features->count++];
	struct buf name = { 0 };
	const char *known;

	feature->from = fill_in(pattern->from, category);
	feature->words = fill_in(pattern->words, category);
	feature->role = pattern->role;
	feature->category = top;
	known = base_name(base, feature->from);
	if (known != NULL) {
		feature->name = mem_strdup(known);
		return;
	}
	feature->name = fill_in(pattern->name, slug);
	while (is_taken(base, feature->name)) {
		buf_clear(&name);
		buf_addf(&name, "%s_t", feature->name);
		free(feature->name);
		feature->name = buf_steal(&name);
	}
}

void
train_features_make(struct train_features *features, const struct train_baskets *baskets,
    int64_t until_ms, const json_t *base)
{
	*features = (struct train_features){ 0 };
	for (size_t i = 0; i < ARRAY_LEN(of_customer); i++)
		add(features, &of_customer[i], "", "", -1, base);
	choose_top(features, baskets, until_ms);
	for (size_t c = 0; c < features->top_count; c++) {
		const char *category = train_category(baskets, features->top[c]);

		features->slug[c] = make_slug(features, category);
		for (size_t i = 0; i < ARRAY_LEN(of_category); i++)
			add(features, &of_category[i], features->slug[c], category, (int)c, base);
	}
}

void
train_features_done(struct train_features *features)
{
	for (size_t i = 0; i < features->count; i++) {
		free(features->list[i].name);
		free(features->list[i].from);
		free(features->list[i].words);
	}
	for (size_t i = 0; i < features->top_count; i++)
		free(features->slug[i]);
	*features = (struct train_features){ 0 };
}

int
train_feature_find(const struct train_features *features, enum train_role role, int category)
{
	for (size_t i = 0; i < features->count; i++) {
		if (features->list[i].role == role && features->list[i].category == category)
			return (int)i;
	}
	return -1;
}

/* ---- features.json ---- */

static void
add_feature(struct json_writer *w, const char *name, const char *from)
{
	json_space(w, "\n");
	json_add_object(w, NULL);
	json_add_str(w, "name", name);
	json_add_str(w, "type", "number");
	json_add_str(w, "from", from);
	json_end(w);
}

void
train_features_json(const struct train_features *features, const json_t *base, const bool *wanted,
    const char *const *models, size_t model_count, struct buf *out)
{
	json_t *list = json_object_get(base, "features"), *entry;
	struct json_writer *w = JSON_OBJECT(out);
	size_t i;

	json_add_list(w, "features");
	json_array_foreach(list, i, entry) {
		json_space(w, "\n");
		json_add_tree(w, NULL, entry);
	}
	for (i = 0; i < features->count; i++) {
		if ((wanted != NULL && !wanted[i]) || is_taken(base, features->list[i].name))
			continue;
		add_feature(w, features->list[i].name, features->list[i].from);
	}
	for (i = 0; i < model_count; i++) {
		struct buf name = { 0 }, from = { 0 };

		buf_addf(&name, "p_%s", models[i]);
		buf_addf(&from, "model.%s", models[i]);
		if (!is_taken(base, name.data))
			add_feature(w, name.data, from.data);
		buf_done(&name);
		buf_done(&from);
	}
	json_end_all(w);
	buf_addc(out, '\n');
}
