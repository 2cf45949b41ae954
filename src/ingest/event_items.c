/* SPDX-License-Identifier: Apache-2.0
 *
 * event_items.c - members of an event about goods and money: items, discounts, tenders.
 */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "core/double_text.h"
#include "core/id.h"
#include "core/unicode.h"
#include "ingest/fields.h"
#include "nouns/article.h"
#include "core/currency.h"
#include "nouns/gtin.h"

#define SKU_MAX 256
/* As it came: composed, a text has a third of its bytes at least, but for blanks around it. What is
 * longer is not composed to find out. */
#define SKU_RAW_MAX (4 * SKU_MAX)

struct part {
	const char *name; /* ref or type */
	int64_t amount_minor;
};

/* clang-format off */
static const struct field discount_fields[] = {
	{ "ref", F_DECOR, true, offsetof(struct part, name), 0, ID_MAX, NULL },
	{ "amount", F_INT, true, offsetof(struct part, amount_minor), -MONEY_MAX, MONEY_MAX, NULL },
};

static const struct field tender_fields[] = {
	{ "type", F_DECOR, true, offsetof(struct part, name), 0, ID_MAX, NULL },
	{ "amount", F_INT, true, offsetof(struct part, amount_minor), -MONEY_MAX, MONEY_MAX, NULL },
};

static const struct field item_fields[] = {
	{ "gtin", F_ITEM, true, 0, 0, 0, NULL },
	{ "category", F_PATH, true, offsetof(struct event_item, category), 0, 0, NULL },
	{ "brand", F_BRAND, false, offsetof(struct event_item, brand), 0, TEXT_MAX, NULL },
	{ "name", F_DECOR, false, offsetof(struct event_item, name), 0, TEXT_MAX, NULL },
	{ "qty", F_QTY, true, offsetof(struct event_item, qty_milli), 1, QTY_MILLI_MAX, NULL },
	{ "amount", F_INT, true, offsetof(struct event_item, amount_minor), -MONEY_MAX, MONEY_MAX,
	    NULL },
};
/* clang-format on */

static enum reject
array_begin(struct reader *reader, const struct field *field, json_t *value, size_t min, size_t max)
{
	if (!json_is_array(value))
		return refuse(reader->rejected, REJECT_BAD_SHAPE, "%s/%s: expected an array",
		    reader->path, field->name);
	if (json_array_size(value) < min || json_array_size(value) > max)
		return refuse(reader->rejected, REJECT_BAD_VALUE, "%s/%s: expected %zu-%zu entries",
		    reader->path, field->name, min, max);
	return REJECT_NONE;
}

static enum reject
read_entry(struct reader *reader, const struct field *field, json_t *array, size_t index,
    const struct field *fields, size_t count, void *base)
{
	struct reader entry = *reader;
	enum reject reason;

	entry.object = json_array_get(array, index);
	snprintf(entry.path, sizeof(entry.path), "%.40s/%.20s/%zu", reader->path, field->name,
	    index);
	if (!json_is_object(entry.object))
		return refuse(reader->rejected, REJECT_BAD_SHAPE, "%s: expected an object",
		    entry.path);
	reason = fields_read(&entry, fields, count, base);
	reader->unknown = entry.unknown;
	return reason;
}

static enum reject
read_parts(struct reader *reader, const struct field *field, json_t *value,
    const struct field *fields, size_t count, int64_t *ret_sum)
{
	enum reject reason = array_begin(reader, field, value, 0, EVENT_DISCOUNTS_MAX);
	int64_t sum = 0;

	for (size_t i = 0; reason == REJECT_NONE && i < json_array_size(value); i++) {
		struct part part = { NULL, 0 };

		reason = read_entry(reader, field, value, i, fields, count, &part);
		sum += part.amount_minor;
	}
	if (reason == REJECT_NONE)
		*ret_sum = sum;
	return reason;
}

/* A text as it came, a number as its digits; NULL: neither. */
static const char *
text_or_digits(struct reader *reader, json_t *value)
{
	char text[DOUBLE_TEXT_SIZE + 1];

	if (json_is_string(value))
		return json_string_value(value);
	if (json_is_integer(value))
		return arena_printf(reader->arena, "%lld", (long long)json_integer_value(value));
	if (!json_is_real(value))
		return NULL;
	text[double_text(json_real_value(value), text)] = '\0';
	return arena_strdup(reader->arena, text);
}

