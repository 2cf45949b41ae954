/* SPDX-License-Identifier: Apache-2.0
 *
 * test_buf.c - the growing buffer, JSON text, binary rows, arenas and errors.
 */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <cmocka.h>

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/arena.h"
#include "core/buf.h"

static void
a_buffer_grows_and_keeps_its_zero(void **state)
{
	(void)state;
	struct buf buf = { 0 };
	for (int i = 0; i < 10000; i++) {
		buf_addc(&buf, (char)('a' + i % 26));
		assert_int_equal(buf.data[buf.len], 0);
	}
	assert_int_equal(buf.len, 10000);
	assert_int_equal(buf.data[9999], 'a' + 9999 % 26);
	buf_clear(&buf);
	assert_int_equal(buf.len, 0);
	assert_string_equal(buf.data, "");
	buf_addf(&buf, "%s-%d",
	    "a long enough text to need more than the sixty-four bytes that come first", 7);
	assert_int_equal(buf.len, strlen(buf.data));
	assert_string_equal(buf.data + buf.len - 2, "-7");
	char *mine = buf_steal(&buf);
	assert_null(buf.data);
	free(mine);
	mine = buf_steal(&buf);
	assert_string_equal(mine, "");
	free(mine);
	buf_adds(&buf, "secret");
	buf_wipe(&buf);
	assert_null(buf.data);
	buf_done(&buf);
}

/* Eight bytes are looked at together: every byte has to be found at every place. */
static void
every_byte_is_escaped_at_every_place(void **state)
{
	static const char shorts[] = "\"\\\b\f\n\r\t", letters[] = "\"\\bfnrt";
	(void)state;
	for (int c = 1; c < 256; c++) {
		const char *known = strchr(shorts, c);
		char one[8] = { (char)c, 0 };
		if (known != NULL)
			snprintf(one, sizeof(one), "\\%c", letters[known - shorts]);
		else if (c < 0x20)
			snprintf(one, sizeof(one), "\\u%04x", c);
		for (size_t at = 0; at < 19; at++) {
			char text[20] = "abcdefghijklmnopqrs", want[64];
			struct buf buf = { 0 };
			text[at] = (char)c;
			snprintf(want, sizeof(want), "\"%.*s%s%s\"", (int)at, text, one,
			    text + at + 1);
			buf_json_str(&buf, text);
			assert_string_equal(buf.data, want);
			buf_done(&buf);
		}
	}
}

static void
json_strings_are_escaped_and_utf8_is_kept(void **state)
{
	(void)state;
	struct buf buf = { 0 };
	buf_json_str(&buf, "a\"b\\c\n\t\r\b\f\x01\x1f é/");
	assert_string_equal(buf.data, "\"a\\\"b\\\\c\\n\\t\\r\\b\\f\\u0001\\u001f é/\"");
	buf_clear(&buf);
	buf_json_str(&buf, NULL);
	buf_json_str(&buf, "");
	assert_string_equal(buf.data, "null\"\"");
	buf_done(&buf);
}

static void
json_numbers_have_one_spelling(void **state)
{
	(void)state;
	struct buf buf = { 0 };
	buf_json_int(&buf, INT64_MIN);
	buf_addc(&buf, ' ');
	buf_json_int(&buf, INT64_MAX);
	buf_addc(&buf, ' ');
	buf_json_int(&buf, 0);
	buf_addc(&buf, ' ');
	buf_json_double(&buf, 0.1);
	buf_addc(&buf, ' ');
	buf_json_double(&buf, -0.0);
	buf_addc(&buf, ' ');
	buf_json_double(&buf, (double)NAN);
	buf_addc(&buf, ' ');
	buf_json_double(&buf, -(double)INFINITY);
	buf_addc(&buf, ' ');
	buf_json_double(&buf, 5);
	assert_string_equal(buf.data,
	    "-9223372036854775808 9223372036854775807 0 0.10000000000000001 0 null null 5");
	buf_done(&buf);
}

static const int64_t numbers[] = { 0, 1, -1, 63, 64, -64, -65, 127, 128, 8191, 8192, INT32_MAX,
	INT64_MAX, INT64_MIN, INT64_MAX - 1 };

static void
write_row(struct buf *buf)
{
	struct id id = { { 1, 2, 3, 255 } };
	buf_u8(buf, 200);
	buf_u32(buf, 0xdeadbeef);
	for (size_t i = 0; i < ARRAY_LEN(numbers); i++)
		buf_i64(buf, numbers[i]);
	buf_f64(buf, -0.1);
	buf_id(buf, &id);
	buf_str(buf, NULL);
	buf_str(buf, "");
	buf_str(buf, "Käse");
}

