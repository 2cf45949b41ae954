/* SPDX-License-Identifier: Apache-2.0
 *
 * fuzz_feed.c - any bytes as the file of a till's events that is looked at before it goes live, and whose goods are
 * listed.
 *
 * What must hold: no, or a report; in text and as JSON the verdict is the same; categories are listed sorted, each once.
 */
#include "core/arena.h"
#include "core/json.h"
#include "fuzz.h"
#include "fuzz_tokens.h"
#include "tools/feed.h"
#include "tools/goods_seen.h"

#define NOW_MS INT64_C(1795257000123)

static char path[FUZZ_PATH_SIZE];

static int
check(bool as_json, struct buf *out, bool *ret_ready)
{
	struct feed_source source = { .path = path, .store = "1", .now_ms = NOW_MS };
	struct err err = { 0 };
	int rc = feed_check(&source, as_json, out, ret_ready, &err);

	CHECK(rc == 0 || rc == AISLE_E_INVALID);
	CHECK((rc == 0) == (err.text[0] == '\0') && (rc != 0 || out->len > 0));
	return rc;
}

static void
look_at_names(const struct policy_names *names)
{
	for (size_t i = 1; i < names->count; i++)
		CHECK(strcmp(names->name[i - 1], names->name[i]) < 0);
}

static void
look_at_goods(void)
{
	struct arena *arena = arena_new();
	struct policy_goods goods = { 0 };
	struct err err = { 0 };
	FILE *file = fopen(path, "re");

	CHECK(file != NULL);
	if (goods_seen(file, arena, &goods, &err) == 0) {
		look_at_names(&goods.categories);
		look_at_names(&goods.brands);
	} else {
		CHECK(err.text[0] != '\0');
	}
	fclose(file);
	arena_free(arena);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct buf text = { 0 }, json = { 0 };
	bool ready[2] = { false, false };
	struct err err = { 0 };

	if (path[0] == '\0')
		fuzz_path("events", path);
	fuzz_write(path, data, size);
	int rc = check(false, &text, &ready[0]);

	CHECK(check(true, &json, &ready[1]) == rc && ready[0] == ready[1]);
	if (rc == 0) {
		json_t *read = json_read(json.data, json.len, "report", &err);

		CHECK(json_is_object(read));
		json_decref(read);
	}
	look_at_goods();
	buf_done(&text);
	buf_done(&json);
	return 0;
}
