/* SPDX-License-Identifier: Apache-2.0
 *
 * fuzz_ubjson.c - any bytes as UBJSON: skipped to its end or refused; what imports as a model
 * imports as the same model when it is written over as JSON.
 */
#include <stdlib.h>
#include <string.h>

#include "score/model_impl.h"
#include "score/model_json.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
skip(const char *text, size_t size)
{
	struct err err = { 0 };
	struct jsonr r;
	jsonr_init(&r, &jsonr_binary, text, size, "fuzz", &err);
	jsonr_skip(&r);
	jsonr_end(&r);
	CHECK(r.failed == (err.text[0] != '\0') && r.at <= r.end);
	CHECK(r.failed || (r.at == r.end && r.depth == 0));
	jsonr_done(&r);
}

static void
write_text(struct buf *out, const char *text)
{
	buf_addc(out, '"');
	for (; *text != '\0'; text++)
		if ((unsigned char)*text < 0x20 || *text == '"' || *text == '\\')
			buf_addf(out, "\\u%04x", (unsigned)(unsigned char)*text);
		else
			buf_addc(out, *text);
	buf_addc(out, '"');
}

/* false: no float, which the two round in ways of their own. */
static bool
write_number(struct buf *out, double x)
{
	if (x != x)
		buf_adds(out, "NaN");
	else if (x - x != 0)
		buf_adds(out, x > 0 ? "Infinity" : "-Infinity");
	else
		buf_addf(out, "%.17g", x);
	return x != x || (double)(float)x == x;
}

/* The value that comes; goes into itself as deep as the reader lets it. */
static bool
write_over(struct jsonr *r, struct buf *out)
{
	char c = r->form->kind(r);
	bool good = true, first = true;
	if (c == '"') {
		if (jsonr_string(r))
			write_text(out, r->word.data);
	} else if (c != '{' && c != '[') {
		if (r->form->null(r))
			buf_adds(out, "null");
		else
			good = write_number(out, jsonr_number(r, false));
	} else if (jsonr_enter(r, c)) {
		buf_addc(out, c);
		while (good && (c == '{' ? jsonr_key(r) : jsonr_item(r))) {
			if (!first)
				buf_addc(out, ',');
			first = false;
			if (c == '{') {
				write_text(out, r->word.data);
				buf_addc(out, ':');
			}
			good = write_over(r, out);
		}
		buf_addc(out, c == '{' ? '}' : ']');
	}
	return good && !r->failed;
}

static void
must_be_same_as_json(const char *text, size_t size, const struct model *model)
{
	struct err err = { 0 };
	struct jsonr r;
	struct buf json = { 0 }, want = { 0 }, have = { 0 };
	struct model *again = NULL;
	jsonr_init(&r, &jsonr_binary, text, size, "fuzz", &err);
	if (write_over(&r, &json)) {
		buf_addc(&json, '\0');
		CHECK(model_import_xgboost(json.data, json.len - 1, false, "json", MODEL_TREES_ALL,
			  &again, &err) == 0);
		model_save(model, &want);
		model_save(again, &have);
		CHECK(want.len == have.len && memcmp(want.data, have.data, want.len) == 0);
		model_free(again);
	}
	jsonr_done(&r);
	buf_done(&json);
	buf_done(&want);
	buf_done(&have);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct model *model = NULL;
	struct err err = { 0 };
	char *text = mem_alloc(size + 1);
	if (size > 0)
		memcpy(text, data, size);
	text[size] = '\0';
	skip(text, size);
	if (model_import_xgboost(text, size, true, "fuzz", MODEL_TREES_ALL, &model, &err) == 0)
		must_be_same_as_json(text, size, model);
	else
		CHECK(err.text[0] != '\0');
	model_free(model);
	free(text);
	return 0;
}
