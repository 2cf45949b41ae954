/* SPDX-License-Identifier: Apache-2.0
 *
 * mask.c - card numbers and PINs that stand where they do not belong become asterisks.
 *
 * DESIGN
 *   What is masked is what could not be used: cut JSON, XML that no mapping takes, JSON inside a text
 *   inside JSON. A parser would give up where this is needed most, so it is a look at words: a word
 *   that is named like a card or PIN, then quotes, blanks and a colon or equals sign, then its value,
 *   however deep it is quoted. It may take too much; what it takes too much is only shown to people
 *   who look for a till's mistake, and the length tells them what stood there.
 *
 *   Rejected: masking the parsed tree where a text parses, and words where it does not: two rules that
 *   differ, and the one that is needed more is tried less.
 *
 * LIMITS
 *   A PIN in prose that does not say so ("the code is 4711") is a number like any other.
 */
#include "core/mask.h"

#include <string.h>
#include <strings.h>

#include "core/mask_digits.h"

#define NAME_MAX_LEN 40
#define VALUE_MAX 64 /* of an article or subject: 14 or 32 digits, and what quotes them */

struct span {
	char *at, *end; /* of the whole text */
	const struct mask *mask;
};

static bool
is_digit(char c)
{
	return c >= '0' && c <= '9';
}

