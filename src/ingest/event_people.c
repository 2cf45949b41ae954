/* SPDX-License-Identifier: Apache-2.0
 *
 * event_people.c - members of an event about a person: what must be hashed, wiped, forgotten.
 */
#include <stdio.h>

#include "core/id.h"
#include "ingest/fields.h"

/* clang-format off */
static const struct field approval_fields[] = {
	{ "manager", F_ID, true, offsetof(struct event, manager), 1, ID_MAX, NULL },
	{ "pin", F_ID, true, offsetof(struct event, pin), 1, 64, NULL },
};

/* Of a recording, which says that it was approved. */
static const struct field approver_fields[] = {
	{ "manager", F_ID, true, offsetof(struct event, manager), 1, ID_MAX, NULL },
	{ "pin", F_ID, false, offsetof(struct event, pin), 1, 64, NULL },
};

static const struct field instead_fields[] = {
	{ "action", F_ID, true, offsetof(struct event, instead_action), 1, ID_MAX, NULL },
	{ "depth", F_INT, false, offsetof(struct event, instead_depth), 0, MONEY_MAX, NULL },
};
/* clang-format on */

static json_t *
member(const struct reader *reader, const char *name)
{
	json_t *value = json_object_get(reader->object, name);

	return json_is_null(value) ? NULL : value;
}

/* The number of a card to its subject; the number's bytes are gone after this, whatever comes of
 * it. */
static enum reject
hash_card(struct reader *reader, const char *name, struct id *ret_subject)
{
	json_t *value = member(reader, name);
	const char *card = json_string_value(value);
	long len;

	if (card == NULL)
		return refuse(reader->rejected, REJECT_BAD_SHAPE, "%s/%s: expected a string",
		    reader->path, name);
	len = ascii_len(card, 1, CARD_MAX);
	if (len >= 0)
		*ret_subject = subject_of_card(reader->rules->pepper, card, (size_t)len);
	wipe_json_string(value);
	json_object_del(reader->object, name);
	if (len < 0)
		return refuse(reader->rejected, REJECT_BAD_VALUE,
		    "%s/%s: expected 1-128 printable ASCII characters", reader->path, name);
	return REJECT_NONE;
}

static enum reject
take_subject(struct reader *reader, const char *name, struct id *ret_subject)
{
	const char *text = json_string_value(member(reader, name));

	if (text == NULL)
		return refuse(reader->rejected, REJECT_BAD_SHAPE, "%s/%s: expected a string",
		    reader->path, name);
	if (!subject_parse(text, ret_subject))
		return refuse(reader->rejected, REJECT_BAD_VALUE,
		    "%s/%s: expected 32 lower-case hex digits", reader->path, name);
	return REJECT_NONE;
}

static void
put_subject(struct reader *reader, const char *name, const struct id *subject)
{
	char text[SUBJECT_TEXT_SIZE];

	subject_text(subject, text);
	json_object_set_new(reader->object, name, json_string(text));
}

static enum reject
read_nested(struct reader *reader, const struct field *field, json_t *value,
    const struct field *fields, size_t count)
{
	struct reader nested = *reader;
	enum reject reason;

	if (!json_is_object(value))
		return refuse(reader->rejected, REJECT_BAD_SHAPE, "%s/%s: expected an object",
		    reader->path, field->name);
	nested.object = value;
	snprintf(nested.path, sizeof(nested.path), "%.40s/%.20s", reader->path, field->name);
	reason = fields_read(&nested, fields, count, reader->event);
	reader->unknown = nested.unknown;
	return reason;
}

/* A member that only a recording has: what else reads these data later does not see it. */
static void
leave_out(struct reader *reader, const char *name)
{
	json_object_del(reader->object, name);
	reader->unknown++;
}

/* value: of "card". Afterwards data says "subject" whichever of the two came, so
 * that a digest, a rule and a record never see the number. */
enum reject
read_card(struct reader *reader, const struct field *field, json_t *value)
{
	struct event *event = reader->event;
	bool has_subject = member(reader, "subject") != NULL;
	enum reject reason;

	if (has_subject && field->kind == F_CARD && !reader->rules->recorded) {
		leave_out(reader, "subject");
		has_subject = false;
	}
	if (value == NULL && !has_subject) {
		if (!field->required)
			return REJECT_NONE;
		return refuse(reader->rejected, REJECT_BAD_SHAPE, "%s/card: expected this member%s",
		    reader->path,
		    field->kind == F_PERSON || reader->rules->recorded ? ", or subject" : "");
	}
	if (value != NULL && has_subject)
		return refuse(reader->rejected, REJECT_BAD_SHAPE,
		    "%s/card: expected card or subject, not both", reader->path);
	reason = value != NULL ? hash_card(reader, "card", &event->subject)
			       : take_subject(reader, "subject", &event->subject);
	if (reason != REJECT_NONE)
		return reason;
	reader->by_subject = has_subject;
	event->has_subject = true;
	put_subject(reader, "subject", &event->subject);
	return REJECT_NONE;
}

/* Of the same kind as its partner: a card number beside "card", hex digits beside "subject". */
enum reject
read_into(struct reader *reader, const struct field *field, json_t *value)
{
	struct event *event = reader->event;
	enum reject reason;

	(void)value;
	reason = reader->by_subject ? take_subject(reader, field->name, &event->into)
				    : hash_card(reader, field->name, &event->into);
	if (reason != REJECT_NONE)
		return reason;
	if (id_equal(&event->subject, &event->into))
		return refuse(reader->rejected, REJECT_BAD_VALUE,
		    "%s/into: expected another customer than card", reader->path);
	put_subject(reader, field->name, &event->into);
	return REJECT_NONE;
}

enum reject
read_approval(struct reader *reader, const struct field *field, json_t *value)
{
	enum reject reason = reader->rules->recorded
	    ? read_nested(reader, field, value, approver_fields, ARRAY_LEN(approver_fields))
	    : read_nested(reader, field, value, approval_fields, ARRAY_LEN(approval_fields));

	/* The PIN is in the event, to be checked and wiped; it may not reach a digest or a record.
	 */
	if (json_is_object(value)) {
		wipe_json_string(json_object_get(value, "pin"));
		json_object_del(value, "pin");
	}
	return reason;
}

enum reject
read_approved(struct reader *reader, const struct field *field, json_t *value, bool *ret_approved)
{
	if (!reader->rules->recorded) {
		leave_out(reader, field->name);
		return REJECT_NONE;
	}
	if (!json_is_boolean(value))
		return refuse(reader->rejected, REJECT_BAD_SHAPE, "%s/%s: expected true or false",
		    reader->path, field->name);
	*ret_approved = json_is_true(value);
	return REJECT_NONE;
}

enum reject
read_instead(struct reader *reader, const struct field *field, json_t *value)
{
	return read_nested(reader, field, value, instead_fields, ARRAY_LEN(instead_fields));
}
