/* SPDX-License-Identifier: Apache-2.0
 *
 * event_fields.c - what each type of event has in its data: the contract of
 * docs/integrating-a-till.md as tables.
 */
#include <string.h>

#include "aisle/contact.h"
#include "ingest/fields.h"

#define AT(member) offsetof(struct event, member)
/* clang-format off */
#define ID(name, need, at) { name, F_ID, need, AT(at), 1, ID_MAX, NULL }
#define NAME(name, need, at) { name, F_NAME, need, AT(at), 0, 0, NULL }
#define TEXT(name, need, at, most) { name, F_TEXT, need, AT(at), 0, most, NULL }
#define DECOR(name, at) { name, F_DECOR, OPTIONAL, AT(at), 0, TEXT_MAX, NULL }
#define WORD(name, need, at, list) { name, F_WORD, need, AT(at), 0, 0, list }
#define BOOL(name, need, at) { name, F_BOOL, need, AT(at), 0, 0, NULL }
#define MONEY(name, need, at) { name, F_INT, need, AT(at), -MONEY_MAX, MONEY_MAX, NULL }
#define TIME(name, need, at) { name, F_TIME, need, AT(at), 0, 0, NULL }
#define NUMBER(name, need, at) { name, F_NUMBER, need, AT(at), 0, 0, NULL }
#define CURRENCY { "currency", F_CURRENCY, true, AT(currency), 0, 0, NULL }
#define CARD(need) { "card", F_CARD, need, 0, 0, 0, NULL }
#define BASKET(need) ID("basket", need, basket)
#define STATION(need) NAME("station", need, station)
#define LINE { "line", F_INT, true, AT(item.line), 0, LINE_MAX, NULL }
/* clang-format on */

enum { OPTIONAL = false, REQUIRED = true };

static const char *const purposes[] = { "personalise", "profile", "contact", NULL };
static const char *const consent_states[] = { "granted", "denied", NULL };
static const char *const stock_states[] = { "in", "low", "out", NULL };
static const char *const sensor_kinds[] = { "queue", "door", "shelf", "scale", NULL };
static const char *const decisions[] = { "accept", "dismiss", "snooze", "override", NULL };

/* clang-format off */
static const struct field opened_fields[] = {
	BASKET(REQUIRED), NAME("terminal", REQUIRED, terminal), STATION(OPTIONAL),
	ID("associate", OPTIONAL, associate), BOOL("training", OPTIONAL, training),
	NAME("from", OPTIONAL, from),
};
static const struct field added_fields[] = {
	BASKET(REQUIRED), LINE,
	{ "gtin", F_ITEM, REQUIRED, AT(item), 0, 0, NULL },
	{ "category", F_PATH, REQUIRED, AT(item.category), 0, 0, NULL },
	{ "brand", F_BRAND, OPTIONAL, AT(item.brand), 0, TEXT_MAX, NULL }, DECOR("name", item.name),
	{ "qty", F_QTY, REQUIRED, AT(item.qty_milli), 1, QTY_MILLI_MAX, NULL },
	MONEY("amount", REQUIRED, item.amount_minor), CURRENCY,
	MONEY("margin", OPTIONAL, item.margin_minor),
	{ "discounts", F_DISCOUNTS, OPTIONAL, AT(item.discount_minor), 0, 0, NULL },
};
/* clang-format on */
/* clang-format off */
static const struct field voided_fields[] = {
	BASKET(REQUIRED),
	{ "line", F_VOIDED, REQUIRED, 0, 0, LINE_MAX, NULL },
	{ "qty", F_QTY, OPTIONAL, AT(item.qty_milli), 1, QTY_MILLI_MAX, NULL },
};
/* clang-format on */
static const struct field basket_fields[] = {
	BASKET(REQUIRED),
	NAME("terminal", OPTIONAL, terminal),
	NAME("from", OPTIONAL, from),
};
/* clang-format off */
static const struct field closed_fields[] = {
	BASKET(REQUIRED), MONEY("total", REQUIRED, total_minor), CURRENCY,
	{ "tenders", F_TENDERS, OPTIONAL, 0, 0, 0, NULL },
};
static const struct field return_fields[] = {
	ID("return", REQUIRED, ret), BASKET(OPTIONAL), NAME("terminal", OPTIONAL, terminal),
	TIME("sold", OPTIONAL, sold_ms), CARD(OPTIONAL),
	{ "items", F_ITEMS, REQUIRED, 0, 0, 0, NULL },
	MONEY("total", REQUIRED, total_minor), CURRENCY,
};
/* clang-format on */
/* clang-format off */
static const struct field identified_fields[] = {
	{ "card", F_PERSON, REQUIRED, 0, 0, 0, NULL }, BASKET(OPTIONAL), STATION(REQUIRED),
};
/* clang-format on */
static const struct field customer_fields[] = { CARD(OPTIONAL), STATION(REQUIRED) };
static const struct field merged_fields[] = {
	CARD(REQUIRED),
	{ "into", F_INTO, REQUIRED, 0, 0, 0, NULL },
};
/* clang-format off */
static const struct field consent_fields[] = {
	CARD(REQUIRED), { "purpose", F_CHOICE, REQUIRED, AT(purpose), 0, 0, purposes },
	WORD("state", REQUIRED, state, consent_states), TIME("until", OPTIONAL, until_ms),
};
static const struct field care_fields[] = {
	CARD(REQUIRED), ID("case", REQUIRED, kase), TEXT("topic", REQUIRED, topic, ID_MAX),
	{ "severity", F_SMALL, REQUIRED, AT(severity), 1, 3, NULL },
};
static const struct field balance_fields[] = {
	CARD(REQUIRED), MONEY("points", REQUIRED, points), TEXT("tier", OPTIONAL, tier, 32),
	TIME("expires", OPTIONAL, until_ms),
};
static const struct field wallet_fields[] = {
	CARD(REQUIRED), ID("offer", REQUIRED, offer), MONEY("worth", REQUIRED, worth_minor),
	TIME("until", REQUIRED, until_ms), { "state", F_ID, REQUIRED, AT(state), 1, 32, NULL },
};
static const struct field contact_fields[] = {
	CARD(REQUIRED), ID("channel", REQUIRED, contact_channel),
	ID("action", OPTIONAL, contact_action),
	TIME("at", REQUIRED, at_ms),
};
static const struct field stock_fields[] = {
	{ "gtin", F_ITEM, REQUIRED, AT(item), 0, 0, NULL },
	WORD("state", REQUIRED, state, stock_states),
	{ "qty", F_QTY, OPTIONAL, AT(item.qty_milli), 0, QTY_MILLI_MAX, NULL },
};
static const struct field sensor_fields[] = {
	WORD("kind", REQUIRED, kind, sensor_kinds), STATION(OPTIONAL),
	NUMBER("value", REQUIRED, value),
};
static const struct field survey_fields[] = {
	CARD(OPTIONAL), BASKET(OPTIONAL), ID("kind", REQUIRED, kind),
	NUMBER("score", REQUIRED, value),
};
static const struct field offer_fields[] = {
	BASKET(REQUIRED), ID("token", REQUIRED, token),
	/* What the customer saves: with a minus it would fill the budget instead of using it up. */
	{ "amount", F_INT, REQUIRED, AT(amount_minor), 0, MONEY_MAX, NULL },
};
/* clang-format on */
static const struct field refused_fields[] = {
	BASKET(REQUIRED),
	ID("token", REQUIRED, token),
	TEXT("reason", REQUIRED, reason, TEXT_MAX),
};
/* clang-format off */
static const struct field shown_fields[] = {
	ID("guidance", REQUIRED, guidance), ID("prompt", REQUIRED, prompt),
	NAME("tablet", REQUIRED, tablet), BOOL("shown", OPTIONAL, shown),
};
#define NOTE_BYTES 2000 /* 500 characters */
static const struct field decided_fields[] = {
	ID("guidance", REQUIRED, guidance), ID("prompt", REQUIRED, prompt),
	WORD("decision", REQUIRED, decision, decisions),
	WORD("reason", OPTIONAL, reason, answer_reasons),
	{ "instead", F_INSTEAD, OPTIONAL, 0, 0, 0, NULL }, TIME("until", OPTIONAL, until_ms),
	ID("associate", OPTIONAL, associate), TEXT("note", OPTIONAL, note, NOTE_BYTES),
	{ "approval", F_APPROVAL, OPTIONAL, 0, 0, 0, NULL },
	{ "approved", F_APPROVED, OPTIONAL, AT(approved), 0, 0, NULL },
};

