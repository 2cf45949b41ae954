/* SPDX-License-Identifier: Apache-2.0
 *
 * test_minisign.c - keys and signatures in minisign's formats; what is not one is refused.
 *
 * The key and the signature below are minisign 0.11's. tests/scenario/test_releases.py holds both programs together.
 */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <sodium.h>
#include <stdlib.h>
#include <string.h>

#include "trust/minisign.h"

#define WORK 12 /* 256 KiB instead of 1 GiB */

static const char stock_pub[] =
    "untrusted comment: minisign public key "
    "3FE181110A059D0E\nRWQOnQUKEYHhP9Quxt8NXAt+Vsyl0Y1PEvdQMnzwBotvys0eoJODmo+n\n";
static const char stock_key[] =
    "untrusted comment: minisign encrypted secret "
    "key\nRWQAAEIyAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAADp0FChGB4T9GokDwJ"
    "Rbt99UCDZVyjA8hDkuSPBAHqlqdqO2urnolwNQuxt8NXAt+Vsyl0Y1PEvdQMnzwBotvys0eoJODmo+"
    "nAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=\n";
static const char stock_bytes[] = "a line\n";
static const char stock_sig[] =
    "untrusted comment: signature from minisign secret key\n"
    "RUQOnQUKEYHhP8Fo4s44Nn+jcMzojl78I5x4e1sMf9RHBncbSt99GXSk0MNridjLj992dya1xeXovbN4WlA+"
    "maF8sFZkTJjpEQc=\n"
    "trusted comment: timestamp:1796018417\tfile:d\thashed\n"
    "6RKNuEdUc9gY5NE0CMy3AxiBVk7gOOSs+ufkrnS9+Q7GS48f/vYQPN4/DJsaYl724QzWdbQfnzDhVvlRJuRtCw==\n";

static void
what_minisign_made_is_read_and_verified(void **state)
{
	struct minisign_secret *secret;
	struct minisign_pub pub, own;
	struct minisig sig;
	struct err err = { 0 };
	char text[MINISIGN_PUB_TEXT], id[MINISIGN_ID_TEXT];
	(void)state;

	assert_int_equal(minisign_pub_read(stock_pub, strlen(stock_pub), "k.pub", &pub, &err), 0);
	assert_int_equal(minisign_sig_read(stock_sig, strlen(stock_sig), "s", &sig, &err), 0);
	assert_true(minisign_verify(&pub, &sig, stock_bytes, strlen(stock_bytes)));
	assert_int_equal(minisign_protected(stock_key, strlen(stock_key)), 0);
	assert_int_equal(minisign_secret_read(stock_key, strlen(stock_key), "k.key", NULL, &secret,
			     &err),
	    0);
	minisign_secret_pub(secret, &own);
	assert_true(minisign_pub_same(&pub, &own));
	minisign_secret_free(secret);
	/* The line alone is a key, too. */
	minisign_pub_text(&pub, text);
	assert_int_equal(minisign_pub_read(text, strlen(text), "line", &own, &err), 0);
	assert_true(minisign_pub_same(&pub, &own));
	minisign_id_text(pub.id, id);
	assert_string_equal(id, "3FE181110A059D0E");
}

static void
a_key_comes_back_with_and_without_a_password(void **state)
{
	struct minisign_secret *secret = minisign_generate(), *back;
	struct minisign_pub pub, again;
	(void)state;

	minisign_secret_pub(secret, &pub);
	for (int i = 0; i < 2; i++) {
		const char *password = i == 0 ? NULL : "correct horse \xc3\xa4";
		struct buf text = { 0 };
		struct err err = { 0 };

		assert_int_equal(minisign_secret_write(secret, password, WORK, &text, &err), 0);
		assert_int_equal(minisign_protected(text.data, text.len), i);
		assert_int_equal(minisign_secret_read(text.data, text.len, "k", password, &back,
				     &err),
		    0);
		minisign_secret_pub(back, &again);
		assert_true(minisign_pub_same(&pub, &again));
		minisign_secret_free(back);
		if (i == 1) {
			assert_int_equal(minisign_secret_read(text.data, text.len, "k",
					     "correct horse", &back, &err),
			    AISLE_E_REFUSED);
			assert_string_equal(err.text, "not its password");
			err = (struct err){ 0 };
			assert_int_equal(minisign_secret_read(text.data, text.len, "k", NULL, &back,
					     &err),
			    AISLE_E_REFUSED);
		}
		buf_wipe(&text);
	}
	minisign_secret_free(secret);
}

