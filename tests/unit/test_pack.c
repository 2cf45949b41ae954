/* SPDX-License-Identifier: Apache-2.0
 *
 * test_pack.c - what goes in comes out; what pack did not make is refused.
 */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdlib.h>
#include <string.h>

#include "store/pack.h"

#define RECORD \
	"{\"decision\":\"01MCC5RM002SVKCSCHG1B0KNMN\",\"candidates\":[{\"action\":\"a1\"," \
	"\"fate\":\"outranked\",\"p1\":0.2},"

static void
fill(char *bytes, size_t len, bool noise)
{
	uint32_t state = 1;
	for (size_t i = 0; i < len; i++) {
		state = state * 1664525 + 1013904223;
		bytes[i] = noise ? (char)(state >> 24) : RECORD[i % (sizeof(RECORD) - 1)];
	}
}

static void
bytes_come_back_whatever_their_size(void **state)
{
	static const size_t sizes[] = { 0, 1, 299, 300, 301, 2000, 4096, 131072, 131073, 1 << 20 };
	char *plain = malloc(1 << 20);
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(sizes); i++) {
		for (int noise = 0; noise < 2; noise++) {
			struct buf packed = { 0 }, back = { 0 };
			fill(plain, sizes[i], noise);
			buf_adds(&packed, "before");
			buf_adds(&back, "before");
			pack(plain, sizes[i], &packed);
			assert_true(packed.len - 6 <= sizes[i] + 1);
			assert_int_equal(unpack(packed.data + 6, packed.len - 6, sizes[i], &back),
			    0);
			assert_int_equal(back.len, 6 + sizes[i]);
			assert_memory_equal(back.data, "before", 6);
			assert_memory_equal(back.data + 6, plain, sizes[i]);
			/* One byte less than it is may not come out. */
			if (sizes[i] > 0)
				assert_int_equal(unpack(packed.data + 6, packed.len - 6,
						     sizes[i] - 1, &back),
				    AISLE_E_DAMAGED);
			assert_int_equal(back.len, 6 + sizes[i]);
			buf_done(&packed);
			buf_done(&back);
		}
	}
	free(plain);
}

static void
a_record_takes_less_than_half_of_its_room(void **state)
{
	char plain[2300];
	struct buf packed = { 0 };
	(void)state;
	fill(plain, sizeof(plain), false);
	pack(plain, sizeof(plain), &packed);
	assert_true(packed.len < sizeof(plain) / 2);
	buf_done(&packed);
}

static void
what_pack_did_not_make_is_refused_and_nothing_appended(void **state)
{
	char plain[2000];
	struct buf packed = { 0 }, out = { 0 };
	(void)state;
	fill(plain, sizeof(plain), false);
	pack(plain, sizeof(plain), &packed);
	assert_int_equal(unpack("", 0, 100, &out), AISLE_E_DAMAGED);
	assert_int_equal(unpack("\x02rest", 5, 100, &out), AISLE_E_DAMAGED);
	assert_int_equal(unpack("\x01", 1, 100, &out), AISLE_E_DAMAGED);
	for (size_t len = 1; len < packed.len; len++)
		assert_int_equal(unpack(packed.data, len, sizeof(plain), &out), AISLE_E_DAMAGED);
	/* The seal around it finds a flipped bit; here it may only do no harm. */
	for (size_t bit = 0; bit < packed.len * 8; bit++) {
		packed.data[bit / 8] = (char)(packed.data[bit / 8] ^ 1 << bit % 8);
		buf_clear(&out);
		if (unpack(packed.data, packed.len, sizeof(plain), &out) != 0)
			assert_int_equal(out.len, 0);
		assert_true(out.len <= sizeof(plain));
		packed.data[bit / 8] = (char)(packed.data[bit / 8] ^ 1 << bit % 8);
	}
	buf_done(&packed);
	buf_done(&out);
}

static void
it_goes_on_after_a_wipe(void **state)
{
	char plain[1000];
	struct buf first = { 0 }, second = { 0 }, out = { 0 };
	(void)state;
	fill(plain, sizeof(plain), false);
	pack(plain, sizeof(plain), &first);
	pack_wipe();
	assert_int_equal(unpack(first.data, first.len, sizeof(plain), &out), 0);
	pack(plain, sizeof(plain), &second);
	assert_int_equal(first.len, second.len);
	assert_memory_equal(first.data, second.data, first.len);
	pack_wipe();
	pack_wipe();
	buf_done(&first);
	buf_done(&second);
	buf_done(&out);
}

static void
what_was_packed_with_words_comes_back_with_the_same_only(void **state)
{
	static const char said[] =
	    "the words of a policy, of which every record has some: coffee, tea, bread, milk";
	struct pack_words *words = pack_words_new(said, sizeof(said) - 1), *again,
			  *others = pack_words_new(said, sizeof(said) - 2);
	char plain[1200];
	struct buf packed = { 0 }, out = { 0 };
	uint32_t number;
	size_t len;
	const char *text = pack_words_text(words, &len);
	(void)state;
	fill(plain, sizeof(plain), false);
	memcpy(plain, said, sizeof(said) - 1);
	assert_true(pack_words_number(words) != pack_words_number(others));
	pack_with(words, true, plain, sizeof(plain), &packed);
	assert_true(unpack_needs(packed.data, packed.len, &number));
	assert_int_equal(number, pack_words_number(words));
	assert_false(unpack_needs(packed.data, 4, &number));
	assert_int_equal(unpack(packed.data, packed.len, sizeof(plain), &out), AISLE_E_DAMAGED);
	pack_wipe();
	/* As somebody has them who reads them from somewhere. */
	again = pack_words_again(text, len);
	assert_int_equal(pack_words_number(again), pack_words_number(words));
	pack_words_free(words);
	assert_int_equal(unpack_with(again, packed.data, packed.len, sizeof(plain), &out), 0);
	assert_int_equal(out.len, sizeof(plain));
	assert_memory_equal(out.data, plain, sizeof(plain));
	for (size_t bit = 0; bit < packed.len * 8; bit++) {
		packed.data[bit / 8] = (char)(packed.data[bit / 8] ^ 1 << bit % 8);
		buf_clear(&out);
		if (unpack_with(again, packed.data, packed.len, sizeof(plain), &out) != 0)
			assert_int_equal(out.len, 0);
		assert_true(out.len <= sizeof(plain));
		packed.data[bit / 8] = (char)(packed.data[bit / 8] ^ 1 << bit % 8);
	}
	/* For a while only it is larger, and read alike. */
	len = packed.len;
	buf_clear(&packed);
	buf_clear(&out);
	pack_with(again, false, plain, sizeof(plain), &packed);
	assert_true(packed.len >= len && packed.len < sizeof(plain));
	assert_int_equal(unpack_with(again, packed.data, packed.len, sizeof(plain), &out), 0);
	assert_memory_equal(out.data, plain, sizeof(plain));
	/* Without words, and what is not worth it. */
	buf_clear(&packed);
	pack_with(again, true, plain, 20, &packed);
	assert_false(unpack_needs(packed.data, packed.len, &number));
	assert_int_equal(unpack(packed.data, packed.len, 20, &out), 0);
	pack_words_free(again);
	pack_words_free(others);
	buf_done(&packed);
	buf_done(&out);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_was_packed_with_words_comes_back_with_the_same_only),
		cmocka_unit_test(bytes_come_back_whatever_their_size),
		cmocka_unit_test(a_record_takes_less_than_half_of_its_room),
		cmocka_unit_test(what_pack_did_not_make_is_refused_and_nothing_appended),
		cmocka_unit_test(it_goes_on_after_a_wipe),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