static const struct {
	const struct field *fields;
	size_t count;
} types[EV_COUNT] = {
#define X(constant, name, from, fields, ...) [EV_##constant] = { fields##_fields, ARRAY_LEN(fields##_fields) },
	EVENT_TYPES(X)
#undef X
};
/* clang-format on */

/* A member that is null is one that is not there: for features and for the digest as well. The
 * depth is that of json_read(). */
static void
drop_nulls(json_t *json)
{
	json_t *value;
	const char *name;
	void *next;
	size_t i;

	json_object_foreach_safe(json, next, name, value) {
		if (json_is_null(value))
			json_object_del(json, name);
		else
			drop_nulls(value);
	}
	json_array_foreach(json, i, value)
		drop_nulls(value);
}

bool
event_member_known(enum event_type type, const char *name, struct near *near)
{
	return fields_know(types[type].fields, types[type].count, name, near);
}

const char *
event_member_needed(enum event_type type, size_t i)
{
	for (size_t at = 0; at < types[type].count; at++) {
		const char *name = field_needed(&types[type].fields[at]);

		if (name != NULL && i-- == 0)
			return name;
	}
	return NULL;
}

enum reject
event_read_data(struct reader *reader, json_t *data)
{
	struct event *event = reader->event;
	enum reject reason;

	if (!json_is_object(data))
		return refuse(reader->rejected, REJECT_BAD_SHAPE, "/data: expected an object");
	drop_nulls(data);
	event->item.category = "";
	event->shown = event->type == EV_GUIDANCE_SHOWN;
	memcpy(reader->path, "/data", sizeof("/data"));
	reader->object = data;
	CHECK((unsigned)event->type < ARRAY_LEN(types));
	reason = fields_read(reader, types[event->type].fields, types[event->type].count, event);
	if (reason != REJECT_NONE)
		return reason;
	event->item.has_margin =
	    json_is_integer(json_object_get(data, "margin")) && event->type == EV_BASKET_ITEM_ADDED;
	if (event->type == EV_CONSENT_CHANGED) {
		event->granted = strcmp(event->state, "granted") == 0;
		event->state = NULL;
	}
	/* The topic is what the broker vouches for, not what the message says about itself. */
	if (event->channel == CHANNEL_TABLET)
		event->tablet = event->origin;
	return REJECT_NONE;
}
