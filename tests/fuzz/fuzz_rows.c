/* SPDX-License-Identifier: Apache-2.0
 *
 * fuzz_rows.c - any bytes as what lies in the state: a visit, a customer, what they bought, a contact, a profile; and as
 * what is packed and sealed around those. The first byte chooses.
 *
 * What must hold: refused as damaged, or what was read and is written is read as the same; what is packed comes out as it
 * was, and no more than it may become; what nobody sealed does not open, and of what was sealed no bit may differ.
 */
#include <stdlib.h>
#include <string.h>

#include "nouns/contact.h"
#include "nouns/visit.h"
#include "profile/subject_io.h"
#include "profile/vault.h"
#include "store/pack.h"

#define PLAIN_MAX 65536

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const struct id who = { { 7, 1, 7 } };

static void
must_be_same(const struct buf *a, const struct buf *b)
{
	CHECK(a->len == b->len && memcmp(a->data, b->data, a->len) == 0);
}

static void
as_visit(const uint8_t *data, size_t size)
{
	struct buf first = { 0 }, second = { 0 };
	struct visit *visit = NULL, *again = NULL;
	int rc = visit_decode(data, size, &visit);

	CHECK((rc == 0) == (visit != NULL) && (rc == 0 || rc == AISLE_E_DAMAGED));
	if (rc != 0)
		return;
	visit_encode(visit, &first);
	CHECK(visit_decode(first.data, first.len, &again) == 0);
	visit_encode(again, &second);
	must_be_same(&first, &second);
	visit_free(visit);
	visit_free(again);
	buf_done(&first);
	buf_done(&second);
}

static void
as_subject(const uint8_t *data, size_t size)
{
	struct subject *subject = subject_new(&who), *again = subject_new(&who);
	struct buf first = { 0 }, second = { 0 }, told = { 0 };
	int rc = subject_decode(subject, data, size);

	CHECK(rc == 0 || rc == AISLE_E_DAMAGED);
	subject_encode(subject, &first);
	CHECK(subject_decode(again, first.data, first.len) == 0);
	subject_encode(again, &second);
	must_be_same(&first, &second);
	subject_json(subject, &told);
	subject_free(subject);
	subject_free(again);
	buf_done(&first);
	buf_done(&second);
	buf_done(&told);
}

static void
as_log(int kind, const uint8_t *data, size_t size)
{
	struct subject *subject = subject_new(&who);
	struct buf told = { 0 };
	int rc = subject_add_log(subject, kind, data, size);

	CHECK(rc == 0 || rc == AISLE_E_DAMAGED);
	/* Twice is once. */
	CHECK(subject_add_log(subject, kind, data, size) == rc);
	CHECK(subject->purchase_count <= 1);
	subject_json(subject, &told);
	subject_expire(subject, 1);
	subject_free(subject);
	buf_done(&told);
}

static void
as_profile(const uint8_t *data, size_t size)
{
	struct subject *subject = subject_new(&who);
	struct buf told = { 0 }, again = { 0 };

	if (subject_apply_profile(subject, data, size) == 0) {
		subject_json(subject, &told);
		CHECK(subject_apply_profile(subject, data, size) == 0);
		subject_json(subject, &again);
		must_be_same(&told, &again);
	}
	subject_free(subject);
	buf_done(&told);
	buf_done(&again);
}

static void
as_packed(const uint8_t *data, size_t size)
{
	struct buf out = { 0 }, packed = { 0 };

	if (unpack(data, size, PLAIN_MAX, &out) != 0)
		CHECK(out.len == 0);
	CHECK(out.len <= PLAIN_MAX);
	buf_clear(&out);
	pack(data, size, &packed);
	CHECK(packed.len <= size + 1);
	CHECK(unpack(packed.data, packed.len, size, &out) == 0);
	CHECK(out.len == size && (size == 0 || memcmp(out.data, data, size) == 0));
	buf_clear(&out);
	if (size > 0)
		CHECK(unpack(packed.data, packed.len, size - 1, &out) != 0 && out.len == 0);
	buf_done(&out);
	buf_done(&packed);
}

static void
as_sealed(const uint8_t *data, size_t size)
{
	static const uint8_t key[VAULT_KEY_SIZE] = { 3 };
	struct buf out = { 0 }, sealed = { 0 };

	CHECK(vault_open(key, "visit", who.b, sizeof(who.b), 1, data, size, &out) ==
	    AISLE_E_DAMAGED);
	vault_seal(key, "visit", who.b, sizeof(who.b), 1, data, size, &sealed);
	CHECK(sealed.len == size + VAULT_OVERHEAD);
	CHECK(vault_open(key, "visit", who.b, sizeof(who.b), 1, sealed.data, sealed.len, &out) ==
	    0);
	CHECK(out.len == size && (size == 0 || memcmp(out.data, data, size) == 0));
	buf_clear(&out);
	/* A bit that the input itself chooses. */
	sealed.data[size % sealed.len] ^= (char)(1 << (size > 0 ? data[0] & 7 : 0));
	CHECK(vault_open(key, "visit", who.b, sizeof(who.b), 1, sealed.data, sealed.len, &out) !=
	    0);
	CHECK(out.len == 0);
	buf_done(&out);
	buf_done(&sealed);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	if (size < 1)
		return 0;
	uint8_t *copy = mem_alloc(size);

	/* Exactly that long: a look behind the end is found. */
	memcpy(copy, data + 1, size - 1);
	size--;
	switch (data[0] % 7) {
	case 0: as_visit(copy, size); break;
	case 1: as_subject(copy, size); break;
	case 2: as_log(SUBJECT_LOG_PURCHASE, copy, size); break;
	case 3: as_log(SUBJECT_LOG_CONTACT, copy, size); break;
	case 4: as_profile(copy, size); break;
	case 5: as_packed(copy, size); break;
	default: as_sealed(copy, size); break;
	}
	free(copy);
	return 0;
}
