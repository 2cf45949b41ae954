/* SPDX-License-Identifier: Apache-2.0
 *
 * sequences.c - the highest sequences taken.
 *
 * BYTES
 *   u8 version 1 ‖ varint root ‖ varint count ‖ count × (text name ‖ varint sequence ‖ digest[32] ‖ varint recent ‖
 *   recent × u64 of a digest, as two u32)
 */
#include "trust/sequences.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define VERSION 1

void
sequences_done(struct sequences *seen)
{
	for (size_t i = 0; i < seen->count; i++)
		free(seen->counters[i].recent);
	*seen = (struct sequences){ 0 };
}

static const struct sequences_counter *
find(const struct sequences *seen, const char *name)
{
	for (size_t i = 0; i < seen->count; i++)
		if (strcmp(seen->counters[i].name, name) == 0)
			return &seen->counters[i];
	return NULL;
}

int64_t
sequences_last(const struct sequences *seen, const char *name)
{
	const struct sequences_counter *counter = find(seen, name);

	return counter != NULL ? counter->sequence : 0;
}

static uint64_t
short_of(const uint8_t digest[static 32])
{
	uint64_t n;

	memcpy(&n, digest, sizeof(n));
	return n;
}

bool
sequences_known(const struct sequences *seen, const char *name, const uint8_t digest[static 32])
{
	const struct sequences_counter *counter = find(seen, name);

	for (size_t i = 0; counter != NULL && i < counter->recent_count; i++)
		if (counter->recent[i] == short_of(digest))
			return true;
	return false;
}

int
sequences_check(const struct sequences *seen, const char *name, int64_t sequence,
    const uint8_t digest[static 32], bool list, bool *ret_new, enum refusal *ret_refusal,
    struct err *err)
{
	const struct sequences_counter *counter = find(seen, name);
	int64_t last = counter != NULL ? counter->sequence : 0;

	*ret_new = false;
	if (counter == NULL && seen->count == SEQUENCES_MAX)
		return refusal_say(REFUSED_FULL, ret_refusal, err,
		    "%s would be the sequence number %d that is kept, expected at most %d", name,
		    SEQUENCES_MAX + 1, SEQUENCES_MAX);
	if (sequence - last > SEQUENCES_AHEAD_MAX)
		return refusal_say(REFUSED_FAST_FORWARD, ret_refusal, err,
		    "%s: sequence %" PRId64 " after %" PRId64 ", expected at most %" PRId64 " more",
		    name, sequence, last, SEQUENCES_AHEAD_MAX);
	if (sequence > last) {
		*ret_new = true;
		return 0;
	}
	if (sequence == last && counter != NULL && memcmp(counter->digest, digest, 32) == 0)
		return 0;
	if (list && sequences_known(seen, name, digest))
		return 0;
	if (sequence == last)
		return refusal_say(REFUSED_SEQUENCE_SAME, ret_refusal, err,
		    "%s: sequence %" PRId64 " again with another content, expected a higher one",
		    name, sequence);
	return refusal_say(REFUSED_SEQUENCE_OLDER, ret_refusal, err,
	    "%s: sequence %" PRId64 ", expected more than %" PRId64, name, sequence, last);
}

static void
remember(struct sequences_counter *counter, const uint8_t digest[static 32])
{
	if (counter->recent == NULL)
		counter->recent = mem_calloc(SEQUENCES_RECENT, sizeof(*counter->recent));
	if (counter->recent_count == SEQUENCES_RECENT)
		memmove(counter->recent, counter->recent + 1,
		    --counter->recent_count * sizeof(*counter->recent));
	counter->recent[counter->recent_count++] = short_of(digest);
}

void
sequences_take(struct sequences *seen, const char *name, int64_t sequence,
    const uint8_t digest[static 32], bool list)
{
	struct sequences_counter *counter = (struct sequences_counter *)(uintptr_t)find(seen, name);

	if (counter == NULL) {
		CHECK(seen->count < SEQUENCES_MAX && strlen(name) < SEQUENCES_NAME_SIZE);
		counter = &seen->counters[seen->count++];
		*counter = (struct sequences_counter){ 0 };
		snprintf(counter->name, sizeof(counter->name), "%s", name);
	}
	CHECK(sequence > counter->sequence && sequence <= SEQUENCE_MAX);
	counter->sequence = sequence;
	memcpy(counter->digest, digest, sizeof(counter->digest));
	if (list)
		remember(counter, digest);
}

void
sequences_encode(const struct sequences *seen, struct buf *out)
{
	buf_u8(out, VERSION);
	buf_i64(out, seen->root);
	buf_i64(out, (int64_t)seen->count);
	for (size_t i = 0; i < seen->count; i++) {
		const struct sequences_counter *counter = &seen->counters[i];

		buf_str(out, counter->name);
		buf_i64(out, counter->sequence);
		buf_add(out, counter->digest, sizeof(counter->digest));
		buf_i64(out, (int64_t)counter->recent_count);
		for (size_t k = 0; k < counter->recent_count; k++) {
			buf_u32(out, (uint32_t)counter->recent[k]);
			buf_u32(out, (uint32_t)(counter->recent[k] >> 32));
		}
	}
}

static void
read_recent(struct rd *rd, struct sequences_counter *counter)
{
	int64_t count = rd_i64(rd);

	if (count < 0 || count > SEQUENCES_RECENT)
		rd->ok = false;
	for (int64_t i = 0; rd->ok && i < count; i++) {
		uint32_t low = rd_u32(rd);

		if (counter->recent == NULL)
			counter->recent = mem_calloc(SEQUENCES_RECENT, sizeof(*counter->recent));
		counter->recent[counter->recent_count++] = low | (uint64_t)rd_u32(rd) << 32;
	}
}

static void
read_counter(struct rd *rd, struct sequences *seen)
{
	struct sequences_counter *counter = &seen->counters[seen->count++];
	char *name = rd_str(rd);

	if (name == NULL || name[0] == '\0' || strlen(name) >= sizeof(counter->name))
		rd->ok = false;
	else
		snprintf(counter->name, sizeof(counter->name), "%s", name);
	free(name);
	counter->sequence = rd_i64(rd);
	for (size_t i = 0; i < sizeof(counter->digest); i++)
		counter->digest[i] = rd_u8(rd);
	if (counter->sequence < 1 || counter->sequence > SEQUENCE_MAX)
		rd->ok = false;
	read_recent(rd, counter);
}

int
sequences_decode(const void *bytes, size_t len, struct sequences *ret)
{
	struct rd rd = rd_init(bytes, len);
	bool known = rd_u8(&rd) == VERSION;
	int64_t count;

	*ret = (struct sequences){ .root = rd_i64(&rd) };
	count = rd_i64(&rd);
	if (!known || ret->root < 0 || count < 0 || count > SEQUENCES_MAX)
		rd.ok = false;
	while (rd.ok && (int64_t)ret->count < count)
		read_counter(&rd, ret);
	if (rd_done(&rd))
		return 0;
	sequences_done(ret);
	return AISLE_E_DAMAGED;
}
