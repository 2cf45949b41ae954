/* SPDX-License-Identifier: Apache-2.0
 *
 * command.c - what the till is asked to do.
 *
 * The offer is the one that the card shows, taken from its own prompt object,
 * so that till and tablet can never be told different things.
 */
#include "deliver/guidance.h"

#include <string.h>

#include "core/json.h"
#include "nouns/match.h"

/* clang-format off */
static const char *const command_names[] = {
	[COMMAND_APPLY_OFFER] = "apply-offer",
	[COMMAND_WITHDRAW_OFFER] = "withdraw-offer",
	[COMMAND_SHOW_MESSAGE] = "show-message",
	[COMMAND_CLEAR_MESSAGE] = "clear-message",
	[COMMAND_PRINT_MESSAGE] = "print-message",
};
/* clang-format on */

/* What the prompt says of goods: one object of it. */
static struct match
goods_of(const json_t *json)
{
	struct match goods = {
		.category = json_string_value(json_object_get(json, "category")),
		.brand = json_string_value(json_object_get(json, "brand")),
		.item = json_string_value(json_object_get(json, "item")),
	};

	goods.set = goods.category != NULL || goods.brand != NULL || goods.item != NULL;
	return goods;
}

static void
add_mark(void *list, const char *category, bool anywhere)
{
	json_t *mark = json_object();

	CHECK(mark != NULL && json_object_set_new(mark, "category", json_string(category)) == 0);
	if (anywhere)
		CHECK(json_object_set_new(mark, "anywhere", json_true()) == 0);
	CHECK(json_array_append_new(list, mark) == 0);
}

#define INCLUDES_MAX 64
#define ARTICLES_MAX 64

static bool
has_item(const json_t *list, const char *item)
{
	const json_t *one;
	size_t i;

	json_array_foreach(list, i, one) {
		const char *text = json_string_value(json_object_get(one, "item"));

		if (text != NULL && strcmp(text, item) == 0)
			return true;
	}
	return false;
}

/* Articles of the basket that have a mark of their own, whatever their category is. */
static void
exclude_articles(json_t *exclude, const struct visit *visit)
{
	size_t count = 0;

	for (size_t i = 0; i < visit->line_count && count < ARTICLES_MAX; i++) {
		const char *item = line_item(&visit->lines[i]);
		json_t *mark;

		if (visit->lines[i].mark == MARK_NONE || visit->lines[i].voided || item == NULL ||
		    has_item(exclude, item))
			continue;
		mark = json_object();
		CHECK(mark != NULL && json_object_set_new(mark, "item", json_string(item)) == 0 &&
		    json_array_append_new(exclude, mark) == 0);
		count++;
	}
}

/* The till knows no marks: what the offer may not touch is written out for it. */
static void
exclude_marked(json_t *offer, const struct marks *marks, const struct visit *visit)
{
	json_t *include = json_object_get(offer, "include"),
	       *exclude = json_object_get(offer, "exclude");
	struct match match[INCLUDES_MAX] = { { 0 } };
	size_t count = json_is_array(include) ? json_array_size(include) : 1;

	if (!json_is_array(exclude)) {
		exclude = json_array();
		CHECK(json_object_set_new(offer, "exclude", exclude) == 0);
	}
	for (size_t i = 0; i < count && i < INCLUDES_MAX; i++) {
		match[i] = goods_of(json_is_array(include) ? json_array_get(include, i) : include);
		if (i > 0)
			match[i - 1].next = &match[i];
	}
	marks_meet(marks, &match[0], add_mark, exclude);
	exclude_articles(exclude, visit);
}

/* The prompt's offer with the card's worth. */
static void
add_offer(const struct card *card, const struct marks *marks, const struct visit *visit,
    struct json_writer *w)
{
	json_t *prompt = json_loads(card->json, JSON_REJECT_DUPLICATES, NULL);
	json_t *offer = json_object_get(prompt, "offer");

	if (json_is_object(offer)) {
		CHECK(json_object_set_new(offer, "worth", json_integer(card->worth_minor)) == 0);
		exclude_marked(offer, marks, visit);
		json_add_tree(w, "offer", offer);
	}
	json_decref(prompt);
}

void
command_json(enum command_type type, const struct id *command, const struct visit *visit,
    const struct card *card, const struct marks *marks, const char *text, int64_t expires_ms,
    struct buf *out)
{
	bool offer = type == COMMAND_APPLY_OFFER || type == COMMAND_WITHDRAW_OFFER;
	struct json_writer *w = JSON_OBJECT(out);

	json_add_id(w, "command", command);
	json_add_str(w, "type", NAME_OF(command_names, type));
	json_add_str(w, "terminal", visit->terminal);
	json_add_str(w, "basket", visit->basket);
	if (card != NULL) {
		json_opt_id(w, "prompt", &card->prompt);
		if (offer && card->json != NULL)
			add_offer(card, marks, visit, w);
		if (offer)
			json_opt_id(w, "token", &card->token);
	}
	if (text != NULL)
		json_add_str(w, "text", text);
	json_add_when(w, "expires", expires_ms);
	json_end(w);
}