/* The member of that name as text, NULL: none. What came as a number stands in data as its digits. */
static enum reject
item_text(struct reader *reader, const char *name, const char **ret)
{
	json_t *value = json_object_get(reader->object, name);

	*ret = text_or_digits(reader, value);
	if (value != NULL && *ret == NULL)
		return refuse(reader->rejected, REJECT_BAD_SHAPE, "%s/%s: expected a string",
		    reader->path, name);
	if (json_is_number(value))
		json_object_set_new(reader->object, name, json_string(*ret));
	return REJECT_NONE;
}

/* "" where nothing of it can be printed. Composed, so that it is one name in both writings. One that
 * is too long stays as it is: it is refused, or not looked at. */
static const char *
sku_name(struct reader *reader, const char *text)
{
	if (strnlen(text, SKU_RAW_MAX + 1) > SKU_RAW_MAX)
		return text;
	return unicode_nfc(reader->arena, printable(arena_strdup(reader->arena, text)));
}

/* It must name the goods all the same. */
static const char *
sku_of_bad_gtin(struct reader *reader, const char *code)
{
	char text[SKU_RAW_MAX + 4]; /* whole characters of what came */
	size_t len = 0;
	const char *sku;

	for (const char *at = code; *at != '\0' && len + 1 < sizeof(text); at++) {
		if ((unsigned char)*at > 0x20 && *at != 0x7f)
			text[len++] = *at;
	}
	len = utf8_cut(text, len, SKU_RAW_MAX);
	text[len] = '\0';
	sku = sku_name(reader, text);
	return *sku == '\0'
	    ? "unknown"
	    : arena_strndup(reader->arena, sku, utf8_cut(sku, strlen(sku), SKU_MAX));
}

static enum symbology
symbology_of(const struct reader *reader)
{
	const char *text = json_string_value(json_object_get(reader->object, "symbology"));

	return text == NULL		     ? SYMBOLOGY_ANY
	    : strcasecmp(text, "upc-e") == 0 ? SYMBOLOGY_UPC_E
	    : strcasecmp(text, "gs1") == 0   ? SYMBOLOGY_GS1
					     : SYMBOLOGY_ANY;
}

/* Only what the data does not say itself: a till that sends a weight has weighed. */
static void
fill_from_code(struct reader *reader, const struct article *article, struct event_item *item)
{
	const char *currency = reader->rules->currency;
	int digits = currency != NULL ? currency_digits(currency) : 2;
	int64_t price = article->price;

	if (article->batch[0] != '\0')
		item->batch = arena_strdup(reader->arena, article->batch);
	item->best_before = article->best_before;
	if (json_object_get(reader->object, "qty") == NULL && article->weight_milli > 0)
		json_object_set_new(reader->object, "qty",
		    json_real((double)article->weight_milli / 1000.0));
	if (article->price_decimals < 0 || json_object_get(reader->object, "amount") != NULL)
		return;
	for (int i = article->price_decimals; i < digits && price <= MONEY_MAX; i++)
		price *= 10;
	for (int i = digits; i < article->price_decimals; i++) {
		if (price % 10 != 0)
			return;
		price /= 10;
	}
	json_object_set_new(reader->object, "amount", json_integer(price));
}

/* No sale is refused for a number that does not check: it becomes a sku and is counted. A code that
 * is the shop's own (weight or price inside) is named by the sku beside it, and both are kept. */
enum reject
read_item(struct reader *reader, const struct field *field, struct event_item *item)
{
	const char *code, *sku;
	struct article article;
	enum reject reason = item_text(reader, field->name, &code);

	if (reason == REJECT_NONE)
		reason = item_text(reader, "sku", &sku);
	if (reason != REJECT_NONE)
		return reason;
	if (code == NULL && sku == NULL)
		return refuse(reader->rejected, REJECT_BAD_SHAPE,
		    "%s/%s: expected this member, or sku", reader->path, field->name);
	sku = sku != NULL ? sku_name(reader, sku) : "";
	if (code != NULL &&
	    article_read(code, symbology_of(reader), (int32_t)(reader->event->now_ms / D_MS),
		&article)) {
		memcpy(item->item, article.gtin, sizeof(article.gtin));
		item->restricted = gtin_restricted(article.gtin);
		fill_from_code(reader, &article, item);
		if (!item->restricted || *sku == '\0')
			return REJECT_NONE;
	} else if (code != NULL && (code[0] != '\0' || *sku == '\0')) {
		reader->rejected->bad_gtins++;
		if (*sku == '\0')
			sku = sku_of_bad_gtin(reader, code);
	}
	if (*sku == '\0' || strlen(sku) > SKU_MAX)
		return refuse(reader->rejected, REJECT_BAD_VALUE,
		    "%s/sku: expected 1-%d bytes of text", reader->path, SKU_MAX);
	item->sku = sku;
	return REJECT_NONE;
}

