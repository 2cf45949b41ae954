/* SPDX-License-Identifier: Apache-2.0
 *
 * test_json_fast.c - what the fast reader accepts, jansson accepts too, as the same tree.
 */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <cmocka.h>

#include <stdlib.h>
#include <string.h>

#include "core/json_fast.h"

#include "random_fixture.h"

static const char event[] =
    "{\"specversion\":\"1.0\",\"id\":\"7-000913-4\",\"source\":\"/store/0042/pos/"
    "7\",\"type\":\"aisle.basket.item-added\","
    "\"time\":\"2026-11-21T10:15:00.123Z\",\"datacontenttype\":\"application/"
    "json\",\"receipt\":true,\"x\":null,\"data\":"
    "{\"basket\":\"7-20261121-000913\",\"line\":4,\"gtin\":\"05012345678900\",\"category\":"
    "\"grocery/caf\xc3\xa9\","
    "\"brand\":\"acme\",\"qty\":0.125,\"amount\":-499,\"currency\":\"EUR\",\"discounts\":[{\"ref\":"
    "\"a\",\"amount\":1},[]],"
    "\"e\":{},\"b\":false,\"n\":[1,2.50,-0,-0.0,123456789012345678,1234.56789012345]}}";

static struct dice dice = { 7 };

/* Returns whether the fast way took it. */
static bool
agree(const char *text, size_t len)
{
	json_t *fast = json_fast(text, len, 64), *slow;
	char *a, *b;

	if (fast == NULL)
		return false;
	slow = json_loadb(text, len, JSON_REJECT_DUPLICATES | JSON_DECODE_ANY, NULL);
	if (slow == NULL)
		fail_msg("accepted, jansson refuses: %.*s", (int)len, text);
	a = json_dumps(fast, JSON_ENCODE_ANY | JSON_REAL_PRECISION(17));
	b = json_dumps(slow, JSON_ENCODE_ANY | JSON_REAL_PRECISION(17));
	assert_string_equal(a, b);
	assert_true(json_equal(fast, slow));
	free(a);
	free(b);
	json_decref(fast);
	json_decref(slow);
	return true;
}

static void
what_tills_send_is_read_the_fast_way(void **state)
{
	(void)state;
	assert_true(agree(event, sizeof(event) - 1));
	assert_true(agree(" [ 1 , { \"a\" : [ ] } , \"\" ] \n", 28));
	assert_true(agree("0", 1));
	assert_true(agree("\"x\"", 3));
	assert_true(agree("-7.25", 5));
}

static void
what_is_wrong_or_rare_is_left_to_jansson(void **state)
{
	static const char *const texts[] = { "", " ", "{", "[1", "[1,]", "{\"a\":1,}",
		"{\"a\":1,\"a\":2}", "01", "-", "-01", "1.", ".5", "1e3", "1.5e3", "1E3", "+1",
		"tru", "nul", "truex", "1 2", "{\"a\" 1}", "{a:1}", "\"\\n\"", "\"a\tb\"",
		"\"\xff\"", "\"\xc3\"", "{\"\xc3\xa9\":1}", "1234567890123456789",
		"0.1234567890123456", "[1 2]", "\"x", "NaN", "{\"a\":}", "[,1]", "[]]", "1.2.3",
		"--1", "\"\xed\xa0\x80\"" };

	(void)state;
	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
		if (json_fast(texts[i], strlen(texts[i]), 64) != NULL)
			fail_msg("accepted: %s", texts[i]);
	}
	assert_null(json_fast("\"a\0b\"", 5, 64));
	assert_null(json_fast("1\0", 2, 64));
	assert_null(json_fast("[[1]]", 5, 1));
	assert_true(agree("[[1]]", 5));
}

/* Bytes changed, cut out, doubled: whatever is still accepted is the same tree. */
static void
damaged_texts(void **state)
{
	static const char bytes[] = "{}[]\",:\\ 0123456789.-+eEtfnu\n\t\x01\x7f\xc3\xa9\xff";
	char text[2 * sizeof(event)];
	int accepted = 0;

	(void)state;
	for (int round = 0; round < 300000; round++) {
		size_t len = sizeof(event) - 1, at;

		memcpy(text, event, len);
		for (uint64_t edits = 1 + dice_next(&dice) % 3; edits > 0; edits--) {
			size_t span = 1 + dice_next(&dice) % 12, more;

			at = dice_next(&dice) % (len - span);
			switch (dice_next(&dice) % 4) {
			case 0: text[at] = bytes[dice_next(&dice) % (sizeof(bytes) - 1)]; break;
			case 1:
				memmove(text + at, text + at + span, len - at - span);
				len -= span;
				break;
			case 2:
				more = len + span < sizeof(text) ? span : 0;
				memmove(text + at + more, text + at, len - at);
				len += more;
				break;
			default: text[at] = (char)dice_next(&dice); break;
			}
		}
		accepted += agree(text, len);
	}
	assert_true(accepted > 30000);
}

static void
numbers(void **state)
{
	char text[64];

	(void)state;
	for (int i = 0; i < 300000; i++) {
		int digits = (int)(dice_next(&dice) % 12), places = (int)(dice_next(&dice) % 12);
		int len = snprintf(text, sizeof(text), "%s%llu", dice_next(&dice) % 2 ? "-" : "",
		    (unsigned long long)(dice_next(&dice) %
			(uint64_t)(digits < 2 ? 2 : 1ull << (3 * digits))));

		if (places > 0)
			len += snprintf(text + len, sizeof(text) - (size_t)len, ".%0*llu", places,
			    (unsigned long long)(dice_next(&dice) % 1000));
		agree(text, (size_t)len);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_tills_send_is_read_the_fast_way),
		cmocka_unit_test(what_is_wrong_or_rare_is_left_to_jansson),
		cmocka_unit_test(damaged_texts),
		cmocka_unit_test(numbers),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
