/* SPDX-License-Identifier: Apache-2.0
 *
 * fuzz_logic.c - any JSON [rule, data] compiles or is refused, and runs to an end, over JSON and
 * over slots.
 */
#include "logic/logic.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static int
resolve(void *ctx, const char *name)
{
	(void)ctx;
	return name[0] >= 'a' && name[0] <= 'h' && name[1] == '\0' ? name[0] - 'a' : -1;
}

static struct value
slot(void *ctx, unsigned n)
{
	(void)ctx;
	static const struct value values[8] = {
		{ .tag = VALUE_NUMBER, .number = 1.5 },
		{ .tag = VALUE_NUMBER },
		{ .tag = VALUE_STRING, .str = "gold" },
		{ .tag = VALUE_STRING, .str = "" },
		{ .tag = VALUE_BOOL, .truth = true },
		{ .tag = VALUE_MISSING },
		{ .tag = VALUE_NULL },
		{ .tag = VALUE_NUMBER, .number = -1e300 },
	};
	return values[n & 7];
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct err err = { 0 };
	struct logic *logic = NULL;
	json_t *json = json_read((const char *)data, size, "fuzz", &err);
	if (json == NULL)
		return 0;
	const json_t *rule =
	    json_is_array(json) && json_array_size(json) == 2 ? json_array_get(json, 0) : json;
	err = (struct err){ 0 };
	if (logic_compile(rule, NULL, NULL, &logic, &err) == 0) {
		json_t *result = NULL;
		if (logic_run_json(logic, json_array_get(json, 1), &result) == LOGIC_OK)
			json_decref(result);
		logic_free(logic);
	}
	err = (struct err){ 0 };
	if (logic_compile(rule, resolve, NULL, &logic, &err) == 0) {
		struct arena *arena = arena_new();
		struct value value;
		unsigned missing;
		if (logic_run(logic, slot, NULL, arena, &value, &missing) == LOGIC_OK)
			logic_truthy(&value);
		arena_free(arena);
		logic_free(logic);
	}
	json_decref(json);
	return 0;
}
