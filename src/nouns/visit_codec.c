/* SPDX-License-Identifier: Apache-2.0
 *
 * visit_codec.c - a visit to bytes and back.
 *
 * Layout: u8 version; the visit's fields; number of times it was opened, each one's fields; number of cards read, each one's fields;
 * number of lines, each line's fields; number of former lines, likewise; number of voids by article,
 * each one's fields; number of goods that came back, each one's fields; number of cards, each card's fields; number of contacts,
 * each contact (contact.c); its shortlists (shortlists.c); i64 drew. Fields as codec.c writes them, in the order of the tables below: a
 * change of a table is a new version.
 */
#include "nouns/visit.h"

#include <string.h>

#include "aisle/policy.h"
#include "nouns/contact.h"
#include "nouns/shortlists.h"
#include "nouns/visit_fields.h"

#define VISIT_VERSION 10
#define VISIT_VERSION_UNLISTED \
	7 /* without shortlists, and cards without what a table named: still read */
#define CARD_FIELDS_SINCE 2 /* at the end of the table */

/* clang-format off */
const struct field visit_fields[] = {
	FIELD(struct visit, ID, id),
	FIELD_TO(struct visit, state, VISIT_CANCELLED + 1),
	FIELD_CHARS(struct visit, station),
	FIELD_CHARS(struct visit, terminal),
	FIELD(struct visit, STR, basket),
	FIELD(struct visit, STR, associate),
	FIELD(struct visit, BOOL, training),
	FIELD(struct visit, BOOL, opened),
	FIELD(struct visit, BOOL, has_subject),
	FIELD(struct visit, BOOL, in_history),
	FIELD(struct visit, ID, subject),
	FIELD(struct visit, ID, counted),
	FIELD(struct visit, STR, language),
	FIELD(struct visit, I64, opened_ms),
	FIELD(struct visit, I64, last_ms),
	FIELD(struct visit, I64, closed_ms),
	FIELD(struct visit, I64, identified_ms),
	FIELD(struct visit, I64, began_at_ms),
	FIELD(struct visit, I64, state_at_ms),
	FIELD(struct visit, I64, ended_at_ms),
	FIELD(struct visit, I64, rest_at_ms),
	FIELD(struct visit, I64, card_at_ms),
	FIELD(struct visit, BOOL, card_named),
	FIELD(struct visit, BOOL, missed),
	FIELD(struct visit, I64, paying_at_ms),
	FIELD(struct visit, ID, along),
	FIELD(struct visit, ID, along_from),
	FIELD(struct visit, ID, beside),
	FIELD_CHARS(struct visit, from),
	FIELD_CHARS(struct visit, from_station),
	FIELD(struct visit, I64, left_at_ms),
	FIELD(struct visit, I64, parked_at_ms),
	FIELD_CHARS(struct visit, recall_from),
	FIELD(struct visit, I64, recall_at_ms),
	FIELD(struct visit, ID, before),
	FIELD(struct visit, ID, before_from),
	FIELD(struct visit, ID, alike),
	FIELD(struct visit, I64, total_minor),
	FIELD(struct visit, INT, voids),
	FIELD(struct visit, INT, declines),
	FIELD(struct visit, INT, returns),
	FIELD(struct visit, INT, decisions),
	FIELD(struct visit, INT, paid_tokens),
	FIELD(struct visit, ID, guidance),
	FIELD(struct visit, I64, guidance_at_ms),
	FIELD(struct visit, I64, sold_ms),
	FIELD(struct visit, STR, arms),
	FIELD(struct visit, BOOL, control),
	FIELD(struct visit, I64, elsewhere_minor),
};
/* clang-format on */
const size_t visit_field_count = ARRAY_LEN(visit_fields);

