/* SPDX-License-Identifier: Apache-2.0
 *
 * pack.c - bodies made smaller before they are sealed.
 *
 * BYTES
 *   u8 form: 0, the plain bytes follow; 1, a zstd frame with its size and
 *   without its magic number, made with the dictionary below; 2, u32 number of
 *   words, such a frame made with them.
 *
 * Whoever changes the dictionary makes form 3 and keeps this one for reading.
 * What is small, or does not get smaller, stays plain.
 */
#define ZSTD_STATIC_LINKING_ONLY /* magicless frames, contexts by reference */
#include "store/pack.h"

#include <malloc.h>
#include <stdlib.h>
#include <string.h>

#include <zstd.h>

#include "core/id.h"

#define WORTH_BYTES 300 /* what is smaller is a page of the store either way */
#define LEVEL (-1)	/* a tenth larger than 1 makes it, in half the time */
#define KEPT_LEVEL 5	/* with words, three quarters of what -1 makes, in three times as long */
#define WINDOW_LOG 17	/* 128 KiB: what is larger packs less well */

enum form { FORM_PLAIN, FORM_DICTIONARY_1, FORM_WORDS };
#define WORDS_HEAD 5 /* bytes before the frame */

/* The members of a decision and of what goes to a tablet, as they follow each other; the likely ones last. */
static const char dictionary[] =
    "\"topic\":\"aisle/v1/\",\"retain\":true,\"counters\":{\"customer/"
    "\",\"image\":null,\"disclosure\":null,"
    "\"specversion\":\"1.0\",\"source\":\"/store/"
    "\",\"subject\":\"\",\"datacontenttype\":\"application/json\",\"data\":{"
    "\"guidance\":\"01\",\"decision\":\"01\",\"station\":\"\",\"basket\":\"\",\"customer\":{"
    "\"known\":true,\"language\":\"en\"},"
    "\"prompts\":[{\"prompt\":\"01\",\"slot\":1,\"kind\":\"offer\",\"headline\":\"\",\"say\":"
    "\"Would you like \",\"body\":\"\","
    "\"why\":[\"\"],\"steps\":[],\"worth\":,\"currency\":\"EUR\",\"confidence\":0.,\"gate\":"
    "\"associate\",\"expires\":\"2026-"
    "\"fate\":\"not-on-trigger\"},\"fate\":\"eligibility\",\"clause\":\"{\\\"and\\\":[{\\\"!\\\":{"
    "\\\"var\\\":\\\"\\\"}},"
    "\"fate\":\"suitability\",\"clause\":\"{\\\"<\\\":[{\\\"var\\\":\\\"\"fate\":\"missing\","
    "\"fate\":\"contact-policy\","
    "\"clause\":\"{\\\">\\\":[{\\\"var\\\":\\\"\"fate\":\"consent\"},\"fate\":\"not-worth-it\","
    "\"fate\":\"stopped\",\"fate\":\"budget\","
    "{\"decision\":\"01\",\"at\":\"202\",\"station\":\"\",\"subject\":\"\",\"basket\":\"\","
    "\"trigger\":{\"source\":\"/store/0/pos/\","
    "\"id\":\"\",\"type\":\"aisle.customer.identified\"\"aisle.basket.item-added\"},\"policy\":{"
    "\"name\":\"\",\"version\":1,"
    "\"hash\":\"\"},\"arms\":{},\"withheld\":null,\"semantics\":2,\"features\":{\"\":false,\"\":0,"
    "\"\":true},\"candidates\":["
    "{\"action\":\"\",\"fate\":\"applicability\",\"clause\":\"{\\\"==\\\":[{\\\"var\\\":\\\"\\\"},"
    "0]}\"},"
    "{\"action\":\"\",\"fate\":\"outranked\",\"p1\":0.0000000000000001,\"p0\":0.0,\"margin\":1,"
    "\"cost\":0,\"gain\":1.0000000000000002,"
    "\"context\":1,\"lever\":1,\"priority\":1},{\"action\":\"\",\"depth\":10,\"fate\":\"offered\","
    "\"p1\":0.}],\"fates\":{\"offered\":1,"
    "\"applicability\":1,\"outranked\":1},\"slots\":[{\"prompt\":\"01\",\"placement\":\"tablet\","
    "\"slot\":1,\"action\":\"\","
    "\"treatment\":\"plain\",\"p_log\":1,\"treatment_p_log\":1,\"shortlist\":[{\"action\":\"\","
    "\"priority\":1,\"p\":1},"
    "{\"action\":\"\",\"priority\":,\"p\":0},{\"action\":\"nothing\",\"priority\":3,\"p\":0}]}]}";