static void
a_secret_key_with_a_byte_changed_or_missing_is_none(void **state)
{
	struct minisign_secret *secret = minisign_generate(), *back;
	struct buf text = { 0 };
	size_t begin = strlen("untrusted comment: minisign encrypted secret key\n"), refused = 0;
	(void)state;

	assert_int_equal(minisign_secret_write(secret, NULL, 0, &text, NULL), 0);
	for (size_t i = begin; i + 1 < text.len; i++) {
		struct err err = { 0 };

		text.data[i] ^= 1;
		/* The salt and the limits of a key without a password are nobody's: there a change changes nothing. */
		if (minisign_secret_read(text.data, text.len, "k", NULL, &back, &err) == 0) {
			struct minisign_pub pub, own;

			minisign_secret_pub(secret, &own);
			minisign_secret_pub(back, &pub);
			assert_true(minisign_pub_same(&own, &pub));
			minisign_secret_free(back);
		} else {
			refused++;
		}
		text.data[i] ^= 1;
	}
	assert_true(refused > 140);
	for (size_t i = 0; i + 1 < text.len; i++) {
		struct err err = { 0 };

		assert_int_equal(minisign_secret_read(text.data, i, "k", NULL, &back, &err),
		    AISLE_E_INVALID);
		assert_int_equal(minisign_protected(text.data, i), -1);
	}
	buf_wipe(&text);
	minisign_secret_free(secret);
}

static size_t
bytes_of(const char *file, uint8_t bytes[static 158])
{
	const char *line = strchr(file, '\n') + 1;
	size_t len;

	assert_int_equal(sodium_base642bin(bytes, 158, line, strcspn(line, "\n"), NULL, &len, NULL,
			     sodium_base64_VARIANT_ORIGINAL),
	    0);
	return len;
}

/* minisign leaves the checksum of a key without a password zero: its two halves still have to agree. */
static void
a_key_without_a_checksum_is_held_against_itself(void **state)
{
	uint8_t bytes[158];
	(void)state;

	assert_int_equal(bytes_of(stock_key, bytes), 158);
	for (size_t i = 126; i < 158; i++)
		assert_int_equal(bytes[i], 0);
	for (size_t i = 62; i < 126; i++) {
		struct minisign_secret *back;
		struct buf text = { 0 };
		char line[256];

		bytes[i] ^= 1;
		sodium_bin2base64(line, sizeof(line), bytes, sizeof(bytes),
		    sodium_base64_VARIANT_ORIGINAL);
		buf_addf(&text, "untrusted comment: x\n%s\n", line);
		assert_int_equal(minisign_secret_read(text.data, text.len, "k", NULL, &back, NULL),
		    AISLE_E_INVALID);
		bytes[i] ^= 1;
		buf_done(&text);
	}
}

/* opslimit is at byte 38, memlimit at 46 of the line's bytes. */
static void
lines_that_are_too_many_make_no_key_and_no_signature(void **state)
{
	static const char *const files[] = { stock_pub, stock_key, stock_sig };
	(void)state;

	for (size_t i = 0; i < ARRAY_LEN(files); i++) {
		struct minisign_secret *secret = NULL;
		struct minisign_pub pub;
		struct minisig sig;
		struct buf text = { 0 };

		buf_adds(&text, files[i]);
		buf_adds(&text, "more\n");
		assert_int_equal(minisign_pub_read(text.data, text.len, "k", &pub, NULL),
		    AISLE_E_INVALID);
		assert_int_equal(minisign_secret_read(text.data, text.len, "k", NULL, &secret,
				     NULL),
		    AISLE_E_INVALID);
		assert_int_equal(minisign_sig_read(text.data, text.len, "k", &sig, NULL),
		    AISLE_E_INVALID);
		/* Nor does one pass for the other. */
		text.len -= strlen("more\n");
		assert_int_equal(minisign_pub_read(text.data, text.len, "k", &pub, NULL),
		    i == 0 ? 0 : AISLE_E_INVALID);
		assert_int_equal(minisign_secret_read(text.data, text.len, "k", NULL, &secret,
				     NULL),
		    i == 1 ? 0 : AISLE_E_INVALID);
		assert_int_equal(minisign_sig_read(text.data, text.len, "k", &sig, NULL),
		    i == 2 ? 0 : AISLE_E_INVALID);
		minisign_secret_free(secret);
		buf_done(&text);
	}
}

static void
a_key_that_asks_for_too_much_memory_is_refused_before_it_is_tried(void **state)
{
	struct minisign_secret *secret = minisign_generate(), *back;
	(void)state;

	for (int at = 38; at <= 46; at += 8) {
		struct buf text = { 0 }, more = { 0 };
		struct err err = { 0 };
		uint8_t bytes[158];
		char line[256];

		assert_int_equal(minisign_secret_write(secret, "x", WORK, &text, NULL), 0);
		bytes_of(text.data, bytes);
		bytes[at + 5] = 1; /* 2^40 */
		sodium_bin2base64(line, sizeof(line), bytes, sizeof(bytes),
		    sodium_base64_VARIANT_ORIGINAL);
		buf_addf(&more, "untrusted comment: x\n%s\n", line);
		assert_int_equal(minisign_secret_read(more.data, more.len, "k", "x", &back, &err),
		    AISLE_E_INVALID);
		assert_non_null(strstr(err.text, "costs more"));
		buf_done(&text);
		buf_done(&more);
	}
	minisign_secret_free(secret);
}