/* clang-format off */
const struct field line_fields[] = {
	FIELD(struct line, I64, line),
	FIELD(struct line, I64, added_ms),
	FIELD(struct line, I64, time_ms),
	FIELD(struct line, I64, first_ms),
	FIELD(struct line, I64, first_qty_milli),
	FIELD(struct line, I64, void_ms),
	FIELD(struct line, I64, taken_ms),
	FIELD(struct line, BOOL, void_own),
	FIELD(struct line, BOOL, void_said),
	FIELD(struct line, BOOL, void_first),
	FIELD(struct line, I64, qty_milli),
	FIELD(struct line, I64, amount_minor),
	FIELD(struct line, I64, margin_minor),
	FIELD(struct line, I64, discount_minor),
	FIELD(struct line, BOOL, has_margin),
	FIELD(struct line, BOOL, restricted),
	FIELD(struct line, BOOL, voided),
	FIELD_CHARS(struct line, item),
	FIELD(struct line, STR, sku),
	FIELD(struct line, STR, category),
	FIELD(struct line, STR, brand),
	FIELD(struct line, STR, name),
	FIELD(struct line, STR, batch),
	FIELD(struct line, INT, best_before),
	FIELD(struct line, STR, own),
	FIELD_TO(struct line, mark, MARK_SENSITIVE + 1),
};
/* clang-format on */
const size_t line_field_count = ARRAY_LEN(line_fields);

static const struct field open_fields[] = {
	FIELD(struct opening, I64, at_ms),
	FIELD(struct opening, I64, heard_ms),
	FIELD(struct opening, BOOL, training),
};

static const struct field read_fields[] = {
	FIELD(struct card_read, ID, subject),
	FIELD(struct card_read, I64, at_ms),
	FIELD(struct card_read, BOOL, named),
};

/* clang-format off */
const struct field article_void_fields[] = {
	FIELD(struct article_void, STR, article),
	FIELD(struct article_void, I64, qty_milli),
	FIELD(struct article_void, I64, at_ms),
	FIELD(struct article_void, I64, line),
	FIELD(struct article_void, BOOL, used),
};
/* clang-format on */
const size_t article_void_field_count = ARRAY_LEN(article_void_fields);

/* clang-format off */
const struct field back_fields[] = {
	FIELD(struct back, ID, ret),
	FIELD(struct back, STR, item),
	FIELD(struct back, I64, qty_milli),
	FIELD(struct back, I64, amount_minor),
};
/* clang-format on */
const size_t back_field_count = ARRAY_LEN(back_fields);

/* clang-format off */
const struct field card_fields[] = {
	FIELD(struct card, ID, prompt),
	FIELD(struct card, ID, decision),
	FIELD(struct card, ID, guidance),
	FIELD(struct card, ID, former),
	FIELD(struct card, STR, action),
	FIELD(struct card, STR, group),
	FIELD(struct card, STR, issue),
	FIELD(struct card, STR, treatment),
	FIELD_TO(struct card, placement, PLACE_COUNT),
	FIELD(struct card, INT, slot),
	FIELD_TO(struct card, kind, KIND_COUNT),
	FIELD_TO(struct card, gate, GATE_COUNT),
	FIELD(struct card, I64, depth),
	FIELD(struct card, I64, worth_minor),
	FIELD(struct card, I64, hold_minor),
	FIELD_TO(struct card, state, CARD_GONE + 1),
	FIELD_TO(struct card, answer, ANSWER_OVERRIDE + 1),
	FIELD(struct card, BOOL, withheld),
	FIELD(struct card, BOOL, concealed),
	FIELD(struct card, BOOL, shown),
	FIELD(struct card, BOOL, redeemed),
	FIELD(struct card, BOOL, late),
	FIELD(struct card, I64, sent_ms),
	FIELD(struct card, I64, shown_ms),
	FIELD(struct card, I64, answered_ms),
	FIELD(struct card, I64, expires_ms),
	FIELD(struct card, I64, outcome_due_ms),
	FIELD(struct card, I64, snooze_until_ms),
	FIELD(struct card, BOOL, overdue),
	FIELD(struct card, STR, answer_body),
	FIELD(struct card, STR, closed_by),
	FIELD(struct card, ID, answer_decision),
	FIELD(struct card, ID, token),
	FIELD(struct card, ID, command),
	FIELD(struct card, I64, until_ms),
	FIELD(struct card, I64, asked_ms),
	FIELD(struct card, STR, json),
	FIELD(struct card, F64, confidence),
	FIELD(struct card, BOOL, elsewhere),
	FIELD(struct card, BOOL, voided),
	FIELD(struct card, I64, redeemed_minor),
	FIELD(struct card, I64, held_ms),
	FIELD(struct card, I64, spent_ms),
	FIELD(struct card, BOOL, spent),
	FIELD(struct card, I64, promised_minor),
	FIELD(struct card, I64, most_minor),
	FIELD(struct card, I64, said_minor),
	FIELD(struct card, ID, paid_in),
	FIELD(struct card, STR, paid_basket),
	FIELD(struct card, I64, returned_minor),
	FIELD(struct card, BOOL, denied),
	FIELD(struct card, BOOL, silent),
	FIELD(struct card, BOOL, bought),
	FIELD(struct card, STR, item),
	FIELD(struct card, BOOL, item_is_category),
};
/* clang-format on */
const size_t card_field_count = ARRAY_LEN(card_fields);

