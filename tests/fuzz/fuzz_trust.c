/* SPDX-License-Identifier: Apache-2.0
 *
 * fuzz_trust.c - any bytes as an envelope, as a manifest of each kind that HQ signed, as a key, a list of orders, and as what
 * was seen.
 *
 * What must hold: no crash; a refusal has a reason and a text; what is taken has one spelling and survives being written
 * again; bytes that nobody signed are never taken.
 */
#include <stdlib.h>
#include <string.h>

#include "fuzz_root.h"
#include "trust/device.h"
#include "trust/order.h"

static void
judge(int rc, enum refusal refusal, const struct err *err)
{
	CHECK(rc == 0 || rc == AISLE_E_REFUSED);
	CHECK((refusal == REFUSED_NONE) == (rc == 0));
	CHECK((err->text[0] == '\0') == (rc == 0));
}

static void
as_envelope(const char *text, size_t len)
{
	struct signers signers = root_signers(&root, ROLE_RELEASE);
	enum refusal refusal = REFUSED_NONE;
	struct signed_text envelope;
	struct err err = { 0 };
	struct buf again = { 0 };
	int rc = signed_read(text, len, "fuzz", &envelope, &refusal, &err);

	judge(rc, refusal, &err);
	if (rc != 0)
		return;
	signed_write(&envelope, &again);
	CHECK(len <= again.len && len + 1 >= again.len && memcmp(text, again.data, len) == 0);
	CHECK(signed_verify(&envelope, &signers, NULL, NULL) == AISLE_E_REFUSED);
	signed_done(&envelope);
	buf_done(&again);
}

static struct buf
sign(const void *manifest, size_t len)
{
	struct signed_text envelope;
	struct buf text = { 0 };
	struct minisig sig;

	signed_init(&envelope, manifest, len);
	minisign_sign(secret, manifest, len, "c", &sig);
	CHECK(signed_add(&envelope, &sig, NULL) == 0);
	signed_write(&envelope, &text);
	signed_done(&envelope);
	return text;
}

static void
as_release(const struct buf *text)
{
	static const struct trust_self self = {
		.store = "0417", .channel = "stable", .ring = "early"
	};
	struct sequences seen = { 0 };
	enum refusal refusal = REFUSED_NONE;
	struct release release, again;
	struct buf manifest = { 0 };
	struct err err = { 0 };
	bool is_new;
	int rc =
	    release_open(&root, text->data, text->len, "fuzz", NOW_MS, &release, &refusal, &err);

	judge(rc, refusal, &err);
	if (rc != 0)
		return;
	release_write(&release, &manifest);
	CHECK(release_parse(manifest.data, manifest.len, "again", &again, NULL, NULL) == 0);
	CHECK(again.sequence == release.sequence && again.store_count == release.store_count);
	CHECK(memcmp(again.bundles, release.bundles, sizeof(again.bundles)) == 0);
	CHECK(memcmp(&again.bounds, &release.bounds, sizeof(again.bounds)) == 0);
	release_done(&again);
	release_done(&release);
	rc = release_accept(&root, &seen, &self, false, text->data, text->len, "fuzz", NOW_MS,
	    &release, &is_new, &refusal, &err);
	judge(rc, refusal, &err);
	if (rc == 0)
		release_done(&release);
	buf_done(&manifest);
}

static void
as_order(const struct buf *text)
{
	enum refusal refusal = REFUSED_NONE;
	struct order order, again;
	struct buf manifest = { 0 };
	struct err err = { 0 };
	int rc = order_open(&root, text->data, text->len, "fuzz", NOW_MS, &order, &refusal, &err);

	judge(rc, refusal, &err);
	if (rc != 0)
		return;
	order_write(&order, &manifest);
	CHECK(order_parse(manifest.data, manifest.len, "again", &again, NULL, NULL) == 0);
	CHECK(again.type == order.type && strcmp(again.target, order.target) == 0 &&
	    strcmp(again.object, order.object) == 0);
	buf_done(&manifest);
}

static void
as_root(const struct buf *text)
{
	enum refusal refusal = REFUSED_NONE;
	struct root next;
	struct err err = { 0 };
	int rc = root_next(&root, text->data, text->len, "fuzz", &next, &refusal, &err);

	judge(rc, refusal, &err);
	CHECK(rc != 0 ||
	    (next.version == 2 && next.threshold >= 1 && next.key_count[ROLE_RELEASE] >= 1));
}

static void
as_keys(const char *text, size_t len)
{
	struct minisign_secret *read;
	struct minisign_pub pub;
	struct minisig sig;
	struct device device;

	(void)!minisign_pub_read(text, len, "fuzz", &pub, NULL);
	(void)!minisign_sig_read(text, len, "fuzz", &sig, NULL);
	(void)!device_request_read(text, len, "fuzz", &device, NULL);
	/* Without its password: a gigabyte for each try is no fuzzing. */
	if (minisign_secret_read(text, len, "fuzz", NULL, &read, NULL) == 0)
		minisign_secret_free(read);
}

static void
count_one(void *ctx, const char *text, size_t len, size_t at)
{
	size_t *count = ctx;

	(void)text;
	(void)len;
	CHECK(at == (*count)++);
}

/* Signing takes longer than all else: only what is a manifest is signed. */
static bool
is_manifest(const char *bytes, size_t size)
{
	enum refusal refusal[3] = { REFUSED_NONE, REFUSED_NONE, REFUSED_NONE };
	struct err err[3] = { { 0 }, { 0 }, { 0 } };
	struct release release;
	struct order order;
	struct root next;
	int rc[3] = {
		release_parse(bytes, size, "fuzz", &release, &refusal[0], &err[0]),
		order_parse(bytes, size, "fuzz", &order, &refusal[1], &err[1]),
		root_parse(bytes, size, "fuzz", &next, &refusal[2], &err[2]),
	};

	for (int i = 0; i < 3; i++)
		judge(rc[i], refusal[i], &err[i]);
	/* No text is of two kinds. */
	CHECK((rc[0] == 0) + (rc[1] == 0) + (rc[2] == 0) <= 1);
	if (rc[0] == 0)
		release_done(&release);
	return rc[0] == 0 || rc[1] == 0 || rc[2] == 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const char *bytes = (const char *)data;
	struct sequences seen;
	struct buf text, again = { 0 };
	size_t count = 0;

	set_up();
	as_envelope(bytes, size);
	as_keys(bytes, size);
	(void)!order_list_each(bytes, size, ORDERS_STORE_MAX, "fuzz", count_one, &count, NULL,
	    NULL);
	CHECK(count <= ORDERS_STORE_MAX);
	if (size < 100000 && is_manifest(bytes, size)) {
		text = sign(data, size);
		as_release(&text);
		as_order(&text);
		as_root(&text);
		buf_done(&text);
	}
	if (sequences_decode(data, size, &seen) == 0) {
		sequences_encode(&seen, &again);
		sequences_done(&seen);
		CHECK(sequences_decode(again.data, again.len, &seen) == 0);
		sequences_done(&seen);
		buf_done(&again);
	}
	return 0;
}
