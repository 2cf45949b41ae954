/* SPDX-License-Identifier: Apache-2.0
 *
 * fields.c - members of a JSON object into a struct, by a table.
 *
 * DESIGN
 *   A row of a table says name, kind, range and place of one member; a
 *   function per kind reads it. So the contract with a till is data that can
 *   be compared with docs/integrating-a-till.md line by line, and a refusal
 *   always names the member, never its value: values may be about a person.
 *
 *   A member that is null counts as absent, as CloudEvents has it for its own.
 *
 *   What may be written in more than one way (a time, a quantity) is put back in the one way that
 *   was understood: the same meaning has the same digest and gives a rule the same event.NAME.
 *
 * INVARIANTS
 *   bad-shape: a member is missing or of another JSON type. bad-value: the
 *   type is right and the value cannot be used. Members are looked at in the
 *   order of their table; the first one that is wrong is the reason.
 */
#include "ingest/fields.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "core/buf.h"
#include "core/mask.h"
#include "core/unicode.h"
#include "core/when.h"
#include "core/currency.h"

static enum reject
bad_shape(struct reader *reader, const struct field *field, const char *expected)
{
	return refuse(reader->rejected, REJECT_BAD_SHAPE, "%s/%s: expected %s", reader->path,
	    field->name, expected);
}

static enum reject
bad_value(struct reader *reader, const struct field *field, const char *expected)
{
	return refuse(reader->rejected, REJECT_BAD_VALUE, "%s/%s: expected %s", reader->path,
	    field->name, expected);
}

static enum reject
read_id(struct reader *reader, const struct field *field, json_t *value, void *out)
{
	char expected[64];

	if (!json_is_string(value))
		return bad_shape(reader, field, "a string");
	if (ascii_len(json_string_value(value), (size_t)field->min, (size_t)field->max) < 0) {
		snprintf(expected, sizeof(expected), "%d-%d printable ASCII characters",
		    (int)field->min, (int)field->max);
		return bad_value(reader, field, expected);
	}
	*(const char **)out = arena_strdup(reader->arena, json_string_value(value));
	return REJECT_NONE;
}

static enum reject
read_name(struct reader *reader, const struct field *field, json_t *value, void *out)
{
	const char *text = json_string_value(value);

	if (text == NULL)
		return bad_shape(reader, field, "a string");
	if (ascii_len(text, 1, 32) < 0 ||
	    strspn(text,
		"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnop"
		"qrstuvwxyz0123456789_-") != strlen(text))
		return bad_value(reader, field, "1-32 of A-Z a-z 0-9 _ -");
	*(const char **)out = arena_strdup(reader->arena, text);
	return REJECT_NONE;
}

char *
printable(char *text)
{
	for (char *at = text; *at != '\0'; at++) {
		if ((unsigned char)*at < 0x20 || *at == 0x7f)
			*at = ' ';
	}
	return text;
}

/* Without card numbers and PINs that somebody typed into it, here and in data. */
static const char *
text_for_people(struct reader *reader, const struct field *field, char *text)
{
	char *before = arena_strdup(reader->arena, text);

	mask_text(text, strlen(text));
	if (strcmp(before, text) != 0)
		json_object_set_new(reader->object, field->name, json_string(text));
	explicit_bzero(before, strlen(before));
	return printable(text);
}

/* Tills pad names with tabs and send "" for none: no reason to lose a sale's line. */
static enum reject
read_text(struct reader *reader, const struct field *field, json_t *value, void *out)
{
	char expected[48];

	if (!json_is_string(value))
		return bad_shape(reader, field, "a string");
	if (json_string_length(value) > (size_t)field->max ||
	    (field->required && json_string_length(value) == 0)) {
		snprintf(expected, sizeof(expected), "%s%d bytes",
		    field->required ? "1-" : "at most ", (int)field->max);
		return bad_value(reader, field, expected);
	}
	if (json_string_length(value) == 0)
		return REJECT_NONE;
	*(const char **)out =
	    text_for_people(reader, field, arena_strdup(reader->arena, json_string_value(value)));
	return REJECT_NONE;
}

