/* SPDX-License-Identifier: Apache-2.0
 *
 * catalog_check.c - are the bytes of a catalog what they say? Then a look-up has nothing to check.
 */
#include <string.h>

#include "core/json.h"
#include "nouns/catalog.h"
#include "nouns/catalog_layout.h"

int
catalog_damaged(struct err *err, const char *what)
{
	return err_set(err, AISLE_E_DAMAGED, "the articles are damaged: %s", what);
}

/* Of eight bytes at once, by the top bit of each: below a blank, DEL, beyond ASCII. */
#define EACH(byte) (UINT64_C(0x0101010101010101) * (byte))
static uint64_t
unusual(uint64_t eight)
{
	uint64_t del = eight ^ EACH(0x7f);

	return (((eight - EACH(0x20)) & ~eight) | ((del - EACH(0x01)) & ~del) | eight) & EACH(0x80);
}

/* Most texts are ASCII, which is seen in a few steps. */
static const char *
check_text(const char *text, size_t len)
{
	uint64_t eight, any = 0;
	json_t *valid;

	if (len > CATALOG_TEXT_MAX)
		return "a text is too long";
	for (size_t i = 0; i < len; i += 8) {
		eight = EACH(' ');
		memcpy(&eight, text + i, len - i < 8 ? len - i : 8);
		any |= unusual(eight);
	}
	if (any == 0)
		return NULL;
	for (size_t i = 0; i < len; i++) {
		if ((unsigned char)text[i] < 0x20 || text[i] == 0x7f)
			return "a text has control characters";
	}
	valid = json_stringn(text, len);
	json_decref(valid);
	return valid != NULL ? NULL : "a text is not UTF-8";
}

static int
check_texts(const uint8_t *bytes, const struct catalog_layout *at, struct err *err)
{
	const char *text = (const char *)bytes + at->text_at, *end = text + at->texts;

	if (text[0] != '\0' || end[-1] != '\0')
		return catalog_damaged(err, "a text has no end");
	while (text < end) {
		size_t len = strlen(text);
		const char *wrong = check_text(text, len);

		if (wrong != NULL)
			return catalog_damaged(err, wrong);
		text += len + 1;
	}
	return 0;
}

static bool
is_text(const uint8_t *bytes, const struct catalog_layout *at, uint32_t text)
{
	return text < at->texts && (text == 0 || bytes[at->text_at + text - 1] == 0);
}

static bool
is_margin(uint32_t kind, int32_t margin)
{
	switch (kind) {
	case CATALOG_MARGIN_NONE: return margin == 0;
	case CATALOG_MARGIN_PIECE:
		return margin >= -CATALOG_PIECE_MAX && margin <= CATALOG_PIECE_MAX;
	case CATALOG_MARGIN_SHARE:
		return margin >= CATALOG_SHARE_MIN && margin <= CATALOG_SHARE_MAX;
	}
	return false;
}

static int
check_articles(const uint8_t *bytes, const struct catalog_layout *at, struct err *err)
{
	const uint8_t *row = bytes + at->article_at;

	for (uint32_t i = 0; i < at->articles; i++, row += CATALOG_ARTICLE) {
		for (int text = 0; text < 4; text++) {
			if (!is_text(bytes, at, catalog_u32(row + 4 * text)))
				return catalog_damaged(err, "an article names a text that is none");
		}
		if (catalog_u32(row + 20) > at->pictures)
			return catalog_damaged(err, "an article names an image that is none");
		if (catalog_u16(row + 24) >= at->sets)
			return catalog_damaged(err, "an article names marks that are none");
		if (!is_margin(row[26], (int32_t)catalog_u32(row + 16)) || row[27] != 0 ||
		    catalog_u32(row + 28) != 0)
			return catalog_damaged(err, "an article has a margin that is none");
	}
	return 0;
}

static int
check_keys(const uint8_t *bytes, const struct catalog_layout *at, struct err *err)
{
	const uint8_t *key = bytes + at->key_at, *of = bytes + at->of_key_at;

	for (uint32_t i = 0; i < at->keys; i++) {
		if (i > 0 && catalog_u64(key + 8 * i) <= catalog_u64(key + 8 * (i - 1)))
			return catalog_damaged(err, "its codes are not in order");
		if (catalog_u32(of + 4 * i) >= at->articles)
			return catalog_damaged(err, "a code names an article that is none");
	}
	return 0;
}

static int
check_pictures(const uint8_t *bytes, const struct catalog_layout *at, struct err *err)
{
	const uint8_t *hash = bytes + at->picture_at;

	for (uint32_t i = 1; i < at->pictures; i++) {
		if (memcmp(hash + CATALOG_PICTURE * i, hash + CATALOG_PICTURE * (i - 1),
			CATALOG_PICTURE) <= 0)
			return catalog_damaged(err, "its images are not in order");
	}
	return 0;
}

int
catalog_check(const uint8_t *bytes, const struct catalog_layout *at, struct err *err)
{
	int rc = check_texts(bytes, at, err);

	if (rc == 0)
		rc = check_articles(bytes, at, err);
	if (rc == 0)
		rc = check_keys(bytes, at, err);
	return rc == 0 ? check_pictures(bytes, at, err) : rc;
}
