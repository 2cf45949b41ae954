/* SPDX-License-Identifier: Apache-2.0
 *
 * test_rule_words.c - rules as sentences.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#include "tools/rule_words.h"

static void
a_rule_is_said_as_it_is_meant(void **state)
{
	/* clang-format off */
	static const struct {
		const char *rule, *words;
	} rows[] = {
		{ "{\"and\":[{\">\":[{\"var\":\"a\"},1]},{\"==\":[{\"var\":\"b\"},\"gold\"]}]}", "a > 1 and b is gold" },
		{ "{\"and\":[{\"or\":[{\"var\":\"a\"},{\"var\":\"b\"}]},{\"var\":\"c\"}]}", "(a or b) and c" },
		{ "{\"or\":[{\"and\":[{\"var\":\"a\"},{\"var\":\"b\"}]},{\"var\":\"c\"}]}", "a and b or c" },
		{ "{\"!\":{\"var\":\"known\"}}", "not (known)" },
		{ "{\"!\":[{\"and\":[{\"var\":\"a\"},{\"var\":\"b\"}]}]}", "not (a and b)" },
		{ "{\"in\":[{\"var\":\"tier\"},[\"gold\",\"silver\"]]}", "tier is one of gold, silver" },
		{ "{\"in\":[\"x\",{\"var\":\"text\"}]}", "x is in text" },
		{ "{\"<\":[1,{\"var\":\"a\"},5]}", "1 < a < 5" },
		{ "{\"var\":[\"a\",0]}", "a (missing: 0)" },
		{ "{\"missing\":[\"a\",\"b\"]}", "a, b are missing" },
		{ "{\"if\":[{\"var\":\"a\"},1,2]}", "if a then 1 else 2" },
		{ "{\"*\":[{\"+\":[{\"var\":\"a\"},1]},0.1]}", "(a + 1) × 0.1" },
		{ "{\"-\":[1,{\"-\":[2,3]}]}", "1 - (2 - 3)" },
		{ "{\"model\":\"coffee\"}", "model coffee" },
		{ "{\"lines\":true,\"else\":180}", "as the till states it, else 180" },
		{ "0.3", "0.3" },
		{ "true", "true" },
		/* What has no words stands as it is. */
		{ "{\"some\":[{\"var\":\"a\"},{\">\":[{\"var\":\"\"},1]}]}", "{\"some\":[{\"var\":\"a\"},{\">\":[{\"var\":\"\"},1]}]}" },
		{ "{\"==\":[1,2,3]}", "{\"==\":[1,2,3]}" },
		{ "{\"a\":1,\"b\":2}", "{\"a\":1,\"b\":2}" },
		{ "{}", "{}" },
	};
	/* clang-format on */

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct buf words = { 0 };
		json_t *rule = json_loads(rows[i].rule, JSON_DECODE_ANY, NULL);

		assert_non_null(rule);
		rule_words(rule, &words);
		assert_string_equal(words.data, rows[i].words);
		buf_done(&words);
		json_decref(rule);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_rule_is_said_as_it_is_meant),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