/* Made when first needed; one thread. What they were last used for may stand in their tables. */
static struct {
	ZSTD_CCtx *pack;
	ZSTD_DCtx *unpack;
	ZSTD_CDict *pack_dictionary;
	ZSTD_DDict *unpack_dictionary;
} zstd;

static void *
take(void *ctx, size_t size)
{
	(void)ctx;
	return mem_alloc(size);
}

static void
give_back(void *ctx, void *memory)
{
	(void)ctx;
	if (memory != NULL)
		explicit_bzero(memory, malloc_usable_size(memory));
	free(memory);
}

static const ZSTD_customMem memory = { take, give_back, NULL };

static ZSTD_CDict *
pack_dictionary(int level, const void *text, size_t len)
{
	ZSTD_compressionParameters params = ZSTD_getCParams(level, 4096, len);
	params.windowLog = WINDOW_LOG;
	return ZSTD_createCDict_advanced(text, len, ZSTD_dlm_byRef, ZSTD_dct_rawContent, params,
	    memory);
}

static ZSTD_DDict *
unpack_dictionary(const void *text, size_t len)
{
	return ZSTD_createDDict_advanced(text, len, ZSTD_dlm_byRef, ZSTD_dct_rawContent, memory);
}

static void
zstd_init(void)
{
	zstd.pack = ZSTD_createCCtx_advanced(memory);
	zstd.unpack = ZSTD_createDCtx_advanced(memory);
	zstd.pack_dictionary = pack_dictionary(LEVEL, dictionary, sizeof(dictionary) - 1);
	zstd.unpack_dictionary = unpack_dictionary(dictionary, sizeof(dictionary) - 1);
	CHECK(zstd.pack != NULL && zstd.unpack != NULL && zstd.pack_dictionary != NULL &&
	    zstd.unpack_dictionary != NULL);
	ZSTD_CCtx_setParameter(zstd.pack, ZSTD_c_format, ZSTD_f_zstd1_magicless);
	ZSTD_CCtx_setParameter(zstd.pack, ZSTD_c_dictIDFlag, 0);
	ZSTD_DCtx_setParameter(zstd.unpack, ZSTD_d_format, ZSTD_f_zstd1_magicless);
}

/* ---- words ---- */

/* Made when first needed: of most sets only what they were packed with is read. */
struct pack_words {
	ZSTD_CDict *pack[2]; /* for a while, for long */
	ZSTD_DDict *unpack;
	uint32_t number;
	size_t len;
	char text[]; /* what they are told, and the dictionary behind it */
};

static struct pack_words *
words_of(const void *text, size_t len, const void *more, size_t more_len)
{
	struct pack_words *words = mem_alloc(sizeof(*words) + len + more_len);
	uint8_t hash[4];
	memcpy(words->text, text, len);
	memcpy(words->text + len, more, more_len);
	words->len = len + more_len;
	hash_bytes(hash, sizeof(hash), words->text, words->len, "words", 5);
	words->number =
	    (uint32_t)hash[0] << 24 | (uint32_t)hash[1] << 16 | (uint32_t)hash[2] << 8 | hash[3];
	words->pack[false] = words->pack[true] = NULL;
	words->unpack = unpack_dictionary(words->text, words->len);
	CHECK(words->unpack != NULL);
	return words;
}

struct pack_words *
pack_words_new(const void *text, size_t len)
{
	return words_of(text, len, dictionary, sizeof(dictionary) - 1);
}

struct pack_words *
pack_words_again(const void *text, size_t len)
{
	return words_of(text, len, "", 0);
}

void
pack_words_free(struct pack_words *words)
{
	if (words == NULL)
		return;
	/* They are not referred to any more. */
	if (zstd.pack != NULL) {
		ZSTD_CCtx_refCDict(zstd.pack, NULL);
		ZSTD_DCtx_refDDict(zstd.unpack, NULL);
	}
	ZSTD_freeCDict(words->pack[false]);
	ZSTD_freeCDict(words->pack[true]);
	ZSTD_freeDDict(words->unpack);
	free(words);
}

uint32_t
pack_words_number(const struct pack_words *words)
{
	return words->number;
}

