/* SPDX-License-Identifier: Apache-2.0
 *
 * test_policy_pictures.c - images: what is one, and how a policy names it.
 */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <cmocka.h>

#include "nouns/picture.h"
#include "policy_fixture.h"

#define PNG "\x89PNG\r\n\x1a\n\0\0\0\rIHDR\0\0\0\x03\0\0\x10\0\x08\2\0\0\0abcd"
#define JPEG "\xff\xd8\xff\xe0\0\x04zz\xff\xff\xc2\0\x0b\x08\x01\x02\x03\x04\1\1\x11"
#define JPEG_TEXT "\xff\xd8\xff\xc0\x01\x01\x08\x01\x01\x01\x02" /* one without a zero byte */
#define VP8 "RIFF\x16\0\0\0WEBPVP8 \x0a\0\0\0abc\x9d\x01\x2a\x05\0\x06\0"
#define VP8L "RIFF\x16\0\0\0WEBPVP8L\x0a\0\0\0\x2f\x06\xc0\x01\0abcde"
#define VP8X "RIFF\x16\0\0\0WEBPVP8X\x0a\0\0\0\0\0\0\0\x08\0\0\x09\0\0"

struct row {
	const char *claim;
	const char *bytes;
	size_t len;
	const char *type; /* NULL: no image */
	uint32_t width, height;
};
#define ROW(claim, bytes, ...) \
	{ \
		claim, bytes, sizeof(bytes) - 1, __VA_ARGS__ \
	}

static const struct row rows[] = {
	ROW("a PNG", PNG, "image/png", 3, 4096),
	ROW("a JPEG, its frame behind another segment and filling", JPEG, "image/jpeg", 0x304,
	    0x102),
	ROW("a WebP that loses something", VP8, "image/webp", 5, 6),
	ROW("a WebP that loses nothing", VP8L, "image/webp", 7, 8),
	ROW("a WebP with more in it", VP8X, "image/webp", 9, 10),
	ROW("nothing", "", NULL, 0, 0),
	ROW("a GIF", "GIF89a\3\0\3\0\0\0\0 and more that is not looked at", NULL, 0, 0),
	ROW("an SVG", "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 1 1\"/>", NULL, 0,
	    0),
	ROW("a PNG's first bytes alone", "\x89PNG\r\n\x1a\nand then anything else that there is",
	    NULL, 0, 0),
	ROW("a JPEG whose picture begins before its frame",
	    "\xff\xd8\xff\xda\0\x0b\x08\1\1\1\1\1\1\1", NULL, 0, 0),
	ROW("a JPEG whose segments lead nowhere", "\xff\xd8\xff\xe0\0\1zzzzzzzzzzzz", NULL, 0, 0),
	ROW("RIFF with sound in it", "RIFF\x16\0\0\0WAVEVP8X\x0a\0\0\0\0\0\0\0\x08\0\0\x09\0\0",
	    NULL, 0, 0),
};

static void
each_format_is_known_by_its_first_bytes(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct picture_head head = { 0 };
		bool is = picture_read(rows[i].bytes, rows[i].len, &head);

		if (is != (rows[i].type != NULL))
			fail_msg("%s", rows[i].claim);
		if (!is)
			continue;
		assert_string_equal(head.type, rows[i].type);
		assert_int_equal(head.width, rows[i].width);
		assert_int_equal(head.height, rows[i].height);
	}
}

static void
one_that_is_cut_anywhere_in_its_head_is_none(void **state)
{
	(void)state;
	for (size_t i = 0; i < 5; i++) {
		size_t taken = SIZE_MAX;

		for (size_t len = 0; len < rows[i].len; len++) {
			/* A copy that ends there: a sanitizer sees a look past it. */
			char *cut = malloc(len > 0 ? len : 1);
			struct picture_head head;

			memcpy(cut, rows[i].bytes, len);
			if (picture_read(cut, len, &head) && len < taken)
				taken = len;
			free(cut);
		}
		/* What the JPEG's frame says behind its size is not read. */
		assert_int_equal(taken, i == 1 ? rows[1].len - 3 : SIZE_MAX);
	}
}

