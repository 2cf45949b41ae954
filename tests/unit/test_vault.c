/* SPDX-License-Identifier: Apache-2.0
 *
 * test_vault.c - what was sealed opens where it was sealed for, and nowhere else.
 */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <string.h>

#include <sodium.h>

#include "profile/vault.h"

static const uint8_t key[32] = { 1, 2, 3 }, other_key[32] = { 1, 2, 4 };

static int
opens(const uint8_t *with, const char *table, const void *row_key, size_t row_key_len,
    uint32_t version, const struct buf *sealed, size_t len)
{
	struct buf plain = { 0 };
	buf_adds(&plain, "before");
	int error =
	    vault_open(with, table, row_key, row_key_len, version, sealed->data, len, &plain);
	if (error == 0)
		assert_string_equal(plain.data, "beforehello");
	else
		assert_string_equal(plain.data, "before");
	buf_done(&plain);
	return error;
}

static void
a_record_opens_with_its_key_table_row_and_version_only(void **state)
{
	(void)state;
	struct buf sealed = { 0 };
	vault_seal(key, "visit", "row1", 4, 1, "hello", 5, &sealed);
	assert_int_equal(sealed.len, 5 + VAULT_OVERHEAD);
	assert_int_equal(opens(key, "visit", "row1", 4, 1, &sealed, sealed.len), 0);
	assert_int_equal(opens(other_key, "visit", "row1", 4, 1, &sealed, sealed.len),
	    AISLE_E_DAMAGED);
	assert_int_equal(opens(key, "visits", "row1", 4, 1, &sealed, sealed.len), AISLE_E_DAMAGED);
	assert_int_equal(opens(key, "visit", "row2", 4, 1, &sealed, sealed.len), AISLE_E_DAMAGED);
	assert_int_equal(opens(key, "visit", "row1", 4, 2, &sealed, sealed.len), AISLE_E_DAMAGED);
	buf_done(&sealed);
}

static void
the_border_between_table_and_row_key_is_bound(void **state)
{
	(void)state;
	struct buf sealed = { 0 };
	vault_seal(key, "ab", "c", 1, 1, "hello", 5, &sealed);
	assert_int_equal(opens(key, "a", "bc", 2, 1, &sealed, sealed.len), AISLE_E_DAMAGED);
	assert_int_equal(opens(key, "abc", "", 0, 1, &sealed, sealed.len), AISLE_E_DAMAGED);
	assert_int_equal(opens(key, "ab", "c", 1, 1, &sealed, sealed.len), 0);
	buf_done(&sealed);
}

static void
no_flipped_bit_and_no_cut_opens(void **state)
{
	(void)state;
	struct buf sealed = { 0 };
	vault_seal(key, "visit", "row1", 4, 1, "hello", 5, &sealed);
	for (size_t bit = 0; bit < 8 * sealed.len; bit++) {
		sealed.data[bit / 8] = (char)(sealed.data[bit / 8] ^ 1 << bit % 8);
		assert_int_equal(opens(key, "visit", "row1", 4, 1, &sealed, sealed.len),
		    AISLE_E_DAMAGED);
		sealed.data[bit / 8] = (char)(sealed.data[bit / 8] ^ 1 << bit % 8);
	}
	for (size_t len = 0; len < sealed.len; len++)
		assert_int_equal(opens(key, "visit", "row1", 4, 1, &sealed, len), AISLE_E_DAMAGED);
	assert_int_equal(opens(key, "visit", "row1", 4, 1, &sealed, sealed.len), 0);
	buf_done(&sealed);
}

static void
the_same_record_sealed_twice_looks_different_and_is_appended(void **state)
{
	(void)state;
	struct buf sealed = { 0 };
	vault_seal(key, "t", NULL, 0, 1, "hello", 5, &sealed);
	size_t one = sealed.len;
	vault_seal(key, "t", NULL, 0, 1, "hello", 5, &sealed);
	assert_int_equal(sealed.len, 2 * one);
	assert_memory_not_equal(sealed.data, sealed.data + one, one);
	assert_memory_not_equal(sealed.data, sealed.data + one, 24);
	buf_done(&sealed);
}

