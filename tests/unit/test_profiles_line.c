/* SPDX-License-Identifier: Apache-2.0
 *
 * test_profiles_line.c - what a line of headquarters' profiles may say beside attributes: each member to its edges. What is
 * taken here a store takes, too.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <cmocka.h>

#include "core/json.h"
#include "profile/profiles_internal.h"
#include "profile/subject_io.h"

#define UNTIL "\"until\":\"2026-12-01T10:00:00Z\""

static const uint8_t pepper[32] = { 1 };
static struct err err;

/* of a delta; the row, if it is one, is given to a store. */
static bool
taken(const char *members, bool delta)
{
	static char text[120000];
	struct profiles_line place = {
		.name = "lines", .line = 3, .pepper = pepper, .delta = delta, .err = &err
	};
	struct subject *subject = subject_new(&(struct id){ { 1 } });
	struct err wrong = { 0 };
	bool removed = false, good;
	struct id id;
	json_t *line;

	snprintf(text, sizeof(text), "{\"card\":\"1\"%s}", members);
	line = json_read(text, strlen(text), "test", &wrong);
	if (line == NULL)
		fail_msg("%s: %s", text, wrong.text);
	err = (struct err){ 0 };
	good = profiles_line_check(&place, line, &id, &removed) == 0;
	assert_int_equal(good ? 0 : AISLE_E_INVALID, err.code);
	if (good)
		assert_int_equal(subject_apply_profile(subject, text, strlen(text)), 0);
	else
		assert_true(err.line == 3 && strcmp(err.file, "lines") == 0);
	json_decref(line);
	subject_free(subject);
	return good;
}