static void
a_signature_holds_for_its_bytes_comment_and_key_alone(void **state)
{
	struct minisign_secret *secret = minisign_generate(), *other = minisign_generate();
	struct minisign_pub pub, stranger;
	struct minisig sig, back, changed;
	struct buf text = { 0 };
	struct err err = { 0 };
	(void)state;

	minisign_secret_pub(secret, &pub);
	minisign_secret_pub(other, &stranger);
	minisign_sign(secret, "bytes", 5, "timestamp:1\tof a test", &sig);
	minisign_sig_write(&sig, &text);
	assert_int_equal(minisign_sig_read(text.data, text.len, "s", &back, &err), 0);
	assert_true(minisign_verify(&pub, &back, "bytes", 5));
	assert_false(minisign_verify(&pub, &back, "bytes", 4));
	assert_false(minisign_verify(&pub, &back, "Bytes", 5));
	changed = back;
	changed.comment[0] = 'T';
	assert_false(minisign_verify(&pub, &changed, "bytes", 5));
	assert_false(minisign_verify(&stranger, &back, "bytes", 5));
	/* Nor of a stranger's key that took this one's id. */
	memcpy(stranger.id, pub.id, sizeof(pub.id));
	assert_false(minisign_verify(&stranger, &back, "bytes", 5));
	/* And a key of another number is another key. */
	pub.id[7] ^= 1;
	assert_false(minisign_verify(&pub, &back, "bytes", 5));
	buf_done(&text);
	minisign_secret_free(secret);
	minisign_secret_free(other);
}

static void
a_signature_of_the_older_form_is_named(void **state)
{
	struct minisign_secret *secret = minisign_generate();
	struct minisig sig;
	struct buf text = { 0 };
	struct err err = { 0 };
	(void)state;

	minisign_sign(secret, "bytes", 5, "c", &sig);
	minisign_sig_write(&sig, &text);
	/* "RU" begins the base64 of "ED", "RW" that of "Ed". */
	char *line = strchr(text.data, '\n') + 1;

	assert_memory_equal(line, "RU", 2);
	line[1] = 'W';
	assert_int_equal(minisign_sig_read(text.data, text.len, "s", &sig, &err), AISLE_E_INVALID);
	assert_non_null(strstr(err.text, "\"Ed\""));
	buf_done(&text);
	minisign_secret_free(secret);
}

static void
a_trusted_comment_is_one_line_of_at_most_1024_bytes(void **state)
{
	struct minisign_secret *secret = minisign_generate();
	char comment[MINISIGN_COMMENT_MAX + 2];
	struct minisig sig;
	struct buf text = { 0 };
	struct err err = { 0 };
	(void)state;

	memset(comment, 'x', sizeof(comment));
	comment[MINISIGN_COMMENT_MAX] = '\0';
	minisign_sign(secret, "bytes", 5, comment, &sig);
	minisign_sig_write(&sig, &text);
	assert_int_equal(minisign_sig_read(text.data, text.len, "s", &sig, &err), 0);
	struct buf longer = { 0 };
	char *at = strstr(text.data, "trusted comment: x");

	at = strstr(at, "xx");
	buf_add(&longer, text.data, (size_t)(at - text.data));
	buf_adds(&longer, "x");
	buf_adds(&longer, at);
	assert_int_equal(minisign_sig_read(longer.data, longer.len, "s", &sig, &err),
	    AISLE_E_INVALID);
	at[3] = '\x1b';
	assert_int_equal(minisign_sig_read(text.data, text.len, "s", &sig, &err), AISLE_E_INVALID);
	buf_done(&text);
	buf_done(&longer);
	minisign_secret_free(secret);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_minisign_made_is_read_and_verified),
		cmocka_unit_test(a_key_comes_back_with_and_without_a_password),
		cmocka_unit_test(a_secret_key_with_a_byte_changed_or_missing_is_none),
		cmocka_unit_test(a_key_without_a_checksum_is_held_against_itself),
		cmocka_unit_test(lines_that_are_too_many_make_no_key_and_no_signature),
		cmocka_unit_test(a_key_that_asks_for_too_much_memory_is_refused_before_it_is_tried),
		cmocka_unit_test(a_signature_holds_for_its_bytes_comment_and_key_alone),
		cmocka_unit_test(a_signature_of_the_older_form_is_named),
		cmocka_unit_test(a_trusted_comment_is_one_line_of_at_most_1024_bytes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