const char *
pack_words_text(const struct pack_words *words, size_t *ret_len)
{
	*ret_len = words->len;
	return words->text;
}

/* ---- packing ---- */

void
pack(const void *plain, size_t len, struct buf *out)
{
	pack_with(NULL, false, plain, len, out);
}

static const ZSTD_CDict *
dictionary_for(struct pack_words *words, bool kept)
{
	if (words == NULL)
		return zstd.pack_dictionary;
	if (words->pack[kept] == NULL)
		words->pack[kept] =
		    pack_dictionary(kept ? KEPT_LEVEL : LEVEL, words->text, words->len);
	CHECK(words->pack[kept] != NULL);
	return words->pack[kept];
}

void
pack_with(struct pack_words *words, bool kept, const void *plain, size_t len, struct buf *out)
{
	if (zstd.pack == NULL)
		zstd_init();
	/* Packed it must be smaller than plain: no larger room is offered. */
	size_t packed = 0, head = words != NULL ? WORDS_HEAD : 1;
	buf_reserve(out, len + 1);
	uint8_t *at = (uint8_t *)out->data + out->len;
	if (len >= WORTH_BYTES) {
		ZSTD_CCtx_refCDict(zstd.pack, dictionary_for(words, kept));
		packed = ZSTD_compress2(zstd.pack, at + head, len - head, plain, len);
	}
	if (packed > 0 && !ZSTD_isError(packed)) {
		at[0] = words != NULL ? FORM_WORDS : FORM_DICTIONARY_1;
		for (size_t i = 1; i < head; i++)
			at[i] = (uint8_t)(words->number >> (8 * (i - 1)));
		out->len += head + packed;
	} else {
		at[0] = FORM_PLAIN;
		if (len > 0)
			memcpy(at + 1, plain, len);
		out->len += 1 + len;
	}
	out->data[out->len] = '\0';
}

static unsigned long long
plain_size(const uint8_t *frame, size_t len)
{
	ZSTD_frameHeader header;
	if (ZSTD_getFrameHeader_advanced(&header, frame, len, ZSTD_f_zstd1_magicless) != 0)
		return ZSTD_CONTENTSIZE_ERROR;
	return header.frameContentSize;
}

bool
unpack_needs(const void *packed, size_t len, uint32_t *ret_number)
{
	const uint8_t *bytes = packed;
	if (len < WORDS_HEAD || bytes[0] != FORM_WORDS)
		return false;
	*ret_number = 0;
	for (int i = 4; i > 0; i--)
		*ret_number = *ret_number << 8 | bytes[i];
	return true;
}

int
unpack(const void *packed, size_t len, size_t plain_max, struct buf *out)
{
	return unpack_with(NULL, packed, len, plain_max, out);
}

int
unpack_with(const struct pack_words *words, const void *packed, size_t len, size_t plain_max,
    struct buf *out)
{
	const uint8_t *bytes = packed;
	size_t head = words != NULL ? WORDS_HEAD : 1;
	if (len < head || bytes[0] > FORM_WORDS || (bytes[0] == FORM_WORDS) != (words != NULL))
		return AISLE_E_DAMAGED;
	if (bytes[0] == FORM_PLAIN) {
		if (len - 1 > plain_max)
			return AISLE_E_DAMAGED;
		buf_add(out, bytes + 1, len - 1);
		return 0;
	}
	if (zstd.pack == NULL)
		zstd_init();
	unsigned long long size = plain_size(bytes + head, len - head);
	if (size > plain_max)
		return AISLE_E_DAMAGED;
	buf_reserve(out, (size_t)size);
	ZSTD_DCtx_refDDict(zstd.unpack, words != NULL ? words->unpack : zstd.unpack_dictionary);
	size_t got = ZSTD_decompressDCtx(zstd.unpack, out->data + out->len, (size_t)size,
	    bytes + head, len - head);
	if (ZSTD_isError(got) || got != size) {
		out->data[out->len] = '\0';
		return AISLE_E_DAMAGED;
	}
	out->len += got;
	out->data[out->len] = '\0';
	return 0;
}

void
pack_wipe(void)
{
	ZSTD_freeCCtx(zstd.pack);
	ZSTD_freeDCtx(zstd.unpack);
	ZSTD_freeCDict(zstd.pack_dictionary);
	ZSTD_freeDDict(zstd.unpack_dictionary);
	memset(&zstd, 0, sizeof(zstd));
}
