/* SPDX-License-Identifier: Apache-2.0
 *
 * fuzz_transfer.c - any bytes as a chunk of an artifact, and as the map of the chunks that are here.
 *
 * The first byte says which chunk, and whether the rest is a frame or a map.
 *
 * What must hold: no crash; a chunk is taken or refused by its name, and one that is refused leaves all as it was; what is
 * here is no more than the artifact; a whole is what its hash says.
 */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "core/id.h"
#include "sync/transfer.h"
#include "trust/refusal.h"

#define CHUNK 1024
#define CHUNKS 3
#define BYTES ((CHUNKS - 1) * CHUNK + 100)

static char dir[64];
static char hash[65];
static uint8_t artifact[BYTES];

static void
set_up(void)
{
	uint8_t digest[32];

	if (dir[0] != '\0')
		return;
	/* In memory: a disk would be waited for. */
	snprintf(dir, sizeof(dir), "%s/aisle-fuzz-XXXXXX",
	    access("/dev/shm", W_OK) == 0 ? "/dev/shm" : "/tmp");
	CHECK(mkdtemp(dir) != NULL);
	for (size_t i = 0; i < BYTES; i++)
		artifact[i] = (uint8_t)(i * 7 + i / 256);
	hash_bytes(digest, sizeof(digest), artifact, BYTES, NULL, 0);
	hash_hex(hash, digest, sizeof(digest));
}

static void
judge(int rc, enum refusal refusal, const struct err *err)
{
	CHECK(rc >= 0 || rc == AISLE_E_REFUSED || rc == AISLE_E_IO);
	CHECK(rc >= 0 || (refusal != REFUSED_NONE && err->text[0] != '\0'));
}

static struct transfer *
open_it(void)
{
	struct transfer *transfer = NULL;
	enum refusal refusal = REFUSED_NONE;
	struct err err = { 0 };
	int rc = transfer_open(dir, hash, BYTES, CHUNK, 1000, &transfer, &refusal, &err);

	judge(rc, refusal, &err);
	CHECK(rc == 0);
	return transfer;
}

static int
step(struct transfer *transfer)
{
	enum refusal refusal = REFUSED_NONE;
	struct err err = { 0 };
	int rc;

	do
		rc = transfer_step(transfer, &refusal, &err);
	while (rc == TRANSFER_WORKS);
	judge(rc, refusal, &err);
	CHECK(transfer_have_bytes(transfer) <= BYTES);
	return rc;
}

static int64_t
bad_chunks(void)
{
	return refusal_count(REFUSED_BAD_CHUNK) + refusal_count(REFUSED_BOMB) +
	    refusal_count(REFUSED_WRONG_SIZE);
}

static void
as_chunk(int number, const uint8_t *data, size_t size)
{
	struct transfer *transfer = open_it();
	enum refusal refusal = REFUSED_NONE;
	struct err err = { 0 };
	bool is_new = false;
	int64_t counted = bad_chunks();
	int64_t have;

	(void)step(transfer);
	have = transfer_have_bytes(transfer);
	int rc = transfer_chunk(transfer, number, data, size, &is_new, &refusal, &err);

	judge(rc, refusal, &err);
	if (rc != 0) {
		CHECK(refusal == REFUSED_BAD_CHUNK || refusal == REFUSED_BOMB ||
		    refusal == REFUSED_WRONG_SIZE);
		CHECK(bad_chunks() == counted + 1);
		CHECK(transfer_have_bytes(transfer) == have);
	} else {
		CHECK(transfer_have_bytes(transfer) >= have);
	}
	(void)step(transfer);
	transfer_remove(transfer);
}

static void
as_map(const uint8_t *data, size_t size)
{
	char path[200];
	struct transfer *transfer = open_it();
	int fd;

	transfer_close(transfer);
	snprintf(path, sizeof(path), "%s/%s.map", dir, hash);
	fd = open(path, O_WRONLY | O_TRUNC | O_CLOEXEC);
	CHECK(fd >= 0 && write(fd, data, size) == (ssize_t)size);
	close(fd);
	transfer = open_it();
	/* Bytes that were not put there have no tag that fits, but by the fuzzer's own. */
	CHECK(step(transfer) != TRANSFER_WHOLE);
	transfer_remove(transfer);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	set_up();
	if (size < 1)
		return 0;
	if (data[0] >= 128)
		as_map(data + 1, size - 1);
	else
		as_chunk(data[0] % (CHUNKS + 2) - 1, data + 1, size - 1);
	return 0;
}