/* Cut at its bound, never inside a character; of another type it is not there. */
static void
read_decor(struct reader *reader, const struct field *field, json_t *value, void *out)
{
	const char *text = json_string_value(value);
	size_t len =
	    text != NULL ? utf8_cut(text, json_string_length(value), (size_t)field->max) : 0;

	if (text == NULL)
		reader->unknown++;
	if (len > 0)
		*(const char **)out =
		    text_for_people(reader, field, arena_strndup(reader->arena, text, len));
}

/* A decoration that is compared: as it compares. */
static void
read_brand(struct reader *reader, const struct field *field, json_t *value, const char **out)
{
	read_decor(reader, field, value, out);
	*out = unicode_key(reader->arena, *out);
	if (*out != NULL && **out == '\0')
		*out = NULL;
}

static enum reject
read_path(struct reader *reader, const struct field *field, json_t *value, void *out)
{
	const char *text = json_string_value(value);
	size_t len;

	if (text == NULL)
		return bad_shape(reader, field, "a string");
	len = json_string_length(value);
	if (len < 1 || len > TEXT_MAX)
		return bad_value(reader, field, "1-256 bytes");
	if (text[0] == '/' || text[len - 1] == '/' || strstr(text, "//") != NULL)
		return bad_value(reader, field,
		    "names joined by single slashes, as grocery/coffee");
	for (size_t i = 0; i < len; i++) {
		if ((unsigned char)text[i] < 0x20 || text[i] == 0x7f)
			return bad_value(reader, field, "no control characters");
	}
	*(const char **)out = unicode_path_key(reader->arena, arena_strdup(reader->arena, text));
	return REJECT_NONE;
}

static int
word_index(const struct field *field, const char *text)
{
	for (int i = 0; field->words[i] != NULL; i++) {
		if (strcmp(field->words[i], text) == 0)
			return i;
	}
	return -1;
}

static enum reject
read_word(struct reader *reader, const struct field *field, json_t *value, void *out)
{
	char expected[128] = "one of";
	int index;

	if (!json_is_string(value))
		return bad_shape(reader, field, "a string");
	index = word_index(field, json_string_value(value));
	if (index < 0) {
		for (int i = 0; field->words[i] != NULL; i++) {
			size_t len = strlen(expected);

			snprintf(expected + len, sizeof(expected) - len, " %s", field->words[i]);
		}
		return bad_value(reader, field, expected);
	}
	if (field->kind == F_CHOICE)
		*(int *)out = index;
	else
		*(const char **)out = field->words[index];
	return REJECT_NONE;
}

static enum reject
read_bool(struct reader *reader, const struct field *field, json_t *value, void *out)
{
	if (!json_is_boolean(value))
		return bad_shape(reader, field, "true or false");
	*(bool *)out = json_is_true(value);
	return REJECT_NONE;
}

/* A bound in words: as so many digits in a row it would be masked like the number of a card. */
static void
add_bound(int64_t bound, struct buf *out)
{
	if (bound == LINE_MAX)
		buf_adds(out, "2^53 - 1");
	else if (bound == MONEY_MAX || bound == -MONEY_MAX)
		buf_addf(out, "%s10^12", bound < 0 ? "-" : "");
	else
		buf_addf(out, "%lld", (long long)bound);
}

static enum reject
out_of_bounds(struct reader *reader, const struct field *field)
{
	struct buf expected = { 0 };

	add_bound(field->min, &expected);
	buf_adds(&expected, " to ");
	add_bound(field->max, &expected);
	enum reject reject = bad_value(reader, field, expected.data);

	buf_done(&expected);
	return reject;
}

/* 4.99 and 499.0 are the wrong type: a till that counts in floats must be told so, not rounded for.
 */
static enum reject
read_int(struct reader *reader, const struct field *field, json_t *value, void *out)
{
	int64_t n;

	if (!json_int(value, &n))
		return bad_shape(reader, field, "an integer");
	if (n < field->min || n > field->max)
		return out_of_bounds(reader, field);
	if (field->kind == F_SMALL)
		*(int *)out = (int)n;
	else
		*(int64_t *)out = n;
	return REJECT_NONE;
}

