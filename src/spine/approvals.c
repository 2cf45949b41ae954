/* SPDX-License-Identifier: Apache-2.0
 *
 * approvals.c - the cards that wait for a manager.
 *
 * An offer of theirs, with its action's words, what it saves, and where somebody waits. Not whose it
 * is, and no text of the card: whoever must know the customer is beside them.
 *
 * LIMITS
 *   WAITING_MAX of them are told; that there are more is told, too.
 */
#include "spine/spine.h"

#include "core/json_write.h"
#include "deliver/guidance.h"

#define WAITING_MAX 50

struct waiting_list {
	const struct engine *engine;
	struct json_writer *out;
	size_t count;
};

static bool
waits(const struct engine *engine, const struct card *card)
{
	return card->state == CARD_OPEN && card->gate == GATE_MANAGER && card_on_screen(card) &&
	    (card->expires_ms == 0 || engine->now_ms < card->expires_ms);
}

static void
add(const struct waiting_list *list, const struct visit *visit, const struct card *card)
{
	struct json_writer *w = list->out;

	json_add_object(w, NULL);
	json_add_id(w, "guidance", &card->guidance);
	json_add_id(w, "prompt", &card->prompt);
	json_add_id(w, "decision", &card->decision);
	json_add_str(w, "station", visit->station);
	if (visit->basket != NULL)
		json_add_str(w, "basket", visit->basket);
	json_add_str(w, "action", card->action);
	headline_add(list->engine, card->action, w);
	if (card->depth != 0)
		json_add_int(w, "worth", card->worth_minor);
	json_add_when(w, "at", card->sent_ms);
	json_opt_when(w, "expires", card->expires_ms);
	json_end(w);
}

static void
add_waiting(void *ctx, struct visit *visit)
{
	struct waiting_list *list = ctx;

	for (size_t i = 0; i < visit->card_count; i++) {
		if (waits(list->engine, &visit->cards[i]) && list->count++ < WAITING_MAX)
			add(list, visit, &visit->cards[i]);
	}
}

void
approvals_report(struct engine *engine, struct json_writer *w)
{
	struct waiting_list list = { engine, w, 0 };

	json_add_list(w, "waiting");
	sessions_each(engine->sessions, add_waiting, &list);
	json_end(w);
	if (list.count > WAITING_MAX)
		json_add_int(w, "waiting_more", (int64_t)(list.count - WAITING_MAX));
}
