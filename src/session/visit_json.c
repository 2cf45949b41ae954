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
#include "core/json_write.h"

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
line_json(const struct line *line, struct json_writer *w)
{
	json_add_object(w, NULL);
	json_add_int(w, "line", line->line);
	json_opt_str(w, "gtin", line->item);
	json_opt_str(w, "sku", line->sku);
	json_opt_str(w, "category", line->category);
	json_opt_str(w, "brand", line->brand);
	json_opt_str(w, "name", line->name);
	json_add_double(w, "qty", (double)line->qty_milli / 1000.0);
	json_add_int(w, "amount", line->amount_minor);
	if (line->voided)
		json_add_bool(w, "voided", true);
	json_opt_when(w, "at", line->added_ms);
	json_end(w);
}

static void
card_json(const struct card *card, struct json_writer *w)
{
	json_add_object(w, NULL);
	json_add_str(w, "state", card_names[card->state]);
	json_opt_id(w, "prompt", &card->prompt);
	json_opt_id(w, "decision", &card->decision);
	json_opt_str(w, "action", card->action);
	json_opt_str(w, "treatment", card->treatment);
	json_opt_str(w, "answer", answer_names[card->answer]);
	if (card->depth != 0)
		json_add_int(w, "depth", card->depth);
	if (card->withheld)
		json_add_bool(w, "withheld", true);
	if (card->redeemed)
		json_add_bool(w, "redeemed", true);
	json_opt_when(w, "sent", card->sent_ms);
	json_opt_when(w, "shown", card->shown_ms);
	json_opt_when(w, "answered", card->answered_ms);
	json_end(w);
}

void
visit_json(const struct visit *visit, struct buf *out)
{
	struct json_writer *w = JSON_WRITER(out);
	char subject[SUBJECT_TEXT_SIZE];

	json_add_object(w, NULL);
	json_add_str(w, "state", state_names[visit->state]);
	json_opt_id(w, "visit", &visit->id);
	json_opt_str(w, "station", visit->station);
	json_opt_str(w, "terminal", visit->terminal);
	json_opt_str(w, "basket", visit->basket);
	if (visit->has_subject) {
		subject_text(&visit->subject, subject);
		json_opt_str(w, "subject", subject);
	}
	if (visit->training)
		json_add_bool(w, "training", true);
	json_opt_when(w, "opened", visit->opened_ms);
	json_opt_when(w, "identified", visit->identified_ms);
	json_opt_when(w, "closed", visit->closed_ms);
	if (visit->closed_ms != 0)
		json_add_int(w, "total", visit->total_minor);
	json_add_int(w, "voids", visit->voids);
	json_add_int(w, "declines", visit->declines);
	json_add_int(w, "returns", visit->returns);
	json_add_list(w, "lines");
	for (size_t i = 0; i < visit->line_count; i++)
		line_json(&visit->lines[i], w);
	json_end(w);
	json_add_list(w, "cards");
	for (size_t i = 0; i < visit->card_count; i++)
		card_json(&visit->cards[i], w);
	json_end(w);
	json_end(w);
}