/* Tills compute: 0.1 + 0.2 kg are 0.30000000000000004. What stands behind the third decimal is
 * noise, and a weight too small for a thousandth is one. A correctly rounded division gives the
 * double nearest to n/1000, so 1.2 and 1.2000000001 are then the very same. */
static enum reject
read_qty(struct reader *reader, const struct field *field, json_t *value, void *out)
{
	double qty;
	int64_t milli;

	if (!json_is_number(value))
		return bad_shape(reader, field, "a number");
	qty = json_number_value(value);
	if (!(qty >= 0 && qty * 1000.0 < (double)field->max + 0.5) || (qty == 0 && field->min > 0))
		return bad_value(reader, field,
		    field->min > 0 ? "more than 0, at most 1000000" : "0 to 1000000");
	milli = (int64_t)(qty * 1000.0 + 0.5);
	if (milli < field->min)
		milli = field->min;
	if ((double)milli / 1000.0 != qty)
		json_object_set_new(reader->object, field->name, json_real((double)milli / 1000.0));
	*(int64_t *)out = milli;
	return REJECT_NONE;
}

static enum reject
read_number(struct reader *reader, const struct field *field, json_t *value, void *out)
{
	double number;

	if (!json_is_number(value))
		return bad_shape(reader, field, "a number");
	number = json_number_value(value);
	if (!(number >= -(double)MONEY_MAX && number <= (double)MONEY_MAX))
		return bad_value(reader, field, "-10^12 to 10^12");
	*(double *)out = number;
	return REJECT_NONE;
}

static enum reject
read_time(struct reader *reader, const struct field *field, json_t *value, void *out)
{
	char text[WHEN_TEXT_SIZE];
	int64_t ms;

	if (!json_is_string(value))
		return bad_shape(reader, field, "a string");
	if (!when_parse(json_string_value(value), &ms))
		return bad_value(reader, field, "RFC 3339 with a zone");
	when_text(ms, text);
	if (strcmp(text, json_string_value(value)) != 0)
		json_object_set_new(reader->object, field->name, json_string(text));
	*(int64_t *)out = ms;
	return REJECT_NONE;
}

static enum reject
read_currency(struct reader *reader, const struct field *field, json_t *value, void *out)
{
	const char *ours = reader->rules->currency;
	const char *code = json_string_value(value);
	char expected[40];

	if (code == NULL)
		return bad_shape(reader, field, "a string");
	if (currency_digits(code) < 0)
		return bad_value(reader, field, "an ISO 4217 code");
	snprintf(expected, sizeof(expected), "the store's currency, %s", ours != NULL ? ours : "");
	if (ours != NULL && strcmp(code, ours) != 0)
		return bad_value(reader, field, expected);
	*(const char **)out = arena_strdup(reader->arena, code);
	return REJECT_NONE;
}

static enum reject
read_one(struct reader *reader, const struct field *field, json_t *value, void *out)
{
	switch (field->kind) {
	case F_ID: return read_id(reader, field, value, out);
	case F_NAME: return read_name(reader, field, value, out);
	case F_TEXT: return read_text(reader, field, value, out);
	case F_DECOR: read_decor(reader, field, value, out); return REJECT_NONE;
	case F_BRAND: read_brand(reader, field, value, out); return REJECT_NONE;
	case F_PATH: return read_path(reader, field, value, out);
	case F_WORD:
	case F_CHOICE: return read_word(reader, field, value, out);
	case F_BOOL: return read_bool(reader, field, value, out);
	case F_INT:
	case F_SMALL: return read_int(reader, field, value, out);
	case F_QTY: return read_qty(reader, field, value, out);
	case F_NUMBER: return read_number(reader, field, value, out);
	case F_TIME: return read_time(reader, field, value, out);
	case F_CURRENCY: return read_currency(reader, field, value, out);
	case F_CARD:
	case F_PERSON: return read_card(reader, field, value);
	case F_INTO: return read_into(reader, field, value);
	case F_ITEM: return read_item(reader, field, out);
	case F_VOIDED: return read_voided(reader, field, value);
	case F_DISCOUNTS: return read_discounts(reader, field, value, out);
	case F_TENDERS: return read_tenders(reader, field, value);
	case F_ITEMS: return read_items(reader, field, value);
	case F_INSTEAD: return read_instead(reader, field, value);
	case F_APPROVAL: return read_approval(reader, field, value);
	case F_APPROVED: return read_approved(reader, field, value, out);
	case F_KINDS: break;
	}
	CHECK(!"field kind");
	return REJECT_BAD_SHAPE;
}