/* ---- in a policy ---- */

static void
set_picture(struct fixture *fixture, const char *name, const void *bytes, size_t len)
{
	fixture_set(fixture, name, "");
	*fixture_part(fixture, name) = (struct policy_part){ name, bytes, len };
}

static void
refused(const char *bytes, size_t len, const char *text)
{
	struct fixture fixture;
	struct policy *policy;
	struct buf report = { 0 };

	fixture_init(&fixture);
	set_picture(&fixture, "images/cup.png", bytes, len);
	assert_int_equal(policy_compile(&fixture.parts, &policy, &report), AISLE_E_INVALID);
	if (strstr(report.data, "images/cup.png") == NULL || strstr(report.data, text) == NULL)
		fail_msg("%s is not in %s", text, report.data);
	buf_done(&report);
	fixture_done(&fixture);
}

static void
what_lies_below_images_and_is_none_is_a_mistake(void **state)
{
	char wide[] = PNG;

	(void)state;
	refused("notes", 5, "not an image, expected PNG, JPEG or WebP");
	wide[22] = 0x10; /* 4096 are taken, below */
	wide[23] = 0x01;
	refused(wide, sizeof(wide) - 1, "image of 3 x 4097 pixels, expected sides of 1 to 4096");
	wide[22] = wide[23] = 0;
	refused(wide, sizeof(wide) - 1, "image of 3 x 0 pixels");
}

static struct policy *
compiled(struct fixture *fixture)
{
	struct buf report = { 0 };
	struct policy *policy = NULL;

	if (policy_compile(&fixture->parts, &policy, &report) != 0)
		fail_msg("%s", report.data);
	buf_done(&report);
	return policy;
}

static void
an_image_has_128_KiB_and_no_byte_more(void **state)
{
	char *bytes = calloc(1, PICTURE_BYTES_MAX + 1);
	struct fixture fixture;

	(void)state;
	memcpy(bytes, PNG, sizeof(PNG) - 1);
	fixture_init(&fixture);
	set_picture(&fixture, "images/cup.png", bytes, PICTURE_BYTES_MAX);
	policy_free(compiled(&fixture));
	fixture_done(&fixture);
	refused(bytes, PICTURE_BYTES_MAX + 1, "image of 131073 bytes, expected at most 131072");
	free(bytes);
}

static void
a_card_names_it_by_its_bytes(void **state)
{
	/* b2sum -l 256 of JPEG_TEXT */
	static const char hash[] =
	    "f2256fb8b0b7b97f22a3a160bb909b8d7d1595e24658b0937d230a5f2a8cddb0";
	static const char *const names[] = { "\"image\":\"cup.jpg\"",
		"\"image\":\"images/cup.jpg\"" };

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(names); i++) {
		struct fixture fixture;
		struct policy *policy;
		const struct treatment *treatment;

		fixture_init(&fixture);
		set_picture(&fixture, "images/cup.jpg", JPEG_TEXT, sizeof(JPEG_TEXT) - 1);
		assert_int_equal(fixture_replace(&fixture, "actions/coffee-off.json",
				     "\"image\":null", names[i]),
		    0);
		policy = compiled(&fixture);
		treatment = policy_action(policy, "coffee-off")->treatments;
		assert_int_equal(strncmp(treatment->image, PICTURE_PATH, strlen(PICTURE_PATH)), 0);
		assert_string_equal(treatment->image + strlen(PICTURE_PATH), hash);
		assert_string_equal(policy_picture(policy, hash), "images/cup.jpg");
		assert_null(policy_picture(policy,
		    "f3367fb9b1b8b08f33a4a271bb010b9d8d2606e35769b1048d341a6f3a9cddb1"));
		policy_free(policy);
		fixture_done(&fixture);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_format_is_known_by_its_first_bytes),
		cmocka_unit_test(one_that_is_cut_anywhere_in_its_head_is_none),
		cmocka_unit_test(what_lies_below_images_and_is_none_is_a_mistake),
		cmocka_unit_test(an_image_has_128_KiB_and_no_byte_more),
		cmocka_unit_test(a_card_names_it_by_its_bytes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
