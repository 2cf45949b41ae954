/* SPDX-License-Identifier: Apache-2.0
 *
 * fields.h - members of a JSON object into a struct, by a table. Private to ingest.
 */
#ifndef AISLE_INGEST_FIELDS_H
#define AISLE_INGEST_FIELDS_H

#include "core/json.h"
#include "core/near.h"
#include "ingest/envelope.h"

#define QTY_MILLI_MAX INT64_C(1000000000)  /* a million */
#define LINE_MAX INT64_C(9007199254740991) /* 2^53 - 1: exact in every JSON library */
#define ID_MAX 128
#define TEXT_MAX 256
#define CARD_MAX 128

enum field_kind {
	F_ID,	/* min-max printable ASCII characters → const char * */
	F_NAME, /* [A-Za-z0-9_-]{1,32} → const char * */
	/* up to max bytes of text for people; control characters become spaces → const char * */
	F_TEXT,
	F_DECOR,    /* such text that decorates: cut at max bytes, never refused → const char * */
	F_BRAND,    /* a decoration, as it compares (core/unicode.h) → const char * */
	F_PATH,	    /* category: segments joined by slashes, as it compares → const char * */
	F_WORD,	    /* one of words → const char * */
	F_CHOICE,   /* one of words → int, its index */
	F_BOOL,	    /* → bool */
	F_INT,	    /* min..max → int64_t */
	F_SMALL,    /* min..max → int */
	F_QTY,	    /* number, rounded to thousandths, min..max of them → int64_t */
	F_NUMBER,   /* within ±10^12 → double */
	F_TIME,	    /* RFC 3339 → int64_t */
	F_CURRENCY, /* the store's → const char * */
	F_CARD,	    /* "card"; in a recording "subject" instead → has_subject, subject */
	F_PERSON,   /* the same, "subject" also on the wire */
	F_INTO,	    /* customer.merged */
	F_ITEM,	    /* "gtin", "sku", "symbology" → item, sku, restricted, batch, best_before */
	F_VOIDED,   /* "line", or "except", or an item → void_of and what belongs to it */
	F_DISCOUNTS,
	F_TENDERS,
	F_ITEMS,
	F_INSTEAD,
	F_APPROVAL,
	F_APPROVED, /* → bool; on the wire none of ours */
	F_KINDS
};

struct field {
	const char *name;
	enum field_kind kind;
	bool required;
	size_t offset; /* into the struct that the table describes */
	int64_t min, max;
	const char *const *words; /* NULL-terminated */
};

struct reader {
	struct arena *arena;
	const struct envelope_rules *rules;
	struct event *event;
	struct rejected *rejected;
	unsigned unknown;
	bool by_subject; /* the customer came as "subject", not as "card" */
	json_t *object;	 /* that is being read */
	char path[96];	 /* its place: "/data/items/3" */
};

/* Fills *rejected and returns its reason. what never holds a value of the message. */
enum reject refuse(struct rejected *rejected, enum reject reason, const char *format, ...)
    AISLE_PRINTF(3, 4);
enum reject fields_read(struct reader *reader, const struct field *fields, size_t count,
    void *base);
/* Length of a printable ASCII text of min..max characters, else -1. */
long ascii_len(const char *text, size_t min, size_t max);
/* So many of the len bytes of a UTF-8 text that they are at most max and end between characters. */
size_t utf8_cut(const char *text, size_t len, size_t max);
char *printable(char *text);	       /* control characters become spaces; text itself */
void wipe_json_string(json_t *string); /* its bytes become zero; NULL or no string: nothing */

/* event_people.c, event_items.c: the kinds that are more than one value. */
enum reject read_card(struct reader *reader, const struct field *field, json_t *value);
enum reject read_into(struct reader *reader, const struct field *field, json_t *value);
enum reject read_approved(struct reader *reader, const struct field *field, json_t *value,
    bool *ret_approved);
enum reject read_approval(struct reader *reader, const struct field *field, json_t *value);
enum reject read_instead(struct reader *reader, const struct field *field, json_t *value);
enum reject read_item(struct reader *reader, const struct field *field, struct event_item *item);
enum reject read_voided(struct reader *reader, const struct field *field, json_t *value);
enum reject read_discounts(struct reader *reader, const struct field *field, json_t *value,
    int64_t *ret_sum);
enum reject read_tenders(struct reader *reader, const struct field *field, json_t *value);
enum reject read_items(struct reader *reader, const struct field *field, json_t *value);

bool fields_know(const struct field *fields, size_t count, const char *name, struct near *near);
/* The name of a member that must be there whatever else is; NULL: one may stand in its place. */
const char *field_needed(const struct field *field);

/* event_fields.c. Does data of this type have such a member? near: is offered those that it has. */
bool event_member_known(enum event_type type, const char *name, struct near *near);
/* The i-th of those without which no event of the type is taken, but the currency; NULL: no more. */
const char *event_member_needed(enum event_type type, size_t i);
/* event_fields.c: data of one type into the event. */
enum reject event_read_data(struct reader *reader, json_t *data);

#endif
