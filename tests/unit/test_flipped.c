/* SPDX-License-Identifier: Apache-2.0
 *
 * test_flipped.c - a bundle of 100 KB on its way, each byte of what comes turned once: none of them becomes a whole.
 *
 * test_flipped all: every byte, some 40 s; else each sixteenth, and the heads of the frames. (Of a release, an order and a
 * root each bit is turned in test_release, test_trust_order and test_root.)
 */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <zstd.h>

#include "core/buf.h"
#include "core/id.h"
#include "sync/transfer.h"
#include "trust/refusal.h"

#define BYTES 100000
#define CHUNK 65536
#define CHUNKS 2
#define HEAD 64

static char dir[64];
static char hash[65];
static uint8_t file[BYTES];
static struct buf frames[CHUNKS];
static bool every;

/* It cannot be packed: each byte of it is one of a frame. */
static int
set_up(void **state)
{
	uint8_t digest[32];
	uint64_t x = 7;

	(void)state;
	/* In memory: nothing of this is about the disk. */
	snprintf(dir, sizeof(dir), "%s/aisle-flipped-XXXXXX",
	    access("/dev/shm", W_OK) == 0 ? "/dev/shm" : "/tmp");
	assert_non_null(mkdtemp(dir));
	for (size_t i = 0; i < BYTES; i++) {
		x = x * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
		file[i] = (uint8_t)(x >> 56);
	}
	hash_bytes(digest, sizeof(digest), file, BYTES, NULL, 0);
	hash_hex(hash, digest, sizeof(digest));
	for (int n = 0; n < CHUNKS; n++) {
		size_t len = n < CHUNKS - 1 ? CHUNK : BYTES - n * CHUNK;

		buf_reserve(&frames[n], ZSTD_compressBound(len));
		frames[n].len = ZSTD_compress(frames[n].data, ZSTD_compressBound(len),
		    file + n * CHUNK, len, 3);
		assert_true(frames[n].len > len && frames[n].len < len + HEAD);
	}
	return 0;
}

static int
tear_down(void **state)
{
	(void)state;
	for (int n = 0; n < CHUNKS; n++)
		buf_done(&frames[n]);
	return rmdir(dir);
}

static struct transfer *
open_it(void)
{
	struct transfer *transfer = NULL;
	struct err err = { 0 };

	if (transfer_open(dir, hash, BYTES, CHUNK, 1000, &transfer, NULL, &err) != 0)
		fail_msg("%s", err.text);
	assert_int_equal(transfer_step(transfer, NULL, &err), TRANSFER_WAITS);
	return transfer;
}

/* As they come. A state, or AISLE_E_REFUSED. */
static int
give_all(struct transfer *transfer)
{
	struct err err = { 0 };
	bool is_new;
	int rc = 0;

	for (int n = 0; rc == 0 && n < CHUNKS; n++)
		rc =
		    transfer_chunk(transfer, n, frames[n].data, frames[n].len, &is_new, NULL, &err);
	while (rc == 0)
		rc = transfer_step(transfer, NULL, &err);
	return rc;
}

static bool
is_the_same(const struct transfer *transfer)
{
	static uint8_t found[BYTES + 1];
	FILE *in = fopen(transfer_path(transfer), "rb");
	size_t len = in != NULL ? fread(found, 1, sizeof(found), in) : 0;

	if (in != NULL)
		fclose(in);
	return len == BYTES && memcmp(found, file, BYTES) == 0;
}

struct sum {
	int turned, bad, wrong, harmless;
};

static int64_t
bad_chunks(void)
{
	return refusal_count(REFUSED_BAD_CHUNK) + refusal_count(REFUSED_BOMB) +
	    refusal_count(REFUSED_WRONG_SIZE);
}

static void
turn(int n, size_t at, struct sum *sum)
{
	struct transfer *transfer = open_it();
	int64_t bad = bad_chunks(), wrong = refusal_count(REFUSED_WRONG_HASH);

	frames[n].data[at] ^= (char)(1 << at % 8);
	int rc = give_all(transfer);

	frames[n].data[at] ^= (char)(1 << at % 8);
	bad = bad_chunks() - bad;
	wrong = refusal_count(REFUSED_WRONG_HASH) - wrong;
	sum->turned++;
	if (rc == TRANSFER_WHOLE) {
		/* A bit of the frame's head that means nothing. */
		if (!is_the_same(transfer))
			fail_msg("byte %zu of chunk %d: accepted", at, n);
		sum->harmless++;
	} else {
		/* Refused once, by its name. */
		assert_int_equal(bad + wrong, 1);
		assert_int_equal(rc, bad == 1 ? AISLE_E_REFUSED : TRANSFER_AGAIN);
		sum->bad += (int)bad;
		sum->wrong += (int)wrong;
	}
	transfer_remove(transfer);
}

static void
no_byte_of_a_bundle_can_be_another(void **state)
{
	struct sum sum = { 0 };
	struct transfer *transfer = open_it();

	(void)state;
	assert_int_equal(give_all(transfer), TRANSFER_WHOLE);
	assert_true(is_the_same(transfer));
	transfer_remove(transfer);
	for (int n = 0; n < CHUNKS; n++)
		for (size_t at = 0; at < frames[n].len; at++)
			if (every || at % 16 == 0 || at < HEAD || at + HEAD > frames[n].len)
				turn(n, at, &sum);
	print_message("%d turned: %d frames refused, %d wholes refused, %d without effect\n",
	    sum.turned, sum.bad, sum.wrong, sum.harmless);
	assert_true(sum.turned >= BYTES / 16 && sum.bad > 0 && sum.harmless < 8);
	assert_int_equal(sum.bad + sum.wrong + sum.harmless, sum.turned);
}

int
main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(no_byte_of_a_bundle_can_be_another),
	};

	every = argc > 1 && strcmp(argv[1], "all") == 0;
	return cmocka_run_group_tests(tests, set_up, tear_down);
}