static void
an_empty_record_opens_to_nothing(void **state)
{
	(void)state;
	struct buf sealed = { 0 }, plain = { 0 };
	vault_seal(key, "t", "k", 1, 1, NULL, 0, &sealed);
	assert_int_equal(sealed.len, VAULT_OVERHEAD);
	assert_int_equal(vault_open(key, "t", "k", 1, 1, sealed.data, sealed.len, &plain), 0);
	assert_int_equal(plain.len, 0);
	buf_done(&sealed);
	buf_done(&plain);
}

/* As the file's head says it: opened with the cipher alone. */
static void
the_bytes_are_nonce_cipher_and_tag_over_table_row_and_version(void **state)
{
	static const uint8_t bound[] = { 5, 0, 0, 0, 'v', 'i', 's', 'i', 't', 4, 0, 0, 0, 'r', 'o',
		'w', '1', 4, 3, 2, 1 };
	struct buf sealed = { 0 };
	uint8_t plain[5];
	unsigned long long len;
	(void)state;
	vault_seal(key, "visit", "row1", 4, 0x01020304, "hello", 5, &sealed);
	assert_int_equal(crypto_aead_xchacha20poly1305_ietf_decrypt(plain, &len, NULL,
			     (const uint8_t *)sealed.data + 24, sealed.len - 24, bound,
			     sizeof(bound), (const uint8_t *)sealed.data, key),
	    0);
	assert_int_equal(len, 5);
	assert_memory_equal(plain, "hello", 5);
	buf_done(&sealed);
}

static void
names_may_be_as_long_as_they_may_be(void **state)
{
	static char table[65], row_key[256];
	struct buf sealed = { 0 };
	(void)state;
	memset(table, 't', 64);
	memset(row_key, 'k', sizeof(row_key));
	vault_seal(key, table, row_key, sizeof(row_key), UINT32_MAX, "hello", 5, &sealed);
	assert_int_equal(opens(key, table, row_key, sizeof(row_key), UINT32_MAX, &sealed,
			     sealed.len),
	    0);
	row_key[255] = 'l';
	assert_int_equal(opens(key, table, row_key, sizeof(row_key), UINT32_MAX, &sealed,
			     sealed.len),
	    AISLE_E_DAMAGED);
	buf_done(&sealed);
}

/* They are drawn many at a time. */
static void
no_two_records_have_a_nonce_in_common(void **state)
{
	enum { RECORDS = 300 };
	static uint8_t nonces[RECORDS][24];
	(void)state;
	for (int i = 0; i < RECORDS; i++) {
		struct buf sealed = { 0 };
		vault_seal(key, "t", NULL, 0, 1, "hello", 5, &sealed);
		memcpy(nonces[i], sealed.data, 24);
		for (int j = 0; j < i; j++) {
			assert_memory_not_equal(nonces[i], nonces[j], 24);
			assert_memory_not_equal(nonces[i] + 8, nonces[j], 16);
			assert_memory_not_equal(nonces[i], nonces[j] + 8, 16);
		}
		buf_done(&sealed);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_record_opens_with_its_key_table_row_and_version_only),
		cmocka_unit_test(the_border_between_table_and_row_key_is_bound),
		cmocka_unit_test(no_flipped_bit_and_no_cut_opens),
		cmocka_unit_test(the_same_record_sealed_twice_looks_different_and_is_appended),
		cmocka_unit_test(an_empty_record_opens_to_nothing),
		cmocka_unit_test(the_bytes_are_nonce_cipher_and_tag_over_table_row_and_version),
		cmocka_unit_test(names_may_be_as_long_as_they_may_be),
		cmocka_unit_test(no_two_records_have_a_nonce_in_common),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