static bool
is_letter(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

static bool
is_word(char c)
{
	return is_digit(c) || is_letter(c) || c == '_' || c == '-' || c == '.';
}

static bool
is_blank(char c)
{
	return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

static void
blot(char *from, const char *to)
{
	for (; from < to; from++) {
		if (is_digit(*from) || is_letter(*from) || (unsigned char)*from >= 0x80)
			*from = '*';
	}
}

/* ---- names ---- */

enum named { NAMED_OTHERWISE, NAMED_CARD, NAMED_SECRET, NAMED_SUBJECT, NAMED_GTIN };

static bool
ends_with(const char *text, const char *end)
{
	size_t len = strlen(text), end_len = strlen(end);

	return len >= end_len && strcmp(text + len - end_len, end) == 0;
}

static bool
is_number_of(const char *name, const char *whose)
{
	return strstr(name, whose) != NULL &&
	    (ends_with(name, "id") || ends_with(name, "no") || ends_with(name, "nr") ||
		ends_with(name, "num") || ends_with(name, "number") || ends_with(name, "code"));
}

/* card_number, cardNumber, CARD-NO and loyaltyCard are one: letters and digits, in lower case. */
static enum named
named(const char *from, size_t len)
{
	static const char *const secrets[] = { "pin", "pins", "pincode", "pinno", "pinnr",
		"pinnumber", "pinblock", "pinvalue", "cvv", "cvv2", "cvc", "cvc2", "csc",
		"password", "passwd", "passcode", "secret" };
	char name[NAME_MAX_LEN + 1];
	size_t to = 0;

	for (size_t i = 0; i < len && to < NAME_MAX_LEN; i++) {
		if (is_digit(from[i]) || is_letter(from[i]))
			name[to++] = is_letter(from[i]) ? (char)(from[i] | 0x20) : from[i];
	}
	name[to] = '\0';
	if (strcmp(name, "gtin") == 0)
		return NAMED_GTIN;
	if (strcmp(name, "subject") == 0)
		return NAMED_SUBJECT;
	for (size_t i = 0; i < ARRAY_LEN(secrets); i++) {
		if (strcmp(name, secrets[i]) == 0)
			return NAMED_SECRET;
	}
	if (ends_with(name, "pin") || ends_with(name, "pincode") || ends_with(name, "cvv") ||
	    strncmp(name, "track1", 6) == 0 || strncmp(name, "track2", 6) == 0)
		return NAMED_SECRET;
	if (strstr(name, "card") != NULL || strstr(name, "karte") != NULL ||
	    strcmp(name, "pan") == 0 || strcmp(name, "into") == 0 ||
	    is_number_of(name, "loyalty") || is_number_of(name, "member"))
		return NAMED_CARD;
	return NAMED_OTHERWISE;
}

/* ---- values ---- */

/* Behind the value's last byte. at stands behind its opening quote, which has so many backslashes. */
static char *
quoted_end(char *at, const char *end, char quote, size_t depth)
{
	size_t run = 0;

	for (; at < end; at++) {
		if (*at == '\\') {
			run++;
			continue;
		}
		if (*at == quote && (depth == 0 ? run % 2 == 0 : run <= depth))
			return at - (depth == 0 ? 0 : run);
		run = 0;
	}
	return at;
}

/* Of "{…}" or "[…]": what stands in texts does not count. */
static char *
nested_end(char *at, const char *end)
{
	int depth = 0;

	for (; at < end; at++) {
		if (*at == '"')
			at = quoted_end(at + 1, end, '"', 0);
		else if (*at == '{' || *at == '[')
			depth++;
		else if ((*at == '}' || *at == ']') && --depth == 0)
			return at;
		if (at >= end)
			break;
	}
	return (char *)(uintptr_t)end;
}

/* A number or word without quotes, with the blanks and dashes between its digits. */
static char *
bare_end(char *at, const char *end)
{
	static const char ends[] = { ',', '}', ']', '<', '>', '&', ';', '"', '\'', '\\', ')' };

	while (at < end && memchr(ends, *at, sizeof(ends)) == NULL) {
		if (is_blank(*at) && (at + 1 == end || !is_digit(at[1])))
			break;
		at++;
	}
	return at;
}

static void
tell(const struct span *span, enum named name, const char *from, const char *to)
{
	if (span->mask != NULL && span->mask->found != NULL && to > from &&
	    (name == NAMED_CARD || name == NAMED_SUBJECT))
		span->mask->found(span->mask->ctx, from, (size_t)(to - from),
		    name == NAMED_SUBJECT);
}

static bool
is_article(const struct span *span, const char *from, const char *to)
{
	char value[VALUE_MAX];
	size_t len = (size_t)(to - from);

	if (span->mask == NULL || span->mask->is_article == NULL || len >= sizeof(value))
		return false;
	memcpy(value, from, len);
	value[len] = '\0';
	return span->mask->is_article(value);
}

/* Where looking for its value's end ends. What a number of an article or a subject cannot be for its
 * length is read again from its start, for the names in it: so not the whole text is looked at. */
static const char *
reach(const struct span *span, enum named name, const char *from)
{
	if ((name != NAMED_GTIN && name != NAMED_SUBJECT) || span->end - from <= VALUE_MAX)
		return span->end;
	return from + VALUE_MAX;
}

/* from … to is the value of a name. Where reading goes on. */
static char *
take_value(const struct span *span, enum named name, char *from, char *to)
{
	tell(span, name, from, to);
	if (name == NAMED_CARD || name == NAMED_SECRET) {
		blot(from, to);
		return to;
	}
	if (name == NAMED_GTIN && is_article(span, from, to))
		return to;
	return name == NAMED_SUBJECT && to - from == 32 ? to : from;
}

static size_t
digits_in(const char *from, const char *to)
{
	size_t count = 0;

	for (; from < to; from++)
		count += is_digit(*from);
	return count;
}

/* "PIN 4711", "the PIN is 4711": what is a word in a sentence has a number behind it, or no value.
 * "Gift card 1000" is goods: a card's number has six digits at least. */
static char *
value_in_prose(const struct span *span, enum named name, char *at)
{
	char *p = at, *to, *end = span->end;
	size_t least = name == NAMED_SECRET ? 3 : 6;

	for (int words = 0; words <= 2; words++) {
		while (p < end && (is_blank(*p) || *p == '#' || *p == '.'))
			p++;
		if (p == end || p == at || is_digit(*p))
			break;
		for (int letters = 0; p < end && is_letter(*p) && letters < 7; letters++)
			p++;
	}
	if (p == end || p == at || !is_digit(*p))
		return at;
	to = bare_end(p, end);
	return digits_in(p, to) >= least ? take_value(span, name, p, to) : at;
}

/* at stands behind a name: its value if one follows. Where reading goes on, at if there is none. */
static char *
value_of(const struct span *span, enum named name, char *at)
{
	char *p = at, *end = span->end, quote;
	bool separated = false;
	size_t depth = 0;

	while (p < end && (is_blank(*p) || *p == '"' || *p == '\'' || *p == '\\'))
		p++;
	if (p < end && (*p == ':' || *p == '=')) {
		separated = true;
		p++;
	}
	if (!separated)
		return name == NAMED_CARD || name == NAMED_SECRET ? value_in_prose(span, name, at)
								  : at;
	while (p < end && (is_blank(*p) || *p == '=' || *p == '>'))
		p++;
	while (p < end && *p == '\\') {
		depth++;
		p++;
	}
	if (p == end)
		return p;
	quote = *p;
	if (quote == '"' || quote == '\'') {
		p++;
		return take_value(span, name, p, quoted_end(p, reach(span, name, p), quote, depth));
	}
	if ((quote == '{' || quote == '[') && (name == NAMED_CARD || name == NAMED_SECRET)) {
		char *to = nested_end(p, end);

		blot(p, to);
		return to;
	}
	return take_value(span, name, p, bare_end(p, reach(span, name, p)));
}

/* Behind "<", or behind "<ns:". */
static bool
is_element(const struct span *span, const char *word)
{
	if (word > span->at && word[-1] == ':') {
		for (word--; word > span->at && is_word(word[-1]);)
			word--;
	}
	return word > span->at && word[-1] == '<';
}

/* <card>…</card>, with what stands in its tag; at stands behind the name. */
static char *
element_of(const struct span *span, enum named name, char *at)
{
	char *open = memchr(at, '>', (size_t)(span->end - at)), *close;

	if (open == NULL || open[-1] == '/') {
		char *to = open == NULL ? span->end : open;

		blot(at, to);
		return to;
	}
	close = memmem(open, (size_t)(span->end - open), "</", 2);
	if (close == NULL)
		close = span->end;
	tell(span, name, open + 1, close);
	blot(at, open);
	/* What is nested in it goes up to the end of the innermost, and that has a name again. */
	blot(open, close);
	return close;
}

/* ---- a text ---- */

static char *
mask_part(const struct span *span, char *at, char *end)
{
	while (at < end) {
		char *word = at, *next;
		enum named name;

		if (is_digit(*at)) {
			at = mask_digits(span->at, span->end, at);
			continue;
		}
		if (!is_letter(*at)) {
			at++;
			continue;
		}
		while (at < end && is_word(*at))
			at++;
		name = named(word, (size_t)(at - word));
		if (name != NAMED_OTHERWISE) {
			next =
			    is_element(span, word) && (name == NAMED_CARD || name == NAMED_SECRET)
			    ? element_of(span, name, at)
			    : value_of(span, name, at);
			if (next != at) {
				at = next;
				continue;
			}
		}
		/* A number may stand inside a word. */
		for (char *p = word; p < at;)
			p = is_digit(*p) ? mask_digits(span->at, span->end, p) : p + 1;
	}
	return at;
}

void
mask_text(char *text, size_t len)
{
	struct span span = { .at = text, .end = text + len };

	mask_part(&span, text, text + len);
}

void
mask_numbers(char *text, size_t len)
{
	for (char *at = text; at < text + len;)
		at = is_digit(*at) ? mask_digits(text, text + len, at) : at + 1;
}

static int
hex_of(char c)
{
	if (is_digit(c))
		return c - '0';
	return (c | 0x20) >= 'a' && (c | 0x20) <= 'f' ? (c | 0x20) - 'a' + 10 : -1;
}

/* "\u0034" → '4', of a letter or digit; 0: no such escape. at stands at its u. */
static char
unescaped(const char *at, const char *end)
{
	int high, low;

	if (end - at < 5 || memcmp(at, "u00", 3) != 0)
		return 0;
	high = hex_of(at[3]);
	low = hex_of(at[4]);
	if (high < 3 || high > 7 || low < 0)
		return 0;
	return is_digit((char)(high * 16 + low)) || is_letter((char)(high * 16 + low))
	    ? (char)(high * 16 + low)
	    : 0;
}

void
mask_payload(const struct mask *mask, const void *payload, size_t len, struct buf *out)
{
	const char *at = payload, *end = at + len;
	size_t from = out->len;
	struct span span;

	buf_reserve(out, len + 1);
	while (at < end) {
		const char *p = at;
		char c = 0;

		while (p < end && *p == '\\')
			p++;
		if (p > at)
			c = unescaped(p, end);
		if (c != 0) {
			buf_addc(out, c);
			at = p + 5;
		} else if (p > at) {
			buf_add(out, at, (size_t)(p - at));
			at = p;
		} else {
			buf_addc(out, *at++);
		}
	}
	if (out->len == from)
		return;
	span = (struct span){ .at = out->data + from, .end = out->data + out->len, .mask = mask };
	mask_part(&span, span.at, span.end);
}
