/* SPDX-License-Identifier: Apache-2.0
 *
 * forget.c - a customer is forgotten: off the screens, then without a key, then out of what is counted.
 */
#include "daemon/daemon.h"

#include "core/id.h"
#include "core/log.h"

/* Off the screens, while what is there can be read. */
static bool
leave_screens(struct daemon *daemon, const struct id *subject)
{
	struct input input = {
		.kind = INPUT_LEAVE, .now_ms = daemon_now_ms(daemon), .subject = *subject
	};

	daemon_queue(daemon, &input);
	daemon_turn(daemon);
	return daemon->turn == 0;
}

/* The key: whatever happens next, nothing about them can be read any more. */
static bool
destroy(struct daemon *daemon, const struct id *subject)
{
	if (keys_destroy(engine_keys(daemon->engine), subject) != 0)
		return false;
	if (profiles_forget(daemon->profiles, subject) != 0)
		log_warning("a profile row of a forgotten customer stays until the next profiles "
			    "file; its key is gone");
	return true;
}

/* All cards of the person: those that were merged into theirs first, since theirs knows of them. */
static size_t
cards_of(struct daemon *daemon, const struct id *subject, struct id cards[SUBJECT_MERGED_MAX + 2])
{
	const struct subject *person = engine_person(daemon->engine, subject);
	bool named = id_equal(&person->id, subject);
	size_t count = 0;

	for (size_t i = 0; i < person->merged_count; i++) {
		named = named || id_equal(&person->merged[i], subject);
		cards[count++] = person->merged[i];
	}
	if (!named)
		cards[count++] = *subject;
	cards[count++] = person->id;
	return count;
}

static void
refuse_to(reply_fn reply, void *ctx, const char *why)
{
	struct reply no = { .status = 500, .detail = why };

	reply(ctx, &no);
}

void
daemon_forget(struct daemon *daemon, const struct id *subject, reply_fn reply, void *ctx)
{
	struct input input = { .kind = INPUT_FORGET, .now_ms = daemon_now_ms(daemon) };
	struct id cards[SUBJECT_MERGED_MAX + 2];
	size_t count;

	/* On a full disk, whatever is written from here on has the room that is kept for it. */
	store_open_reserve(engine_store(daemon->engine));
	/* What waits was said while they were known: a record of it is sealed for them, and goes with the key. */
	daemon_turn(daemon);
	count = cards_of(daemon, subject, cards);
	for (size_t i = 0; i < count; i++) {
		if (!leave_screens(daemon, &cards[i])) {
			refuse_to(reply, ctx,
			    "the store cannot write its state right now: nothing was forgotten "
			    "yet");
			return;
		}
	}
	engine_before_key_goes(daemon->engine);
	for (size_t i = 0; i < count; i++) {
		if (!destroy(daemon, &cards[i])) {
			refuse_to(reply, ctx, "the customer's key could not be destroyed");
			return;
		}
	}
	for (size_t i = 0; i < count; i++) {
		input.subject = cards[i];
		if (i + 1 == count) {
			input.reply = reply;
			input.reply_ctx = ctx;
		}
		daemon_queue(daemon, &input);
	}
	daemon_turn(daemon);
}
