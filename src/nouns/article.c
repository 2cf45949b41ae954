/* SPDX-License-Identifier: Apache-2.0
 *
 * article.c - what a scanned code says of an article: its GTIN, and what else is printed in it.
 *
 * DESIGN
 *   One article comes under many writings: a bare number with more or fewer zeros, UPC-E, and the
 *   three of GS1: an element string (GS1 General Specifications, 7.8), the same with its
 *   application identifiers in brackets, a Digital Link (GS1 Digital Link 1.3). Each of the three is
 *   a row of (AI, value) pairs; take() is the one place that knows what an AI means here.
 *
 *   A till says how it scanned, but rarely: a symbology identifier (ISO/IEC 15424) is skipped, and
 *   an element string is recognised by its shape: AI 01 with a right check digit, and more behind.
 *   UPC-E cannot be: its eight digits may be a GTIN-8 as well. It has to be said.
 *
 * INVARIANTS
 *   A wrong date, batch, weight or price is not there; only the GTIN decides. In an element string
 *   an AI that is none ends the reading, because nothing says where its value ends.
 */
#include "nouns/article.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "core/calendar.h"
#include "nouns/gtin.h"

#define GS '\x1d'
#define DIGITS "0123456789"
#define VALUE_MAX 91 /* one more than that of the longest AI */

/* ---- application identifiers ---- */

/* A date of six digits; a day 00 is the month's last. The century is the near one (GS1 General
 * Specifications, 7.12). 0: no date. */
static int32_t
date_of(const char *value, size_t len, int32_t today)
{
	int this_year, month, day, year, apart;

	if (len != 6 || strspn(value, DIGITS) < 6)
		return 0;
	calendar_date(today, &this_year, &month, &day);
	year = (value[0] - '0') * 10 + value[1] - '0';
	month = (value[2] - '0') * 10 + value[3] - '0';
	day = (value[4] - '0') * 10 + value[5] - '0';
	apart = year - this_year % 100;
	year += this_year - this_year % 100 + (apart >= 51 ? -100 : apart <= -50 ? 100 : 0);
	if (year < 1970 || month < 1 || month > 12 || day > calendar_month_days(year, month))
		return 0;
	return (int32_t)calendar_days(year, month,
	    day == 0 ? calendar_month_days(year, month) : day);
}

static int64_t
number_of(const char *value, size_t len)
{
	int64_t number = 0;

	for (size_t i = 0; i < len; i++)
		number = number * 10 + (value[i] - '0');
	return number;
}

static int64_t
milli_of(const char *value, int decimals)
{
	int64_t number = number_of(value, 6);

	for (; decimals < 3; decimals++)
		number *= 10;
	for (; decimals > 4; decimals--)
		number /= 10;
	return decimals == 4 ? (number + 5) / 10 : number;
}

static void
take_batch(struct article *article, const char *value, size_t len)
{
	if (article->batch[0] != '\0' || len < 1 || len > BATCH_MAX)
		return;
	for (size_t i = 0; i < len; i++) {
		if (value[i] <= ' ' || value[i] > '~')
			return;
	}
	memcpy(article->batch, value, len);
	article->batch[len] = '\0';
}

/* value ends with a NUL or another character that is no digit. */
static void
take(struct article *article, const char *ai, const char *value, size_t len, int32_t today)
{
	bool digits = strspn(value, DIGITS) >= len;

	if (strcmp(ai, "01") == 0 && article->gtin[0] == '\0' && digits && len <= 14) {
		char text[15];

		memcpy(text, value, len);
		text[len] = '\0';
		gtin_normalise(text, article->gtin);
	} else if (strcmp(ai, "10") == 0) {
		take_batch(article, value, len);
	} else if (strcmp(ai, "15") == 0 || strcmp(ai, "17") == 0) {
		int32_t date = date_of(value, len, today);

		if (date != 0 && (article->best_before == 0 || date < article->best_before))
			article->best_before = date;
	} else if (strlen(ai) != 4 || !digits) {
		return;
	} else if ((strncmp(ai, "310", 3) == 0 || strncmp(ai, "320", 3) == 0) && ai[3] <= '5') {
		if (len == 6 && article->weight_milli == 0)
			article->weight_milli = milli_of(value, ai[3] - '0');
	} else if (strncmp(ai, "392", 3) == 0 && len >= 1 && len <= 15 &&
	    article->price_decimals < 0) {
		article->price = number_of(value, len);
		article->price_decimals = ai[3] - '0';
	}
}

/* ---- an element string ---- */