void
visit_encode(const struct visit *visit, struct buf *out)
{
	buf_u8(out, VISIT_VERSION);
	codec_write(visit_fields, visit_field_count, visit, out);
	buf_i64(out, (int64_t)visit->open_count);
	for (size_t i = 0; i < visit->open_count; i++)
		codec_write(open_fields, ARRAY_LEN(open_fields), &visit->opens[i], out);
	buf_i64(out, (int64_t)visit->read_count);
	for (size_t i = 0; i < visit->read_count; i++)
		codec_write(read_fields, ARRAY_LEN(read_fields), &visit->reads[i], out);
	buf_i64(out, (int64_t)visit->line_count);
	for (size_t i = 0; i < visit->line_count; i++)
		codec_write(line_fields, line_field_count, &visit->lines[i], out);
	buf_i64(out, (int64_t)visit->old_count);
	for (size_t i = 0; i < visit->old_count; i++)
		codec_write(line_fields, line_field_count, &visit->olds[i], out);
	buf_i64(out, (int64_t)visit->article_void_count);
	for (size_t i = 0; i < visit->article_void_count; i++)
		codec_write(article_void_fields, article_void_field_count, &visit->article_voids[i],
		    out);
	buf_i64(out, (int64_t)visit->back_count);
	for (size_t i = 0; i < visit->back_count; i++)
		codec_write(back_fields, back_field_count, &visit->backs[i], out);
	buf_i64(out, (int64_t)visit->card_count);
	for (size_t i = 0; i < visit->card_count; i++)
		codec_write(card_fields, card_field_count, &visit->cards[i], out);
	buf_i64(out, (int64_t)visit->contacts.count);
	for (size_t i = 0; i < visit->contacts.count; i++)
		contact_encode(&visit->contacts.rows[i], out);
	shortlists_encode(visit, out);
	buf_i64(out, visit->drew);
}

/* How many rows follow; -1: more than may be. */
static int64_t
read_count(struct rd *rd, int64_t max)
{
	int64_t count = rd_i64(rd);

	return rd->ok && count >= 0 && count <= max ? count : -1;
}

static bool
read_opens(struct rd *rd, struct visit *visit)
{
	int64_t count = read_count(rd, VISIT_OPENS_MAX);

	for (int64_t i = 0; i < count; i++) {
		if (!codec_read(open_fields, ARRAY_LEN(open_fields), &visit->opens[i], rd))
			return false;
		visit->open_count++;
	}
	return count >= 0;
}

static bool
read_reads(struct rd *rd, struct visit *visit)
{
	int64_t count = read_count(rd, VISIT_READS_MAX);

	for (int64_t i = 0; i < count; i++) {
		if (!codec_read(read_fields, ARRAY_LEN(read_fields), &visit->reads[i], rd))
			return false;
		visit->read_count++;
	}
	return count >= 0;
}

/* Into a new one; what was read of a damaged one is freed with it. */
static bool
read_line(struct rd *rd, struct line *line)
{
	codec_done(line_fields, line_field_count, line);
	*line = (struct line){ 0 };
	return codec_read(line_fields, line_field_count, line, rd) && line->category != NULL;
}

static bool
read_lines(struct rd *rd, struct visit *visit)
{
	int64_t count = read_count(rd, VISIT_LINES_MAX);

	for (int64_t i = 0; i < count; i++) {
		if (!read_line(rd, visit_add_line(visit, 0)))
			return false;
	}
	return count >= 0;
}

