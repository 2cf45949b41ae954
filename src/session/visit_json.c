/* SPDX-License-Identifier: Apache-2.0
 *
 * visit_json.c - a visit as people read it: customer export, support.
 *
 * What was said on the cards is left to the decisions' own records; here is
 * which card, and what became of it.
 */
#include "session/session.h"

#include <string.h>

#include "aisle/policy.h"
#include "core/id.h"
#include "core/when.h"

static const char *const state_names[] = {
	"waiting",
	"open",
	"suspended",
	"tender",
	"closed",
	"cancelled",
};
static const char *const card_names[] = {
	"open",
	"answered",
	"asked",
	"applied",
	"refused",
	"gone",
};
static const char *const answer_names[] = {
	NULL,
	"accept",
	"dismiss",
	"snooze",
	"override",
};

static void
member_str(struct buf *out, const char *name, const char *value)
{
	if (value == NULL || value[0] == '\0')
		return;
	buf_addf(out, ",\"%s\":", name);
	buf_json_str(out, value);
}

static void
member_int(struct buf *out, const char *name, int64_t value)
{
	buf_addf(out, ",\"%s\":", name);
	buf_json_int(out, value);
}

static void
member_time(struct buf *out, const char *name, int64_t ms)
{
	char text[WHEN_TEXT_SIZE];

	if (ms == 0)
		return;
	when_text(ms, text);
	buf_addf(out, ",\"%s\":\"%s\"", name, text);
}

static void
member_id(struct buf *out, const char *name, const struct id *id)
{
	char text[ID_TEXT_SIZE];

	if (id_is_zero(id))
		return;
	id_text(id, text);
	buf_addf(out, ",\"%s\":\"%s\"", name, text);
}

static void
line_json(const struct line *line, struct buf *out)
{
	buf_addf(out, "{\"line\":%lld", (long long)line->line);
	member_str(out, "gtin", line->item);
	member_str(out, "sku", line->sku);
	member_str(out, "category", line->category);
	member_str(out, "brand", line->brand);
	member_str(out, "name", line->name);
	buf_adds(out, ",\"qty\":");
	buf_json_double(out, (double)line->qty_milli / 1000.0);
	member_int(out, "amount", line->amount_minor);
	if (line->voided)
		buf_adds(out, ",\"voided\":true");
	member_time(out, "at", line->added_ms);
	buf_addc(out, '}');
}

static void
card_json(const struct card *card, struct buf *out)
{
	buf_adds(out, "{\"state\":");
	buf_json_str(out, card_names[card->state]);
	member_id(out, "prompt", &card->prompt);
	member_id(out, "decision", &card->decision);
	member_str(out, "action", card->action);
	member_str(out, "treatment", card->treatment);
	member_str(out, "answer", answer_names[card->answer]);
	if (card->depth != 0)
		member_int(out, "depth", card->depth);
	if (card->withheld)
		buf_adds(out, ",\"withheld\":true");
	if (card->redeemed)
		buf_adds(out, ",\"redeemed\":true");
	member_time(out, "sent", card->sent_ms);
	member_time(out, "shown", card->shown_ms);
	member_time(out, "answered", card->answered_ms);
	buf_addc(out, '}');
}

void
visit_json(const struct visit *visit, struct buf *out)
{
	char subject[SUBJECT_TEXT_SIZE];

	buf_adds(out, "{\"state\":");
	buf_json_str(out, state_names[visit->state]);
	member_id(out, "visit", &visit->id);
	member_str(out, "station", visit->station);
	member_str(out, "terminal", visit->terminal);
	member_str(out, "basket", visit->basket);
	if (visit->has_subject) {
		subject_text(&visit->subject, subject);
		member_str(out, "subject", subject);
	}
	if (visit->training)
		buf_adds(out, ",\"training\":true");
	member_time(out, "opened", visit->opened_ms);
	member_time(out, "identified", visit->identified_ms);
	member_time(out, "closed", visit->closed_ms);
	if (visit->closed_ms != 0)
		member_int(out, "total", visit->total_minor);
	member_int(out, "voids", visit->voids);
	member_int(out, "declines", visit->declines);
	member_int(out, "returns", visit->returns);
	buf_adds(out, ",\"lines\":[");
	for (size_t i = 0; i < visit->line_count; i++) {
		if (i > 0)
			buf_addc(out, ',');
		line_json(&visit->lines[i], out);
	}
	buf_adds(out, "],\"cards\":[");
	for (size_t i = 0; i < visit->card_count; i++) {
		if (i > 0)
			buf_addc(out, ',');
		card_json(&visit->cards[i], out);
	}
	buf_adds(out, "]}");
}