/* How long an AI is that begins with these two digits (0: there is none), and its value where that
 * has one length only (GS1 General Specifications, 7.8.5); else 0, and FNC1 ends it. */
static void
ai_lengths(const char *at, size_t *ret_ai, size_t *ret_value)
{
	static const char lengths[101] = /* by the tens: 0 … 9 in each row */
	    "2222200000"
	    "2222222222"
	    "2223330000"
	    "2444444204"
	    "3334000000"
	    "0000000000"
	    "0000000000"
	    "4340000000"
	    "4440000000"
	    "2222222222";
	static const uint8_t fixed[] = { 18, 14, 14, 14, 16, 0, 0, 0, 0, 0, 0, 6, 6, 6, 6, 6, 6, 6,
		6, 6, 2 };
	int two = at[0] >= '0' && at[0] <= '9' && at[1] >= '0' && at[1] <= '9'
	    ? (at[0] - '0') * 10 + at[1] - '0'
	    : -1;

	*ret_ai = two < 0 ? 0 : (size_t)(lengths[two] - '0');
	*ret_value = two < 0 ? 0 : two < (int)sizeof(fixed) ? fixed[two] : 0;
	if (two >= 31 && two <= 36)
		*ret_value = 6;
	if (two == 41)
		*ret_value = 13;
}

static void
read_elements(const char *text, int32_t today, struct article *article)
{
	while (*text != '\0') {
		size_t ai_len, len;
		char ai[5] = "";

		ai_lengths(text, &ai_len, &len);
		if (ai_len == 0 || strspn(text, DIGITS) < ai_len)
			return;
		memcpy(ai, text, ai_len);
		text += ai_len;
		if (len > 0 && strspn(text, DIGITS) < len)
			return;
		if (len == 0)
			len = strcspn(text, "\x1d");
		take(article, ai, text, len, today);
		text += len;
		if (*text == GS)
			text++;
	}
}

/* "(01)05012345678900(10)AB(C": a value ends before the next AI in brackets. */
static size_t
bracket_ai(const char *text, char ai[static 5])
{
	size_t len = text[0] == '(' ? strspn(text + 1, DIGITS) : 0;

	if (len < 2 || len > 4 || text[len + 1] != ')')
		return 0;
	memcpy(ai, text + 1, len);
	ai[len] = '\0';
	return len + 2;
}

static void
read_brackets(const char *text, int32_t today, struct article *article)
{
	char ai[5] = "", next[5] = "";
	size_t skip;

	while ((skip = bracket_ai(text, ai)) > 0) {
		size_t len = 0;

		text += skip;
		while (text[len] != '\0' && text[len] != GS && bracket_ai(text + len, next) == 0)
			len++;
		take(article, ai, text, len, today);
		text += len + (text[len] == GS);
	}
}

/* ---- a Digital Link ---- */

/* One part of a URI up to a character of ends, its escapes undone. false: none, or too long. */
static bool
uri_part(const char **at, const char *ends, char out[static VALUE_MAX + 1])
{
	size_t len = strcspn(*at, ends), to = 0;
	const char *end = *at + len;

	for (const char *p = *at; p < end && to < VALUE_MAX; p++) {
		unsigned byte;

		if (*p == '%' && end - p > 2 && sscanf(p + 1, "%2x", &byte) == 1 && byte != 0) {
			out[to++] = (char)byte;
			p += 2;
		} else {
			out[to++] = *p;
		}
	}
	out[to] = '\0';
	*at = end;
	return len > 0 && to < VALUE_MAX;
}

static const char *
uri_ai(const char *key)
{
	return strcasecmp(key, "gtin") == 0 ? "01" : strcasecmp(key, "lot") == 0 ? "10" : key;
}

/* https://shop.example/some/01/05012345678900/10/ABC?17=261231 */
static void
read_link(const char *text, int32_t today, struct article *article)
{
	char key[VALUE_MAX + 1] = "", value[VALUE_MAX + 1] = "";

	text = strstr(text, "://") + 3;
	text += strcspn(text, "/?#");
	while (*text == '/') {
		const char *pair;

		text++;
		if (!uri_part(&text, "/?#", key) || *text != '/')
			continue;
		pair = text + 1;
		/* What stands before AI 01 is the site's own path. */
		if ((article->gtin[0] == '\0' && strcmp(uri_ai(key), "01") != 0) ||
		    !uri_part(&pair, "/?#", value))
			continue;
		take(article, uri_ai(key), value, strlen(value), today);
		if (article->gtin[0] != '\0')
			text = pair;
	}
	while (article->gtin[0] != '\0' && (*text == '?' || *text == '&' || *text == ';')) {
		text++;
		if (uri_part(&text, "=&;#", key) && *text == '=') {
			text++;
			if (uri_part(&text, "&;#", value))
				take(article, uri_ai(key), value, strlen(value), today);
		}
		text += strcspn(text, "&;#");
	}
}

