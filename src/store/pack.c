/* SPDX-License-Identifier: Apache-2.0
 *
 * pack.c - bodies made smaller before they are sealed.
 *
 * BYTES
 *   u8 form: 0, the plain bytes follow; 1, a zstd frame with its size and
 *   without its magic number, made with the dictionary below.
 *
 * Whoever changes the dictionary makes form 2 and keeps this one for reading.
 * What is small, or does not get smaller, stays plain.
 */
#define ZSTD_STATIC_LINKING_ONLY /* magicless frames, contexts by reference */
#include "store/pack.h"

#include <malloc.h>
#include <stdlib.h>
#include <string.h>

#include <zstd.h>

#define WORTH_BYTES 300 /* what is smaller is a page of the store either way */
#define LEVEL (-1)	/* a tenth larger than 1 makes it, in half the time */
#define WINDOW_LOG 17	/* 128 KiB: what is larger packs less well */

enum form { FORM_PLAIN, FORM_DICTIONARY_1 };

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

static void
zstd_init(void)
{
	const ZSTD_customMem memory = { take, give_back, NULL };
	ZSTD_compressionParameters params = ZSTD_getCParams(LEVEL, 4096, sizeof(dictionary) - 1);
	params.windowLog = WINDOW_LOG;
	zstd.pack = ZSTD_createCCtx_advanced(memory);
	zstd.unpack = ZSTD_createDCtx_advanced(memory);
	zstd.pack_dictionary = ZSTD_createCDict_advanced(dictionary, sizeof(dictionary) - 1,
	    ZSTD_dlm_byRef, ZSTD_dct_rawContent, params, memory);
	zstd.unpack_dictionary = ZSTD_createDDict_advanced(dictionary, sizeof(dictionary) - 1,
	    ZSTD_dlm_byRef, ZSTD_dct_rawContent, memory);
	CHECK(zstd.pack != NULL && zstd.unpack != NULL && zstd.pack_dictionary != NULL &&
	    zstd.unpack_dictionary != NULL);
	ZSTD_CCtx_setParameter(zstd.pack, ZSTD_c_format, ZSTD_f_zstd1_magicless);
	ZSTD_CCtx_setParameter(zstd.pack, ZSTD_c_dictIDFlag, 0);
	ZSTD_CCtx_refCDict(zstd.pack, zstd.pack_dictionary);
	ZSTD_DCtx_setParameter(zstd.unpack, ZSTD_d_format, ZSTD_f_zstd1_magicless);
	ZSTD_DCtx_refDDict(zstd.unpack, zstd.unpack_dictionary);
}

void
pack(const void *plain, size_t len, struct buf *out)
{
	if (zstd.pack == NULL)
		zstd_init();
	/* Packed it must be smaller than plain: no larger room is offered. */
	size_t packed = 0;
	buf_reserve(out, len + 1);
	uint8_t *at = (uint8_t *)out->data + out->len;
	if (len >= WORTH_BYTES)
		packed = ZSTD_compress2(zstd.pack, at + 1, len - 1, plain, len);
	if (packed > 0 && !ZSTD_isError(packed)) {
		at[0] = FORM_DICTIONARY_1;
		out->len += 1 + packed;
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

int
unpack(const void *packed, size_t len, size_t plain_max, struct buf *out)
{
	const uint8_t *bytes = packed;
	if (len == 0 || bytes[0] > FORM_DICTIONARY_1)
		return AISLE_E_DAMAGED;
	if (bytes[0] == FORM_PLAIN) {
		if (len - 1 > plain_max)
			return AISLE_E_DAMAGED;
		buf_add(out, bytes + 1, len - 1);
		return 0;
	}
	if (zstd.pack == NULL)
		zstd_init();
	unsigned long long size = plain_size(bytes + 1, len - 1);
	if (size > plain_max)
		return AISLE_E_DAMAGED;
	buf_reserve(out, (size_t)size);
	size_t got = ZSTD_decompressDCtx(zstd.unpack, out->data + out->len, (size_t)size, bytes + 1,
	    len - 1);
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
