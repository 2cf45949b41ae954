/* SPDX-License-Identifier: Apache-2.0
 *
 * event_items.c - members of an event about goods and money: items, discounts, tenders.
 */
#include <stdio.h>
#include <string.h>

#include "ingest/fields.h"
#include "nouns/gtin.h"

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

/* A GTIN that is none must name the goods all the same: its printable part, up to ID_MAX bytes. */
static const char *
sku_of_bad_gtin(struct arena *arena, const char *gtin)
{
	char sku[ID_MAX + 1];
	size_t len = 0;

	for (; *gtin != '\0' && len < ID_MAX; gtin++) {
		if (*gtin > 0x20 && *gtin < 0x7f)
			sku[len++] = *gtin;
	}
	return len > 0 ? arena_strndup(arena, sku, len) : "unknown";
}

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

/* value: of "gtin". No sale is refused for a number that does not check: it becomes a sku and is
 * counted. A sku that comes with a bad GTIN is the better name. */
enum reject
read_item(struct reader *reader, const struct field *field, json_t *value, struct event_item *item)
{
	json_t *sku = json_object_get(reader->object, "sku");
	char gtin[15];

	if (json_is_null(sku))
		sku = NULL;
	if (value == NULL && sku == NULL)
		return refuse(reader->rejected, REJECT_BAD_SHAPE,
		    "%s/%s: expected this member, or sku", reader->path, field->name);
	if ((value != NULL && !json_is_string(value)) || (sku != NULL && !json_is_string(sku)))
		return refuse(reader->rejected, REJECT_BAD_SHAPE, "%s/%s: expected a string",
		    reader->path, value != NULL && !json_is_string(value) ? field->name : "sku");
	if (sku != NULL && ascii_len(json_string_value(sku), 1, ID_MAX) < 0)
		return refuse(reader->rejected, REJECT_BAD_VALUE,
		    "%s/sku: expected 1-128 printable ASCII characters", reader->path);
	if (value != NULL && gtin_normalise(json_string_value(value), gtin)) {
		memcpy(item->item, gtin, sizeof(gtin));
		item->restricted = gtin_restricted(gtin);
		return REJECT_NONE;
	}
	if (value != NULL)
		reader->rejected->bad_gtins++;
	item->sku = sku != NULL ? arena_strdup(reader->arena, json_string_value(sku))
				: sku_of_bad_gtin(reader->arena, json_string_value(value));
	return REJECT_NONE;
}

enum reject
read_discounts(struct reader *reader, const struct field *field, json_t *value, int64_t *ret_sum)
{
	return read_parts(reader, field, value, discount_fields, ARRAY_LEN(discount_fields),
	    ret_sum);
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