/* Other members that the kind reads, up to NULL. */
static const char *const *
other_names(enum field_kind kind)
{
	static const char *const none[] = { NULL }, *const card[] = { "subject", NULL },
				 *const item[] = { "sku", "symbology", NULL },
				 *const voided[] = { "except", "gtin", "sku", "symbology", NULL };

	if (kind == F_CARD || kind == F_PERSON)
		return card;
	return kind == F_ITEM ? item : kind == F_VOIDED ? voided : none;
}

/* Few names begin alike. */
static bool
same_name(const char *a, const char *b)
{
	return a[0] == b[0] && strcmp(a, b) == 0;
}

static bool
is_known(const struct field *fields, size_t count, const char *name)
{
	for (size_t i = 0; i < count; i++) {
		const char *const *other = other_names(fields[i].kind);

		while (*other != NULL && !same_name(*other, name))
			other++;
		if (same_name(fields[i].name, name) || *other != NULL)
			return true;
	}
	return false;
}

bool
fields_know(const struct field *fields, size_t count, const char *name, struct near *near)
{
	for (size_t i = 0; near != NULL && i < count; i++) {
		near_offer(near, fields[i].name);
		for (const char *const *other = other_names(fields[i].kind); *other != NULL;
		     other++)
			near_offer(near, *other);
	}
	return is_known(fields, count, name);
}

const char *
field_needed(const struct field *field)
{
	return field->required && field->kind != F_CURRENCY && other_names(field->kind)[0] == NULL
	    ? field->name
	    : NULL;
}

enum reject
refuse(struct rejected *rejected, enum reject reason, const char *format, ...)
{
	va_list args;

	rejected->reason = reason;
	va_start(args, format);
	vsnprintf(rejected->detail, sizeof(rejected->detail), format, args);
	va_end(args);
	return reason;
}

long
ascii_len(const char *text, size_t min, size_t max)
{
	size_t len = strlen(text);

	if (len < min || len > max)
		return -1;
	for (size_t i = 0; i < len; i++) {
		if (text[i] < 0x20 || text[i] > 0x7e)
			return -1;
	}
	return (long)len;
}

size_t
utf8_cut(const char *text, size_t len, size_t max)
{
	if (len <= max)
		return len;
	while (max > 0 && ((unsigned char)text[max] & 0xc0) == 0x80)
		max--;
	return max;
}

void
wipe_json_string(json_t *string)
{
	/* The bytes are jansson's own copy on the heap; only its interface says const. */
	if (json_is_string(string))
		explicit_bzero((void *)(uintptr_t)json_string_value(string),
		    json_string_length(string));
}

/* Tills that have no category to send leave it out, or empty. */
static bool
may_be_looked_up(const struct reader *reader, const struct field *field, const json_t *value)
{
	const char *text = json_string_value(value);

	return field->kind == F_PATH && reader->rules->catalog &&
	    (value == NULL || (text != NULL && text[0] == '\0'));
}

enum reject
fields_read(struct reader *reader, const struct field *fields, size_t count, void *base)
{
	json_t *object = reader->object;
	const char *name;
	json_t *value;

	for (size_t i = 0; i < count; i++) {
		const struct field *field = &fields[i];
		enum reject reason;

		value = json_object_get(object, field->name);
		if (json_is_null(value))
			value = NULL;
		if (may_be_looked_up(reader, field, value))
			continue;
		if (value == NULL && other_names(field->kind)[0] == NULL) {
			if (field->required)
				return bad_shape(reader, field, "this member");
			continue;
		}
		reason = read_one(reader, field, value, (char *)base + field->offset);
		if (reason != REJECT_NONE)
			return reason;
	}
	json_object_foreach(object, name, value) {
		if (!is_known(fields, count, name))
			reader->unknown++;
	}
	return REJECT_NONE;
}
