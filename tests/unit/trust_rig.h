/* SPDX-License-Identifier: Apache-2.0
 *
 * trust_rig.h - headquarters on a desk: keys, a root, what is signed with them.
 */
#ifndef AISLE_TESTS_TRUST_RIG_H
#define AISLE_TESTS_TRUST_RIG_H

#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdlib.h>
#include <string.h>

#include "core/metrics.h"
#include "trust/device.h"
#include "trust/order.h"

#define NOW_MS INT64_C(1795257000123)
#define KEYS 6 /* two of release, two of order, two of erase; what a test wants more it generates */

struct rig {
	struct minisign_secret *secrets[KEYS];
	struct root root; /* version 1, threshold 2 */
	struct sequences seen;
	enum refusal refusal;
	struct err err;
};

static inline void
rig_sign(struct signed_text *envelope, const struct minisign_secret *secret)
{
	struct minisig sig;

	minisign_sign(secret, envelope->manifest, envelope->len, "timestamp:1795257000", &sig);
	assert_int_equal(signed_add(envelope, &sig, NULL), 0);
}

/* The manifest in an envelope, signed with the first and the last of these; which -1: with none. */
static inline struct buf
rig_envelope(const struct rig *rig, const struct buf *manifest, int first, int last)
{
	struct signed_text envelope;
	struct buf out = { 0 };

	signed_init(&envelope, manifest->data, manifest->len);
	if (first >= 0)
		rig_sign(&envelope, rig->secrets[first]);
	if (last >= 0)
		rig_sign(&envelope, rig->secrets[last]);
	signed_write(&envelope, &out);
	signed_done(&envelope);
	return out;
}

static inline struct root
rig_root(const struct rig *rig, int64_t version)
{
	struct root root = { .version = version,
		.issued_ms = NOW_MS - D_MS,
		.expires_ms = NOW_MS + 365 * D_MS,
		.threshold = 2 };

	for (int i = 0; i < KEYS; i++)
		minisign_secret_pub(rig->secrets[i], &root.keys[i / 2][i % 2]);
	for (int role = 0; role < ROLE_COUNT; role++)
		root.key_count[role] = 2;
	return root;
}

static inline struct buf
rig_signed_root(const struct rig *rig, const struct root *root, int first, int last)
{
	struct buf manifest = { 0 };

	root_write(root, &manifest);
	struct buf text = rig_envelope(rig, &manifest, first, last);

	buf_done(&manifest);
	return text;
}

static inline struct release
rig_release(int64_t sequence)
{
	struct release release;

	release_init(&release);
	strcpy(release.channel, "stable");
	release.sequence = sequence;
	release.issued_ms = NOW_MS - H_MS;
	release.expires_ms = NOW_MS + D_MS;
	release.bundles[BUNDLE_POLICY] = (struct release_bundle){ .named = true,
		.name = "starter",
		.version = "3",
		.bytes = 70000,
		.chunk = RELEASE_CHUNK };
	memset(release.bundles[BUNDLE_POLICY].hash, 'a', 64);
	return release;
}

static inline struct buf
rig_signed_release(const struct rig *rig, const struct release *release, int first, int last)
{
	struct buf manifest = { 0 };

	release_write(release, &manifest);
	struct buf text = rig_envelope(rig, &manifest, first, last);

	buf_done(&manifest);
	return text;
}

static inline struct order
rig_order(const char *target, int64_t sequence)
{
	struct order order = { .sequence = sequence,
		.issued_ms = NOW_MS - H_MS,
		.expires_ms = NOW_MS + D_MS,
		.type = ORDER_STOP,
		.object = "cheese" };

	strcpy(order.target, target);
	return order;
}

static inline struct buf
rig_signed_order(const struct rig *rig, const struct order *order, int first, int last)
{
	struct buf manifest = { 0 };

	order_write(order, &manifest);
	struct buf text = rig_envelope(rig, &manifest, first, last);

	buf_done(&manifest);
	return text;
}

static inline void
rig_clear(struct rig *rig)
{
	rig->refusal = REFUSED_NONE;
	rig->err = (struct err){ 0 };
}

/* rc is a refusal of this name, with a text, and it was counted once since before. */
#define assert_refused(rig, rc, reason, before) \
	do { \
		assert_int_equal(rc, AISLE_E_REFUSED); \
		assert_string_equal(refusal_name((rig)->refusal), reason); \
		assert_int_equal((rig)->err.code, AISLE_E_REFUSED); \
		assert_int_equal(strncmp((rig)->err.text, reason ": ", strlen(reason) + 2), 0); \
		assert_int_equal(refusal_count((rig)->refusal), (before) + 1); \
		rig_clear(rig); \
	} while (0)

static inline int
rig_open(void **state)
{
	struct rig *rig = mem_zero(sizeof(*rig));

	for (int i = 0; i < KEYS; i++)
		rig->secrets[i] = minisign_generate();
	struct root root = rig_root(rig, 1);
	struct buf text = rig_signed_root(rig, &root, 0, 1);

	assert_int_equal(root_open(text.data, text.len, "root", &rig->root, &rig->refusal,
			     &rig->err),
	    0);
	buf_done(&text);
	*state = rig;
	return 0;
}

static inline int
rig_close(void **state)
{
	struct rig *rig = *state;

	for (int i = 0; i < KEYS; i++)
		minisign_secret_free(rig->secrets[i]);
	sequences_done(&rig->seen);
	free(rig);
	return 0;
}

#endif
