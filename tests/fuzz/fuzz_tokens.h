/* SPDX-License-Identifier: Apache-2.0
 *
 * fuzz_tokens.h - changes to texts of JSON that leave them JSON: a word for another, numbers and times at their bounds,
 * lines doubled, swapped and left out. Half of the changes are bytes, as ever.
 */
#ifndef AISLE_TESTS_FUZZ_TOKENS_H
#define AISLE_TESTS_FUZZ_TOKENS_H

#include <string.h>

#include "core/buf.h"

size_t LLVMFuzzerMutate(uint8_t *data, size_t size, size_t max);
size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t size, size_t max, unsigned seed);

#define TOKENS_MAX 512

struct fuzz_tokens {
	struct fuzz_span {
		size_t at, len;
	} span[TOKENS_MAX];
	size_t count;
};

static inline uint32_t
fuzz_roll(uint32_t *state, size_t below)
{
	*state = *state * 1664525u + 1013904223u;
	return below > 0 ? (uint32_t)((*state >> 8) % below) : 0;
}

/* Strings with their quotes, numbers, true, false and null. */
static inline void
fuzz_find_tokens(const uint8_t *data, size_t size, struct fuzz_tokens *tokens)
{
	tokens->count = 0;
	for (size_t at = 0; at < size && tokens->count < TOKENS_MAX;) {
		size_t end = at;

		if (data[at] == '"') {
			for (end++; end < size && data[end] != '"'; end++)
				end += data[end] == '\\';
			end = end < size ? end + 1 : size;
		} else {
			while (end < size && memchr("{}[]:,\" \t\r\n", data[end], 11) == NULL)
				end++;
		}
		if (end > at)
			tokens->span[tokens->count++] = (struct fuzz_span){ at, end - at };
		at = end > at ? end : at + 1;
	}
}

static inline void
fuzz_find_lines(const uint8_t *data, size_t size, struct fuzz_tokens *lines)
{
	lines->count = 0;
	for (size_t at = 0; at < size && lines->count < TOKENS_MAX;) {
		const uint8_t *end = memchr(data + at, '\n', size - at);
		size_t len = end != NULL ? (size_t)(end - data) - at + 1 : size - at;

		lines->span[lines->count++] = (struct fuzz_span){ at, len };
		at += len;
	}
}

/* The span becomes these bytes, if there is room. */
static inline size_t
fuzz_splice(uint8_t *data, size_t size, size_t max, struct fuzz_span span, const void *bytes,
    size_t len)
{
	if (size - span.len + len > max)
		return size;
	memmove(data + span.at + len, data + span.at + span.len, size - span.at - span.len);
	if (len > 0)
		memcpy(data + span.at, bytes, len);
	return size - span.len + len;
}

static inline size_t
fuzz_change_token(uint8_t *data, size_t size, size_t max, uint32_t *state)
{
	static const char *const words[] = { "0", "-1", "1", "0.001", "1e300", "-0.0",
		"1000000000000", "-1000000000000", "1000000000001", "9007199254740993",
		"9223372036854775807", "-9223372036854775808", "2147483648", "null", "true", "{}",
		"[]", "\"\"", "\"1970-01-01T00:00:00Z\"", "\"9999-12-31T23:59:59.999Z\"",
		"\"2026-11-21T10:30:02.001Z\"", "\"2026-11-28T10:30:00Z\"", "\"7\"",
		"\"\xc3\xa4\"" };
	static struct fuzz_tokens tokens;
	struct buf other = { 0 };

	fuzz_find_tokens(data, size, &tokens);
	if (tokens.count == 0)
		return size;
	struct fuzz_span span = tokens.span[fuzz_roll(state, tokens.count)];

	if (fuzz_roll(state, 2) == 0) {
		buf_adds(&other, words[fuzz_roll(state, ARRAY_LEN(words))]);
	} else {
		struct fuzz_span from = tokens.span[fuzz_roll(state, tokens.count)];

		buf_add(&other, data + from.at, from.len);
	}
	size = fuzz_splice(data, size, max, span, other.data, other.len);
	buf_done(&other);
	return size;
}

static inline size_t
fuzz_change_line(uint8_t *data, size_t size, size_t max, uint32_t *state)
{
	static struct fuzz_tokens lines;
	struct buf other = { 0 };

	fuzz_find_lines(data, size, &lines);
	if (lines.count < 2)
		return size;
	struct fuzz_span span = lines.span[fuzz_roll(state, lines.count)];
	struct fuzz_span from = lines.span[fuzz_roll(state, lines.count)];

	switch (fuzz_roll(state, 3)) {
	case 0: span.len = 0; break; /* doubled */
	case 1: from.len = 0; break; /* left out */
	default: break;		     /* in the other's place */
	}
	buf_add(&other, data + from.at, from.len);
	size = fuzz_splice(data, size, max, span, other.data, other.len);
	buf_done(&other);
	return size;
}

size_t
LLVMFuzzerCustomMutator(uint8_t *data, size_t size, size_t max, unsigned seed)
{
	uint32_t state = seed;

	switch (fuzz_roll(&state, 4)) {
	case 0: return fuzz_change_line(data, size, max, &state);
	case 1: return fuzz_change_token(data, size, max, &state);
	default: return LLVMFuzzerMutate(data, size, max);
	}
}

#endif
