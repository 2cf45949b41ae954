/* SPDX-License-Identifier: Apache-2.0
 *
 * fuzz_json.c - any bytes before both readers of JSON, and before the one of model files.
 *
 * What must hold: what the fast one takes is the tree that jansson gives; what was read and is written is read as the
 * same, canonically too; the reader of models passes over all that is JSON; a patch that was merged changes nothing the
 * second time; each member is found where it stands.
 */
#include <stdlib.h>
#include <string.h>

#include "core/json.h"
#include "core/json_fast.h"
#include "score/model_json.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* json_equal() does not look at the order of members; texts do. */
static void
must_be_same(const json_t *a, const json_t *b)
{
	struct buf one = { 0 }, other = { 0 };

	CHECK(json_equal(a, b));
	json_write(a, &one);
	json_write(b, &other);
	CHECK(one.len == other.len && memcmp(one.data, other.data, one.len) == 0);
	buf_done(&one);
	buf_done(&other);
}

static void
both_readers(const char *text, size_t len)
{
	json_t *fast = json_fast(text, len, JSON_DEPTH_MAX), *slow;

	if (fast == NULL)
		return;
	slow = json_loadb(text, len, JSON_REJECT_DUPLICATES | JSON_DECODE_ANY, NULL);
	CHECK(slow != NULL);
	must_be_same(fast, slow);
	json_decref(fast);
	json_decref(slow);
}

static void
write_and_read(const json_t *json, void (*write)(const json_t *, struct buf *))
{
	struct buf text = { 0 }, again = { 0 };
	struct err err = { 0 };
	json_t *read;

	write(json, &text);
	read = json_read(text.data, text.len, "again", &err);
	CHECK(read != NULL);
	write(read, &again);
	CHECK(text.len == again.len && memcmp(text.data, again.data, text.len) == 0);
	json_decref(read);
	buf_done(&text);
	buf_done(&again);
}

static void
as_model(const char *text, size_t len)
{
	struct err err = { 0 };
	struct jsonr r;

	jsonr_init(&r, &jsonr_text, text, len, "fuzz", &err);
	jsonr_skip(&r);
	jsonr_end(&r);
	CHECK(!r.failed && err.text[0] == '\0' && r.at == r.end);
	jsonr_done(&r);
}

static void
locate_members(const char *text, size_t len, const json_t *json)
{
	int line = 0, column = 0;
	const char *key;
	json_t *value;
	int left = 8;

	CHECK(json_locate(text, len, "", &line, &column) && line >= 1 && column >= 1);
	json_object_foreach((json_t *)(uintptr_t)json, key, value) {
		struct buf pointer = { 0 };

		buf_addc(&pointer, '/');
		for (const char *at = key; *at != '\0'; at++) {
			if (*at == '~' || *at == '/')
				buf_adds(&pointer, *at == '~' ? "~0" : "~1");
			else
				buf_addc(&pointer, *at);
		}
		CHECK(json_locate(text, len, pointer.data, &line, &column));
		CHECK(line >= 1 && column >= 1 && (size_t)line <= len && (size_t)column <= len);
		buf_done(&pointer);
		if (--left == 0)
			break;
	}
}

static void
merge(const json_t *pair)
{
	json_t *once, *twice;

	if (!json_is_array(pair) || json_array_size(pair) != 2)
		return;
	once = json_merge_patch(json_array_get(pair, 0), json_array_get(pair, 1));
	twice = json_merge_patch(once, json_array_get(pair, 1));
	CHECK(json_equal(once, twice));
	json_decref(once);
	json_decref(twice);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *text = mem_alloc(size + 1);
	struct err err = { 0 };
	json_t *json;

	memcpy(text, size > 0 ? (const char *)data : "", size);
	text[size] = '\0';
	both_readers(text, size);
	json = json_read(text, size, "fuzz", &err);
	CHECK((json == NULL) == (err.text[0] != '\0'));
	if (json != NULL) {
		write_and_read(json, json_write);
		write_and_read(json, json_canonical);
		as_model(text, size);
		locate_members(text, size, json);
		merge(json);
	} else {
		CHECK(err.line >= 1 && err.column >= 1);
	}
	json_decref(json);
	free(text);
	return 0;
}