static bool
read_olds(struct rd *rd, struct visit *visit)
{
	int64_t count = read_count(rd, VISIT_LINES_MAX);

	for (int64_t i = 0; i < count; i++) {
		if (!read_line(rd, visit_add_old(visit, 0, NULL)))
			return false;
	}
	visit_count_lines(visit);
	return count >= 0;
}

static bool
read_article_voids(struct rd *rd, struct visit *visit)
{
	int64_t count = read_count(rd, VISIT_ARTICLE_VOIDS_MAX);

	for (int64_t i = 0; i < count; i++) {
		struct article_void row = { 0 }, *gone;
		bool ok = codec_read(article_void_fields, article_void_field_count, &row, rd) &&
		    row.article != NULL;

		if (ok) {
			gone = visit_add_article_void(visit, row.article, row.qty_milli, row.at_ms);
			gone->line = row.line;
			gone->used = row.used;
		}
		codec_done(article_void_fields, article_void_field_count, &row);
		if (!ok)
			return false;
	}
	return count >= 0;
}

static bool
read_backs(struct rd *rd, struct visit *visit)
{
	int64_t count = read_count(rd, VISIT_BACKS_MAX);
	struct back row;

	for (int64_t i = 0; i < count; i++) {
		bool ok;

		row = (struct back){ 0 };
		ok = codec_read(back_fields, back_field_count, &row, rd) && row.item != NULL;
		if (ok)
			visit_add_back(visit, &row.ret, row.item, row.qty_milli, row.amount_minor);
		codec_done(back_fields, back_field_count, &row);
		if (!ok)
			return false;
	}
	return count >= 0;
}

/* What those who show and judge cards rely on. */
static bool
is_card(const struct card *card)
{
	size_t len = card->json != NULL ? strlen(card->json) : 0;

	return card->action != NULL && card->group != NULL && card->issue != NULL &&
	    card->treatment != NULL && card->slot >= 1 &&
	    (card->json == NULL || (len > 2 && card->json[len - 1] == '}'));
}

static bool
read_cards(struct rd *rd, struct visit *visit, size_t fields)
{
	int64_t count = read_count(rd, VISIT_CARDS_MAX);

	for (int64_t i = 0; i < count; i++) {
		struct card *card = visit_add_card(visit);

		if (!codec_read(card_fields, fields, card, rd) || !is_card(card))
			return false;
	}
	return count >= 0;
}

static bool
read_contacts(struct rd *rd, struct visit *visit)
{
	int64_t count = read_count(rd, VISIT_CONTACTS_MAX);
	struct contact row;

	for (int64_t i = 0; i < count; i++) {
		if (!contact_decode(rd, &row))
			return false;
		contacts_add(&visit->contacts, &row);
		contact_done(&row);
	}
	return count >= 0;
}

static bool
read_listed(struct rd *rd, struct visit *visit)
{
	if (!shortlists_decode(rd, visit))
		return false;
	visit->drew = rd_i64(rd);
	return rd->ok;
}

int
visit_decode(const void *bytes, size_t len, struct visit **ret_visit)
{
	struct rd rd = rd_init(bytes, len);
	struct visit *visit = visit_new(&(struct id){ 0 });
	uint8_t version = rd_u8(&rd);
	bool listed = version == VISIT_VERSION;

	if ((!listed && version != VISIT_VERSION_UNLISTED) ||
	    !codec_read(visit_fields, visit_field_count, visit, &rd) || !read_opens(&rd, visit) ||
	    !read_reads(&rd, visit) || !read_lines(&rd, visit) || !read_olds(&rd, visit) ||
	    !read_article_voids(&rd, visit) || !read_backs(&rd, visit) ||
	    !read_cards(&rd, visit, card_field_count - (listed ? 0 : CARD_FIELDS_SINCE)) ||
	    !read_contacts(&rd, visit) || (listed && !read_listed(&rd, visit)) || !rd_done(&rd)) {
		visit_free(visit);
		return AISLE_E_DAMAGED;
	}
	*ret_visit = visit;
	return 0;
}