static void
binary_rows_come_back_as_they_were(void **state)
{
	(void)state;
	struct buf buf = { 0 };
	write_row(&buf);
	struct rd rd = rd_init(buf.data, buf.len);
	assert_int_equal(rd_u8(&rd), 200);
	assert_true(rd_u32(&rd) == 0xdeadbeef);
	for (size_t i = 0; i < ARRAY_LEN(numbers); i++)
		assert_true(rd_i64(&rd) == numbers[i]);
	assert_true(rd_f64(&rd) == -0.1);
	struct id id = rd_id(&rd);
	assert_int_equal(id.b[3], 255);
	assert_null(rd_str(&rd));
	char *empty = rd_str(&rd), *text = rd_str(&rd);
	assert_string_equal(empty, "");
	assert_string_equal(text, "Käse");
	assert_true(rd_done(&rd));
	free(empty);
	free(text);
	buf_done(&buf);
}

static void
a_row_cut_anywhere_is_noticed(void **state)
{
	(void)state;
	struct buf buf = { 0 };
	write_row(&buf);
	for (size_t cut = 0; cut < buf.len; cut++) {
		char *copy = malloc(cut + 1);
		memcpy(copy, buf.data, cut);
		struct rd rd = rd_init(copy, cut);
		rd_u8(&rd);
		rd_u32(&rd);
		for (size_t i = 0; i < ARRAY_LEN(numbers); i++)
			rd_i64(&rd);
		rd_f64(&rd);
		rd_id(&rd);
		for (int i = 0; i < 3; i++)
			free(rd_str(&rd));
		assert_false(rd_done(&rd));
		assert_int_equal(rd_u8(&rd), 0);
		free(copy);
	}
	buf_done(&buf);
}

static void
bad_lengths_and_bytes_too_many_are_refused(void **state)
{
	(void)state;
	/* A varint that never ends, one beyond 64 bits, a string longer than the row, one with a zero inside. */
	static const struct {
		const char *bytes;
		size_t len;
	} bad[] = { { "\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff", 11 },
		{ "\xff\xff\xff\xff\xff\xff\xff\xff\xff\x02", 10 },
		{ "\x05"
		  "abc",
		    4 },
		{ "\x04"
		  "a\0b",
		    4 },
		{ "\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01", 10 } };
	for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
		struct rd rd = rd_init(bad[i].bytes, bad[i].len);
		assert_null(rd_str(&rd));
		assert_false(rd.ok);
	}
	struct rd rd = rd_init("\x01\x02", 2);
	rd_u8(&rd);
	assert_true(rd.ok);
	assert_false(rd_done(&rd));
	rd = rd_init(NULL, 0);
	assert_true(rd_done(&rd));
}

static void
an_arena_gives_zeroed_aligned_memory_again_after_reset(void **state)
{
	(void)state;
	struct arena *arena = arena_new();
	for (int round = 0; round < 3; round++) {
		for (size_t size = 0; size < 3000; size += 7) {
			unsigned char *memory = arena_alloc(arena, size);
			assert_int_equal((uintptr_t)memory % 16, 0);
			for (size_t i = 0; i < size; i++)
				assert_int_equal(memory[i], 0);
			memset(memory, 0xaa, size);
		}
		char *big = arena_alloc(arena, 5u << 20);
		assert_int_equal(big[(5u << 20) - 1], 0);
		assert_true(arena_used(arena) > 5u << 20);
		arena_reset(arena);
		assert_int_equal(arena_used(arena), 0);
	}
	assert_null(arena_strdup(arena, NULL));
	assert_string_equal(arena_strdup(arena, "till"), "till");
	assert_string_equal(arena_strndup(arena, "tills", 4), "till");
	assert_string_equal(arena_printf(arena, "%s/%d", "pos", 7), "pos/7");
	arena_free(arena);
	arena_free(NULL);
}

static void
the_first_mistake_stays(void **state)
{
	(void)state;
	struct err err = { 0 };
	char text[600];
	assert_int_equal(err_at(&err, AISLE_E_INVALID, "a.json", 3, 9, "bad %s", "key"),
	    AISLE_E_INVALID);
	assert_int_equal(err_set(&err, AISLE_E_IO, "later"), AISLE_E_IO);
	err_format(&err, text, sizeof(text));
	assert_string_equal(text, "a.json:3:9: bad key");
	assert_int_equal(err.code, AISLE_E_INVALID);
	struct err plain = { 0 }, no_column = { 0 };
	err_set(&plain, AISLE_E_IO, "gone");
	err_format(&plain, text, sizeof(text));
	assert_string_equal(text, "gone");
	err_at(&no_column, AISLE_E_IO, "f", 2, 0, "gone");
	err_format(&no_column, text, sizeof(text));
	assert_string_equal(text, "f:2: gone");
	assert_int_equal(err_set(NULL, AISLE_E_FULL, "nobody asks"), AISLE_E_FULL);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_buffer_grows_and_keeps_its_zero),
		cmocka_unit_test(every_byte_is_escaped_at_every_place),
		cmocka_unit_test(json_strings_are_escaped_and_utf8_is_kept),
		cmocka_unit_test(json_numbers_have_one_spelling),
		cmocka_unit_test(binary_rows_come_back_as_they_were),
		cmocka_unit_test(a_row_cut_anywhere_is_noticed),
		cmocka_unit_test(bad_lengths_and_bytes_too_many_are_refused),
		cmocka_unit_test(an_arena_gives_zeroed_aligned_memory_again_after_reset),
		cmocka_unit_test(the_first_mistake_stays),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
