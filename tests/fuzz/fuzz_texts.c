/* SPDX-License-Identifier: Apache-2.0
 *
 * fuzz_texts.c - any bytes as a code of an article, as a text that is compared, as a payload that is
 * masked.
 *
 * What must hold: a GTIN has 14 digits and is its own; the key of a key is itself; a mask makes
 * nothing longer, and masked once is masked.
 */
#include <string.h>

#include "core/mask.h"
#include "core/unicode.h"
#include "nouns/article.h"
#include "nouns/gtin.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
look_at_article(const char *text)
{
	struct article article;
	char gtin[15];

	for (int symbology = SYMBOLOGY_ANY; symbology <= SYMBOLOGY_GS1; symbology++) {
		if (!article_read(text, (enum symbology)symbology, 20000, &article))
			continue;
		CHECK(gtin_normalise(article.gtin, gtin) && strcmp(article.gtin, gtin) == 0);
		CHECK(article.best_before >= 0 && article.weight_milli >= 0);
	}
}

static void
look_at_keys(struct arena *arena, const char *text)
{
	const char *key = unicode_key(arena, text), *path = unicode_path_key(arena, text);

	CHECK(strcmp(unicode_key(arena, key), key) == 0);
	CHECK(strcmp(unicode_path_key(arena, path), path) == 0);
	CHECK(strlen(unicode_nfc(arena, text)) <= 3 * strlen(text));
}

static void
look_at_mask(const char *text, size_t len)
{
	struct mask mask = { .is_article = NULL };
	struct buf once = { 0 }, twice = { 0 };

	mask_payload(&mask, text, len, &once);
	CHECK(once.len <= len);
	mask_payload(&mask, once.data, once.len, &twice);
	CHECK(twice.len <= once.len);
	buf_done(&once);
	buf_done(&twice);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct arena *arena = arena_new();
	char *text = arena_strndup(arena, (const char *)data, size);

	look_at_mask(text, size);
	text[size] = '\0';
	look_at_article(text);
	look_at_keys(arena, text);
	arena_free(arena);
	return 0;
}
