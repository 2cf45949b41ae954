/* SPDX-License-Identifier: Apache-2.0
 *
 * command.c - what the till is asked to do.
 *
 * The offer is the one that the card shows, taken from its own prompt object,
 * so that till and tablet can never be told different things.
 */
#include "deliver/guidance.h"

#include <string.h>

#include "core/json.h"

/* clang-format off */
static const char *const command_names[] = {
	[COMMAND_APPLY_OFFER] = "apply-offer",
	[COMMAND_WITHDRAW_OFFER] = "withdraw-offer",
	[COMMAND_SHOW_MESSAGE] = "show-message",
	[COMMAND_CLEAR_MESSAGE] = "clear-message",
	[COMMAND_PRINT_MESSAGE] = "print-message",
};
/* clang-format on */

/* The prompt's offer with the card's worth. */
static void
add_offer(const struct card *card, struct json_writer *w)
{
	json_t *prompt = json_loads(card->json, JSON_REJECT_DUPLICATES, NULL);
	json_t *offer = json_object_get(prompt, "offer");

	if (json_is_object(offer)) {
		CHECK(json_object_set_new(offer, "worth", json_integer(card->worth_minor)) == 0);
		json_add_tree(w, "offer", offer);
	}
	json_decref(prompt);
}

void
command_json(enum command_type type, const struct id *command, const struct visit *visit,
    const struct card *card, const char *text, int64_t expires_ms, struct buf *out)
{
	bool offer = type == COMMAND_APPLY_OFFER || type == COMMAND_WITHDRAW_OFFER;
	struct json_writer *w = JSON_OBJECT(out);

	json_add_id(w, "command", command);
	json_add_str(w, "type", NAME_OF(command_names, type));
	json_add_str(w, "terminal", visit->terminal);
	json_add_str(w, "basket", visit->basket);
	if (card != NULL) {
		json_opt_id(w, "prompt", &card->prompt);
		if (offer && card->json != NULL)
			add_offer(card, w);
		if (offer)
			json_opt_id(w, "token", &card->token);
	}
	if (text != NULL)
		json_add_str(w, "text", text);
	json_add_when(w, "expires", expires_ms);
	json_end(w);
}