static bool
read_line(const json_t *value, const struct field *field, int64_t *ret)
{
	return json_int(value, ret) && *ret >= 0 && *ret <= field->max;
}

static enum reject
read_except(struct reader *reader, const struct field *field, json_t *value)
{
	static const struct field except = { "except", F_KINDS, false, 0, 0, 0, NULL };
	enum reject reason = array_begin(reader, &except, value, 0, EVENT_EXCEPT_MAX);
	size_t count = json_array_size(value);
	int64_t *lines;

	if (reason != REJECT_NONE)
		return reason;
	lines = arena_alloc(reader->arena, (count + 1) * sizeof(*lines));
	for (size_t i = 0; i < count; i++)
		if (!read_line(json_array_get(value, i), field, &lines[i]))
			return refuse(reader->rejected, REJECT_BAD_VALUE,
			    "%s/except/%zu: expected a line: an integer, 0 to 2^53 - 1",
			    reader->path, i);
	reader->event->void_of = VOID_REST;
	reader->event->except = lines;
	reader->event->except_count = count;
	return REJECT_NONE;
}

enum reject
read_voided(struct reader *reader, const struct field *field, json_t *value)
{
	static const struct field item = { "gtin", F_ITEM, true, 0, 0, 0, NULL };
	json_t *except = json_object_get(reader->object, "except");

	if (value == NULL && except != NULL)
		return read_except(reader, field, except);
	if (value == NULL &&
	    (json_object_get(reader->object, "gtin") != NULL ||
		json_object_get(reader->object, "sku") != NULL)) {
		reader->event->void_of = VOID_ARTICLE;
		return read_item(reader, &item, &reader->event->item);
	}
	if (!json_is_integer(value))
		return refuse(reader->rejected, REJECT_BAD_SHAPE, "%s/line: expected %s",
		    reader->path,
		    value != NULL ? "an integer" : "this member, or except, gtin or sku");
	if (!read_line(value, field, &reader->event->item.line))
		return refuse(reader->rejected, REJECT_BAD_VALUE, "%s/line: expected 0 to 2^53 - 1",
		    reader->path);
	return REJECT_NONE;
}

/* Of discounts that may be ours the token and the amount, whatever its sign. */
static const char *
own_discounts(struct arena *arena, const json_t *discounts)
{
	struct buf own = { 0 };
	const char *text = NULL;
	json_t *discount;
	size_t i;

	json_array_foreach(discounts, i, discount) {
		const char *ref = json_string_value(json_object_get(discount, "ref"));
		int64_t minor = json_integer_value(json_object_get(discount, "amount"));
		struct id token;

		if (ref != NULL && id_parse(ref, &token))
			buf_addf(&own, "%s%s=%" PRId64, own.len > 0 ? " " : "", ref,
			    minor < 0 ? -minor : minor);
	}
	if (own.len > 0)
		text = arena_strdup(arena, own.data);
	buf_done(&own);
	return text;
}

enum reject
read_discounts(struct reader *reader, const struct field *field, json_t *value, int64_t *ret_sum)
{
	enum reject reason =
	    read_parts(reader, field, value, discount_fields, ARRAY_LEN(discount_fields), ret_sum);

	if (reason == REJECT_NONE)
		reader->event->item.own = own_discounts(reader->arena, value);
	return reason;
}

enum reject
read_tenders(struct reader *reader, const struct field *field, json_t *value)
{
	int64_t sum;

	return read_parts(reader, field, value, tender_fields, ARRAY_LEN(tender_fields), &sum);
}

enum reject
read_items(struct reader *reader, const struct field *field, json_t *value)
{
	struct event *event = reader->event;
	enum reject reason = array_begin(reader, field, value, 1, EVENT_ITEMS_MAX);

	if (reason != REJECT_NONE)
		return reason;
	event->items = arena_alloc(reader->arena, json_array_size(value) * sizeof(*event->items));
	for (size_t i = 0; reason == REJECT_NONE && i < json_array_size(value); i++) {
		event->items[i].category = "";
		reason = read_entry(reader, field, value, i, item_fields, ARRAY_LEN(item_fields),
		    &event->items[i]);
	}
	event->item_count = json_array_size(value);
	return reason;
}
