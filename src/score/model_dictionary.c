/* SPDX-License-Identifier: Apache-2.0
 *
 * model_dictionary.c - what the categories of an input are called, where the model's file says it.
 *
 * DESIGN
 *   A data frame gives each category a number, trees split by the numbers, and the file keeps the
 *   names in order. So a row's text (or number: a category may be called 7) becomes its place in
 *   that list. What is not in it is missing, as for LightGBM; XGBoost predicts nothing at all then.
 */
#include <stdlib.h>
#include <string.h>

#include "score/model_impl.h"

void
dictionary_free(struct dictionary *dictionary)
{
	if (dictionary == NULL)
		return;
	for (uint32_t i = 0; i < dictionary->count; i++)
		free(dictionary->entries[i].text);
	free(dictionary->entries);
	free(dictionary->sorted);
	free(dictionary);
}

static bool
add(struct dictionary *dictionary, struct category category)
{
	if (dictionary->count == MODEL_TERMS_MAX) {
		free(category.text);
		return false;
	}
	dictionary->entries = mem_grow(dictionary->entries, dictionary->count, &dictionary->cap,
	    sizeof(*dictionary->entries));
	dictionary->entries[dictionary->count++] = category;
	return true;
}

bool
dictionary_add_text(struct dictionary *dictionary, const char *text)
{
	return add(dictionary, (struct category){ .text = mem_strdup(text) });
}

bool
dictionary_add_number(struct dictionary *dictionary, double number)
{
	return add(dictionary, (struct category){ .number = number });
}

bool
dictionary_is_text(const struct dictionary *dictionary)
{
	return dictionary->count > 0 && dictionary->entries[0].text != NULL;
}

static int
order(const struct category *a, const struct category *b)
{
	if (a->text != NULL && b->text != NULL)
		return strcmp(a->text, b->text);
	return (a->number > b->number) - (a->number < b->number);
}

static int
sorted_order(const void *a, const void *b)
{
	return order(*(const struct category *const *)a, *(const struct category *const *)b);
}

/* NULL: sound; else what is wrong. */
const char *
dictionary_settle(struct dictionary *dictionary)
{
	bool text = dictionary_is_text(dictionary);
	uint32_t count = dictionary->count;
	if (count == 0)
		return "no categories";
	dictionary->sorted = mem_calloc(count, sizeof(*dictionary->sorted));
	for (uint32_t i = 0; i < count; i++) {
		const struct category *entry = &dictionary->entries[i];
		if ((entry->text != NULL) != text)
			return "texts and numbers as categories of one input";
		if (!text && entry->number - entry->number != 0)
			return "a category that is not a finite number";
		dictionary->sorted[i] = entry;
	}
	qsort(dictionary->sorted, count, sizeof(*dictionary->sorted), sorted_order);
	for (uint32_t i = 1; i < count; i++)
		if (order(dictionary->sorted[i - 1], dictionary->sorted[i]) == 0)
			return "a category that is there twice";
	return NULL;
}

struct value
dictionary_code(const struct dictionary *dictionary, const struct value *value)
{
	struct category wanted = { .text = NULL };
	if (dictionary_is_text(dictionary) != (value->tag == VALUE_STRING))
		return value_missing();
	switch (value->tag) {
	case VALUE_STRING: wanted.text = (char *)(uintptr_t)value->str; break;
	case VALUE_NUMBER: wanted.number = value->number; break;
	case VALUE_BOOL: wanted.number = value->truth; break;
	default: return value_missing();
	}
	if (wanted.number != wanted.number)
		return value_missing();
	uint32_t low = 0, high = dictionary->count;
	while (low < high) {
		uint32_t middle = low + (high - low) / 2;
		if (order(dictionary->sorted[middle], &wanted) < 0)
			low = middle + 1;
		else
			high = middle;
	}
	if (low == dictionary->count || order(dictionary->sorted[low], &wanted) != 0)
		return value_missing();
	return value_number((double)(dictionary->sorted[low] - dictionary->entries));
}

const struct value *
model_coded(const struct model *model, const struct value *inputs)
{
	if (model->coded == NULL)
		return inputs;
	for (uint32_t i = 0; i < model->input_count; i++) {
		const struct dictionary *dictionary = model->inputs[i].dictionary;
		model->coded[i] =
		    dictionary != NULL ? dictionary_code(dictionary, &inputs[i]) : inputs[i];
	}
	return model->coded;
}

/* ---- the flat form ---- */

/* Their count, then each; whether they are texts is known from the input. */
void
dictionary_save(const struct dictionary *dictionary, struct buf *out)
{
	buf_u32(out, dictionary != NULL ? dictionary->count : 0);
	for (uint32_t i = 0; dictionary != NULL && i < dictionary->count; i++)
		if (dictionary_is_text(dictionary))
			buf_str(out, dictionary->entries[i].text);
		else
			buf_f64(out, dictionary->entries[i].number);
}

/* NULL: none, or damaged (rd->ok says so). */
struct dictionary *
dictionary_load(struct rd *rd, bool text)
{
	uint32_t count = rd_u32(rd);
	if (!rd->ok || count == 0)
		return NULL;
	struct dictionary *dictionary = mem_zero(sizeof(*dictionary));
	for (uint32_t i = 0; i < count && rd->ok; i++) {
		struct category category = { .text = text ? rd_str(rd) : NULL };
		if (!text)
			category.number = rd_f64(rd);
		else if (category.text == NULL)
			rd->ok = false;
		if (!add(dictionary, category))
			rd->ok = false;
	}
	if (rd->ok && dictionary_settle(dictionary) == NULL)
		return dictionary;
	rd->ok = false;
	dictionary_free(dictionary);
	return NULL;
}
