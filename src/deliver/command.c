/* SPDX-License-Identifier: Apache-2.0
 *
 * command.c - what the till is asked to do.
 *
 * The offer is the one that the card shows, taken from its own prompt object,
 * so that till and tablet can never be told different things.
 */
#include "deliver/guidance.h"

#include <string.h>

#include "core/id.h"
#include "core/json.h"
#include "core/when.h"

/* clang-format off */
static const char *const command_names[] = {
	[COMMAND_APPLY_OFFER] = "apply-offer",
	[COMMAND_WITHDRAW_OFFER] = "withdraw-offer",
	[COMMAND_SHOW_MESSAGE] = "show-message",
	[COMMAND_CLEAR_MESSAGE] = "clear-message",
	[COMMAND_PRINT_MESSAGE] = "print-message",
};
/* clang-format on */

static void
add_id(struct buf *out, const char *name, const struct id *id)
{
	char text[ID_TEXT_SIZE];

	if (id_is_zero(id))
		return;
	id_text(id, text);
	buf_addf(out, ",\"%s\":\"%s\"", name, text);
}

/* The prompt's offer with the card's worth. */
static void
add_offer(const struct card *card, struct buf *out)
{
	json_t *prompt = json_loads(card->json, JSON_REJECT_DUPLICATES, NULL);
	json_t *offer = json_object_get(prompt, "offer");

	if (json_is_object(offer)) {
		CHECK(json_object_set_new(offer, "worth", json_integer(card->worth_minor)) == 0);
		buf_adds(out, ",\"offer\":");
		json_write(offer, out);
	}
	json_decref(prompt);
}

void
command_json(enum command_type type, const struct id *command, const struct visit *visit,
    const struct card *card, const char *text, int64_t expires_ms, struct buf *out)
{
	bool offer = type == COMMAND_APPLY_OFFER || type == COMMAND_WITHDRAW_OFFER;
	char id[ID_TEXT_SIZE], expires[WHEN_TEXT_SIZE];

	id_text(command, id);
	buf_addf(out, "{\"command\":\"%s\",\"type\":\"%s\",\"terminal\":", id, command_names[type]);
	buf_json_str(out, visit->terminal);
	buf_adds(out, ",\"basket\":");
	buf_json_str(out, visit->basket);
	if (card != NULL) {
		add_id(out, "prompt", &card->prompt);
		if (offer && card->json != NULL)
			add_offer(card, out);
		if (offer)
			add_id(out, "token", &card->token);
	}
	if (text != NULL) {
		buf_adds(out, ",\"text\":");
		buf_json_str(out, text);
	}
	when_text(expires_ms, expires);
	buf_addf(out, ",\"expires\":\"%s\"}", expires);
}