static void
each_member_is_taken_as_it_must_be_and_nothing_else_is(void **state)
{
	static const struct {
		const char *members;
		const char *wrong; /* NULL: it is taken */
	} cases[] = {
		{ ",\"wallet\":[]", NULL },
		{ ",\"wallet\":[{\"offer\":\"o\",\"worth\":0," UNTIL "}]", NULL },
		{ ",\"wallet\":[{\"offer\":\"o\",\"worth\":1000000000000," UNTIL "}]", NULL },
		{ ",\"wallet\":[{\"offer\":\"o\",\"worth\":1," UNTIL
		  "},{\"offer\":\"p\",\"worth\":1," UNTIL "}]",
		    NULL },
		{ ",\"wallet\":{}", "wallet: expected a list" },
		{ ",\"wallet\":null", "wallet: expected a list" },
		{ ",\"wallet\":[1]", "wallet: expected a list" },
		{ ",\"wallet\":[{\"offer\":\"o\",\"worth\":-1," UNTIL "}]", "wallet: worth" },
		{ ",\"wallet\":[{\"offer\":\"o\",\"worth\":1000000000001," UNTIL "}]",
		    "wallet: worth" },
		{ ",\"wallet\":[{\"offer\":\"o\",\"worth\":1.5," UNTIL "}]", "wallet: worth" },
		{ ",\"wallet\":[{\"offer\":\"o\"," UNTIL "}]", "wallet: worth" },
		{ ",\"wallet\":[{\"worth\":1," UNTIL "}]", "wallet: offer" },
		{ ",\"wallet\":[{\"offer\":\"\",\"worth\":1," UNTIL "}]", "wallet: offer" },
		{ ",\"wallet\":[{\"offer\":\"\\u00e4\",\"worth\":1," UNTIL "}]", "wallet: offer" },
		{ ",\"wallet\":[{\"offer\":\"o\",\"worth\":1}]", "wallet: until" },
		{ ",\"wallet\":[{\"offer\":\"o\",\"worth\":1,\"until\":\"2026-12-01\"}]",
		    "wallet: until" },
		{ ",\"wallet\":[{\"offer\":\"o\",\"worth\":1," UNTIL ",\"state\":\"open\"}]",
		    "wallet: unknown member, expected offer, worth, until" },
		{ ",\"wallet\":[{\"offer\":\"o\",\"worth\":1," UNTIL
		  "},{\"offer\":\"o\",\"worth\":2," UNTIL "}]",
		    "wallet: the same offer twice" },
		{ ",\"contacts\":[{\"channel\":\"mail\",\"at\":\"2026-11-20T10:00:00+01:00\"}]",
		    NULL },
		{ ",\"contacts\":[{\"channel\":\"mail\",\"action\":\"a "
		  "b\",\"at\":\"2026-11-20T10:00:00Z\"},"
		  "{\"channel\":\"mail\",\"action\":\"a b\",\"at\":\"2026-11-20T10:00:00Z\"}]",
		    NULL },
		{ ",\"contacts\":[{\"at\":\"2026-11-20T10:00:00Z\"}]", "contacts: channel" },
		{ ",\"contacts\":[{\"channel\":\"mail\"}]", "contacts: at" },
		{ ",\"contacts\":[{\"channel\":\"mail\",\"at\":5}]", "contacts: at" },
		{ ",\"contacts\":[{\"channel\":\"mail\",\"action\":1,\"at\":\"2026-11-20T10:00:"
		  "00Z\"}]",
		    "contacts: action" },
		{ ",\"contacts\":[{\"channel\":\"mail\",\"at\":\"2026-11-20T10:00:00Z\",\"text\":"
		  "\"x\"}]",
		    "contacts: unknown member" },
		{ ",\"journeys\":[{\"journey\":\"j\"},{\"journey\":\"k\"," UNTIL "}]", NULL },
		{ ",\"journeys\":[{\"journey\":\"j\"},{\"journey\":\"j\"}]",
		    "the same journey twice" },
		{ ",\"journeys\":[{}]", "journeys: journey" },
		{ ",\"journeys\":[{\"journey\":\"j\",\"until\":null}]", "journeys: until" },
		{ ",\"journeys\":[{\"journey\":\"j\",\"at\":1}]",
		    "journeys: unknown member, expected journey, until" },
		{ ",\"household\":\"h 7\"", NULL },
		{ ",\"household\":\"\"", "household" },
		{ ",\"household\":7", "household" },
		{ ",\"household\":\"a\\u0007\"", "household" },
		{ ",\"attributes\":{\"likely_to_call\":0}", NULL },
		{ ",\"attributes\":{\"likely_to_call\":1}", NULL },
		{ ",\"attributes\":{\"likely_to_call\":0.61}", NULL },
		{ ",\"attributes\":{\"likely_to_call\":1.0000001}", "likely_to_call" },
		{ ",\"attributes\":{\"likely_to_call\":-1e-9}", "likely_to_call" },
		{ ",\"attributes\":{\"likely_to_call\":true}", "likely_to_call" },
		{ ",\"likely_to_call\":0.5", "unknown member" },
		{ ",\"removed\":true", "expected it with --from" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		bool good = taken(cases[i].members, false);

		if (good != (cases[i].wrong == NULL) ||
		    (!good && strstr(err.text, cases[i].wrong) == NULL))
			fail_msg("%s: %s", cases[i].members, err.text);
	}
}

static void
lists_and_names_are_as_long_as_a_customer_has_room_for(void **state)
{
	static const struct {
		const char *list, *begin, *end; /* its number between them */
		int most;
	} lists[] = {
		{ "wallet", "{\"offer\":\"", "\",\"worth\":1," UNTIL "}", 64 },
		{ "contacts", "{\"channel\":\"", "\",\"at\":\"2026-11-20T10:00:00Z\"}", 256 },
		{ "journeys", "{\"journey\":\"", "\"}", 32 },
	};
	static const char *const names[][2] = { { ",\"household\":\"", "\"" },
		{ ",\"journeys\":[{\"journey\":\"", "\"}]" },
		{ ",\"wallet\":[{\"worth\":1," UNTIL ",\"offer\":\"", "\"}]" },
		{ ",\"contacts\":[{\"at\":\"2026-11-20T10:00:00Z\",\"channel\":\"", "\"}]" },
		{ ",\"contacts\":[{\"channel\":\"c\",\"at\":\"2026-11-20T10:00:00Z\",\"action\":\"",
		    "\"}]" } };
	static char text[100000];
	char letters[130];

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(lists); i++) {
		for (int count = lists[i].most; count <= lists[i].most + 1; count++) {
			size_t at = (size_t)sprintf(text, ",\"%s\":[", lists[i].list);

			for (int n = 0; n < count; n++) {
				text[at] = ',';
				at += n > 0;
				at += (size_t)sprintf(text + at, "%s%d%s", lists[i].begin, n,
				    lists[i].end);
			}
			strcpy(text + at, "]");
			if (taken(text, false) != (count == lists[i].most))
				fail_msg("%d %s: %s", count, lists[i].list, err.text);
		}
		assert_non_null(strstr(err.text, "too many"));
	}
	memset(letters, 'x', sizeof(letters));
	for (size_t i = 0; i < ARRAY_LEN(names); i++) {
		for (int len = 128; len <= 129; len++) {
			sprintf(text, "%s%.*s%s", names[i][0], len, letters, names[i][1]);
			if (taken(text, false) != (len == 128))
				fail_msg("%s", text);
		}
	}
}

static void
a_removed_row_says_whose_and_nothing_more(void **state)
{
	(void)state;
	assert_true(taken(",\"removed\":true", true));
	assert_false(taken(",\"removed\":false", true));
	assert_false(taken(",\"removed\":1", true));
	assert_false(taken(",\"removed\":true,\"line\":\"x\"", true));
	assert_non_null(strstr(err.text, "alone"));
	assert_true(taken(",\"line\":\"x\"", true));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_member_is_taken_as_it_must_be_and_nothing_else_is),
		cmocka_unit_test(lists_and_names_are_as_long_as_a_customer_has_room_for),
		cmocka_unit_test(a_removed_row_says_whose_and_nothing_more),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
