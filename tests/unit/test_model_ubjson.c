/* SPDX-License-Identifier: Apache-2.0
 *
 * test_model_ubjson.c - model files in UBJSON: the same models as in JSON, the same lies, and its own.
 */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <cmocka.h>

#include <stdlib.h>
#include <string.h>

#include "model_lies.h"
#include "score/model.h"
#include "ubjson_of.h"

/* Those that are not of JSON's own writing. */
static void
each_lie_is_refused_in_ubjson_too(void **state)
{
	(void)state;
	size_t tried = 0;
	for (size_t i = 0; i < ARRAY_LEN(small); i++)
		for (unsigned style = 0; style < UBJSON_STYLES; style++) {
			struct model *model = NULL;
			struct err err = { 0 };
			struct buf file = { 0 };
			if (strstr(small[i].text, "learner") != NULL &&
			    strstr(small[i].why, "beyond double") == NULL &&
			    strstr(small[i].why, "expected a string") == NULL &&
			    ubjson_of(small[i].text, style, &file)) {
				tried++;
				if (model_import(file.data, file.len, "m", &model, &err) == 0)
					fail_msg("accepted, expected \"%s\"", small[i].why);
				if (strstr(err.text, small[i].why) == NULL)
					fail_msg("\"%s\", expected \"%s\", style %u", err.text,
					    small[i].why, style);
			}
			buf_done(&file);
		}
	assert_true(tried >= 45 * UBJSON_STYLES);
}

#define UBJ(text, why) \
	{ \
		text, sizeof(text) - 1, why \
	}

static const struct {
	const char *bytes;
	size_t len;
	const char *why;
} binary[] = {
	UBJ("{", "expected XGBoost JSON"),
	UBJ("{i", "byte 2: the file is cut off in a number"),
	UBJ("{L\0\0\0", "byte 2: the file is cut off in a number"),
	UBJ("{i\x07learner", "the file is cut off"),
	UBJ("{i\x07learn", "the file is cut off, it is shorter than a length in it"),
	UBJ("{i\xff", "length below 0"),
	UBJ("{I\x80\0", "length below 0"),
	UBJ("{l\xff\xff\xff\xff", "length below 0"),
	UBJ("{L\x80\0\0\0\0\0\0\0", "length below 0"),
	UBJ("{L\x7f\xff\xff\xff\xff\xff\xff\xff", "shorter than a length"),
	UBJ("{U\xff", "shorter than a length"),
	UBJ("{#d\0\0\0\0", "expected a length"),
	UBJ("{#D\0\0\0\0\0\0\0\0", "expected a length"),
	UBJ("{#L\x10\0\0\0\0\0\0\0", "shorter than a length"),
	UBJ("{#i\xff", "length below 0"),
	UBJ("{$", "expected a length"),
	UBJ("{$i#i\x01i\x01"
	    "b",
	    "the file is cut off in a number"),
	UBJ("{$i#i\x01i\x01"
	    "b\x05",
	    "no learner with a model"),
	UBJ("{$Z#i\x05", "array of one type that is no number"),
	UBJ("{i\x01"
	    "a[$Z#L\x10\0\0\0\0\0\0\0}",
	    "array of one type that is no number"),
	UBJ("{i\x01"
	    "a[$N#i\x01}",
	    "array of one type that is no number"),
	UBJ("{i\x01"
	    "a[$[#i\x01]}",
	    "array of one type that is no number"),
	UBJ("{i\x01"
	    "a[$S#i\x01i\x01"
	    "b}",
	    "array of one type that is no number"),
	UBJ("{i\x01"
	    "a[$ii\x01",
	    "array of one type without a count"),
	UBJ("{i\x01"
	    "a[$d#L\x10\0\0\0\0\0\0\0}",
	    "shorter than a length"),
	UBJ("{i\x01"
	    "a[$d#i\x02\0\0\0\0\0\0\0",
	    "shorter than a length"),
	UBJ("{i\x01"
	    "a[#i\x02i\x01}",
	    "expected a number"),
	UBJ("{i\x01"
	    "a[i\x01}",
	    "expected a number"),
	UBJ("{i\x01"
	    "a]",
	    "expected a number"),
	UBJ("{i\x01"
	    "aHi\x03"
	    "1.5}",
	    "high-precision number"),
	UBJ("{i\x01"
	    "aq}",
	    "expected a number"),
	UBJ("{i\x01"
	    "aSi\x01\0}",
	    "zero byte in a text"),
	UBJ("{i\x01\0Z}", "zero byte in a text"),
	UBJ("{i\x01"
	    "aSH}",
	    "expected a length"),
	UBJ("{i\x01"
	    "aC",
	    "the file is cut off in a text"),
	UBJ("{NNi\x01"
	    "aNNCxN}",
	    "no learner with a model"),
	UBJ("{i\x01"
	    "aZ}N",
	    "bytes behind the end"),
	UBJ("{i\x07learner{}i\x07learner{}}", "\"learner\" is there twice"),
	UBJ("{i\x07learneri\x01}", "expected an object"),
};

static void
each_lie_of_ubjson_is_refused_in_its_own_words(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(binary); i++) {
		struct model *model = NULL;
		struct err err = { 0 };
		char *exact = malloc(binary[i].len); /* so that reading on is seen */
		memcpy(exact, binary[i].bytes, binary[i].len);
		if (model_import(exact, binary[i].len, "m", &model, &err) == 0)
			fail_msg("%zu accepted, expected \"%s\"", i, binary[i].why);
		assert_null(model);
		if (strstr(err.text, binary[i].why) == NULL)
			fail_msg("%zu: \"%s\", expected \"%s\"", i, err.text, binary[i].why);
		free(exact);
	}
}

/* Whole, and no byte less. */
static void
in_ubjson_a_model_is_the_same_and_cut_at_any_byte_none(void **state)
{
	(void)state;
	static const char *const files[] = { XGB(GOOD), XGB(CATEGORIES("1", "0", "0", "1")),
		XGB(LEAVES("Infinity,2.1,-3.5e30",
		    ",\"sum_hessian\":[3.3,1.1,2.2],\"new\":[true,null,{\"a\":[-1,300,70000,1e10]}"
		    "]")) };
	for (size_t i = 0; i < ARRAY_LEN(files); i++) {
		struct model *model = NULL;
		struct err err = { 0 };
		struct buf want = { 0 };
		assert_int_equal(model_import(files[i], strlen(files[i]), "m", &model, &err), 0);
		model_save(model, &want);
		model_free(model);
		for (unsigned style = 0; style < UBJSON_STYLES; style++) {
			struct buf file = { 0 }, have = { 0 };
			assert_true(ubjson_of(files[i], style, &file));
			if (model_import(file.data, file.len, "m", &model, &err) < 0)
				fail_msg("%zu, style %u: %s", i, style, err.text);
			model_save(model, &have);
			model_free(model);
			assert_int_equal(have.len, want.len);
			assert_memory_equal(have.data, want.data, want.len);
			for (size_t len = 0; len < file.len; len++) {
				char *exact = malloc(len + 1);
				memcpy(exact, file.data, len);
				err = (struct err){ 0 };
				model = NULL;
				assert_true(model_import(exact, len, "m", &model, &err) < 0);
				assert_true(err.text[0] != '\0');
				free(exact);
			}
			buf_done(&file);
			buf_done(&have);
		}
		buf_done(&want);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_lie_is_refused_in_ubjson_too),
		cmocka_unit_test(each_lie_of_ubjson_is_refused_in_its_own_words),
		cmocka_unit_test(in_ubjson_a_model_is_the_same_and_cut_at_any_byte_none),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
