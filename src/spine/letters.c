/* SPDX-License-Identifier: Apache-2.0
 *
 * letters.c - a flood of messages that cannot be used is one dead letter a sender, reason and second.
 *
 * DESIGN
 *   A dead letter is a row, a publish and a line of the log: whoever sends
 *   thousands of bad messages would make the store do nothing else. A few are
 *   told one by one, for who is mending a till; after those one a second. The
 *   next is kept in memory and those behind it are counted; a second later they
 *   are one letter, that one with the count. What is lost for want of room is
 *   a flood from its first. What is in memory is lost with a crash: it was only
 *   a count.
 *
 *   Recorded files are not bounded, nor is a store without a rate: who reads
 *   them wants each refusal.
 *
 *   A sender is its topic, by its digest: a topic may be as long as a payload,
 *   and one that is no sender of ours is bounded like any other. Its letter of
 *   several names the beginning.
 *
 * LIMITS
 *   LETTER_SENDERS pairs of sender and reason. Beyond them the one that was
 *   silent longest is told early and gives way to the new one, which has no
 *   burst. Where none was silent for a second, topics are made up as they go:
 *   the new ones share a letter of their reason, which names the first of them.
 */
#include "spine/spine.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/id.h"

/* So many may be told at once; of what has no room, one. */
static int64_t
burst_of(const struct engine *engine, enum reject reason)
{
	int64_t burst = engine->conf->terminal_rate / 10;

	return reason == REJECT_RATE || burst < 1 ? 1 : burst;
}

/* One more with each second. */
static void
refill(struct engine *engine, struct letter_sender *sender)
{
	int64_t second = engine->now_ms / S_MS, burst = burst_of(engine, sender->reason);

	if (second > sender->second)
		sender->tokens += second - sender->second;
	if (sender->tokens > burst)
		sender->tokens = burst;
	sender->second = second;
}

static void
tell(struct engine *engine, struct letter_sender *sender)
{
	struct rejected rejected = { .reason = sender->reason };

	if (sender->left_out == 0)
		return;
	memcpy(rejected.detail, sender->detail, sizeof(rejected.detail));
	dead_letter_write(engine, sender->topic, &rejected, sender->payload.data,
	    sender->payload.len, sender->left_out);
	sender->left_out = 0;
	sender->tokens -= sender->tokens > 0;
	buf_wipe(&sender->payload);
}

/* What has no room ends in "…", behind a whole character. */
static void
topic_copy(char out[static LETTER_TOPIC_SIZE], const char *topic)
{
	static const char more[] = "\xe2\x80\xa6";
	size_t len = strnlen(topic, LETTER_TOPIC_SIZE);

	if (len == LETTER_TOPIC_SIZE) {
		len -= sizeof(more);
		while (len > 0 && ((unsigned char)topic[len] & 0xc0) == 0x80)
			len--;
	}
	snprintf(out, LETTER_TOPIC_SIZE, "%.*s%s", (int)len, topic, topic[len] != '\0' ? more : "");
}

static struct letter_sender *
others(struct engine *engine, const char *topic, enum reject reason)
{
	struct letter_sender *sender = &engine->letters[LETTER_SENDERS + reason];

	if (sender->left_out == 0) {
		sender->reason = reason;
		topic_copy(sender->topic, topic);
	}
	return sender;
}

static struct letter_sender *
find(struct engine *engine, const char *topic, enum reject reason)
{
	struct letter_sender *oldest = &engine->letters[0];
	struct id key = hash_parts(&topic, 1);

	for (size_t i = 0; i < LETTER_SENDERS; i++) {
		struct letter_sender *sender = &engine->letters[i];

		if (sender->reason == reason && id_equal(&sender->key, &key))
			return sender;
		if (sender->second < oldest->second)
			oldest = sender;
	}
	if (oldest->second >= engine->now_ms / S_MS)
		return others(engine, topic, reason);
	tell(engine, oldest);
	oldest->key = key;
	topic_copy(oldest->topic, topic);
	oldest->reason = reason;
	oldest->tokens = oldest->second == 0 ? burst_of(engine, reason) : 1;
	oldest->second = engine->now_ms / S_MS;
	return oldest;
}

bool
letter_left_out(struct engine *engine, const char *topic, const struct rejected *rejected,
    const void *payload, size_t len)
{
	struct letter_sender *sender;

	if (!engine->live || engine->conf->terminal_rate == 0)
		return false;
	sender = find(engine, topic, rejected->reason);
	refill(engine, sender);
	if (sender->tokens > 0)
		tell(engine, sender);
	if (sender->tokens > 0) {
		sender->tokens--;
		return false;
	}
	if (sender->left_out++ == 0) {
		memcpy(sender->detail, rejected->detail, sizeof(sender->detail));
		buf_add(&sender->payload, payload, len);
	}
	return true;
}

void
letters_tell(struct engine *engine, bool all)
{
	for (size_t i = 0; i < ARRAY_LEN(engine->letters); i++) {
		struct letter_sender *sender = &engine->letters[i];

		if (sender->left_out > 0)
			refill(engine, sender);
		if (all || sender->tokens > 0)
			tell(engine, sender);
	}
}

bool
letters_wait(const struct engine *engine)
{
	for (size_t i = 0; i < ARRAY_LEN(engine->letters); i++) {
		if (engine->letters[i].left_out > 0)
			return true;
	}
	return false;
}

void
letters_drop(struct engine *engine)
{
	for (size_t i = 0; i < ARRAY_LEN(engine->letters); i++)
		buf_wipe(&engine->letters[i].payload);
}