/* ---- a bare number ---- */

/* Digits with blanks and dashes between them, without zeros that are more than a GTIN has. 0: it is
 * something else. */
static size_t
bare_digits(const char *text, char out[static 15])
{
	size_t len = 0;

	for (; *text != '\0'; text++) {
		if (strchr(" -\t\r\n", *text) != NULL)
			continue;
		if (*text < '0' || *text > '9')
			return 0;
		if (len == 14 && out[0] == '0')
			memmove(out, out + 1, --len);
		if (len == 14)
			return 0;
		out[len++] = *text;
	}
	out[len] = '\0';
	return len;
}

/* Number system, six digits → eleven digits of UPC-A and room for the check digit (GS1 General
 * Specifications, 5.2.2.4.2). */
static void
expand_upc_e(char system, const char six[static 6], char out[static 13])
{
	memset(out, '0', 12);
	out[0] = system;
	memcpy(out + 1, six, 2);
	switch (six[5]) {
	case '0':
	case '1':
	case '2':
		out[3] = six[5];
		memcpy(out + 8, six + 2, 3);
		break;
	case '3':
		out[3] = six[2];
		memcpy(out + 9, six + 3, 2);
		break;
	case '4':
		memcpy(out + 3, six + 2, 2);
		out[10] = six[4];
		break;
	default:
		memcpy(out + 3, six + 2, 3);
		out[10] = six[5];
		break;
	}
	out[12] = '\0';
}

/* check '\0': the one that fits. */
static bool
upc_e(char system, const char *six, char check, char gtin[static 15])
{
	char upc_a[13];

	expand_upc_e(system, six, upc_a);
	for (upc_a[11] = check != '\0' ? check : '0'; upc_a[11] <= '9'; upc_a[11]++) {
		if (gtin_normalise(upc_a, gtin))
			return true;
		if (check != '\0')
			break;
	}
	return false;
}

/* Eight digits; seven, if the zero before them was lost or the check digit is left out; the six. */
static bool
read_upc_e(const char *digits, size_t len, char gtin[static 15])
{
	bool has_system = digits[0] <= '1';

	if (len == 6)
		return upc_e('0', digits, '\0', gtin);
	if (len == 7)
		return upc_e('0', digits, digits[6], gtin) ||
		    (has_system && upc_e(digits[0], digits + 1, '\0', gtin));
	return has_system && upc_e(digits[0], digits + 1, digits[7], gtin);
}

/* ---- all of them ---- */

/* Behind a symbology identifier, whose letter and digit tell GS1's forms from others. */
static const char *
skip_identifier(const char *text, bool *ret_gs1)
{
	static const char *const forms[] = { "]C1", "]d2", "]Q3", "]J1", "]e0", "]e1", "]e2" };

	if (text[0] != ']' || text[1] == '\0' || text[2] == '\0')
		return text;
	for (size_t i = 0; i < ARRAY_LEN(forms); i++)
		*ret_gs1 = *ret_gs1 || strncmp(text, forms[i], 3) == 0;
	return text + 3;
}

bool
article_read(const char *text, enum symbology symbology, int32_t today, struct article *ret)
{
	char digits[15];
	size_t len;
	bool gs1 = symbology == SYMBOLOGY_GS1;

	*ret = (struct article){ .price_decimals = -1 };
	text += strspn(text, " \t\r\n");
	text = skip_identifier(text, &gs1);
	while (*text == GS || *text == ' ') {
		gs1 = gs1 || *text == GS;
		text++;
	}
	len = bare_digits(text, digits);
	if (len >= 6 && len <= 8 && symbology == SYMBOLOGY_UPC_E)
		return read_upc_e(digits, len, ret->gtin);
	if (len > 0 && gtin_normalise(digits, ret->gtin))
		return true;
	if (text[0] == '(')
		read_brackets(text, today, ret);
	else if (strncasecmp(text, "https://", 8) == 0 || strncasecmp(text, "http://", 7) == 0)
		read_link(text, today, ret);
	else if (gs1 || strncmp(text, "01", 2) == 0 || strchr(text, GS) != NULL)
		read_elements(text, today, ret);
	if (ret->gtin[0] == '\0')
		*ret = (struct article){ .price_decimals = -1 };
	return ret->gtin[0] != '\0';
}
